#!/usr/bin/env bash
# What the archive of the core, or another for devices, asks of the world: memory blocks, strings and mathematics; no
# allocator, no exceptions, no threads, no operating system.
#   symbols.sh ARCHIVE [ARCHIVE_BELOW...]
set -eu
archive=$1
allowed='mem(cpy|move|set|cmp)|str(len|ncmp)|(exp|fabs|log|log1p|sqrt)f?|sin|cos|sincos|erfc|ilogb|ldexp|nearbyint'
# What the compiler itself adds: position-independent code, sanitizers, coverage.
instrumentation='_GLOBAL_OFFSET_TABLE_|__(asan|tsan|ubsan|lsan|sanitizer|gcov|llvm)_.*'

defined() { nm --defined-only --format=posix "$@" | sed -n 's/ [A-Za-z] .*//p' | sort -u; }
undefined() { nm --undefined-only --format=posix "$archive" | sed -n 's/ [Uvw].*//p' | sort -u; }

[ -n "$(defined "$archive")" ] || { echo "symbols.sh: $archive defines nothing" >&2; exit 1; }
foreign=$(comm -13 <(defined "$@") <(undefined) | grep -vxE "$allowed|$instrumentation" || true)
if [ -n "$foreign" ]; then
  echo "symbols.sh: the core may not refer to these:" >&2
  echo "$foreign" | c++filt >&2
  exit 1
fi
echo "the core refers to nothing but memory blocks and mathematics"
