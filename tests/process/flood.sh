#!/usr/bin/env bash
# Members that are called a thousand times a second by who is none go on exchanging, take no more memory for it, say little about it,
# and let a newcomer in within 5 s after it: flood.sh POPSGD FLOOD [SECONDS]
. "$(dirname "$0")/agents.sh"
flood=$2
seconds=${3:-8}
run keygen "$work/swarm.key"
[ "$status" = 0 ] || die "popsgd keygen exits with $status: $(cat "$work/err")"

member() { # NAME TRANSPORT ARGUMENTS...
  start "$1" --listen 127.0.0.1:0 --no-discovery --key "$work/swarm.key" --transport "$2" --rate 200 --every 50 "${@:3}"
}
# rate NAME SECONDS: exchanges a second that it completes meanwhile.
rate() {
  local before
  before=$(last "$1" completed)
  sleep "$2"
  awk "BEGIN { print ($(last "$1" completed) - $before) / $2 }"
}

# cpu NAME: ms of a processor that it has had.
cpu() { awk -v tick="$(getconf CLK_TCK)" '{ print ($14 + $15) * 1000 / tick }' "/proc/${pids[$1]}/stat"; }

flooded() { # KIND TRANSPORT
  local kind=$1 transport=$2 one=one-$1 late=late-$1 new=new-$1 at before after memory files during busy done
  member "$one" "$transport" --shard 1/2
  await 10 grep -qs listening "$work/$one.out" || die "$one does not listen: $(cat "$work/$one.err")"
  at=$(port "$one")
  member "two-$kind" "$transport" --shard 2/2 --peer "127.0.0.1:$at"
  await 20 is "$one" completed ">=" 5 || die "$one does not exchange: $(cat "$work/$one.err" "$work/two-$kind.err")"
  busy=$(cpu "$one")
  before=$(rate "$one" 3)
  busy=$(awk "BEGIN { print ($(cpu "$one") - $busy) / 3 }")
  memory=$(rss "$one")
  files=$(fds "$one")

  "$flood" "$kind" "$at" 1000 "$seconds" >"$work/flood.$kind" 2>&1 &
  local pid=$!
  started+=("$pid")
  sleep 1
  done=$(last "$one" completed)
  busy_during=$(cpu "$one")
  during=$(rate "$one" "$((seconds - 2))")
  busy_during=$(awk "BEGIN { print ($(cpu "$one") - $busy_during) / ($seconds - 2) }")
  memory_during=$(rss "$one")
  files_during=$(fds "$one")
  member "$late" "$transport" --peer "127.0.0.1:$at"
  await 2 is "$one" completed ">" "$done" || fail "$kind: no exchange is completed during the flood"
  wait "$pid" || die "no flood: $(cat "$work/flood.$kind")"
  member "$new" "$transport" --peer "127.0.0.1:$at"
  local end=$SECONDS
  await 5 is "$new" links ">=" 1 || fail "$kind: a member that came after the flood is not in within 5 s"
  await 5 is "$late" links ">=" 1 || fail "$kind: a member that came during the flood is not in"
  after=$((SECONDS - end))
  goes_on 10 "$new" || fail "$kind: who came after the flood does not exchange"

  local lines
  lines=$(grep -c "turned away" "$work/$one.out")
  echo "$kind: $(tail -n 1 "$work/flood.$kind"); exchanges a second: $before before, $during during;" \
    "ms of a processor a second: $busy before, $busy_during during; newcomers in after $after s;" \
    "$memory kB and $files files before, $memory_during kB and $files_during files during; $lines lines of log"
  is_up "$one" || die "$kind: $one is gone"
  # 16 handshakes and 128 connections at most, with what they send.
  holds "$memory_during" "<=" "$memory + 16384" || fail "$kind: it has grown from $memory to $memory_during kB"
  holds "$files_during" "<=" "$files + 140" || fail "$kind: it has $files_during files open, $files before"
  holds "$lines" "<=" "12 * (1 + $seconds / 60)" || fail "$kind: it says $lines lines"
  for name in "$one" "two-$kind" "$late" "$new"; do
    stop "$name"
    [ "$status" = 0 ] || fail "$kind: $name exits with $status: $(tail -n 1 "$work/$name.err")"
  done
}

flooded spoofed udp
flooded cookies udp
flooded silent tcp
flooded hellos tcp
finish
