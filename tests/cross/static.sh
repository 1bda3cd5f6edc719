#!/usr/bin/env bash
# The command without shared libraries needs none, and runs: static.sh READELF PROGRAM EMULATED_PROGRAM
set -eu
if "$1" -d "$2" | grep NEEDED; then
  echo "$2 needs shared libraries" >&2
  exit 1
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$3" --version
"$3" keygen "$work/swarm.key"
[ -s "$work/swarm.key" ] || { echo "popsgd keygen left no key" >&2; exit 1; }
