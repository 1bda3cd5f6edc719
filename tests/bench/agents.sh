#!/usr/bin/env bash
# What exchanging costs an agent, and how many of them live side by side on one machine:
#
#   agents.sh POPSGD throughput [ROUNDS [SECONDS]]  steps of an agent that exchanges with four, to those of one alone
#   agents.sh POPSGD many [AGENTS [SECONDS]]        deaths, errors, and how memory grows
set -eu
popsgd=$1
what=$2
work=$(mktemp -d)
started=()
cleanup() {
  for pid in ${started[@]+"${started[@]}"}; do kill -KILL "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT

# field NAME FILE: of the last line.
field() { tail -n 1 "$2" | sed -n "s/.*\"$1\":\([0-9.e+-]*\).*/\1/p"; }

# learn EVERY [apart]: steps of ten seconds or so of the agent that is measured, on the first core; all others are on the
# second, and, apart, so is the thread with its network.
# Prints steps a second, steps a second of its processor time, exchanges a second.
learn() {
  local ticks pid
  taskset -c 0 "$popsgd" agent --swarm "$swarm" --loopback --interface lo --listen 127.0.0.1:0 --no-gate --every "$1" --eval-every 0 \
    --report-every 1 >"$work/measured" 2>/dev/null &
  pid=$!
  started+=("$pid")
  until grep -q '"event":"status"' "$work/measured"; do sleep 0.1; done
  if [ "${2-}" = apart ]; then taskset -p -c 1 "$pid" >/dev/null; fi
  sleep 2
  local before after
  before="$(field seconds "$work/measured") $(field steps "$work/measured") $(field completed "$work/measured") $(ticks "$pid")"
  sleep "$seconds"
  after="$(field seconds "$work/measured") $(field steps "$work/measured") $(field completed "$work/measured") $(ticks "$pid")"
  kill -KILL "$pid"
  wait "$pid" 2>/dev/null || true
  ticks=$(getconf CLK_TCK)
  echo "$before $after" | awk -v hz="$ticks" '{ print ($6 - $2) / ($5 - $1), ($6 - $2) / (($8 - $4) / hz), ($7 - $3) / ($5 - $1) }'
}
ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }

throughput() {
  local rounds=${1:-5} every
  seconds=${2:-8}
  echo "every ms | steps/s | of alone | steps/s of processor time | of alone | exchanges/s   (medians of $rounds rounds)"
  swarm=bench-$$
  for _ in 1 2 3 4; do
    taskset -c 1 "$popsgd" agent --swarm "$swarm" --loopback --interface lo --listen 127.0.0.1:0 --no-gate --rate 1 --every 1000000 \
      --eval-every 0 >/dev/null 2>&1 &
    started+=($!)
  done
  sleep 5
  for ((round = 0; round < rounds; ++round)); do
    swarm=alone-$$ learn 1000 >>"$work/alone"
    for every in 1000 100 20 1; do swarm=bench-$$ learn "$every" >>"$work/every-$every"; done
    swarm=bench-$$ learn 1 apart >>"$work/every-apart"
  done
  median() { cut -d ' ' -f "$1" "$2" | sort -g | sed -n "$(((rounds + 1) / 2))p"; }
  for every in alone 1000 100 20 1 apart; do
    [ "$every" = alone ] && file=$work/alone || file=$work/every-$every
    echo "$every $(median 1 "$file") $(median 1 "$work/alone") $(median 2 "$file") $(median 2 "$work/alone") $(median 3 "$file")" |
      awk '{ printf "%s | %.0f | %.3f | %.0f | %.3f | %.1f\n", $1, $2, $2 / $3, $4, $4 / $5, $6 }'
  done
}

# Memory is looked at after a fifth of the time, when all have met, and at the end.
many() {
  local agents=${1:-64} seconds=${2:-600} pid
  "$popsgd" swarm "$agents" --data blobs:d=32,classes=4 --model mlp:64 --rate 10 --every 250 --duration "$seconds" \
    >"$work/out" 2>"$work/err" &
  pid=$!
  started+=("$pid")
  sleep $((seconds / 5))
  sizes "$pid" >"$work/before"
  sleep $((seconds - seconds / 5 - 5))
  sizes "$pid" >"$work/after"
  local status=0
  wait "$pid" || status=$?
  cat "$work/out" "$work/err"
  paste -d ' ' "$work/before" "$work/after" | awk -v status="$status" '
    { grown = $4 / $2 - 1; if (NR == 1 || grown > most) most = grown; if ($4 > largest) largest = $4; before += $2; after += $4 }
    END { printf "%d agents: exit status %d; resident %.0f kB each on average, at most %d; growth %.2f%% on average, at most %.2f%%\n",
          NR, status, after / NR, largest, 100 * (after / before - 1), 100 * most }'
}
sizes() {
  for child in $(pgrep -P "$1" | sort -n); do awk -v pid="$child" '/^VmRSS/ { print pid, $2 }' "/proc/$child/status"; done
}

"$what" "${@:3}"
