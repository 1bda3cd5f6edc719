#!/usr/bin/env bash
# What a stripped program takes, beside its budget, and the shared libraries it needs; not 0 if it is over the budget, or needs
# others than those that come with the compiler.
#   program.sh TARGET STRIP READELF PROGRAM
set -eu
target=$1
program=$4
budget=$(dirname "$0")/budget.csv
stripped=$(mktemp)
trap 'rm -f "$stripped"' EXIT
"$2" -o "$stripped" "$program"
size=$(stat -c %s "$stripped")
most=$(awk -F, -v t="$target" '$1 == t && $2 == "popsgd" { print $3 }' "$budget")
[ -n "$most" ] || { echo "$budget has no row $target,popsgd" >&2; exit 2; }
printf '%-8s %-12s %7d of %7d bytes\n' "$target" popsgd "$size" "$most"

over=0
[ "$size" -le "$most" ] || over=1
while read -r library; do
  [ -n "$library" ] || continue
  echo "needs $library"
  case $library in
    libc.so.6 | libm.so.6 | libgcc_s.so.1 | libstdc++.so.6 | ld-linux*.so.*) ;;
    *) echo "$program needs $library, which a device may not have" >&2; over=1 ;;
  esac
done < <("$3" -d "$program" | sed -n 's/.*(NEEDED).*\[\(.*\)\]$/\1/p')
exit "$over"
