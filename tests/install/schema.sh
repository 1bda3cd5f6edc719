#!/usr/bin/env bash
# Frames are FlatBuffers of the published schema: flatc, which knows nothing else of us, writes each as JSON; and
# what it makes of that JSON, by its own builder, is the same JSON again.
#   schema.sh POPSGD.FBS FLATC POPSGD_FRAME_SEEDS
set -eu
schema=$1 flatc=$2 seeds=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$seeds" "$work/frames"

frames=0
for frame in "$work"/frames/*.bin; do
  name=$(basename "$frame" .bin)
  kind=${name#kind} kind=${kind%_*}
  # Without --raw-binary: the file identifier is checked too.
  "$flatc" --json --strict-json --defaults-json -o "$work/ours" "$schema" -- "$frame"
  "$flatc" --binary -o "$work/theirs" "$schema" "$work/ours/$name.json"
  "$flatc" --json --strict-json --defaults-json -o "$work/again" "$schema" -- "$work/theirs/$name.bin"
  cmp "$work/ours/$name.json" "$work/again/$name.json"
  number=0
  for word in offer accept busy reject state ack ready commit abort; do
    number=$((number + 1))
    [ "$number" != "$kind" ] || grep -q "\"kind\": \"$word\"" "$work/ours/$name.json" || {
      echo "schema.sh: $name is not read as $word:" >&2
      cat "$work/ours/$name.json" >&2
      exit 1
    }
  done
  frames=$((frames + 1))
done
[ "$frames" -gt 0 ] || { echo "schema.sh: no frames" >&2; exit 1; }
echo "flatc reads all $frames frames"
