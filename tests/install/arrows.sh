#!/usr/bin/env bash
# The arrows between the rooms, as the sources have them: who includes whom, and what the core does without.
#   arrows.sh SOURCE_DIRECTORY [COMPILE_COMMANDS.JSON]
set -eu
cd "$1"
commands=${2-}
violations=0

# Standard headers that bring neither an allocator nor an operating system.
core='algorithm|array|bit|cfloat|climits|cmath|compare|concepts|cstddef|cstdint|cstring|functional|initializer_list'
core="$core|iterator|limits|numbers|numeric|optional|span|string_view|tuple|type_traits|utility"
# For the codec: FlatBuffers, and what its compiler makes of sdk/schema.
flatbuffers='flatbuffers/[a-z_]+\.h|schema/popsgd_generated\.h'
# For the arithmetic: the processors' own instructions.
instructions='immintrin\.h|arm_acle\.h'

# The C ABI, and what transports add to it.
c='(sdk|transport/[a-z]+)/include/popsgd/(popsgd|c/[a-z_]+)\.h'

sources() { find "$@" -type f \( -name '*.h' -o -name '*.h.in' -o -name '*.cpp' -o -name '*.c' \); }

# Every include of FOLDERS as "file:line:<header>" or file:line:"header".
includes() { sources "$@" | xargs -r grep -nHE '^[[:space:]]*#[[:space:]]*include' | sed -E 's/#[^<"]*//; s/([>"])[^>"]*$/\1/'; }

# Every line of FOLDERS without its strings and comments, as "file:line:code".
code() { sources "$@" | while read -r file; do sed -E 's/"[^"]*"//g; s://.*::' "$file" | grep -nH --label="$file" .; done; }

# RULE: no line may come in.
none() {
  local found
  found=$(cat)
  [ -n "$found" ] || return 0
  echo "$1:" >&2
  echo "$found" | sed 's/^/  /' >&2
  violations=$((violations + 1))
}

none "public headers of sdk/ include the core's standard headers and <popsgd/...> of sdk/, nothing else" \
  < <(includes sdk/include | grep -vE ":<($core)>$" | grep -vE ':<popsgd/[a-z0-9_/]+\.h>$' | grep -vE "^$c:.*:<std(bool|def|int)\.h>$")
none "the headers of C include C's own and their kind" \
  < <(includes sdk/include transport/*/include | grep -E "^$c:" | grep -vE ':<(std(bool|def|int)|popsgd/version|popsgd/c/[a-z_]+)\.h>$')

# <memory> for the beginning of an object's life in the caller's memory.
none "sdk/src includes its own headers, the core's standard headers and <popsgd/...> of sdk/, nothing else" \
  < <(includes sdk/src | grep -vE "^sdk/src/codec/.*:<($flatbuffers)>$" | grep -vE ":<($core|memory)>$" |
    grep -vE "^sdk/src/numeric/.*:<($instructions)>$" | grep -vE ':(<popsgd/[a-z0-9_/]+\.h>|"[a-z0-9_/]+\.h")$')

none "a header in quotes lies in the room of the file that includes it" < <(
  for room in sdk/src transport/*/src platforms/sim/src platforms/linux platforms/template platforms/cortex_m; do
    [ -d "$room" ] || continue
    includes "$room" | grep '"$' | while IFS=: read -r file line header; do
      header=${header//\"/}
      [ -f "$room/$header" ] && [[ $header != *..* ]] && continue
      near=$(realpath -m --relative-to=. "$(dirname "$file")/$header")
      [ -f "$near" ] && [[ $near == "$room"/* ]] && continue
      echo "$file:$line:\"$header\""
    done
  done)

none "a header as <popsgd/...> exists in the public headers of a room below; a transport sees its own only" < <(
  includes sdk transport platforms examples | grep '<popsgd/' | while IFS=: read -r file line header; do
    header=${header//[<>]/}
    [ -f "sdk/include/$header" ] || [ -f "sdk/include/$header.in" ] && continue
    [[ $file == transport/* ]] && { transport=${file#transport/}; rooms=transport/${transport%%/*}; } || rooms='transport/*'
    # shellcheck disable=SC2086
    [[ $file != sdk/* ]] && compgen -G "$rooms/include/$header" >/dev/null && continue
    [[ $file == platforms/* || $file == examples/* ]] && [ -f "platforms/sim/include/$header" ] && continue
    echo "$file:$line:<$header>"
  done)

none "examples use public headers, and their own beside them" < <(
  includes examples | grep '"$' | while IFS=: read -r file line header; do
    [ -f "$(dirname "$file")/${header//\"/}" ] || echo "$file:$line:$header"
  done)
none "FlatBuffers is for sdk/src/codec" \
  < <(includes sdk transport platforms examples | grep -E ":<($flatbuffers)>$" | grep -v '^sdk/src/codec/')
none "Eigen is for platforms/sim/src" \
  < <(includes sdk transport platforms examples | grep -E ':<(Eigen|unsupported)/' | grep -v '^platforms/sim/src/')
none "Asio is for transport/asio/src" \
  < <(includes sdk transport platforms examples | grep -E ':<asio(/|\.hpp)' | grep -v '^transport/asio/src/')
none "mbedTLS is for transport/secure/src and its configuration" \
  < <(includes sdk transport platforms examples | grep -E ':<(mbedtls|psa)/' | grep -vE '^transport/secure/(src|device)/')
none "lwIP is for platforms/cortex_m/ethernet" \
  < <(includes sdk transport platforms examples | grep -E ':<(lwip|netif)/' | grep -v '^platforms/cortex_m/ethernet/')
none "JSON, TOML and the command line are for programs of the host" \
  < <(includes sdk transport platforms examples | grep -E ':<(nlohmann|CLI|toml\+\+)/' |
    grep -vE '^(platforms/linux|examples/mixed_swarm)/')

word='(^|[^[:alnum:]_])'
none "sdk/ has neither exceptions nor run-time types" \
  < <(code sdk/include sdk/src | grep -E "${word}(throw|try|catch|dynamic_cast|typeid)([^[:alnum:]_]|$)")
none "sdk/ asks no allocator (functions may be = delete)" \
  < <(code sdk/include sdk/src | grep -vE '= *delete;' |
    grep -E "${word}(new|delete|malloc|calloc|realloc|free|alloca)([^[:alnum:]_]|$)")

if [ -n "$commands" ]; then
  none "the core is compiled without a look at the shores" \
    < <(grep '"command"' "$commands" | grep -E ' -c [^ ]*/sdk/src/' | grep -oF -e "-I$PWD/platforms" -e "-I$PWD/transport")
fi

[ "$(sources sdk/include sdk/src | wc -l)" -gt 0 ] || { echo "arrows.sh: no sources in $PWD" >&2; exit 1; }
[ "$violations" = 0 ] || exit 1
echo "every arrow points downwards"
