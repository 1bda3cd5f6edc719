#!/usr/bin/env bash
# Every request that an agent cannot carry out: one clear line, status 2, nothing overwritten.
. "$(dirname "$0")/agents.sh"
cd "$work" || exit 1
alone="--data blobs --listen 127.0.0.1:0 --no-discovery --duration 1"
refused() { exits 2 "$1" -- agent $alone "${@:2}"; }

refused "--frobnicate" --frobnicate
refused "--rate" --rate fast
refused "--rate is a number from 0" --rate -1
refused "--steps is at least 0" --steps -5
refused "--every is from 1" --every 0
refused "--save-every is at least 0.1" --save-every 0
refused "--shard is all, or K/N" --shard 3
refused "--shard is all, or K/N" --shard 9/8
refused "--shard is all, or K/N" --shard 0/8
refused "--transport is tcp or udp" --transport sctp
refused "--datagram" --datagram 100
refused "--numeric" --numeric int61
refused "it is auto, raw, or bits from 2 to 16" --quantize 17
refused "did you mean 'softmax'" --model sofmax
refused "--momentum" --numeric int16 --momentum 0.9
exits 2 "--no-discovery" -- agent --data blobs --no-discovery

# Privacy.
refused "--privacy-noise wants --state" --privacy-noise 10
refused "--privacy-noise is for --numeric float32" --privacy-noise 10 --numeric int16 --state private
refused "--privacy-noise is above 0" --privacy-noise -1 --state private
refused "--privacy-noise is above 0" --privacy-noise nan --state private
refused "--privacy-noise is above 0" --privacy-epsilon 2 --state private
refused "--privacy-clip is above 0" --privacy-noise 10 --privacy-clip 0 --state private
refused "--privacy-epsilon is above 0" --privacy-noise 10 --privacy-epsilon inf --state private
refused "--privacy-delta is above 0 and below 1" --privacy-noise 10 --privacy-delta 1 --state private
refused "is spent before the first release" --privacy-noise 1 --privacy-epsilon 0.1 --state private
[ ! -e private ] || fail "a refused setting leaves a directory"

# Addresses, interfaces, ports.
exits 2 "127.0.0.1:99999" -- agent --data blobs --listen 127.0.0.1:99999 --duration 1
exits 2 "192.0.2.1" -- agent --insecure --data blobs --listen 192.0.2.1:0 --duration 1
refused "224.0.0.1:7777" --insecure --peer 224.0.0.1:7777
refused "nowhere" --peer nowhere
refused "nowhere" --metrics nowhere
refused "there is no such device" --serial /dev/nosuch
refused "it is no serial port" --serial /dev/null
refused "none of the system's rates" --serial /dev/ptmx --baud 12345
exits 2 "nosuch0" -- agent --insecure --data blobs --listen 127.0.0.1:0 --interface nosuch0 --duration 1
start first --listen 127.0.0.1:0 --no-discovery --state first
await 10 grep -qs listening first.out || fail "the first agent does not listen: $(cat first.err)"
for transport in tcp udp; do
  [ $transport = tcp ] || { start "$transport" --transport udp --listen 127.0.0.1:0 --no-discovery &&
    await 10 grep -qs listening udp.out; }
  taken=$(port "$([ $transport = tcp ] && echo first || echo udp)")
  exits 2 "127.0.0.1:$taken" -- agent --data blobs --no-discovery --transport $transport --listen "127.0.0.1:$taken" --duration 1
done
refused "127.0.0.1:$(port first)" --metrics "127.0.0.1:$(port first)"

# Configuration files.
printf 'rate = 10\nfrobnicate = 1\n' >unknown.toml
refused "frobnicate" --config unknown.toml
printf 'rate = "fast"\n' >type.toml
refused "--rate" --config type.toml
printf 'swarm = "x"\n\nrate = = 3\n' >syntax.toml
refused "line 3" --config syntax.toml
printf '[rate]\nx = 1\n' >table.toml
refused "line 1" --config table.toml
refused "missing.toml" --config missing.toml

# The directory of the state: another's, locked, not to be written, a file.
refused "first" --state first
stop first
sums() { (cd "$1" && sha256sum ./*); }
before=$(sums first)
refused "first" --state first --swarm another
refused "first" --state first --swarm "$swarm" --model mlp:8
refused "first" --state first --swarm "$swarm" --numeric int16
[ "$(sums first)" = "$before" ] || fail "a state that was refused has changed"
echo text >file
refused "file" --state file
refused "file" --state file/below
[ "$(cat file)" = text ] || fail "the file has changed"
refused "/proc/nothing" --state /proc/nothing
if [ "$(id -u)" != 0 ]; then
  mkdir -m 500 sealed
  refused "sealed" --state sealed/below
fi
head -c 4096 /dev/urandom >noise
mkdir foreign && cp noise foreign/checkpoint.0 && cp noise foreign/checkpoint.1
refused "foreign" --state foreign
cmp -s noise foreign/checkpoint.0 && cmp -s noise foreign/checkpoint.1 || fail "what is no checkpoint was overwritten"

# The swarm.
exits 2 "from 1 to 128" -- swarm 0
exits 2 "from 1 to 128" -- swarm 129
exits 2 "--rate is a number from 0" -- swarm 2 --data blobs --rate -1
exits 2 "--transport is tcp or udp" -- swarm 2 --data blobs --transport sctp
exits 2 "adds up to" -- swarm 4 --data blobs --numeric float32:2,int16:1
exits 2 "file" -- swarm 2 --data blobs --state file/below
exits 2 "file" -- swarm 2 --data blobs --out file/below
finish
