#!/usr/bin/env bash
# Half of the agents is killed and started again, over and over: kill.sh POPSGD [ROUNDS]
# Every checkpoint stays entire, the others go on, all learn in the end, and memory does not grow.
. "$(dirname "$0")/agents.sh"
rounds=${2:-4}
steady="1 2 3 4"
struck="5 6 7 8"

begin() {
  local_agent "$1" --shard "$1/8" --state "$work/state-$1" --rate 200 --every 50 --save-every 0.2 --eval-every 1
}
for k in $steady $struck; do begin "$k"; done
for k in $steady; do await 20 is "$k" completed ">=" 5 || die "agent $k does not begin to exchange"; done
sleep 1
declare -A before
for k in $steady; do before[$k]=$(rss "$k"); done

for ((round = 1; round <= rounds; ++round)); do
  for k in $struck; do kill -KILL "${pids[$k]}"; done
  for k in $struck; do wait "${pids[$k]}"; done 2>/dev/null
  for k in $struck; do
    run inspect "$work/state-$k"
    [ "$status" = 0 ] || fail "round $round: no checkpoint of agent $k is entire: $(cat "$work/out" "$work/err")"
    : >"$work/$k.out"
    begin "$k"
  done
  for k in $steady; do goes_on 10 "$k" || fail "round $round: agent $k does not go on"; done
  for k in $struck; do await 15 is "$k" completed ">=" 1 || fail "round $round: agent $k does not take part again"; done
done

sleep 2
for k in $steady; do
  now=$(rss "$k")
  echo "agent $k: ${before[$k]} kB before, $now kB after $rounds rounds"
  holds "$now" "<=" "1.05 * ${before[$k]} + 512" || fail "agent $k has grown from ${before[$k]} to $now kB"
done
for k in $steady $struck; do
  stop "$k"
  [ "$status" = 0 ] || fail "agent $k exits with $status: $(tail -n 1 "$work/$k.err")"
  is "$k" test_accuracy ">=" 0.95 || fail "agent $k ends at an accuracy of $(last "$k" test_accuracy)"
  run inspect "$work/state-$k"
  ! grep -q damaged "$work/out" || fail "damaged at the end: $(cat "$work/out")"
done
for k in $struck; do grep -q '"event":"restored"' "$work/$k.out" || fail "agent $k has begun anew"; done
finish
