#!/usr/bin/env bash
# Privacy of two real agents: a budget that is reached and ends what leaves, and that no restart resets, gentle or not: privacy.sh POPSGD
. "$(dirname "$0")/agents.sh"
budget=8      # epsilon: some 50 releases of this noise, of which a checkpoint pays for 32 in advance
noise="--privacy-noise 10 --privacy-clip 0.05"

# begin NAME SHARD ARGUMENTS...: one of two, whose state outlasts it.
begin() { local_agent "$1" --shard "$2/2" --state "$work/state-$1" --no-gate --rate 200 --every 30 --save-every 0.5 "${@:3}"; }
# again NAME ...: anew, with what it said before put away.
again() {
  : >"$work/$1.out"
  begin "$@"
}
said() { grep -q "$2" "$work/$1.out"; }
spent() { last "$1" epsilon; }

cat >"$work/two.toml" <<END
privacy-noise = 10
privacy-clip = 0.05
privacy-epsilon = 30
END
begin one 1 $noise --privacy-epsilon $budget --metrics 127.0.0.1:0
begin two 2 --config "$work/two.toml"
await 60 said one '"event":"budget"' || die "the budget is never spent: $(tail -n 1 "$work/one.out" "$work/one.err")"
await 10 is one withheld ">=" 1 || fail "nothing is withheld"

# Nothing leaves any more, and it goes on learning.
holds "$(spent one)" "<=" $budget || fail "$(spent one) of $budget is spent"
holds "$(spent one)" ">" "$budget - 1" || fail "it ends at $(spent one) of $budget"
is one releases ">=" 33 || fail "only $(last one releases) releases: no second checkpoint has paid for any"
is two releases ">=" 20 || fail "the agent whose settings are in a file has released $(last two releases) times"
exchanges=$(last one completed)
steps=$(last one steps)
sleep 1.5
is one completed "==" "$exchanges" || fail "exchanges go on beyond the budget: $exchanges, $(last one completed)"
is one steps ">" "$steps" || fail "an agent whose budget is spent stops learning"

page=$(sed -n 's|.*pages at http://\([^/]*\)/.*|\1|p' "$work/one.out")
exec 3<>"/dev/tcp/${page%:*}/${page##*:}"
printf 'GET /metrics HTTP/1.0\r\n\r\n' >&3
metrics=$(cat <&3)
exec 3>&-
grep -q '^popsgd_epsilon [0-9]' <<<"$metrics" || fail "/metrics does not tell epsilon"
grep -q '^popsgd_withheld_total [1-9]' <<<"$metrics" || fail "/metrics does not tell what was withheld"

# A restart, after a kind end and after a kill, does not give it back.
for signal in TERM KILL; do
  before=$(spent one)
  kill -$signal "${pids[one]}"
  wait "${pids[one]}" 2>/dev/null
  again one 1 $noise --privacy-epsilon $budget
  await 10 is one withheld ">=" 1 || fail "SIG$signal: the restarted agent withholds nothing"
  holds "$(spent one)" ">=" "$before * 0.999999" || fail "SIG$signal: $before was spent, and $(spent one) after the restart"
  holds "$(spent one)" "<=" $budget || fail "SIG$signal: more than the budget is spent: $(spent one)"
  is one releases "==" 0 || fail "SIG$signal: $(last one releases) releases beyond the budget"
done

# With more to spend it goes on from what was spent; a kind end costs nothing that was paid in advance.
stop one
[ "$status" = 0 ] || fail "agent one exits with $status: $(cat "$work/one.err")"
before=$(spent one)
again one 1 $noise --privacy-epsilon 30
await 20 is one releases ">=" 3 || fail "a larger budget admits nothing: $(tail -n 1 "$work/one.out")"
first=$(grep -m 1 '"event":"status"' "$work/one.out" | sed 's/.*"epsilon":\([^,]*\),.*/\1/')
holds "$first" ">=" "$before * 0.999999" || fail "$before was spent, and $first after the restart"
kill -KILL "${pids[one]}"
wait "${pids[one]}" 2>/dev/null
before=$(spent one)
again one 1 $noise --privacy-epsilon 30
await 10 said one '"event":"status"' || fail "the agent does not start again"
first=$(grep -m 1 '"event":"status"' "$work/one.out" | sed 's/.*"epsilon":\([^,]*\),.*/\1/')
holds "$first" ">=" "$before" || fail "killed: $before was spent, and $first after the restart"
for k in one two; do stop $k; done

# Who has exchanged without an account has none to go on from, and is told so.
again one 1 --steps 1
wait "${pids[one]}" || fail "without privacy it exits with $?: $(cat "$work/one.err")"
mine="agent --swarm $swarm --data blobs --shard 1/2 --listen 127.0.0.1:0 --loopback --interface lo --duration 1"
exits 2 "does not say what was spent" -- $mine --state "$work/state-one" $noise
finish
