#!/usr/bin/env bash
# The service as it is installed: where systemd looks for it, of a program that is there, and nothing in it that systemd
# does not understand. Skipped, with status 77, where there is no systemd-analyze.
#   systemd.sh BUILD_DIRECTORY INSTALLED_PROGRAM
set -eu
build=$1 program=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  echo "systemd.sh: $*" >&2
  exit 1
}

DESTDIR=$work/staged cmake --install "$build" >"$work/log" || { cat "$work/log"; fail "does not install"; }
unit=$(find "$work/staged" -path '*/lib/systemd/system/popsgd-agent.service')
[ -n "$unit" ] || fail "no lib/systemd/system/popsgd-agent.service is installed"
[ -x "$work/staged$program" ] || fail "$program is not installed"
grep -q "^ExecStart=$program agent " "$unit" || fail "the service does not start $program: $(grep ExecStart "$unit")"

command -v systemd-analyze >/dev/null || { echo "no systemd-analyze: the rest is left out"; exit 77; }
# systemd asks for the program itself, too: show it where it is staged. What other units may lack is not ours.
sed "s#^ExecStart=$program#ExecStart=$work/staged$program#" "$unit" >"$work/popsgd-agent.service"
systemd-analyze verify --man=no "$work/popsgd-agent.service" >"$work/said" 2>&1 || { cat "$work/said"; fail "verify fails"; }
! grep popsgd-agent "$work/said" || fail "systemd does not understand the above"

# How much it leaves open, from 0 to 100 (10.0 as systemd says it).
systemd-analyze security --offline=true --threshold=20 "$work/popsgd-agent.service" >"$work/said" 2>&1 ||
  { cat "$work/said"; fail "the service is less confined than it was"; }
tail -n 1 "$work/said"
