#!/usr/bin/env bash
# A device in C at one end of a serial cable, an agent at the other: the device, which sees half of the points, learns of the others.
#   wired.sh POPSGD WIRED
. "$(dirname "$0")/agents.sh"
command -v socat >/dev/null || skip "a cable needs socat"
socat "PTY,link=$work/one.tty,raw,echo=0" "PTY,link=$work/two.tty,raw,echo=0" &
started+=($!)
await 10 test -e "$work/two.tty" || die "no cable"

# The same quarters, drawn by another hand.
awk 'BEGIN { srand(1); for (k = 0; k < 1000; ++k) { x = 2 * rand() - 1; y = 2 * rand() - 1; print x "," y "," (x > 0) + 2 * (y > 0) } }' >"$work/points.csv"
swarm=wired data=$work/points.csv:standardise=none
start agent --model softmax --batch 1 --lr 0.05 --rate 200 --listen 127.0.0.1:0 --no-discovery --every 100 --no-gate --serial "$work/one.tty"
await 10 is agent steps ">" 0 || die "no agent: $(cat "$work/agent.err")"

"$2" left 8 <>"$work/two.tty" >&0 || fail "the agent says: $(tail -n 2 "$work/agent.out")"
await 10 is agent completed ">=" 10 || fail "the agent does not say that it has met the device"
stop agent
finish
