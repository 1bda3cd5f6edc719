#!/usr/bin/env bash
# What is installed for another machine is found by a project that is configured with the project's own toolchain file.
#   cross.sh SOURCE_DIRECTORY BUILD_DIRECTORY TOOLCHAIN_FILE [CMAKE_ARGUMENT...]
# CMAKE_GENERATOR comes from the environment, as the build had it.
set -eu
source=$1 build=$2 toolchain=$3
shift 3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
quietly() { "$@" >"$work/log" 2>&1 || { cat "$work/log"; exit 1; }; }

quietly cmake --install "$build" --prefix "$work/installed"
mkdir "$work/consumer"
cat >"$work/consumer/CMakeLists.txt" <<'END'
cmake_minimum_required(VERSION 3.25)
project(consumer LANGUAGES CXX)
find_package(popsgd 0.1 CONFIG REQUIRED COMPONENTS sdk serial)
add_library(consumer consumer.cpp)
target_link_libraries(consumer PRIVATE popsgd::sdk popsgd::serial)
END
cat >"$work/consumer/consumer.cpp" <<'END'
#include <popsgd/popsgd.h>
#include <popsgd/serial/serial_link.h>
std::size_t memory_of_a_link() { return popsgd::serial::SerialLink::memory_size(256, 1); }
END
quietly cmake -S "$work/consumer" -B "$work/build" --toolchain "$source/$toolchain" -D CMAKE_PREFIX_PATH="$work/installed" "$@"
quietly cmake --build "$work/build"
echo "found and used: $(sed -n 's/^popsgd_DIR:PATH=//p' "$work/build/CMakeCache.txt" | sed "s|$work|...|")"
