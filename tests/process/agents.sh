# Shared by the tests of agents as processes: sourced with the path of popsgd as the first argument.
. "$(dirname "$0")/../command/expect.sh"
declare -A pids
started=()
swarm=test-$$-$RANDOM
data=blobs
report=0.25 # seconds

# What is left is killed by its id; a stopped process takes that, too.
cleanup() {
  for pid in ${started[@]+"${started[@]}"}; do kill -KILL "$pid"; done 2>/dev/null
  wait 2>/dev/null
  rm -rf "$work"
}
trap cleanup EXIT

# start NAME ARGUMENTS...: an agent beside this script; what it says is added to $work/NAME.out and $work/NAME.err.
start() {
  local name=$1
  shift
  ${within:-} "$popsgd" agent --swarm "$swarm" --data "$data" --report-every "$report" "$@" \
    >>"$work/$name.out" 2>>"$work/$name.err" </dev/null &
  pids[$name]=$!
  started+=($!)
}

# local_agent NAME ARGUMENTS...: one that looks for others on the loopback interface.
local_agent() { start "$@" --listen 127.0.0.1:0 --loopback --interface lo; }

# is_up NAME: whether it runs.
is_up() { kill -0 "${pids[$1]}" 2>/dev/null; }

# stop NAME: ends it by SIGTERM, and leaves its exit status in status.
stop() {
  kill -TERM "${pids[$1]}"
  status=0
  wait "${pids[$1]}" || status=$?
}

# last NAME FIELD: what it said of it last, or 0.
last() {
  local line
  line=$(grep -E '"event":"(status|result)"' "$work/$1.out" 2>/dev/null | tail -n 1)
  line=${line#*\"$2\":}
  [[ $line =~ ^-?[0-9.e+-]+ ]] && echo "${BASH_REMATCH[0]}" || echo 0
}

# port NAME: where it listens.
port() { sed -n 's/.*listening at [a-z]* [^ ]*:\([0-9]*\),.*/\1/p' "$work/$1.out" | tail -n 1; }

# rss NAME, fds NAME: kB in memory, open files.
rss() { awk '/^VmRSS/ { print $2 }' "/proc/${pids[$1]}/status"; }
fds() { find "/proc/${pids[$1]}/fd" -mindepth 1 | wc -l; }

# holds LEFT OPERATOR RIGHT: of numbers with fractions.
holds() { awk "BEGIN { exit !(($1) $2 ($3)) }"; }

# is NAME FIELD OPERATOR VALUE: of what it said last.
is() { holds "$(last "$1" "$2")" "$3" "$4"; }

# await SECONDS COMMAND...: waits until it succeeds; whether it did.
await() {
  local end=$((SECONDS + $1))
  shift
  until "$@"; do
    [ "$SECONDS" -lt "$end" ] || return 1
    sleep 0.1
  done
}

# goes_on SECONDS NAME: whether it completes another five exchanges within these seconds.
goes_on() { await "$1" is "$2" completed ">=" $(($(last "$2" completed) + 5)); }

# die WORDS...: what follows would make no sense.
die() {
  fail "$@"
  exit 1
}

skip() {
  echo "skipped: $*"
  exit 77
}
