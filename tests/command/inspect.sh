#!/usr/bin/env bash
# popsgd inspect: what agents have saved, entire or damaged, and the parameters as NumPy reads them.
make=$2
. "$(dirname "$0")/expect.sh"
cd "$work" || exit 1
"$make" "$work" || fail "no checkpoints to look at"

# says WORDS...: each in the output of the last run.
says() { for words; do grep -qF -- "$words" out || fail "the output lacks '$words': $(cat out)"; done; }
# damage FILE OFFSET: changes a byte.
damage() { printf '\125' | dd of="$1" bs=1 seek="$2" conv=notrunc status=none; }

run inspect float
[ "$status" = 0 ] || fail "inspect exits with $status: $(cat err)"
says "float/checkpoint.0: entire" "float/checkpoint.1: entire, the newest" "sequence      2" \
  "fingerprint   0x1122334455667788" "parameters    10 as float32" "step counter  3.00" \
  "local steps   3; fresh: takes over its next partner's model" \
  "bytes; places for exchanges 16, gates 1 (a gate: 10 parameters), step estimates 1"
run inspect float --json
says '"condition": "entire"' '"newest": true' '"sequence": 2' '"fingerprint": "0x1122334455667788"' \
  '"parameters": 10' '"local_steps": 3' '"fresh": true' '"step_counter": 3.0'
[ "$(grep -c '"newest": true' out)" = 1 ] || fail "not one newest"

# The parameters, behind a header of 128 bytes.
run inspect float --export model.npy
[ "$status" = 0 ] || fail "--export exits with $status: $(cat err)"
[ "$(wc -c <model.npy)" = $((128 + 40)) ] || fail "model.npy has $(wc -c <model.npy) bytes"
[ "$(head -c 6 model.npy | tail -c 5)" = NUMPY ] || fail "model.npy does not begin with NUMPY"
head -c 128 model.npy | grep -qaF "{'descr': '<f4', 'fortran_order': False, 'shape': (10,), }" || fail "header of model.npy"
[ "$(tail -c 40 model.npy | od -An -tf4 -w40 | tr -s ' ')" = " 0 0.5 1 1.5 2 2.5 3 3.5 4 4.5" ] || fail "values of model.npy"
cp model.npy before.npy
exits 2 "'model.npy' exists; --force overwrites it" -- inspect float --export model.npy
cmp -s model.npy before.npy || fail "model.npy was overwritten"
run inspect int16 --numeric int16 --export model.npy --force
[ "$status" = 0 ] || fail "--force exits with $status: $(cat err)"
says "parameters    8 as int16" "records       none"
[ "$(tail -c 16 model.npy | od -An -td2 -w16 | tr -s ' ')" = " 0 -100 -200 -300 -400 -500 -600 0" ] ||
  fail "values of integers"
run inspect int16/checkpoint.0 --numeric int8 --export bytes.npy
head -c 128 bytes.npy | grep -qaF "'descr': '|i1', 'fortran_order': False, 'shape': (16,)" || fail "header of bytes.npy"
run inspect stranger
says "records       40 bytes, not an agent's of this version"

# Damage: said where it is; the other one is the newest then.
cp -r float damaged
damage damaged/checkpoint.1 300
run inspect damaged --export older.npy
[ "$status" = 0 ] || fail "one damaged of two: $status"
says "damaged/checkpoint.0: entire, the newest" "damaged/checkpoint.1: damaged, the payload's checksum is wrong" "sequence      2"
cmp -s older.npy before.npy || fail "what is exported of the older one"
damage damaged/checkpoint.0 20
run inspect damaged
[ "$status" = 1 ] || fail "two damaged exit with $status"
says "damaged/checkpoint.0: damaged, the header's checksum is wrong"
exits 2 "no checkpoint in 'damaged' is entire" -- inspect damaged --export none.npy
[ ! -e none.npy ] || fail "none.npy was written"
cp -r float cut
truncate -s 300 cut/checkpoint.0
rm cut/checkpoint.1
run inspect cut
says "cut/checkpoint.0: damaged, cut short"
damage float/checkpoint.0 8
run inspect float
says "float/checkpoint.0: damaged, a version that is not known"
mkdir blank
truncate -s 4096 blank/checkpoint.0
run inspect blank
[ "$status" = 1 ] || fail "blank exits with $status"
says "blank/checkpoint.0: blank"

# What cannot be done.
exits 2 "cannot open 'missing': No such file or directory" -- inspect missing
mkdir empty
exits 2 "'empty' has neither checkpoint.0 nor checkpoint.1" -- inspect empty
[ -z "$(ls empty)" ] || fail "inspect has made $(ls empty)"
head -c 2000 /dev/urandom >noise
exits 2 "'noise' is no checkpoint" -- inspect noise
printf 'PopSGD' >short
exits 2 "'short' is too short" -- inspect short
exits 2 "is not a file" -- inspect /dev/null
exits 2 "did you mean 'int16'" -- inspect float --numeric int61
exits 2 "is the checkpoint itself" -- inspect float --export float/checkpoint.1 --force
exits 2 "cannot write" -- inspect float --export missing/model.npy
exits 2 "path is required" -- inspect
finish
