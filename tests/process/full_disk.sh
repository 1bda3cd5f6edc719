#!/usr/bin/env bash
# A disk that is full: the agent says so and goes on, what it saved before stays, and when there is room it saves again.
. "$(dirname "$0")/isolated.sh"
. "$(dirname "$0")/agents.sh"

disk=$work/disk
mkdir "$disk"
mount -t tmpfs -o size=1m popsgd-test "$disk" 2>/dev/null || skip "no tmpfs of its own"
data=blobs:d=32,classes=4
# A model of some 130 kB: three of them fit, not many more.
start one --listen 127.0.0.1:0 --no-discovery --state "$disk/state" --model mlp:900 --rate 50 \
  --save-every 0.3
await 15 [ -e "$disk/state/checkpoint.1" ] || die "nothing is saved: $(cat "$work/one.out" "$work/one.err")"

saved() { "$popsgd" inspect "$disk/state" --json | sed -n 's/.*"sequence": \([0-9]*\).*/\1/p' | sort -n | tail -n 1; }
beyond() { [ "$(saved)" -gt "$1" ]; }
for round in 1 2; do
  dd if=/dev/zero of="$disk/ballast" bs=4k status=none 2>/dev/null
  before=$(grep -c not_saved "$work/one.out")
  complains() { [ "$(grep -c not_saved "$work/one.out")" -gt "$before" ]; }
  await 10 complains || fail "round $round: it does not say that it could not save"
  sequence=$(saved)
  steps=$(last one steps)
  sleep 1
  is one steps ">" "$steps" || fail "round $round: it takes no more steps"
  run inspect "$disk/state"
  [ "$status" = 0 ] || fail "round $round: no checkpoint is entire: $(cat "$work/out")"
  ! grep -q damaged "$work/out" || fail "round $round: damaged: $(cat "$work/out")"
  [ "$(saved)" = "$sequence" ] || fail "round $round: a full disk has taken a checkpoint"
  rm "$disk/ballast"
  await 10 beyond "$sequence" || fail "round $round: it does not save again"
done
grep -m 1 not_saved "$work/one.out"
grep -q "No space left on device" "$work/one.out" || fail "it does not say why: $(grep not_saved "$work/one.out" | tail -n 1)"

# To the end: what cannot be saved then is said, by the exit status too.
dd if=/dev/zero of="$disk/ballast" bs=4k status=none 2>/dev/null
stop one
[ "$status" = 1 ] || fail "it could not save at its end, and exits with $status"
grep -q "the last checkpoint was not saved: .*No space left" "$work/one.err" || fail "it does not say so: $(cat "$work/one.err")"
umount -l "$disk"
finish
