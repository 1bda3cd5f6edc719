#!/usr/bin/env bash
# An emulated board meets a real popsgd agent along its UART, which the agent has as a serial port. The board sees half of the
# digits, so that it reads more than half only by what it is told. It is switched off, and on again: they go on. With `key` both have a
# key, and meet by DTLS; then a board without it is not met.
#   wire.sh EMULATOR BOARD PROGRAM HOST_BUILD [key]
# HOST_BUILD: where popsgd and popsgd_samples were built. Exit 77: they were not.
set -eu
emulator=$1 board=$2 program=$3 secure=${5-}
popsgd=$4/platforms/linux/popsgd
samples=$4/platforms/cortex_m/firmware/popsgd_samples
[ -x "$popsgd" ] && [ -x "$samples" ] || { echo "skipped: there is no popsgd in $4"; exit 77; }
scratch=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$scratch"' EXIT
cd "$scratch"

# switched_on SECONDS LOG [KEY]: the board, whose UART becomes a PTY of this machine; `tty` is its name.
switched_on() {
  # shellcheck disable=SC2086  # no key is no word
  QEMU_BOARD_SERIAL=pty "$emulator" "$board" "$program" seconds="$1" step=50 meet=400 share=0/2 $3 >"$2" &
  device=$!
  for _ in $(seq 200); do grep -q /dev/pts/ "$2" && break || sleep 0.05; done
  ln -sfn "$(grep -o '/dev/pts/[0-9]*' "$2")" tty
}
number() { grep "$1" "$2" | tail -n 1 | grep -o "\"$3\":[0-9.]*" | cut -d: -f2; }
# read_by LOG: of the digits, in percent; the mean of the last five looks.
read_by() { grep -o '"accuracy":[0-9.]*' "$1" | tail -n 5 | awk -F: '{ sum += $2 } END { printf "%d", 100 * sum / NR }'; }

"$samples" digits 1000 1 >digits.csv
word="" options=
if [ -n "$secure" ]; then
  "$popsgd" keygen swarm.key >/dev/null
  word=key=$(grep -v '^#' swarm.key)
  options="--key swarm.key"
fi
switched_on 10 first.log "$word"
# shellcheck disable=SC2086  # options are words
"$popsgd" agent --data digits.csv:standardise=none --model softmax --swarm digits --batch 1 --lr 0.05 --rate 50 \
  --listen 127.0.0.1:0 --no-discovery --serial tty --every 400 --no-gate --report-every 1 $options >agent.log 2>&1 &
agent=$!
wait "$device"
met=$(number '"status"' agent.log completed)
switched_on "$([ -z "$secure" ] && echo 10 || echo 16)" second.log "$word"  # a handshake comes first
wait "$device"
if [ -n "$secure" ]; then
  switched_on 6 open.log ""
  wait "$device"
fi
kill -TERM "$agent" && wait "$agent" || true

after=$(number '"result"' agent.log completed)
echo "board: $(read_by first.log) % of the digits read, $(number '"result"' first.log completed) exchanges;" \
  "on again: $(read_by second.log) %, $(number '"result"' second.log completed); agent: $met, then $after"
failed=0
for log in first.log second.log; do
  [ "$(number '"result"' $log completed)" -ge 5 ] || { echo "FAILED: $log: five exchanges at least"; failed=1; }
  [ "$(read_by $log)" -ge 60 ] || { echo "FAILED: $log: it reads more digits than those it sees"; failed=1; }
done
grep -q 'tty is lost' agent.log && grep -q 'tty is back' agent.log || { echo "FAILED: the agent says what became of the port"; failed=1; }
[ "$after" -gt "$met" ] || { echo "FAILED: the agent goes on when the board is back"; failed=1; }
[ -z "$secure" ] || [ "$(number '"result"' open.log completed)" = 0 ] || { echo "FAILED: a board without key is met"; failed=1; }
[ "$failed" = 0 ] || tail -n 30 first.log second.log agent.log
exit "$failed"
