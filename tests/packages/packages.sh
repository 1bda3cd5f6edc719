#!/usr/bin/env bash
# What Arduino, PlatformIO, ESP-IDF and Zephyr are given. Their own tools are not here: manifests are compared with their documents;
# the package is compiled, and its sketch run, with a stand-in for an Arduino core; CMake files run with stand-ins for
# the functions they call.
#   packages.sh SOURCE COMPILER
set -eu
source=$1 compiler=$2
here=$source/tests/packages
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
package=$scratch/popsgd

"$source/platforms/packages/make-package" "$package"
"$source/platforms/packages/make-package" "$package" 2>/dev/null && { echo "FAILED: a folder that is there is left alone"; exit 1; }
perl "$here/manifests.pl" "$package" "$source"

cmake -S "$here/esp_idf" -B "$scratch/esp_idf" -D PACKAGE="$package" >"$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }
cmake -S "$here/zephyr" -B "$scratch/zephyr" -D MODULE="$source" >"$scratch/log" 2>&1 || { cat "$scratch/log"; exit 1; }

# As Arduino does: every source below src/, which is the only folder for headers.
mkdir "$scratch/objects"
cd "$package/src"
find . -name '*.cpp' -printf '%P\0' | xargs -0 -n 1 -P 2 sh -c \
  'exec "$0" -std=gnu++20 -Os -fno-exceptions -fno-rtti -I . -c "$2" -o "$1/$(echo "$2" | tr / _).o"' "$compiler" "$scratch/objects"
"$compiler" -std=gnu++20 -Os -fno-exceptions -fno-rtti -I . -I "$here/arduino" -I "$package/examples/learn" \
  "$here/arduino/sketch.cpp" "$scratch/objects"/*.o -o "$scratch/sketch"
"$scratch/sketch"
