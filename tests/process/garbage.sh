#!/usr/bin/env bash
# An agent called by whoever has nothing sensible to say goes on with whoever has: garbage.sh POPSGD [CONNECTIONS]
. "$(dirname "$0")/agents.sh"
connections=${2:-1000}

start listener --listen 127.0.0.1:0 --no-discovery --rate 200 --every 50 --shard 1/2
await 10 grep -qs listening "$work/listener.out" || die "it does not listen: $(cat "$work/listener.err")"
at=$(port listener)
start partner --listen 127.0.0.1:0 --peer "127.0.0.1:$at" --no-discovery --rate 200 --every 50 --shard 2/2
await 10 is listener completed ">=" 5 || die "the two do not exchange"

# One byte a second, of a frame that would be long.
{
  exec 3<>"/dev/tcp/127.0.0.1/$at"
  printf '\377\377\000\000' >&3
  while printf x >&3; do sleep 1; done
} 2>/dev/null &
started+=($!)

# Random bytes; lengths that are right, with nothing right behind; nothing at all.
throw() {
  exec 4<>"/dev/tcp/127.0.0.1/$at" || return
  case $(($1 % 4)) in
    0) head -c $((1 + RANDOM % 2000)) /dev/urandom >&4 ;;
    1) { printf '\100\000\000\000' && head -c 64 /dev/urandom; } >&4 ;;
    2) printf '\000\000\000\000' >&4 ;;
    3) ;;
  esac
  exec 4>&-
} 2>/dev/null

for ((k = 0; k < 100; ++k)); do throw "$k"; done
sleep 1
memory=$(rss listener)
files=$(fds listener)
for ((k = 0; k < connections; ++k)); do throw "$k"; done
goes_on 10 listener || fail "it does not go on"
sleep 1
echo "$connections connections: $memory kB and $files files before, $(rss listener) kB and $(fds listener) after"
holds "$(rss listener)" "<=" "1.05 * $memory + 512" || fail "it has grown from $memory to $(rss listener) kB"
holds "$(fds listener)" "<=" "$files + 2" || fail "it has $(fds listener) files open, $files before"
is_up partner || fail "the partner is gone"
for name in listener partner; do
  stop "$name"
  [ "$status" = 0 ] || fail "$name exits with $status: $(tail -n 1 "$work/$name.err")"
done
finish
