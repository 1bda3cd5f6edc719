#!/usr/bin/env bash
# An emulated board and a real popsgd agent that have one key meet over TLS, and teach each other. Whoever has another key, or none,
# is not met: neither as agent nor as board.
#   secure_ethernet.sh EMULATOR BOARD PROGRAM HOST_BUILD NUMERIC
# HOST_BUILD: where popsgd and popsgd_samples were built. Exit 77: they were not.
set -eu
emulator=$1 board=$2 program=$3 numeric=$5
popsgd=$4/platforms/linux/popsgd
samples=$4/platforms/cortex_m/firmware/popsgd_samples
[ -x "$popsgd" ] && [ -x "$samples" ] || { echo "skipped: there is no popsgd in $4"; exit 77; }
scratch=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$scratch"' EXIT
cd "$scratch"

"$samples" digits 1000 1 >digits.csv
for name in swarm other; do "$popsgd" keygen $name.key >/dev/null; done
# agent NAME [--key FILE]: one that runs, and listens
agent() {
  "$popsgd" agent --data digits.csv:standardise=none --model softmax --swarm digits --batch 1 --lr 0.05 --rate 50 \
    --listen 127.0.0.1:0 --no-discovery --every 400 --no-gate --report-every 1 "${@:2}" >"$1.agent" 2>&1 &
  agents="${agents-} $!"
  for _ in $(seq 200); do grep -q listening "$1.agent" && break || sleep 0.05; done
}
# meet NAME ARGUMENT...: a board that runs to its end; those it is told of are agents' names
meet() {
  local name=$1 word words=()
  shift
  for word; do
    case $word in
      peer=*) words+=("peer=10.0.2.2:$(sed -n 's/.*tcp 127.0.0.1:\([0-9]*\),.*/\1/p' "${word#peer=}.agent")") ;;
      *) words+=("$word") ;;
    esac
  done
  mkdir "$name"
  (cd "$name" && QEMU_BOARD_OPTIONS="-nic user" "$emulator" "$board" "$program" step=50 meet=400 share=0/2 numeric="$numeric" \
    "${words[@]}" >"../$name.board") || { cat "$name.board"; return 1; }
}
agent member --key swarm.key
agent stranger --key other.key
agent open
key=key=$(grep -v '^#' swarm.key)
meet with_key seconds=10 "$key" peer=member peer=stranger &
boards=$!
meet with_key_alone seconds=8 "$key" peer=open peer=stranger &
boards="$boards $!"
meet without_key seconds=8 peer=member peer=stranger &
boards="$boards $!"
for process in $boards; do wait "$process"; done
# shellcheck disable=SC2086  # they are words
kill -TERM $agents && { wait $agents || true; }

failed=0
fail() {
  echo "FAILED: $*"
  failed=1
}
completed() { grep '"event":"result"' "$1" | grep -o '"completed":[0-9]*' | cut -d: -f2; }
accuracy=$(grep -o '"accuracy":[0-9.]*' with_key.board | tail -n 5 | awk -F: '{ sum += $2 } END { printf "%d", 100 * sum / NR }')
echo "board: $accuracy % of the digits read, $(completed with_key.board) exchanges; agent: $(completed member.agent)"
[ "$accuracy" -ge 60 ] || fail "the board reads more digits than those it sees"
for met in with_key.board member.agent; do [ "$(completed $met)" -ge 5 ] || fail "$met: five exchanges at least"; done
for alone in with_key_alone.board without_key.board stranger.agent open.agent; do
  [ "$(completed $alone)" = 0 ] || fail "$alone meets nobody"
done
# They have not met, though they have called.
grep -q 'turned away.*names a key of another swarm' stranger.agent || fail "stranger.agent turns away a board with another key"
grep -q 'turned away.*not TLS' member.agent || fail "member.agent turns away a board without key"
wrong=${key%?}$([ "${key: -1}" = 0 ] && echo 1 || echo 0)
meet mistyped seconds=1 "$wrong" peer=member >/dev/null && fail "a key with a wrong letter is none"
[ "$failed" = 0 ] || tail -n 30 ./*.board ./*.agent
exit "$failed"
