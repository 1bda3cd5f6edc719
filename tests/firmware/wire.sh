#!/usr/bin/env bash
# An emulated board meets a real popsgd agent along its UART, which the agent has as a serial port. The board sees half of the
# digits, so that it reads more than half only by what it is told. It is switched off, and on again: they go on.
#   wire.sh EMULATOR BOARD PROGRAM HOST_BUILD
. "$(dirname "$0")/with_agent.sh"

# switched_on LOG: the board, whose UART becomes a PTY of this machine; `tty` is its name.
switched_on() {
  QEMU_BOARD_SERIAL=pty "$emulator" "$board" "$program" seconds=10 step=50 meet=400 share=0/2 >"$1" &
  device=$!
  for _ in $(seq 200); do grep -qs /dev/pts/ "$1" && break || sleep 0.05; done
  ln -sfn "$(grep -o '/dev/pts/[0-9]*' "$1")" tty
}
switched_on first.log
agent agent.log --serial tty
wait "$device"
switched_on second.log
wait "$device"
kill -TERM "$agent" && wait "$agent" || true

echo "board: $(read_by first.log) % of the digits read, $(completed first.log) exchanges;" \
  "on again: $(read_by second.log) %, $(completed second.log); agent: $(completed agent.log)"
taught first.log
taught second.log
[ "$(completed agent.log)" -ge 10 ] || fail "agent.log: ten exchanges at least"
grep -q 'tty is lost' agent.log && grep -q 'tty is back' agent.log || fail "the agent says what became of the port"
[ "$failed" = 0 ] || tail -n 30 first.log second.log agent.log
exit "$failed"
