#!/usr/bin/env bash
# What a program on a board has measured of itself (lines "what number": instructions, bytes of stack), beside its budget;
# not 0 if one is over it.
#   measured.sh TARGET EMULATOR BOARD PROGRAM
set -euo pipefail
target=$1
# The program's own exit status counts, too: what it printed before it failed is no measurement.
said=$(QEMU_BOARD_OPTIONS="-icount shift=6" "$2" "$3" "$4") || { echo "$said" >&2; echo "$4 has failed" >&2; exit 2; }
measured=$(grep -E '^[a-z0-9_]+ [0-9]+$' <<<"$said") || { echo "$4 has measured nothing" >&2; exit 2; }
budget=$(dirname "$0")/budget.csv
over=0
while read -r what count; do
  if [ "$what" = thousand ]; then  # instructions, and what counting costs: the clock is right
    [ "$count" -ge 1000 ] && [ "$count" -le 1020 ] || { echo "1000 instructions count as $count" >&2; exit 2; }
    continue
  fi
  most=$(awk -F, -v t="$target" -v w="$what" '$1 == t && $2 == w { print $3 }' "$budget")
  [ -n "$most" ] || { echo "$budget has no row $target,$what" >&2; exit 2; }
  printf '%-8s %-12s %7d of %7d\n' "$target" "$what" "$count" "$most"
  [ "$count" -le "$most" ] || over=1
done <<<"$measured"
exit "$over"
