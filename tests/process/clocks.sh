#!/usr/bin/env bash
# Clocks that jump: of the day by years, back and forth, as when a device first hears the time; and the one that only goes
# forward, as if the machine had slept. Nobody stops exchanging, learning or saving: clocks.sh POPSGD LIBRARY
. "$(dirname "$0")/agents.sh"
. "$(dirname "$0")/faults.sh"

all="1 2 3 4"
for k in $all; do
  faulty "$k" --listen 127.0.0.1:0 --loopback --interface lo --shard "$k/4" --rate 200 --every 50 --state "$work/state-$k" \
    --save-every 0.5 --eval-every 1
done
for k in $all; do await 20 is "$k" completed ">=" 5 || die "agent $k does not begin to exchange: $(cat "$work/$k.err")"; done

go_on() {
  for k in $all; do goes_on 20 "$k" || fail "$1: agent $k does not go on"; done
}
year=$((365 * 24 * 3600))
for jump in "$((20 * year)) 0" "$((-20 * year)) 0" "0 60" "0 7200" "$year $((20 * 24 * 3600))"; do
  # shellcheck disable=SC2086  # two numbers
  for k in 1 2; do faults "$k" 0 $jump; done
  go_on "two clocks are ahead by $jump s"
done
saved() { "$popsgd" inspect "$work/state-$1" --json | sed -n 's/.*"sequence": \([0-9]*\).*/\1/p' | sort -n | tail -n 1; }
for k in $all; do
  before=$(saved "$k")
  beyond() { [ "$(saved "$k")" -gt "$before" ]; }
  await 10 beyond || fail "agent $k does not save"
done
for k in $all; do
  stop "$k"
  [ "$status" = 0 ] || fail "agent $k exits with $status: $(tail -n 1 "$work/$k.err")"
  is "$k" test_accuracy ">=" 0.95 || fail "agent $k ends at an accuracy of $(last "$k" test_accuracy)"
  echo "agent $k: $(last "$k" completed) exchanges completed, $(last "$k" cut_short) cut short, $(last "$k" in_doubt) in doubt"
done
finish
