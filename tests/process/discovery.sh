#!/usr/bin/env bash
# Agents that start together on a loopback interface of their own come to know each other: discovery.sh POPSGD [AGENTS]
# How long that takes is printed.
. "$(dirname "$0")/isolated.sh"
. "$(dirname "$0")/agents.sh"
agents=${2:-32}
report=0.1
ip link set dev lo up multicast on 2>/dev/null || skip "no loopback interface"

for ((k = 1; k <= agents; ++k)); do
  local_agent "$k" --rate 5 --every 1000000 --eval-every 0 --duration 60
done
knows_all() { is "$1" peers ">=" $((agents - 1)); }
for ((k = 1; k <= agents; ++k)); do
  await 40 knows_all "$k" || fail "agent $k knows $(last "$k" peers) of $((agents - 1))"
done

# The seconds from an agent's start to when it first says that it knows all, in order.
for ((k = 1; k <= agents; ++k)); do
  sed -n "s/.*\"seconds\":\([0-9.]*\),.*\"peers\":$((agents - 1)),.*/\1/p" "$work/$k.out" | head -n 1
done | sort -n >"$work/times"
echo "$agents agents: all know all; median $(sed -n "$((agents / 2))p" "$work/times") s," \
  "95% $(sed -n "$((agents * 95 / 100))p" "$work/times") s, most $(tail -n 1 "$work/times") s after their start"
finish
