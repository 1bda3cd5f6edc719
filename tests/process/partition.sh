#!/usr/bin/env bash
# Four machines on a bridge, each a name space with an agent over TCP and one over UDP: the net is cut in two and healed,
# and then loses every 20th packet: partition.sh POPSGD [SECONDS the net is cut]
. "$(dirname "$0")/isolated.sh"
. "$(dirname "$0")/agents.sh"
cut=${2:-10}
command -v nft >/dev/null && command -v ip >/dev/null || skip "no nft or no ip"

rules() { nft -f -; }
{
  ip link add name bridge0 type bridge && ip link set dev bridge0 up &&
    echo 'table bridge net { chain forward { type filter hook forward priority 0; }; }' | rules
} 2>/dev/null || skip "no bridge, or no nftables for it"

# machine K: a name space, held by a process that sleeps, with the address 10.1.1.K.
declare -A machines
machine() {
  unshare -n sleep 1000 &
  machines[$1]=$!
  started+=($!)
  await 5 differs "$!" || die "no name space for machine $1"
  ip link add name "port$1" type veth peer name eth0 netns "$!"
  ip link set dev "port$1" master bridge0 up
  nsenter -t "$!" -n ip addr add "10.1.1.$1/24" dev eth0
  nsenter -t "$!" -n ip link set dev eth0 up
}
differs() { [ "$(readlink "/proc/$1/ns/net")" != "$(readlink /proc/self/ns/net)" ]; }

for k in 1 2 3 4; do machine "$k"; done
for k in 1 2 3 4; do
  within="nsenter -t ${machines[$k]} -n"
  for transport in tcp udp; do
    swarm=${swarm%-*}-$transport
    start "$transport$k" --insecure --transport "$transport" --shard "$k/4" --rate 200 --every 50 --no-gate
  done
done
within=
all="tcp1 tcp2 tcp3 tcp4 udp1 udp2 udp3 udp4"
linked() { for agent in $all; do is "$agent" links "$1" "$2" || return 1; done; }
go_on() { for agent in $all; do goes_on 20 "$agent" || fail "$1: agent $agent does not go on"; done; }
await 20 linked ">=" 3 || die "the agents do not find each other: $(cat "$work/tcp1.out" "$work/tcp1.err" | tail -n 3)"
go_on "before"

echo 'add rule bridge net forward iifname { port1, port2 } oifname { port3, port4 } drop
  add rule bridge net forward iifname { port3, port4 } oifname { port1, port2 } drop' | rules
sleep "$cut"
await 10 linked "==" 1 || fail "cut in two: agents have $(for k in $all; do last "$k" links; done | tr '\n' ' ')links, not one"
go_on "cut in two"

echo 'flush chain bridge net forward' | rules
healed=$SECONDS
await 60 linked ">=" 3 || fail "healed: agents have $(for k in $all; do last "$k" links; done | tr '\n' ' ')links"
echo "cut for $cut s: all links were back $((SECONDS - healed)) s after the net was"
go_on "healed"

echo 'add rule bridge net forward numgen inc mod 20 == 0 counter drop' | rules
go_on "every 20th packet lost"
sleep 3
lost=$(nft list chain bridge net forward | sed -n 's/.*packets \([0-9]*\).*/\1/p')
echo "every 20th packet: $lost were lost"
[ "${lost:-0}" -gt 0 ] || fail "no packet was lost"
for agent in $all; do
  stop "$agent"
  [ "$status" = 0 ] || fail "agent $agent exits with $status: $(tail -n 1 "$work/$agent.err")"
  is "$agent" test_accuracy ">=" 0.95 || fail "agent $agent ends at an accuracy of $(last "$agent" test_accuracy)"
  echo "$agent: $(last "$agent" completed) exchanges completed, $(last "$agent" cut_short) cut short, $(last "$agent" in_doubt) in doubt"
done
finish
