#!/usr/bin/env bash
# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
#
# tests/examples.sh: every example of share/examples runs, shortened, and each with what comes out of those before it.
: "${MPIRUN=mpirun}" "${MPIRUN_FLAGS=--oversubscribe --bind-to none}"
build=$PWD
# shellcheck source=tests/tap.sh
. "${srcdir=.}/tests/tap.sh"
examples=$(cd "$srcdir/share/examples" && pwd)
campaign=$(cd "$srcdir/scripts" && pwd)/campaign
folder=$(mktemp -d examples.XXXXXX) || exit 1
cd "$folder" || exit 1
trap 'cd ..; rm -rf "$folder"' EXIT
unset SLURM_JOB_ID
PATH=$build:$PATH

short=(--set chain.steps=20 --set chain.thermalise=20 --set chain.save_every=10)

# Program, arguments: on two ranks.
runs() {
    local program=$1
    shift
    # Word splitting is wanted: these are commands with their flags.
    # shellcheck disable=SC2086
    timeout 60 $MPIRUN $MPIRUN_FLAGS -n 2 "$build/$program" "$@" >out 2>err </dev/null
}

runs flowhmc "$examples/su3-hmc.cfg" "${short[@]}" && grep -q '^hmc: .*acceptance [01]' out &&
    [ "$(ls su3-hmc/configs)" = "$(printf 'step-00000000%s.ildg\n' 30 40)" ]
result $? "su3-hmc.cfg"
runs flowmeas "$examples/su3-scale.cfg" su3-hmc/configs/* --set measure.bin=1 --set flow.time=0.5 && grep -q '^# .*t0' out && grep -q '^# r0 ' out &&
    [ -s su3r1.ms.dat ] && [ -s su3-loops.h5 ]
result $? "su3-scale.cfg on its configurations"
[ "$(status_of sh "$examples/convert.sh" su3-hmc/configs/step-0000000040.ildg)" = 0 ] && [ "$(grep -c 'verdict *good' out)" = 5 ] &&
    [ "$(grep '^plaquette' out | awk '{ print $2 }' | sort -u | wc -l)" = 1 ]
result $? "convert.sh on one of them"
printf x | dd of=su3-hmc/configs/step-0000000040.ildg bs=1 seek=9000 conv=notrunc 2>/dev/null
[ "$(status_of sh "$examples/convert.sh" su3-hmc/configs/step-0000000040.ildg)" = 5 ]
result $? "convert.sh on a damaged one ends with the exit code of flowconv"
runs flowhmc "$examples/su3-heatbath.cfg" "${short[@]}" && [ -s su3-heatbath/configs/step-0000000040.nersc ] &&
    awk '$1 == "plaquette" { sub(/\(.*/, "", $2); if ($2 > 0.5 && $2 < 0.62) good = 1 } END { exit !good }' out
result $? "su3-heatbath.cfg: the plaquette of beta = 5.8"
runs flowmeas "$examples/su3-variates.cfg" su3-heatbath/configs/* && grep -q '^# correlator of "xy-x-y" with 14 control variates' out && [ -s variates-variates.h5 ]
result $? "su3-variates.cfg on its configurations"
cp "$examples/u1-train.cfg" "$examples/u1-sample.cfg" .
runs flowtrain u1-train.cfg --set train.steps=300 && [ -s u1-trained.h5 ] && awk '/^effective sample size/ && $4 > 0.5 { good = 1 } END { exit !good }' out
result $? "u1-train.cfg: $(grep '^effective' out)"
runs flowhmc u1-sample.cfg --set chain.steps=500 && grep -q '^flow: .*acceptance' out
result $? "u1-sample.cfg with its model"
[ "$(status_of flowhmc "$examples/u1-tempering.cfg" --set chain.steps=200 --set chain.thermalise=100)" = 0 ] && grep -q '^tempering: .*acceptance 0' out &&
    awk '$1 == "plaquette" { sub(/\(.*/, "", $2); if ($2 > 0.90 && $2 < 0.95) good = 1 } END { exit !good }' out
result $? "u1-tempering.cfg: the plaquette of a periodic lattice"

[ "$(status_of flowhmc "$examples/u1-evolution.cfg" --set chain.steps=50 --set chain.thermalise=50)" = 0 ] && grep -q '^nonequilibrium: .*ess 0' out &&
    awk '$1 == "plaquette" { sub(/\(.*/, "", $2); if ($2 > 0.90 && $2 < 0.95) good = 1 } END { exit !good }' out
result $? "u1-evolution.cfg: the plaquette of a periodic lattice"
[ "$(status_of flowhmc "$examples/su3-tempering.cfg" --set chain.steps=3 --set chain.thermalise=64 --set 'lattice.size=[4, 4, 4, 4]' \
    --set 'lattice.defect.size=[2, 2, 2]' --set measure.gradient_flow.every=1)" = 0 ] && grep -q '^pilot: ' out
result $? "su3-tempering.cfg on a small lattice: $(grep '^pilot' out)"

cp "$examples/su3-stout.cfg" "$examples/su3-fthmc.cfg" .
runs flowtrain su3-stout.cfg && [ -s su3-stout.h5 ]
result $? "su3-stout.cfg"
runs flowhmc su3-fthmc.cfg --set chain.steps=10 --set chain.thermalise=10 && grep -q '^fthmc: .*acceptance' out
result $? "su3-fthmc.cfg with its map"

# Name of a card with quarks, settings that make it short.  On one rank: lattices are small.
quarks() {
    local name=$1
    shift
    [ "$(status_of flowhmc --dry-run "$examples/$name.cfg")" = 0 ] && grep -q '^memory: ' out &&
        [ "$(status_of flowhmc "$examples/$name.cfg" --set chain.thermalise=0 "$@")" = 0 ] && grep -q '^hmc: .*trajectories' out
    result $? "$name.cfg, its forecast and a few trajectories"
}
quarks schwinger-determinant --set chain.steps=20
quarks schwinger-pseudofermions --set chain.steps=5
quarks nf2-clover --set chain.steps=2
quarks nf2-stout --set chain.steps=2
quarks nf2plus1-clover --set chain.steps=1 --set 'lattice.size=[4, 4, 4, 8]' --set 'updates.[0].trajectory=0.1' --set 'updates.[0].steps=[1, 1, 1]'
quarks twisted-mass --set chain.steps=5

mkdir bin
# shellcheck disable=SC2016
printf '#!/bin/sh\ncat "$2" >submitted\necho 101\n' >bin/sbatch
printf '#!/bin/sh\n' >bin/squeue
cp bin/squeue bin/scancel
chmod +x bin/*
PATH=$PWD/bin:$PATH
for head in slurm-head slurm-gpu-head; do
    bash -n "$examples/$head.sh" && rm -f submitted &&
        [ "$(status_of "$campaign" --out $head --configs 500 --slurm "$examples/$head.sh" --launch 'srun --mpi=pmix --cpu-bind=cores' \
            "$examples/su3-hmc.cfg")" = 0 ] && grep -q '^#SBATCH --signal=B:USR1@600' submitted && grep -q -e '--mpi=pmix' submitted
    result $? "$head.sh is the head of a job that is submitted"
done
echo "1..$count"
