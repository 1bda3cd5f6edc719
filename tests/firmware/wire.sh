#!/usr/bin/env bash
# An emulated board meets a real popsgd agent along its UART, which the agent has as a serial port. The board sees half of the
# digits, so that it reads more than half only by what it is told. It is switched off, and on again: they go on. With `key` both have a
# key, and meet by DTLS; then a board without it is not met.
#   wire.sh EMULATOR BOARD PROGRAM HOST_BUILD [key]
. "$(dirname "$0")/with_agent.sh"

# switched_on LOG ARGUMENT...: the board, whose UART becomes a PTY of this machine; `tty` is its name.
switched_on() {
  QEMU_BOARD_SERIAL=pty "$emulator" "$board" "$program" step=50 meet=400 share=0/2 "${@:2}" >"$1" &
  device=$!
  for _ in $(seq 200); do grep -qs /dev/pts/ "$1" && break || sleep 0.05; done
  ln -sfn "$(grep -o '/dev/pts/[0-9]*' "$1")" tty
}
words=() options=()
if [ "${5-}" = key ]; then
  "$popsgd" keygen swarm.key >/dev/null
  words=("key=$(grep -v '^#' swarm.key)")
  options=(--key swarm.key)
fi
switched_on first.log seconds=10 "${words[@]}"
agent agent.log --serial tty "${options[@]}"
wait "$device"
switched_on second.log seconds=10 "${words[@]}"
wait "$device"
if [ "${5-}" = key ]; then
  switched_on open.log seconds=6
  wait "$device"
fi
kill -TERM "$agent" && wait "$agent" || true

echo "board: $(read_by first.log) % of the digits read, $(completed first.log) exchanges;" \
  "on again: $(read_by second.log) %, $(completed second.log); agent: $(completed agent.log)"
taught first.log
taught second.log
[ "$(completed agent.log)" -ge 10 ] || fail "agent.log: ten exchanges at least"
grep -q 'tty is lost' agent.log && grep -q 'tty is back' agent.log || fail "the agent says what became of the port"
[ "${5-}" != key ] || [ "$(completed open.log)" = 0 ] || fail "a board without the key is met"
[ "$failed" = 0 ] || tail -n 30 ./*.log
exit "$failed"
