#!/usr/bin/env bash
# Agents that run take over what popsgd rotate makes of their key files: a new epoch, one after the other, while their links live on;
# another key, which ends them: secure_epochs.sh POPSGD TRANSPORT
. "$(dirname "$0")/agents.sh"
transport=$2
for name in one two old; do keys+=("$work/$name.key"); done
run keygen "${keys[0]}"
[ "$status" = 0 ] || die "popsgd keygen exits with $status: $(cat "$work/err")"
cp -p "${keys[0]}" "${keys[1]}"
cp -p "${keys[0]}" "${keys[2]}"
# rotate NAME [--new-key]: and waits until its agent says so; says NAME WORDS.
rotate() {
  run rotate "$work/$1.key" "${@:2}"
  [ "$status" = 0 ] || die "popsgd rotate exits with $status: $(cat "$work/err")"
}
says() { await 10 grep -q "\"event\":\"key\".*$2" "$work/$1.out" || die "$1 does not say '$2': $(tail -n 3 "$work/$1.out")"; }
# Which connections there are; of UDP, and without ss, none are seen.
connections() { ss -Htn "( sport = :$(port one) or sport = :$(port two) )" 2>/dev/null | awk '{ print $4, $5 }' | sort; }

for name in one two; do local_agent $name --key "$work/$name.key" --transport "$transport" --every 50; done
await 20 is one completed ">=" 5 || die "members do not exchange: $(tail -n 3 "$work/one.out")"

# Epoch by epoch, further than two apart from where they began: each step leaves the link as it is.
links=$(connections)
for epoch in 2 3 4; do
  for name in one two; do
    rotate $name
    says $name "the same key, epoch $epoch"
    goes_on 20 one || fail "no exchanges while $name is in epoch $epoch"
  done
done
[ "$(connections)" = "$links" ] || fail "the link was lost: $links, then $(connections)"

# New links are of the new epoch: who has not followed does not come in, who has does.
local_agent old --key "$work/old.key" --transport "$transport" --every 50 --peer "127.0.0.1:$(port one)"
await 20 grep -q "names a key of another swarm or epoch" "$work/one.out" || fail "one does not turn away who is three epochs behind"
is old completed "==" 0 || fail "one that is three epochs behind exchanged"
is old peers "<=" 1 || fail "one that is three epochs behind takes beacons for its swarm's: $(last old peers)"
for _ in 1 2; do rotate old; done
says old "the same key, epoch 3"
await 20 is old completed ">=" 1 || fail "one epoch behind, and it does not come in: $(tail -n 3 "$work/old.out")"

# What is no key is said, and all go on with what they have.
chmod 644 "$work/one.key"
says one "chmod 600.*it goes on with the key it has"
chmod 600 "$work/one.key"
goes_on 20 one || fail "no exchanges with a key file that is not to be trusted"

# Another key: its agent is alone.
rotate one --new-key
says one "another key, all links end, epoch 1"
await 20 is one links "==" 0 || fail "one still has links: $(last one links)"
before=$(last one completed)
await 20 goes_on 20 two || fail "the others stop to exchange"
is one completed "==" "$before" || fail "one exchanges by a key that it has given up"
# And comes back with the others' enrolment.
"$popsgd" enroll --text --key "$work/two.key" | "$popsgd" enroll - --force --key "$work/one.key" >/dev/null || die "popsgd enroll fails"
says one "another key, all links end, epoch 4"
goes_on 20 one || fail "one does not come back: $(tail -n 3 "$work/one.out")"
echo "members over $transport (${links:-connections not seen}): three epochs and another key without a restart, $(last one completed) exchanges"
finish
