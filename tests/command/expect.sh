# Shared by the tests of the command: sourced with the path of popsgd as the first argument.
set -u
popsgd=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

fail() {
  echo "FAILED: $*"
  failures=$((failures + 1))
}

# run ARGUMENTS...: sets status, and leaves the output in $work/out and $work/err.
run() {
  "$popsgd" "$@" >"$work/out" 2>"$work/err" </dev/null
  status=$?
}

# exits STATUS WORDS -- ARGUMENTS...: status, and one line on stderr that contains WORDS.
exits() {
  local want=$1 words=$2
  shift 3
  run "$@"
  [ "$status" = "$want" ] || fail "'$*' exits with $status, not $want: $(head -n 2 "$work/err")"
  [ "$(grep -c . "$work/err")" = 1 ] || fail "'$*' does not say it in one line: $(cat "$work/err")"
  grep -qF -- "$words" "$work/err" || fail "'$*' does not say '$words': $(cat "$work/err")"
}

finish() { [ "$failures" = 0 ]; }
