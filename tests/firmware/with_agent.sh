# For tests in which an emulated board meets popsgd agents of this machine; sourced with
#   EMULATOR BOARD PROGRAM HOST_BUILD
# HOST_BUILD: where popsgd and popsgd_samples were built. Exit 77: they were not. The test goes on in a folder of its own, and what
# it has started ends with it.
# shellcheck shell=bash
set -eu
emulator=$1 board=$2 program=$3
popsgd=$4/platforms/linux/popsgd
samples=$4/platforms/cortex_m/firmware/popsgd_samples
[ -x "$popsgd" ] && [ -x "$samples" ] || { echo "skipped: there is no popsgd in $4"; exit 77; }
scratch=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$scratch"' EXIT
cd "$scratch"
"$samples" digits 1000 1 >digits.csv
failed=0

# agent LOG ARGUMENT...: one that learns all digits, and listens by now; `agent` is its process.
agent() {
  "$popsgd" agent --data digits.csv:standardise=none --model softmax --swarm digits --batch 1 --lr 0.05 --rate 50 \
    --listen 127.0.0.1:0 --no-discovery --every 400 --no-gate --report-every 1 "${@:2}" >"$1" 2>&1 &
  agent=$!
  for _ in $(seq 200); do grep -qs listening "$1" && break || sleep 0.05; done
}
# address LOG: where a board finds that agent.
address() { sed -n 's/.*tcp 127.0.0.1:\([0-9]*\),.*/10.0.2.2:\1/p' "$1"; }
# completed LOG: exchanges, as it said at its end.
completed() { grep '"event":"result"' "$1" | grep -o '"completed":[0-9]*' | cut -d: -f2; }
# read_by LOG: of the digits, in percent; the mean of the last five looks, as between two meetings some is forgotten.
read_by() { grep -o '"accuracy":[0-9.]*' "$1" | tail -n 5 | awk -F: '{ sum += $2 } END { printf "%d", 100 * sum / NR }'; }
fail() {
  echo "FAILED: $*"
  failed=1
}
# taught LOG: a board that sees half of the digits has met somebody, and learned of the other half.
taught() {
  [ "$(completed "$1")" -ge 5 ] || fail "$1: five exchanges at least"
  [ "$(read_by "$1")" -ge 60 ] || fail "$1: it reads more digits than those it sees"
}
