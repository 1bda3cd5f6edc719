#!/usr/bin/env bash
# Every request that cannot be carried out: one clear line, status 2, nothing written.
. "$(dirname "$0")/expect.sh"
cd "$work" || exit 1

exits 2 "did you mean 'blobs'" -- simulate --data blob
exits 2 "did you mean 'samples'" -- simulate --data blobs:sample=10
exits 2 "did you mean 'softmax'" -- simulate --data blobs --model sofmax
exits 2 "did you mean 'dpsgd'" -- simulate --data blobs --algorithm dpsdg
exits 2 "did you mean 'torus'" -- simulate --data blobs --topology tours
exits 2 "did you mean 'dirichlet" -- simulate --data blobs --shards dirichelt:1
exits 2 "did you mean 'inverse'" -- simulate --data blobs --schedule inverze
exits 2 "did you mean 'convex'" -- reproduce convec
exits 2 "--agents is from 2" -- simulate --data blobs --agents 1
exits 2 "--agents is from 2" -- simulate --data blobs --agents -3
exits 2 "--batch is from 1" -- simulate --data blobs --batch 0
exits 2 "--interactions is from 1" -- simulate --data blobs --interactions 0
exits 2 "--lr is a step size" -- simulate --data blobs --lr -0.1
exits 2 "--lr is a step size" -- simulate --data blobs --lr 1e9
exits 2 "--lr is a step size" -- simulate --data blobs --lr nan
exits 2 "--momentum is at least 0" -- simulate --data blobs --momentum 1
exits 2 "--local-steps is from 1" -- simulate --data blobs --local-steps geometric:0
exits 2 "horizon" -- simulate --data blobs --schedule inverse:0
exits 2 "STEPS=FACTOR" -- simulate --data blobs --schedule piecewise:100
exits 2 "ascend" -- simulate --data blobs --schedule piecewise:100=0.1,50=0.2
exits 2 "two classes" -- simulate --data blobs:classes=3 --model logistic
exits 2 "use --model linear" -- simulate --data least-squares --model softmax
exits 2 "a width in --model" -- simulate --data blobs --model mlp:64,x
exits 2 "shared" -- simulate --data blobs:samples=100 --agents 200 --shards iid
exits 2 "--frobnicate" -- simulate --frobnicate
exits 2 "subcommand" --

exits 2 "did you mean 'network'" -- simulate --data blobs --engine netwrk
exits 2 "did you mean 'loss'" -- simulate --data blobs --engine network --link los=0.1
exits 2 "0.9" -- simulate --data blobs --engine network --link loss=1
exits 2 "KEY=VALUE" -- simulate --data blobs --engine network --link lossy
exits 2 "--link is for --engine network" -- simulate --data blobs --link loss=0.1
exits 2 "lasting must be below every" -- simulate --data blobs --engine network --contacts split:every=10,lasting=10
exits 2 "did you mean 'sign-flip'" -- simulate --data blobs --engine network --byzantine sign-flop:0.1
exits 2 "below 0.5" -- simulate --data blobs --engine network --byzantine nan:0.5
exits 2 "KIND:FRACTION" -- simulate --data blobs --engine network --byzantine nan
exits 2 "at least 3 agents" -- simulate --data blobs --engine network --agents 2 --byzantine nan:0.1
exits 2 "--byzantine is for --engine network" -- simulate --data blobs --byzantine nan:0.1
exits 2 "--mean-wait is from 1" -- simulate --data blobs --engine network --mean-wait 0
exits 2 "did you mean 'rate'" -- simulate --data blobs --engine network --crash rat=0.1
exits 2 "0.5" -- simulate --data blobs --engine network --crash rate=1
exits 2 "KEY=VALUE" -- simulate --data blobs --engine network --crash often
exits 2 "--crash is for --engine network" -- simulate --data blobs --crash rate=0.1
exits 2 "--block-length is from 0" -- simulate --data blobs --engine network --block-length -1
exits 2 "--algorithm popsgd" -- simulate --data blobs --engine network --algorithm sgd
exits 2 "4096" -- simulate --data blobs --engine network --agents 5000 --shards shared
exits 2 "fixed number" -- simulate --data blobs --engine network --local-steps geometric:2

exits 2 "--privacy-noise is for --engine network" -- simulate --data blobs --privacy-noise 10
exits 2 "--privacy-noise is above 0" -- simulate --data blobs --engine network --privacy-epsilon 2
exits 2 "is spent before the first release" -- simulate --data blobs --engine network --privacy-noise 1 --privacy-epsilon 0.1
exits 2 "learn in float32" -- simulate --data blobs --engine network --privacy-noise 10 --numeric int16

exits 2 "it is auto, raw, or bits from 2 to 16" -- simulate --data blobs --quantize 17
exits 2 "did you mean 'int16'" -- simulate --data blobs --numeric int61
exits 2 "adds up to 3 agents" -- simulate --data blobs --agents 4 --numeric float32:2,int16:1
exits 2 "learns data with classes" -- simulate --data least-squares --numeric int16
exits 2 "learns data with classes" -- simulate --data least-squares --engine network --numeric int16
exits 2 "leave --momentum at 0" -- simulate --data blobs --numeric int8 --momentum 0.9
exits 2 "leave --weight-decay at 0" -- simulate --data blobs --numeric int8 --weight-decay 0.1
exits 2 "are for --algorithm popsgd" -- simulate --data blobs --quantize 4 --algorithm dpsgd
exits 2 "use --merge average" -- simulate --data blobs --quantize 4 --merge delta
exits 2 "--settle is a step size" -- simulate --data blobs --settle -1

printf 'a,b,c\n1,2,0\n3,x,1\n' >bad.csv
exits 2 "bad.csv" -- simulate --data bad.csv
exits 2 "missing.csv" -- simulate --data ./missing.csv
printf 'not an array' >bad.npy
exits 2 "bad.npy" -- simulate --data bad.npy
mkdir images
printf '\000\000\010\003' >images/train-images-idx3-ubyte
exits 2 "images" -- simulate --data images

touch file
exits 2 "file" -- simulate --data blobs --out file/report
exits 2 "/proc" -- simulate --data blobs --out /proc/nothing

# A run that diverges: status 1, the interaction named, and the report written.
exits 1 "stopped being finite at interaction" -- \
  simulate --data blobs:d=4 --model mlp:8 --lr 900 --weight-decay 900 --interactions 5000 --out diverged
for name in summary.json metrics.csv report.html; do
  [ -s "diverged/$name" ] || fail "a diverged run left no $name"
done
grep -q '"diverged_at": [0-9]' diverged/summary.json || fail "diverged/summary.json does not say where"
finish
