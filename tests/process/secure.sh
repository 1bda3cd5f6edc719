#!/usr/bin/env bash
# Agents with one key learn together over secure links; who has another key, or none, is turned away: secure.sh POPSGD TRANSPORT
. "$(dirname "$0")/agents.sh"
transport=$2
run keygen "$work/swarm.key"
[ "$status" = 0 ] || die "popsgd keygen exits with $status: $(cat "$work/err")"
run keygen "$work/other.key"

for name in one two three; do
  local_agent $name --key "$work/swarm.key" --transport "$transport" --every 50
done
await 20 is one links ">=" 2 || fail "members do not meet: $(tail -n 3 "$work/one.out")"
await 20 is one completed ">=" 20 || fail "members do not exchange: $(tail -n 3 "$work/one.out")"

# A stranger is shown the way, and still is not let in.
known=127.0.0.1:$(port one)
local_agent other --key "$work/other.key" --transport "$transport" --peer "$known"
local_agent plain --insecure --transport "$transport" --peer "$known"
before=$(last one completed)
await 20 grep -q "names a key of another swarm" "$work/one.out" || fail "one does not say that it turned away the other"
goes_on 20 one || fail "members stop to exchange"
is other completed "==" 0 || fail "one with another key exchanged"
is plain completed "==" 0 || fail "one without a key exchanged"
is other links "==" 0 || fail "one with another key is linked"
is plain links "==" 0 || fail "one without a key is linked"

# One that comes back is let in again.
stop two
before=$(last one completed)
local_agent two_again --key "$work/swarm.key" --transport "$transport" --every 50
await 20 is two_again completed ">=" 5 || fail "one that came back does not exchange: $(tail -n 3 "$work/two_again.out")"
echo "members over $transport: $before exchanges before one came back, $(last one completed) after"
finish
