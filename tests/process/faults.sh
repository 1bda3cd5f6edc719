# Sourced after agents.sh: agents whose disk and clocks fail when the test says so, by the library that is its second argument.
library=$2

# faulty NAME ARGUMENTS...: starts an agent that faults() reaches.
faulty() {
  faults "$1" 0 0 0
  within="env LD_PRELOAD=$library POPSGD_FAULTS=$work/$1.faults" start "$@"
}

# faults NAME DISK REALTIME MONOTONIC: what is wrong from now on: calls that fail with EIO (1: writes, 2: syncs, 4: renames), and
# seconds by which both clocks are ahead. In place, as the agent has the file in its memory.
faults() {
  local number
  for number in "${@:2}"; do
    printf '%b' "$(printf '\\x%02x\\x%02x\\x%02x\\x%02x' $((number & 255)) $((number >> 8 & 255)) $((number >> 16 & 255)) $((number >> 24 & 255)))"
  done | dd of="$work/$1.faults" conv=notrunc status=none
}
