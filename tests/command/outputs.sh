#!/usr/bin/env bash
# What a run leaves behind, and what it prints.
. "$(dirname "$0")/expect.sh"

run simulate --data blobs:d=4 --agents 8 --interactions 2000 --eval-every 500 --out "$work/report"
[ "$status" = 0 ] || fail "simulate exits with $status: $(cat "$work/err")"
[ ! -s "$work/err" ] || fail "progress is shown though nobody is watching: $(cat "$work/err")"
for key in version command seed agents parameters interactions gradient_evaluations parallel_time seconds \
  interactions_per_second loss_mean_model accuracy_mean_model accuracy_agent_min accuracy_agent_median \
  accuracy_agent_max gamma gamma_theory bytes_exchanged peak_rss_bytes; do
  grep -q "\"$key\": [^n]" "$work/report/summary.json" || fail "summary.json has no $key"
done
[ "$(wc -l <"$work/report/metrics.csv")" = 6 ] || fail "metrics.csv is not a header and five rows"
grep -q '"interactions": 2000' "$work/report/summary.json" || fail "not 2000 interactions"
grep -q '"gradient_evaluations": 4000' "$work/report/summary.json" || fail "not 4000 gradients"
# 8 agents, 10 parameters of 4 bytes, both ways.
grep -q '"bytes_exchanged": 160000' "$work/report/summary.json" || fail "not 2000 x 2 x 40 bytes"
[ -z "$(find "$work/report" -type f ! -name summary.json ! -name metrics.csv ! -name report.html)" ] ||
  fail "files left over: $(ls "$work/report")"

run simulate --data noise:d=8 --agents 4 --batch 1 --interactions 100 --json
[ "$(head -c 1 "$work/out")" = "{" ] || fail "--json does not print an object"
grep -q '"accuracy_mean_model": null' "$work/out" || fail "an accuracy where there are no classes"

for algorithm in popsgd sgd minibatch fedavg dpsgd adpsgd sgp local; do
  run simulate --data blobs --agents 6 --interactions 600 --algorithm $algorithm --json
  [ "$status" = 0 ] || fail "$algorithm exits with $status: $(cat "$work/err")"
  grep -q '"gradient_evaluations": 1200' "$work/out" || fail "$algorithm does not spend 1200 gradients"
done

run simulate --engine network --link loss=0.1,delay=20 --contacts on-off:up=9,down=3 \
  --data blobs:d=4 --agents 8 --interactions 500 --check-invariants --out "$work/network"
[ "$status" = 0 ] || fail "--engine network exits with $status: $(cat "$work/err")"
for key in engine virtual_seconds frames_sent frames_delivered completed cut_short_sides in_doubt retransmissions \
  malformed checksum; do
  grep -q "\"$key\": [^n]" "$work/network/summary.json" || fail "summary.json of the network has no $key"
done
grep -q '"interactions": 500' "$work/network/summary.json" || fail "not 500 exchanges"
grep -q '"contacts": "on-off:up=9,down=3"' "$work/network/summary.json" || fail "the contacts are not told"
grep -q '"link": "loss=0.1,delay=20"' "$work/network/summary.json" || fail "the link is not told"
grep -q '"violations": 0' "$work/network/summary.json" || fail "an invariant was violated"

run simulate --data blobs:d=4 --agents 8 --interactions 2000 --quantize auto --numeric float32:4,int16:2,int8:2 \
  --schedule piecewise:300=0 --settle 1e-6 --out "$work/quantised"
[ "$status" = 0 ] || fail "--quantize exits with $status: $(cat "$work/err")"
for key in bits_per_parameter wrapped_exchanges saturated distance_agent_median distance_agent_max; do
  grep -q "\"$key\": [^n]" "$work/quantised/summary.json" || fail "summary.json has no $key"
done
grep -q '"quantize": "auto"' "$work/quantised/summary.json" || fail "the encoding is not told"
grep -q '"numeric": "4 x float32, 2 x int16, 2 x int8"' "$work/quantised/summary.json" || fail "the numbers are not told"

run simulate --data blobs:d=16 --model mlp:32 --agents 8 --interactions 1000 --engine network --quantize 4 --check-invariants \
  --link mtu=65535,reliable=1 --out "$work/few"
[ "$status" = 0 ] || fail "--engine network --quantize exits with $status: $(cat "$work/err")"
grep -q '"quantize": "4"' "$work/few/summary.json" || fail "the network's encoding is not told"
grep -q '"bits_per_parameter": [^n]' "$work/few/summary.json" || fail "the network's bits a parameter are not told"

run simulate --data blobs:d=16 --model mlp:32 --agents 8 --interactions 1500 --engine network --numeric float32:4,int16:2,int8:2 \
  --schedule piecewise:100=0 --settle 1e-6 --check-invariants --out "$work/settled"
[ "$status" = 0 ] || fail "--engine network --numeric exits with $status: $(cat "$work/err")"
grep -q '"numeric": "4 x float32, 2 x int16, 2 x int8"' "$work/settled/summary.json" || fail "the network's numbers are not told"
grep -q '"settled_agents": 8' "$work/settled/summary.json" || fail "not all agents of the network have settled"
grep -q '"violations": 0' "$work/settled/summary.json" || fail "integers in a network violate an invariant"

for help in --help "simulate --help" "reproduce --help"; do
  # shellcheck disable=SC2086
  run $help
  [ "$status" = 0 ] || fail "popsgd $help exits with $status"
done
grep -q "Examples" "$work/out" || fail "--help has no examples"
run --version
grep -qE '^popsgd [0-9]+\.[0-9]+\.[0-9]+$' "$work/out" || fail "--version says $(cat "$work/out")"
finish
