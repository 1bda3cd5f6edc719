#!/usr/bin/env bash
# An emulated board and a real popsgd agent that have one key meet over TLS, and teach each other. Whoever has another key, or none,
# is not met: neither as agent nor as board.
#   secure_ethernet.sh EMULATOR BOARD PROGRAM HOST_BUILD NUMERIC
. "$(dirname "$0")/with_agent.sh"
numeric=$5
for name in swarm other; do "$popsgd" keygen $name.key >/dev/null; done
# meet NAME ARGUMENT...: a board that runs to its end; those it is told of are agents' names
meet() {
  local name=$1 word words=()
  shift
  for word; do
    case $word in
      peer=*) words+=("peer=$(address "${word#peer=}.agent")") ;;
      *) words+=("$word") ;;
    esac
  done
  mkdir "$name"
  (cd "$name" && QEMU_BOARD_OPTIONS="-nic user" "$emulator" "$board" "$program" step=50 meet=400 share=0/2 numeric="$numeric" \
    "${words[@]}" >"../$name.board") || { cat "$name.board"; return 1; }
}
agents=
agent member.agent --key swarm.key && agents="$agents $agent"
agent stranger.agent --key other.key && agents="$agents $agent"
agent open.agent && agents="$agents $agent"
key=key=$(grep -v '^#' swarm.key)
meet with_key seconds=10 "$key" peer=member peer=stranger &
boards=$!
meet with_key_alone seconds=8 "$key" peer=open peer=stranger &
boards="$boards $!"
meet without_key seconds=8 peer=member peer=stranger &
boards="$boards $!"
for process in $boards; do wait "$process"; done
# shellcheck disable=SC2086  # they are words
kill -TERM $agents && { wait $agents || true; }

echo "board: $(read_by with_key.board) % of the digits read, $(completed with_key.board) exchanges; agent: $(completed member.agent)"
taught with_key.board
[ "$(completed member.agent)" -ge 5 ] || fail "member.agent: five exchanges at least"
for alone in with_key_alone.board without_key.board stranger.agent open.agent; do
  [ "$(completed $alone)" = 0 ] || fail "$alone meets nobody"
done
# They have not met, though they have called.
grep -q 'turned away.*names a key of another swarm' stranger.agent || fail "stranger.agent turns away a board with another key"
grep -q 'turned away.*not TLS' member.agent || fail "member.agent turns away a board without key"
wrong=${key%?}$([ "${key: -1}" = 0 ] && echo 1 || echo 0)
meet mistyped seconds=1 "$wrong" peer=member >/dev/null && fail "a key with a wrong letter is none"
[ "$failed" = 0 ] || tail -n 30 ./*.board ./*.agent
exit "$failed"
