#!/usr/bin/env bash
# The live page of a real agent that learns with another.
#   live_agents.sh POPSGD
set -eu
popsgd=$1
here=$(dirname "$0")
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$work"' EXIT

# agent K ARGUMENTS: the K-th of two; its lines go to $work/K.
agent() {
  local k=$1
  shift
  "$popsgd" agent --data blobs --shard "$k/2" --swarm "page $$" --no-discovery --listen 127.0.0.1:0 --every 200 --rate 50 \
    --report-every 1 "$@" >"$work/$k" &
}
# said K WORDS: what follows them in the K-th agent's lines.
said() {
  for _ in $(seq 100); do
    sed -n "s|.*$2\([^\",/]*\).*|\1|p" "$work/$1" | head -n 1 | grep . && return
    sleep 0.1
  done
  echo "the agent never said: $2" >&2
  return 1
}

agent 1
agent 2 --peer "$(said 1 'listening at tcp ')" --metrics 127.0.0.1:0
pid=$!
page=$(said 2 'pages at http://')
"$here/live_page.sh" "http://$page/" "kill $pid"
