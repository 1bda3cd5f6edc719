#!/usr/bin/env bash
# Installs a build into a prefix of its own and uses it as a stranger would: by projects that copy examples/find_package, in C++,
# and examples/c_api, in C. Then moves the prefix and does it again.
#   installed.sh find_package|pkg_config SOURCE_DIRECTORY BUILD_DIRECTORY
# CMAKE_GENERATOR, CXX and CXXFLAGS, CC and CFLAGS come from the environment, as the build had them.
set -eu
how=$1 source=$2 build=$3
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  echo "installed.sh: $*" >&2
  exit 1
}

# Configures and builds the project in FOLDER against PREFIX, and runs its PROGRAM.
run_by_find_package() {
  local prefix=$1 folder=$2 program=$3
  shift 3
  rm -rf "$work/build"
  cmake -S "$folder" -B "$work/build" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_BUILD_TYPE=Release >"$work/log" ||
    { cat "$work/log"; fail "$program does not configure"; }
  cmake --build "$work/build" >"$work/log" || { cat "$work/log"; fail "$program does not build"; }
  "$work/build/$program" "$@"
}

# Builds SOURCE_FILE with one call of the compiler and runs it.
run_by_pkg_config() {
  local prefix=$1 file=$2 package=$3 flags
  flags=$(PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name "$package.pc")") pkg-config --cflags --libs "$package")
  # Word splitting is wanted: both hold several flags.
  # shellcheck disable=SC2086
  $CXX -std=c++20 ${CXXFLAGS-} "$file" $flags -o "$work/program" || fail "$file does not build with: $flags"
  "$work/program"
}

# Each header of C by itself, the transports' as well, is C99, and no other language.
headers_are_c99() {
  local include=$1 header
  for header in "$include"/popsgd/popsgd.h "$include"/popsgd/c/*.h; do
    echo "#include <${header#"$include"/}>" |
      $CC -std=c99 -Wall -Wextra -pedantic-errors -Werror -fsyntax-only -I"$include" -x c - || fail "$header is not C99"
  done
}

# The same in C: builds FILE with the C compiler alone, from the PACKAGES.
build_c_by_pkg_config() {
  local prefix=$1 file=$2 flags
  shift 2
  flags=$(PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name popsgd.pc)") pkg-config --cflags --libs "$@")
  # shellcheck disable=SC2086
  $CC -std=c99 -Wall -Wextra -pedantic -Werror ${CFLAGS-} "$file" $flags -o "$work/program" || fail "$file does not build with: $flags"
}

# find_package() must refuse this VERSION and COMPONENT of PREFIX and say WORDS.
refused() {
  local prefix=$1 version=$2 component=$3 words=$4
  rm -rf "$work/refused" "$work/build"
  mkdir "$work/refused"
  cat >"$work/refused/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.25)
project(refused LANGUAGES CXX)
find_package(popsgd $version CONFIG REQUIRED COMPONENTS $component)
END
  if cmake -S "$work/refused" -B "$work/build" -DCMAKE_PREFIX_PATH="$prefix" >"$work/log" 2>&1; then
    fail "find_package accepts version $version, component $component"
  fi
  tr -s ' \n' ' ' <"$work/log" | grep -qF "$words" || { cat "$work/log"; fail "the message lacks: $words"; }
}

use() {
  local prefix=$1 sim asio
  sim=$(find "$prefix" -name libpopsgd_sim.a)
  asio=$(find "$prefix" -name libpopsgd_asio.a)
  case $how in
    find_package)
      run_by_find_package "$prefix" "$source/examples/find_package" swarm
      run_by_find_package "$prefix" "$source/examples/c_api" two_devices "$work/checkpoint"
      "$source/tests/support/wired.sh" "$work/build/wired" 3
      refused "$prefix" 0.1 radio "popsgd has no component 'radio'; its components are sdk, loopback, serial, discovery, asio, secure and sim"
      refused "$prefix" 0.2 sdk "compatible with requested version"
      if [ -n "$sim" ]; then
        run_by_find_package "$prefix" "$source/tests/install/sim_consumer" sim_consumer
      else
        refused "$prefix" 0.1 sim "built without its component sim"
      fi
      if [ -n "$asio" ]; then
        run_by_find_package "$prefix" "$source/tests/install/asio_consumer" asio_consumer
      else
        refused "$prefix" 0.1 asio "built without its component asio"
      fi
      ;;
    pkg_config)
      run_by_pkg_config "$prefix" "$source/examples/find_package/swarm.cpp" popsgd
      headers_are_c99 "$(dirname "$(dirname "$(find "$prefix" -path '*/popsgd/popsgd.h')")")"
      build_c_by_pkg_config "$prefix" "$source/examples/c_api/two_devices.c" popsgd
      "$work/program" "$work/checkpoint"
      build_c_by_pkg_config "$prefix" "$source/examples/c_api/wired.c" popsgd-serial popsgd-discovery
      "$source/tests/support/wired.sh" "$work/program" 3
      [ -z "$sim" ] || run_by_pkg_config "$prefix" "$source/tests/install/sim_consumer/sim_consumer.cpp" popsgd-sim
      [ -z "$asio" ] || run_by_pkg_config "$prefix" "$source/tests/install/asio_consumer/asio_consumer.cpp" popsgd-asio
      ;;
    *) fail "find_package or pkg_config, not '$how'" ;;
  esac
}

cmake --install "$build" --prefix "$work/installed" >"$work/log" || { cat "$work/log"; fail "does not install"; }
for path in "$work/installed" "$source" "$build"; do
  ! grep -rIF "$path" "$work/installed" || fail "an installed file names $path"
done
use "$work/installed"
if [ -x "$work/installed/bin/popsgd" ]; then "$work/installed/bin/popsgd" --version; fi

mv "$work/installed" "$work/moved"
use "$work/moved"
