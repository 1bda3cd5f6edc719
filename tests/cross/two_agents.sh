#!/usr/bin/env bash
# Two agents with one key, each of which sees a part of the labels, learn all of them over a secure link: two_agents.sh POPSGD
# Emulators have no multicast, so the second is told where the first listens.
. "$(dirname "$0")/../process/agents.sh"
run keygen "$work/swarm.key"
[ "$status" = 0 ] || die "popsgd keygen exits with $status: $(cat "$work/err")"

local_agent one --key "$work/swarm.key" --every 50
listens() { [ -n "$(port one)" ]; }
await 20 listens || die "one does not listen: $(cat "$work/one.err")"
local_agent two --key "$work/swarm.key" --every 50 --peer "127.0.0.1:$(port one)"

for name in one two; do
  await 40 is $name completed ">=" 20 || fail "$name does not exchange: $(tail -n 3 "$work/$name.out")"
  await 40 is $name accuracy ">=" 0.9 || fail "$name does not learn from the other: $(tail -n 3 "$work/$name.out")"
done
for name in one two; do
  stop $name
  [ "$status" = 0 ] || fail "$name exits with $status: $(cat "$work/$name.err")"
  echo "$name: $(last $name steps) steps, $(last $name completed) exchanges, accuracy $(last $name accuracy)"
done
finish
