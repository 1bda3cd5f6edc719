#!/usr/bin/env bash
# Two of examples/c_api's `wired` at the ends of a line of pipes, each with half of the points: wired.sh PROGRAM SECONDS
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkfifo "$work/there" "$work/back"
"$1" left "$2" <>"$work/there" >"$work/back" &
left=$!
"$1" right "$2" <>"$work/back" >"$work/there" && right=0 || right=$?
wait "$left" && exit "$right"
