#!/usr/bin/env bash
# Power fails at every single change of the flash, one after the other, and each time the image starts again from the flash as it
# was left: it finds the checkpoint before the cut or the one that was cut, entire.
#   power_cut.sh EMULATOR BOARD PROGRAM NUMERIC     NUMERIC: in which activities are learned; digits are in int16
set -eu
emulator=$1 board=$2 program=$3 of_activity=$4
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

# model EVENT: of the last run.
model() { sed -n "s/.*\"event\":\"$1\",\"model\":\\([0-9]*\\).*/\\1/p" log; }
# life NUMERIC DATA CHANGES
life() { "$emulator" "$board" "$program" numeric="$1" data="$2" step=1 cut="$3" >log || { cat log; exit 1; }; }

for kind in "int16 digits" "$of_activity activity"; do
  read -r numeric data <<<"$kind"
  rm -f popsgd-flash
  life "$numeric" "$data" 1000  # nothing is cut
  before=$(model saved)
  after=$before
  cuts=0
  while [ -z "$(model saved)" ] || [ "$cuts" = 0 ]; do
    life "$numeric" "$data" "$cuts"
    found=$(model restored)
    if [ -z "$found" ] || { [ "$found" != "$before" ] && [ "$found" != "$after" ]; }; then
      echo "FAILED: after cut $cuts the image finds ${found:-nothing}, neither $before nor $after"
      exit 1
    fi
    before=$found
    after=$(model saving)
    cuts=$((cuts + 1))
    [ "$cuts" -le 200 ] || { echo "FAILED: no save has come to its end"; exit 1; }
  done
  [ "$cuts" -ge 10 ] || { echo "FAILED: a save takes more than $cuts changes"; exit 1; }
  life "$numeric" "$data" 1000
  [ "$(model restored)" = "$after" ] || { echo "FAILED: what was saved at last is not found"; exit 1; }
  echo "$data in $numeric: cut at each of $((cuts - 1)) changes, a whole checkpoint was found"
done
