#!/usr/bin/env bash
# SIGTERM and SIGINT save a checkpoint, from which the next start goes on; a flag wins over the file.
. "$(dirname "$0")/agents.sh"

printf 'rate = 300\nlisten = "127.0.0.1:0"\nno-discovery = true\nsave-every = 1000\nmodel = "softmax"\n' >"$work/agent.toml"
for signal in TERM INT; do
  state=$work/state-$signal
  start "$signal" --config "$work/agent.toml" --state "$state"
  await 10 is "$signal" steps ">=" 100 || fail "no steps are taken"
  [ ! -e "$state/checkpoint.0" ] && [ ! -e "$state/checkpoint.1" ] || fail "it was saved before it was time to"
  status=0
  # A shell has its children ignore SIGINT when they are beside it; agents ask for it all the same.
  kill -"$signal" "${pids[$signal]}"
  wait "${pids[$signal]}" || status=$?
  [ "$status" = 0 ] || fail "SIG$signal: exit status $status: $(cat "$work/$signal.err")"
  steps=$(last "$signal" steps)
  run inspect "$state" --json
  grep -q "\"local_steps\": $steps," "$work/out" || fail "SIG$signal: $steps steps are not what is saved: $(cat "$work/out")"

  # Ends by itself after 150 more, at another rate than the file's.
  start "again-$signal" --config "$work/agent.toml" --state "$state" --steps $((steps + 150)) --rate 50
  begun=$SECONDS
  status=0
  wait "${pids[again-$signal]}" || status=$?
  [ "$status" = 0 ] || fail "a second start exits with $status: $(cat "$work/again-$signal.err")"
  grep -q "goes on from step $steps in" "$work/again-$signal.out" || fail "it has begun anew: $(head -n 2 "$work/again-$signal.out")"
  [ "$(last "again-$signal" steps)" = $((steps + 150)) ] || fail "it ended after $(last "again-$signal" steps) steps"
  [ $((SECONDS - begun)) -ge 2 ] || fail "the file's --rate has won over the flag's"
done

# One that comes at once ends it as well.
start early --listen 127.0.0.1:0 --no-discovery --state "$work/early"
kill -TERM "${pids[early]}"
wait "${pids[early]}"
case $? in 0 | 143) ;; *) fail "a signal at the start: status $?" ;; esac
finish
