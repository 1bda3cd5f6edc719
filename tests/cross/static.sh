#!/usr/bin/env bash
# The command without shared libraries needs none, and runs: static.sh READELF PROGRAM EMULATED_PROGRAM
set -eu
! "$1" -d "$2" | grep NEEDED || { echo "$2 needs shared libraries" >&2; exit 1; }
"$3" --version
"$3" simulate --agents 4 --interactions 100 --json | grep -q '"accuracy_mean_model"' ||
  { echo "popsgd simulate does not say how accurate the mean model is" >&2; exit 1; }
