#!/usr/bin/env bash
# Two emulated boards, one's UART wired to the other's. Each sees half of the digits, so that alone it can learn to read
# no more than half of them; together they read most, and both have finished exchanges.
#   uart.sh EMULATOR BOARD PROGRAM NUMERIC     NUMERIC: of the second; the first learns in int16
set -eu
emulator=$1 board=$2 program=$3 numeric=$4
scratch=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$scratch"' EXIT

# device NAME WIRE ARGUMENT...: in a directory of its own, for its flash is a file.
device() {
  local name=$1 wire=$2
  shift 2
  mkdir -p "$scratch/$name"
  (cd "$scratch/$name" && QEMU_BOARD_SERIAL=$wire exec "$emulator" "$board" "$program" \
    data=digits seconds=10 step=10 meet=300 "$@" >"$scratch/$name.log") &
}
device first "unix:$scratch/wire,server=on,wait=on" share=0/2
for _ in $(seq 100); do [ -S "$scratch/wire" ] && break || sleep 0.05; done
device second "unix:$scratch/wire" share=1/2 numeric="$numeric"
wait

# The mean of the last five accuracies, in percent: just before a meeting a device has forgotten some of what it never sees.
accuracy() { grep -o '"accuracy":[0-9.]*' "$1" | tail -n 5 | awk -F: '{ sum += $2 } END { printf "%d", 100 * sum / NR }'; }
failed=0
for name in first second; do
  log=$scratch/$name.log
  result=$(grep '"event":"result"' "$log") || { echo "$name has not come to its end:"; cat "$log"; exit 1; }
  completed=$(grep -o '"completed":[0-9]*' <<<"$result" | cut -d: -f2)
  echo "$name: $(accuracy "$log") % of the digits read, $completed exchanges"
  [ "$completed" -ge 5 ] || { echo "FAILED: $name finishes five exchanges at least"; failed=1; }
  [ "$(accuracy "$log")" -ge 60 ] || { echo "FAILED: $name reads more digits than those it sees"; failed=1; }
done
[ "$failed" = 0 ] || tail -n 30 "$scratch"/*.log
exit "$failed"
