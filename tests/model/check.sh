#!/usr/bin/env bash
# Has spin check the model of the exchange protocol in every configuration; each search is exhaustive. One line a
# check: whether it is as it should be, states, seconds, megabytes, what was checked. Exits 1 if one is not.
#   check.sh [SPIN]
set -eu
spin=$(command -v "${1:-spin}")
model=$(cd "$(dirname "$0")" && pwd)/exchange.pml
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
failed=0

# search SAFETY|NP DEFINES...: asserts and end states, or asserts and cycles without progress. Output in search.log.
search() {
  local kind=$1 options=
  shift
  [ "$kind" = SAFETY ] || options=-l
  rm -f pan* ./*.trail
  # Not optimised: the compiler would take longer than the search.
  { "$spin" -a "$@" "$model" && ${CC:-cc} -w -O0 -DNOREDUCE "-D$kind" -DMEMLIM=900 -o pan pan.c; } >search.log 2>&1 || return
  ./pan $options -m20000 >search.log 2>&1
}

# report VERDICT PROMISE
report() {
  local states seconds memory
  states=$(sed -nE 's/^ *([0-9]+) states, stored.*/\1/p' search.log)
  seconds=$(sed -nE 's/^pan: elapsed time ([0-9.e+-]+) seconds.*/\1/p' search.log)
  memory=$(sed -nE 's/^ *([0-9]+)[0-9.]*[[:space:]]+total actual memory usage.*/\1/p' search.log)
  printf '%-6s %8s states %6s s %4s MB  %s\n' "$1" "${states:-?}" "${seconds:-?}" "${memory:-?}" "$2"
}

# holds PROMISE SAFETY|NP DEFINES...
holds() {
  local promise=$1
  shift
  search "$@" || true
  if grep -q 'errors: 0$' search.log && ! grep -qE 'max search depth too small|out of memory|^pan:1:' search.log; then
    report ok "$promise"
    return
  fi
  failed=$((failed + 1))
  report FAILED "$promise ($*)"
  grep -vE '^$' search.log | head -n 12
  shift
  for trail in *.trail; do
    [ ! -f "$trail" ] || "$spin" "$@" -k "$trail" -c "$model" | tail -n 60
  done
}

# found WHAT_SPIN_SAYS BREAKAGE SAFETY|NP DEFINES...: a model broken on purpose must not pass.
found() {
  local says=$1 breakage=$2
  shift 2
  search "$@" || true
  if grep -q "^pan:1: $says" search.log; then
    report found "$breakage"
  else
    failed=$((failed + 1))
    report FAILED "not found: $breakage ($*)"
    grep -vE '^$' search.log | head -n 12
  fi
}

pair=(-DOFFERERS=1 -DSTORM=2)
crossing=(-DACCEPTS=1 -DSTORM=2)
again=(-DOFFERERS=1 -DACCEPTS=1 -DSTORM=2 -DATTEMPTS=3)
cycle=(-DAGENTS=3 -DBLOCKS=1 -DACCEPTS=1 -DSTORM=1)

holds "one offers: applied at most once, by both or by neither; nobody is stuck" SAFETY -DOFFERERS=1 -DSTORM=3
holds "both offer: the same, and never two exchanges between them" SAFETY "${crossing[@]}"
if sed -n '/^unreached in proctype agent/,$p' search.log | grep -F exchange.pml: | grep -vF '"-end-"'; then
  echo "FAILED: the lines above were never reached, so that nothing was checked there"
  failed=$((failed + 1))
fi
holds "A offers to B, B to C, C to A: the same" SAFETY "${cycle[@]}"
holds "offers cross, nothing is lost: exactly one exchange, of all blocks" SAFETY -DRELIABLE
holds "R may give up in doubt: the same, but for what it counts" SAFETY "${pair[@]}" -DINDOUBT
holds "I may crash: the same, but for blocks whose DONE was lost" SAFETY "${pair[@]}" -DCRASH
holds "I may begin another attempt: the same" SAFETY "${again[@]}"
holds "I may begin three more at one block: the same" SAFETY -DOFFERERS=1 -DACCEPTS=1 -DSTORM=3 -DATTEMPTS=4 -DBLOCKS=1
holds "one offers: every run comes to rest once the network is calm" NP "${pair[@]}"
holds "I may begin another attempt: the same" NP "${again[@]}"
holds "both offer: the same" NP -DACCEPTS=1 -DSTORM=1
holds "all three have offered: the same" NP -DAGENTS=3 -DBLOCKS=1 -DACCEPTS=1 -DRELIABLE

found "assertion violated" "R applies when it is prepared" SAFETY "${pair[@]}" -DBROKEN=1
found "assertion violated" "I does not record what it has decided" SAFETY "${pair[@]}" -DBROKEN=2
found "assertion violated" "R obeys an ABORT of another block" SAFETY "${pair[@]}" -DBROKEN=3
found "assertion violated" "the exchange is known by one nonce" SAFETY "${pair[@]}" -DBROKEN=4
found "invalid end state" "R does not repeat READY" SAFETY "${pair[@]}" -DBROKEN=5
found "non-progress cycle" "READY for an unknown exchange gets no answer" NP "${pair[@]}" -DBROKEN=6
found "assertion violated" "of two crossing offers, both are dropped" SAFETY -DRELIABLE -DBROKEN=7
found "non-progress cycle" "an offer to a busy agent waits: the cycle waits for ever" NP "${cycle[@]}" -DRELIABLE -DBROKEN=8
found "assertion violated" "I forgets what it has decided when the exchange ends" SAFETY "${pair[@]}" -DBROKEN=9
found "assertion violated" "I, restarted, aborts another block than the first" SAFETY "${pair[@]}" -DCRASH -DBROKEN=10
found "assertion violated" "READY of an older attempt gets ABORT" SAFETY "${again[@]}" -DBROKEN=11
found "assertion violated" "I takes frames of an older attempt for this one's" SAFETY "${again[@]}" -DBROKEN=12

[ "$failed" = 0 ] || { echo "$failed checks are not as they should be"; exit 1; }
