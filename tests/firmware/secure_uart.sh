#!/usr/bin/env bash
# Emulated boards, one's UART wired to the other's. One is popsgd_member, as it is flashed, which says nothing; the other tells how it
# does, and sees half of the digits, so that it reads more only by what it is told. With one key they meet, and again after the other
# was switched off and on; with different keys, or where one has none, they do not. Says how deep the member's stack was, which
# tests/size/budget.csv limits.
#   secure_uart.sh TARGET EMULATOR BOARD WATCHED MEMBER
set -eu
target=$1 emulator=$2 board=$3 watched=$4 member=$5
key=POPSGD:1-0000-008T-KV9P-545X-4EWX-YP6S-C011-3AFC-HJY3-YXE6-8E89-11H9-36T9-Y6NZ-08GA-ZMMF
other=POPSGD:1-0000-00BN-J8VH-J801-Q72H-SX9R-T0CD-SHZB-PT1D-WREV-R7K7-D50K-2JB8-56SE-3HQM-YWZB
budget=$(dirname "$0")/../size/budget.csv
scratch=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -rf "$scratch"' EXIT

# flashed NAME KEY: the member with a key in its flash, running, with a monitor; `running` is its process.
flashed() {
  printf %-96s "$2" >"$scratch/$1.key"
  arm-none-eabi-objcopy --update-section .swarm_key="$scratch/$1.key" "$member" "$scratch/$1.elf"
  mkfifo "$scratch/$1.monitor.in" "$scratch/$1.monitor.out"
  mkdir "$scratch/$1"
  (cd "$scratch/$1" && QEMU_BOARD_SERIAL=unix:../wire,server=on,wait=off \
    QEMU_BOARD_OPTIONS="-chardev pipe,id=monitor,path=../$1.monitor -mon monitor" \
    exec "$emulator" "$board" "../$1.elf" >"../$1.log") &
  running=$!
  for _ in $(seq 100); do [ -S "$scratch/wire" ] && break || sleep 0.05; done
}
# meet NAME SECONDS ARGUMENT...: the other, switched on for so long
meet() {
  local name=$1 seconds=$2
  shift 2
  mkdir "$scratch/$name"
  (cd "$scratch/$name" && QEMU_BOARD_SERIAL=unix:../wire \
    "$emulator" "$board" "$watched" data=digits share=0/2 step=50 meet=300 seconds="$seconds" "$@" >"../$name.log")
}
off() {
  kill "$running" && wait "$running" || true
  rm -f "$scratch/wire"
}
# stack NAME: bytes of the member's that are not as start-up code has painted them
stack() {
  local symbols begin end
  symbols=$(arm-none-eabi-nm "$member")
  begin=$((16#$(grep ' stack_begin$' <<<"$symbols" | cut -d' ' -f1)))
  end=$((16#$(grep ' stack_end$' <<<"$symbols" | cut -d' ' -f1)))
  echo "memsave $begin $((end - begin)) \"$scratch/stack\"" >"$scratch/$1.monitor.in"
  for _ in $(seq 100); do [ "$(stat -c %s "$scratch/stack" 2>/dev/null)" = $((end - begin)) ] && break || sleep 0.05; done
  od -An -v -t x4 -w4 "$scratch/stack" | awk '$1 != "deadbeef" { print ('$(((end - begin) / 4))' - NR + 1) * 4; exit }'
}

flashed member "$key"
meet first 12 key="$key"
meet again 12 key="$key"
used=$(stack member)
meet stranger 6 key="$other"
meet open 4
off
flashed without ""
meet alone 4 key="$key"
off

failed=0
fail() {
  echo "FAILED: $*"
  failed=1
}
completed() { grep '"event":"result"' "$scratch/$1.log" | grep -o '"completed":[0-9]*' | cut -d: -f2; }
# The mean of the last five, in percent: just before a meeting a device has forgotten some of what it never sees.
accuracy() { grep -o '"accuracy":[0-9.]*' "$scratch/$1.log" | tail -n 5 | awk -F: '{ sum += $2 } END { printf "%d", 100 * sum / NR }'; }
for name in first again; do
  echo "$name: $(accuracy $name) % of the digits read, $(completed $name) exchanges"
  [ "$(completed $name)" -ge 5 ] || fail "$name finishes five exchanges at least"
done
[ "$(accuracy again)" -ge 60 ] || fail "again reads more digits than those it sees"
for name in stranger open alone; do [ "$(completed $name)" = 0 ] || fail "$name meets nobody"; done
most=$(awk -F, -v t="$target" '$1 == t && $2 == "stack" { print $3 }' "$budget")
echo "$target stack ${used:?} of $most bytes"
[ "$used" -le "$most" ] || fail "the stack is deeper than its budget"
[ "$failed" = 0 ] || tail -n 30 "$scratch"/*.log
exit "$failed"
