#!/usr/bin/env bash
# A build that leaves kinds of models and parts out tells who uses it, by pkg-config as by CMake.
#   parts.sh SOURCE_DIRECTORY
# CMAKE_GENERATOR and CXX come from the environment, as the build had them.
set -eu
source=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

cmake -S "$source" -B "$work/build" -D POPSGD_AGENTS=int16 -D POPSGD_PARTS="gate;window" -D POPSGD_SIM=OFF -D POPSGD_ASIO=OFF \
  -D POPSGD_SECURE=OFF -D POPSGD_LINUX=OFF -D POPSGD_TESTS=OFF -D POPSGD_BENCH=OFF -D POPSGD_EXAMPLES=OFF >"$work/log" ||
  { cat "$work/log"; exit 1; }

cat >"$work/parts.cpp" <<'END'
#include <popsgd/numeric.h>
#include <popsgd/parts.h>
using popsgd::Numeric, popsgd::Part, popsgd::has, popsgd::held;
static_assert(held(Numeric::int16) && !held(Numeric::int8) && !held(Numeric::float32));
static_assert(has(Part::gate) && has(Part::window));
static_assert(!has(Part::rotation) && !has(Part::schedule) && !has(Part::networks) && !has(Part::diagnosis));
END
flags=$(PKG_CONFIG_PATH=$work/build pkg-config --cflags popsgd)
# Word splitting is wanted: these are several flags.
# shellcheck disable=SC2086
$CXX -std=c++20 -fsyntax-only -I"$source/sdk/include" $flags "$work/parts.cpp" || { echo "parts.sh: with the flags: $flags" >&2; exit 1; }
