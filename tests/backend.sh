#!/usr/bin/env bash
# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
#
# tests/backend.sh: flowhmc and flowtrain on a GPU, which is a stand-in: the same bytes on any number of ranks, and one line for
# each way in which there is no GPU to be had.
build=$PWD
: "${MPIRUN=mpirun}" "${MPIRUN_FLAGS=--oversubscribe --bind-to none}"
# shellcheck source=tests/tap.sh
. "${srcdir=.}/tests/tap.sh"
folder=$(mktemp -d backend.XXXXXX) || exit 1
cd "$folder" || exit 1
trap 'cd ..; rm -rf "$folder"' EXIT

cat >run.cfg <<'END'
lattice = { group = "su2"; size = [8, 8, 8]; };
action  = ( { kind = "wilson"; beta = 2.0; } );
chain   = { seed = 3; steps = 4; checkpoint_every = 2; save_every = 2; };
updates = ( { kind = "hmc"; trajectory = 0.5; steps = 4; }, { kind = "overrelax"; } );
measure = { observables = [ "plaquette", "polyakov", "gradient_flow" ]; gradient_flow = { kind = "zeuthen"; step = 0.1; times = [0.2]; every = 2; }; };
END
cat >train.cfg <<'END'
lattice = { group = "u1"; size = [8, 8]; };
action  = ( { kind = "wilson"; beta = 1.0; } );
flow    = { layers = ( { kind = "plaquette_coupling"; repeat = 4; hidden = [4]; knots = 4; } ); };
train   = { steps = 3; batch = 64; evaluate_samples = 64; final_samples = 64; };
model   = "model.h5";
END

# Word splitting is wanted: these are commands with their flags.
# shellcheck disable=SC2086
on() { # ranks, program, options
    local ranks=$1
    shift
    $MPIRUN $MPIRUN_FLAGS -n "$ranks" "$build/tests/stand_in/$1" "${@:2}" >out 2>err </dev/null
}

refused() { # pattern, options
    timeout 60 "$build/tests/stand_in/flowhmc" run.cfg --out refused "${@:2}" >out 2>err </dev/null
    [ $? = 3 ] && [ "$(grep -c '^flowhmc: ' err)" = 1 ] && grep -q "$1" err
    result $? "refused: $(grep '^flowhmc: ' err)"
}

export STAND_IN_DEVICES=2
for ranks in 1 2 4; do
    on $ranks flowhmc run.cfg --out "run$ranks" --set backend=cuda &&
        grep -q '"backend": "cuda"' "run$ranks/summary.json" && grep -q 'backend cuda' "run$ranks/log.txt"
    result $? "flowhmc on $ranks ranks and 2 GPUs"
done
for ranks in 2 4; do
    cmp -s run1/history.h5 "run$ranks/history.h5" && cmp -s run1/history-gradient_flow.h5 "run$ranks/history-gradient_flow.h5" && diff -rq run1/configs "run$ranks/configs" >err
    result $? "the same history and configurations on $ranks ranks"
done
for ranks in 1 2; do
    on $ranks flowhmc run.cfg --out "ladder$ranks" --set backend=cuda --set 'lattice.defect={ size = [4, 4]; couplings = [1.0, 0.97, 0.94]; }' \
        --set 'updates=({ kind = "hmc"; steps = 4; }, { kind = "tempering"; })' && grep -q '^tempering: ' out
    result $? "a ladder on $ranks ranks: $(grep '^tempering: ' out)"
done
cmp ladder1/history.h5 ladder2/history.h5 && cmp ladder1/trajectories.h5 ladder2/trajectories.h5
result $? "the same history on 1 and 2 ranks"
for ranks in 1 2; do
    on $ranks flowtrain train.cfg --out "train$ranks" --set backend=cuda && grep -q '"backend": "cuda"' "train$ranks/summary.json"
    result $? "flowtrain on $ranks ranks"
    grep -o '"sha256": "[0-9a-f]*"' "train$ranks/summary.json" >"parameters$ranks"
    rm -f model.h5
done
[ -s parameters1 ] && cmp parameters1 parameters2 >err 2>&1
result $? "the same parameters on 1 and 2 ranks"

cat >meas.cfg <<'END'
measure = { observables = [ "plaquette", "polyakov", "wilson_loop_2x2" ]; };
loops   = { r = 2; t = 2; smearing = "stout"; };
flow    = { time = 0.2; step = 0.02; every = 5; };
END
# The numbers in the output, and those of the flow, deviate by rounding only.
alike() { # file, file
    paste "$1" "$2" | awk '{
        for (i = 1; i <= NF / 2; i++) {
            j = i + NF / 2
            if ($i ~ /^-?[0-9]/) { count++; d = $i - $j; if (d < 0) d = -d; if (d > 1e-9) bad = 1 }
        } } END { exit bad || count < 20 }'
}
"$build/flowmeas" meas.cfg --set backend=cpu run1/configs/* >host 2>err && mv flowr1.h5 host.h5 && rm flowr1.ms.dat flowr1.txt &&
    STAND_IN_DEVICES=0 "$build/tests/stand_in/flowmeas" meas.cfg run1/configs/* >alone 2>err && rm flowr1.* &&
    grep -q '^# backend cpu, no CUDA device' alone && grep -v '^# backend' alone | cmp - host >err 2>&1
result $? "flowmeas without a GPU"
for ranks in 1 2; do
    on $ranks flowmeas meas.cfg --set backend=cuda run1/configs/* && cp out "device$ranks" && rm flowr1.* && alike host "device$ranks"
    result $? "flowmeas with observables, loops and flow on $ranks ranks: as on the CPU"
done

STAND_IN_DEVICES=0 refused 'backend: no CUDA device.*use "auto" or "cpu"' --set backend=cuda
STAND_IN_DRIVER=0 refused 'backend: no CUDA driver on this machine' --set backend=cuda
STAND_IN_DRIVER=12040 refused 'the driver is for CUDA 12.4, this program needs 13.0' --set backend=cuda
STAND_IN_MEMORY=2097152 refused 'cuda: no memory for [0-9]* bytes, [0-9]* of 2097152 are free' --set backend=cuda --set lattice.size='[32,32,32]'
STAND_IN_DEVICES=0 "$build/tests/stand_in/flowhmc" run.cfg --out fallback >out 2>err </dev/null &&
    grep -q 'backend cpu, no CUDA device' fallback/log.txt && grep -q '"backend": "cpu"' fallback/summary.json
result $? "auto falls back to the CPU and says why: $(grep -o 'backend cpu.*' fallback/log.txt | head -n 1)"
echo "1..$count"
