#!/usr/bin/env bash
# A disk whose writes, syncs or renames fail: the agent says so and goes on, what it saved before stays, and it saves again
# when the disk does: broken_disk.sh POPSGD LIBRARY
. "$(dirname "$0")/agents.sh"
. "$(dirname "$0")/faults.sh"

faulty one --listen 127.0.0.1:0 --no-discovery --state "$work/state" --rate 50 --save-every 0.3
saved() { "$popsgd" inspect "$work/state" --json | sed -n 's/.*"sequence": \([0-9]*\).*/\1/p' | sort -n | tail -n 1; }
beyond() { [ "$(saved)" -gt "$1" ]; }
complains() { [ "$(grep -c not_saved "$work/one.out")" -gt "$1" ]; }
await 15 [ -e "$work/state/checkpoint.1" ] || die "nothing is saved: $(cat "$work/one.out" "$work/one.err")"

for call in 1 2 4; do
  before=$(grep -c not_saved "$work/one.out")
  faults one "$call" 0 0
  await 10 complains "$((before + 1))" || fail "calls $call fail: it does not say that it could not save"
  run inspect "$work/state"
  [ "$status" = 0 ] || fail "calls $call fail: no checkpoint is entire: $(cat "$work/out")"
  sequence=$(saved)
  steps=$(last one steps)
  sleep 1
  is one steps ">" "$steps" || fail "calls $call fail: it takes no more steps"
  faults one 0 0 0
  await 10 beyond "$sequence" || fail "calls $call fail no more: it does not save again"
done
grep -m 1 not_saved "$work/one.out"
grep -q "Input/output error" "$work/one.out" || fail "it does not say why: $(grep not_saved "$work/one.out" | tail -n 1)"

# Killed while it cannot save, it goes on from what it could.
sequence=$(saved)
faults one 7 0 0
sleep 1
kill -KILL "${pids[one]}"
wait "${pids[one]}" 2>/dev/null
: >"$work/one.out"
faulty one --listen 127.0.0.1:0 --no-discovery --state "$work/state" --rate 50 --save-every 0.3
await 10 beyond "$sequence" || fail "it does not go on after checkpoint $sequence"
grep -q '"event":"restored"' "$work/one.out" || fail "it has begun anew"
stop one
[ "$status" = 0 ] || fail "it exits with $status: $(tail -n 1 "$work/one.err")"
finish
