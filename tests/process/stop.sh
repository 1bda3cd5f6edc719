#!/usr/bin/env bash
# An agent that hangs holds up nobody, and takes part again when it goes on: stop.sh POPSGD [SECONDS]
. "$(dirname "$0")/agents.sh"
hanging=${2:-10}

for transport in tcp udp; do
  for k in 1 2 3 4; do local_agent "$transport$k" --transport "$transport" --shard "$k/4" --rate 200 --every 50 --no-gate; done
  for k in 1 2 3 4; do await 20 is "$transport$k" links ">=" 3 || die "agent $transport$k does not find the others"; done
done
sleep 1
for transport in tcp udp; do kill -STOP "${pids[${transport}4]}"; done
sleep "$hanging"
for transport in tcp udp; do
  for k in 1 2 3; do goes_on 10 "$transport$k" || fail "agent $transport$k does not go on while one hangs"; done
done
for transport in tcp udp; do kill -CONT "${pids[${transport}4]}"; done
for transport in tcp udp; do
  goes_on 20 "${transport}4" || fail "agent ${transport}4 does not take part again"
  for k in 1 2 3 4; do
    stop "$transport$k"
    [ "$status" = 0 ] || fail "agent $transport$k exits with $status: $(tail -n 1 "$work/$transport$k.err")"
    echo "$transport$k: $(last "$transport$k" completed) exchanges completed, $(last "$transport$k" cut_short) cut short"
  done
done
finish
