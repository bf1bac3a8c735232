#!/bin/bash
# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
#
# flowmeas_variates: control variates of stored configurations: the same files on any ranks and in pieces, coefficients of one lattice on another,
# and what is refused.
# shellcheck source=tests/tap.sh
. "${srcdir=.}/tests/tap.sh"
folder=$(mktemp -d flowmeas_variates.XXXXXX) || exit 1
trap 'rm -rf "$folder"' EXIT
said=$folder
expect() { ends flowmeas "$@"; }
# Flags in a variable are several words.
# shellcheck disable=SC2086
launch() { $MPIRUN $MPIRUN_FLAGS "$@"; }

cat >"$folder/run.cfg" <<'EOS'
lattice = { group = "su2"; size = [4, 4, 4, 8]; };
action = ( { kind = "wilson"; beta = 2.3; } );
chain = { seed = 5; steps = 30; thermalise = 20; replicas = 2; start = "hot"; save_every = 2; };
updates = ( { kind = "heatbath"; }, { kind = "overrelax"; } );
EOS
./flowhmc --quiet --out "$folder/run" "$folder/run.cfg" >"$folder/out" 2>"$folder/err"
result $? "thirty configurations of two replicas"
configs=("$folder"/run/configs/*)

cat >"$folder/meas.cfg" <<'EOS'
action = ( { kind = "wilson"; beta = 2.3; } );
variates = { range = 1; };
EOS
output() { printf -- '--set measure.output=%s/%s' "$folder" "$1"; }
value() { awk -v line="$1" 'index($0, "# " line) == 1 { sub(/\(.*/, "", $NF); print $NF }' "$folder/out"; }

# shellcheck disable=SC2046
expect 0 'with 14 control variates within 1 slices, 30 configurations in 30 bins; coefficients of other bins' $(output whole) "$folder/meas.cfg" "${configs[@]}"
cp "$folder/out" "$folder/said"
[ "$(grep -v '^#' "$folder/out" | awk 'NF == 89' | wc -l)" = 31 ] && grep -q '^plaquette source_0 .* source_7 stein_xy-x-y_0 .*_7$' "$folder/out" && [ -s "$folder/whole-variates.h5" ]
result $? "sources and ten orbits of eight slices for each file"
reduction=$(value 'variance of the source over')
awk -v r="$reduction" 'BEGIN { exit !(r > 2 && r < 20) }'
result $? "the variance of the source goes down by $reduction"
awk '/^# w.dS/ { on = 1 } on && $2 ~ /^[xyzt]/ { n++; if ($NF > 5.5 || $NF < -5.5) bad = 1 } END { exit !(n == 10 && !bad) }' "$folder/out"
result $? "averages of ten orbits are 0 within 5.5 sigma"
# shellcheck disable=SC2046
launch -n 2 ./flowmeas --quiet $(output pieces) "$folder/meas.cfg" "${configs[@]:0:7}" >"$folder/out" 2>"$folder/err" &&
    launch -n 2 ./flowmeas --quiet --groups 2 $(output pieces) "$folder/meas.cfg" "${configs[@]}" >>"$folder/out" 2>>"$folder/err" &&
    cmp "$folder/whole-variates.h5" "$folder/pieces-variates.h5" && cmp "$folder/wholer1.txt" "$folder/piecesr1.txt" && cmp "$folder/wholer2.txt" "$folder/piecesr2.txt"
result $? "in two runs on two ranks: the same files, byte for byte"
./flowstat "$folder/said" >"$folder/stat" 2>&1 && grep -q '^stein_xxt-x-x-t_4 ' "$folder/stat"
result $? "flowstat reads what is printed"
# shellcheck disable=SC2046
expect 0 'with 4 control variates within 0 slices, 30 configurations' $(output whole) --set variates.range=0 "$folder/meas.cfg" "${configs[@]}"

./flowhmc --quiet --out "$folder/large" --set 'lattice.size=[6, 6, 6, 12]' --set chain.replicas=1 --set chain.steps=20 "$folder/run.cfg" >"$folder/out" 2>"$folder/err"
expect 0 "10 configurations in 10 bins; coefficients $folder/pieces-variates.h5" --set "variates.model=$folder/pieces-variates.h5" "$folder/meas.cfg" "$folder"/large/configs/*
awk -v r="$(value 'variance of the source over')" -v first="$reduction" 'BEGIN { exit !(r > 0.7 * first && r < 1.5 * first) }'
result $? "coefficients of a small lattice on a large one: $(value 'variance of the source over')"

one=${configs[0]}
expect 3 'has coefficients of other shapes or another range' --set "variates.model=$folder/pieces-variates.h5" --set variates.range=2 "$folder/meas.cfg" "$one"
expect 4 'none.h5' --set "variates.model=$folder/none.h5" "$folder/meas.cfg" "$one"
expect 5 'wholer1.txt' --set "variates.model=$folder/wholer1.txt" "$folder/meas.cfg" "$one"
expect 3 "'xy-x' does not end where it begins" --set 'variates.shapes=["xy-x"]' "$folder/meas.cfg" "$one"
expect 3 "'xyx-y-x-x' is none of the shapes" --set 'variates.source=xyx-y-x-x' "$folder/meas.cfg" "$one"
expect 3 'range: 4 slices to both sides are too many for 8' --set variates.range=4 "$folder/meas.cfg" "$one"
expect 3 'there are loops that wind' --set 'variates.shapes=["xxxxy-x-x-x-x-y"]' "$folder/meas.cfg" "$one"
expect 3 'no term of an action' --set 'action=()' "$folder/meas.cfg" "$one"
expect 3 'determinant' --set 'action.[0].kind=determinant' "$folder/meas.cfg" "$one"
# shellcheck disable=SC2046
expect 3 'was begun with .*beta' $(output whole) --set 'action.[0].beta=2.4' "$folder/meas.cfg" "$one"
./flowhmc --quiet --out "$folder/open" --set 'lattice.boundary=["periodic", "periodic", "periodic", "open"]' --set chain.steps=2 "$folder/run.cfg" >"$folder/out" 2>"$folder/err"
expect 3 'without open boundaries' "$folder/meas.cfg" "$folder/open/configs/step-0000000022-replica-00000.h5"
./flowhmc --quiet --out "$folder/flat" --set 'lattice.size=[8, 8]' --set chain.steps=2 "$folder/run.cfg" >"$folder/out" 2>"$folder/err"
expect 3 'source: has no loops within a slice' --set 'variates.shapes=["xy-x-y"]' "$folder/meas.cfg" "$folder/flat/configs/step-0000000022-replica-00000.h5"
expect 0 'range = 1' --print-config "$folder/meas.cfg"
echo "1..$count"
