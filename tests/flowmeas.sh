#!/bin/bash
# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
#
# flowmeas: loops and the gradient flow of stored configurations; files of the flow that are gone on with, or refused.
# shellcheck source=tests/tap.sh
. "${srcdir=.}/tests/tap.sh"
folder=$(mktemp -d flowmeas.XXXXXX) || exit 1
trap 'rm -rf "$folder"' EXIT
said=$folder
expect() { ends flowmeas "$@"; }
# Flags in a variable are several words.
# shellcheck disable=SC2086
launch() { $MPIRUN $MPIRUN_FLAGS "$@"; }

cat >"$folder/run.cfg" <<'EOF'
lattice = { group = "su2"; size = [4, 4, 4, 8]; };
action = ( { kind = "wilson"; beta = 2.3; } );
chain = { seed = 5; steps = 3; start = "hot"; save_every = 1; };
updates = ( { kind = "heatbath"; count = 2; } );
EOF
./flowhmc --quiet --out "$folder/run" "$folder/run.cfg" >/dev/null
result $? "three configurations"
configs=("$folder"/run/configs/*)

cat >"$folder/meas.cfg" <<'EOF'
measure = { observables = [ "plaquette", "rectangle", "polyakov" ]; };
loops = { r = 2; t = 2; smearing = "stout"; steps = 2; };
flow = { time = 0.5; step = 0.05; every = 5; };
EOF
flow="$folder/meas.cfg --set flow.output=$folder/flow"
# shellcheck disable=SC2086
expect 0 '# creutz_2x2 ' $flow "${configs[@]}"
[ "$(grep -vc '^#' "$folder/out")" = 4 ] && [ "$(grep -c '^# t0, clover ' "$folder/out")" = 1 ]
result $? "one line for each file, and comments"
[ "$(wc -c <"$folder/flowr1.ms.dat")" = $((20 + 3 * (4 + 8 * 3 * 3 * 8))) ]
result $? "openQCD's layout: header and three records"
cp "$folder/out" "$folder/whole"

# The same in two runs, on two ranks.
pieces="$folder/meas.cfg --set flow.output=$folder/pieces"
# shellcheck disable=SC2086
launch -n 2 ./flowmeas $pieces "${configs[@]:0:1}" >/dev/null && launch -n 2 ./flowmeas $pieces "${configs[@]:1}" >/dev/null &&
    cmp "$folder/flowr1.ms.dat" "$folder/piecesr1.ms.dat" && cmp "$folder/flowr1.h5" "$folder/piecesr1.h5"
result $? "in two runs on two ranks: the same files, byte for byte"
./flowstat "$folder/whole" >"$folder/stat" 2>&1
grep -q '^flow_t2e ' "$folder/stat" && grep -q '^loop_2x2 ' "$folder/stat"
result $? "flowstat reads what is printed"

# shellcheck disable=SC2086
expect 3 'ascending order' $flow "${configs[0]}"
# shellcheck disable=SC2086
expect 3 'holds 2 + 1 measurements every 5 steps' $flow --set flow.time=1.0 "${configs[0]}"
printf 'x' >>"$folder/flowr1.ms.dat"
# shellcheck disable=SC2086
expect 5 'ends within a configuration' $flow "${configs[0]}"
# shellcheck disable=SC2086
expect 0 'flow_t2e' $flow --set flow.kind=zeuthen --set flow.integrator=adaptive --set flow.replica=2 "${configs[0]}"
expect 3 'no multiple of step times every' "$folder/meas.cfg" --set flow.time=0.6 "${configs[0]}"
expect 3 'loops.t: must be smaller' "$folder/meas.cfg" --set loops.t=8 "${configs[0]}"
expect 3 'is .kind. meant' "$folder/meas.cfg" --set flow.knd=zeuthen "${configs[0]}"
expect 3 'flow.time: is a string' "$folder/meas.cfg" --set 'flow.time="x"' "${configs[0]}"

# Files of lattices that are not periodic say so, in any format that has room for it.
cat >"$folder/open.cfg" <<'EOF'
measure = { observables = [ "plaquette" ]; };
EOF
for format in h5 nersc ildg; do
    ./flowhmc --quiet --out "$folder/open-$format" "$folder/run.cfg" --set chain.save_format=$format --set chain.steps=1 \
        --set 'lattice.boundary=["periodic", "periodic", "periodic", "open"]' >"$folder/out" 2>"$folder/err"
    file=("$folder/open-$format"/configs/*)
    expect 0 plaquette "$folder/open.cfg" "${file[0]}"
    mean=$(tail -n 1 "$folder/out")
    [ "$(launch -n 2 ./flowmeas "$folder/open.cfg" "${file[0]}" | tail -n 1)" = "$mean" ]
    result $? "the plaquette of an open lattice in $format on two ranks: $mean"
    expect 3 'open boundaries: leave it out' "$folder/open.cfg" --set 'measure.observables=["polyakov"]' "${file[0]}"
    expect 3 'open boundary or a defect: there flow.kind' "$folder/open.cfg" --set flow.time=0.1 --set flow.kind=zeuthen "${file[0]}"
    expect 0 'not periodic: take t0' "$folder/open.cfg" --set flow.time=0.1 --set "flow.output=$folder/open-$format" "${file[0]}"
    expect 3 'open boundary: loops' "$folder/open.cfg" --set loops.r=2 --set loops.t=2 "${file[0]}"
done
./flowhmc --quiet --out "$folder/defect" "$folder/run.cfg" --set chain.steps=1 --set 'lattice.defect.size=[2, 2, 2]' \
    --set lattice.defect.coupling=0.5 >"$folder/out" 2>"$folder/err"
expect 0 polyakov "$folder/open.cfg" --set 'measure.observables=["polyakov"]' "$folder"/defect/configs/*
expect 0 'not periodic: take t0' "$folder/open.cfg" --set flow.time=0.1 --set "flow.output=$folder/defect-" "$folder"/defect/configs/*
echo "1..$count"
