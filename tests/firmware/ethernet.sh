#!/usr/bin/env bash
# An emulated board meets a real popsgd agent over its Ethernet: TCP and hello as between agents. The board sees half of the
# digits, so that it reads more than half only by what it is told.
#   ethernet.sh EMULATOR BOARD PROGRAM HOST_BUILD NUMERIC
# HOST_BUILD: where popsgd and popsgd_samples were built. Exit 77: they were not.
set -eu
emulator=$1 board=$2 program=$3
popsgd=$4/platforms/linux/popsgd
samples=$4/platforms/cortex_m/firmware/popsgd_samples
[ -x "$popsgd" ] && [ -x "$samples" ] || { echo "skipped: there is no popsgd in $4"; exit 77; }
scratch=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$scratch"' EXIT
cd "$scratch"

"$samples" digits 1000 1 >digits.csv
"$popsgd" agent --data digits.csv:standardise=none --model softmax --swarm digits --batch 1 --lr 0.05 --rate 50 \
  --listen 127.0.0.1:0 --no-discovery --every 400 --no-gate --report-every 1 >agent.log 2>&1 &
for _ in $(seq 200); do grep -q listening agent.log && break || sleep 0.05; done
port=$(sed -n 's/.*tcp 127.0.0.1:\([0-9]*\),.*/\1/p' agent.log)
QEMU_BOARD_OPTIONS="-nic user" "$emulator" "$board" "$program" \
  seconds=10 step=50 meet=400 share=0/2 numeric="$5" peer="10.0.2.2:$port" >board.log || { cat board.log; exit 1; }
kill -TERM %1 && wait %1 || true

number() { grep '"event":"result"' "$1" | grep -o "\"$2\":[0-9.]*" | cut -d: -f2; }
accuracy=$(grep -o '"accuracy":[0-9.]*' board.log | tail -n 5 | awk -F: '{ sum += $2 } END { printf "%d", 100 * sum / NR }')
echo "board: $accuracy % of the digits read, $(number board.log completed) exchanges; agent: $(number agent.log completed)"
failed=0
for log in board.log agent.log; do
  [ "$(number $log completed)" -ge 5 ] || { echo "FAILED: $log: five exchanges at least"; failed=1; }
done
[ "$accuracy" -ge 60 ] || { echo "FAILED: the board reads more digits than those it sees"; failed=1; }
[ "$failed" = 0 ] || tail -n 30 board.log agent.log
exit "$failed"
