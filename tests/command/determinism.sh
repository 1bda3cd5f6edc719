#!/usr/bin/env bash
# The same seed gives the same numbers, whatever the number of threads.
. "$(dirname "$0")/expect.sh"

for data in blobs:d=4,classes=3 least-squares:d=8,samples=500; do
  for threads in 1 2 3; do
    run simulate --data "$data" --agents 12 --batch 1 --interactions 3000 --threads $threads --out "$work/$threads"
    [ "$status" = 0 ] || fail "--threads $threads exits with $status: $(cat "$work/err")"
    cmp -s "$work/1/metrics.csv" "$work/$threads/metrics.csv" || fail "$data: --threads $threads changes the result"
  done
  run simulate --data "$data" --agents 12 --batch 1 --interactions 3000 --seed 2 --out "$work/other"
  ! cmp -s "$work/1/metrics.csv" "$work/other/metrics.csv" || fail "$data: another seed gives the same result"
done

for threads in 1 2; do
  run simulate --data blobs:d=4,classes=3 --agents 12 --interactions 2000 --quantize 4 --numeric float32:6,int16:6 \
    --threads $threads --out "$work/quantised$threads"
  [ "$status" = 0 ] || fail "--quantize exits with $status: $(cat "$work/err")"
done
cmp -s "$work/quantised1/metrics.csv" "$work/quantised2/metrics.csv" || fail "--quantize: threads change the result"

for run in 1 2; do
  run simulate --engine network --link loss=0.2,corrupt=0.1,jitter=50 --data blobs:d=4 --agents 8 --interactions 500 \
    --check-invariants --out "$work/network$run"
  [ "$status" = 0 ] || fail "--engine network exits with $status: $(cat "$work/err")"
done
cmp -s "$work/network1/metrics.csv" "$work/network2/metrics.csv" || fail "--engine network: two runs differ"

for run in 1 2; do
  run simulate --engine network --link loss=0.1 --data blobs:d=4 --agents 8 --interactions 500 --quantize 4 \
    --numeric float32:4,int16:4 --out "$work/integers$run"
  [ "$status" = 0 ] || fail "--engine network --numeric exits with $status: $(cat "$work/err")"
done
cmp -s "$work/integers1/metrics.csv" "$work/integers2/metrics.csv" || fail "--engine network --numeric: two runs differ"
finish
