#!/usr/bin/env bash
# What a firmware takes of flash and RAM, beside its budget; not 0 if it is over it.
#   firmware.sh TARGET PROGRAM
set -eu
target=$1
program=$2
budget=$(dirname "$0")/budget.csv
read -r text data bss _ < <(arm-none-eabi-size "$program" | tail -n 1)
over=0
# compare WHAT BYTES
compare() {
  local most
  most=$(awk -F, -v t="$target" -v w="$1" '$1 == t && $2 == w { print $3 }' "$budget")
  [ -n "$most" ] || { echo "$budget has no row $target,$1" >&2; exit 2; }
  printf '%-13s %-10s %7d of %7d bytes\n' "$target" "$1" "$2" "$most"
  [ "$2" -le "$most" ] || over=1
}
compare flash $((text + data))
compare static_ram $((data + bss))
exit "$over"
