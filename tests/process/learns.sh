#!/usr/bin/env bash
# Eight agents over sockets learn as much as eight of the simulator by as many steps: learns.sh POPSGD TRANSPORT [STEPS]
. "$(dirname "$0")/agents.sh"
transport=$2
steps=${3:-600}

# number NAME FILE: out of a summary.
number() { sed -n "s/^  \"$1\": \([^,]*\),*$/\1/p" "$2"; }

run swarm 8 --transport "$transport" --steps "$steps" --rate 80 --every 50 --json
[ "$status" = 0 ] || fail "popsgd swarm exits with $status: $(cat "$work/err")"
cp "$work/out" "$work/swarm.json"
[ "$(number gradient_evaluations "$work/swarm.json")" = $((8 * steps)) ] || fail "not all steps were taken"

# As many steps between two exchanges as there were here, on average.
met=$(number interactions "$work/swarm.json")
between=$(((8 * steps + met) / (2 * met)))
run simulate --agents 8 --merge delta --local-steps "$between" --interactions $((4 * steps / between)) --json
[ "$status" = 0 ] || fail "popsgd simulate exits with $status: $(cat "$work/err")"
cp "$work/out" "$work/simulated.json"

of_agents=$(number accuracy_mean_model "$work/swarm.json")
simulated=$(number accuracy_mean_model "$work/simulated.json")
echo "$(number data "$work/swarm.json"), 8 agents over $transport, $steps steps each, $met exchanges: mean model $of_agents;" \
  "simulated with $between steps between exchanges: $simulated"
holds "$of_agents" ">=" "$simulated - 0.01" || fail "more than a point below the simulator"
finish
