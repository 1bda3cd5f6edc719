#!/usr/bin/env bash
# An emulated board meets a real popsgd agent over its Ethernet: TCP and hello as between agents. The board sees half of the
# digits, so that it reads more than half only by what it is told.
#   ethernet.sh EMULATOR BOARD PROGRAM HOST_BUILD NUMERIC
. "$(dirname "$0")/with_agent.sh"
agent agent.log
QEMU_BOARD_OPTIONS="-nic user" "$emulator" "$board" "$program" \
  seconds=10 step=50 meet=400 share=0/2 numeric="$5" peer="$(address agent.log)" >board.log || { cat board.log; exit 1; }
kill -TERM "$agent" && wait "$agent" || true

echo "board: $(read_by board.log) % of the digits read, $(completed board.log) exchanges; agent: $(completed agent.log)"
taught board.log
[ "$(completed agent.log)" -ge 5 ] || fail "agent.log: five exchanges at least"
[ "$failed" = 0 ] || tail -n 30 board.log agent.log
exit "$failed"
