#!/bin/bash
# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
#
# flowmeas_mesons: mesons of stored configurations: the same files on any ranks and in pieces, and what is refused.
# shellcheck source=tests/tap.sh
. "${srcdir=.}/tests/tap.sh"
folder=$(mktemp -d flowmeas_mesons.XXXXXX) || exit 1
trap 'rm -rf "$folder"' EXIT
said=$folder
expect() { ends flowmeas "$@"; }
# Flags in a variable are several words.
# shellcheck disable=SC2086
launch() { $MPIRUN $MPIRUN_FLAGS "$@"; }

cat >"$folder/run.cfg" <<'EOF'
lattice = { group = "u1"; size = [6, 8]; };
action = ( { kind = "wilson"; beta = 3.0; } );
chain = { seed = 5; steps = 2; replicas = 2; start = "hot"; save_every = 1; };
updates = ( { kind = "heatbath"; count = 5; } );
EOF
./flowhmc --quiet --out "$folder/run" "$folder/run.cfg" >"$folder/out" 2>"$folder/err"
result $? "two configurations of two replicas"
configs=("$folder"/run/configs/*)

cat >"$folder/meas.cfg" <<'EOF'
operators = ( { name = "heavy"; kind = "clover"; kappa = 0.1; csw = 1.0; }, { name = "light"; kind = "wilson"; kappa = 0.2; } );
mesons = { operator = "light"; channels = [ "PP", "A4P", "V1V1" ]; sources = 2; condensate = 3; };
EOF
output() { printf -- '--set measure.output=%s/%s' "$folder" "$1"; }

# shellcheck disable=SC2046
expect 0 '^# effective masses of "light", 4 configurations in 4 bins' $(output whole) "$folder/meas.cfg" "${configs[@]}"
cp "$folder/out" "$folder/said"
[ "$(grep -v '^#' "$folder/out" | awk 'NF == 26' | wc -l)" = 5 ] && grep -q '^plaquette light_PP_0 .*light_A4P_3 .* light_V1V1_7 light_condensate$' "$folder/out" &&
    grep -q '^# t .* PCAC$' "$folder/out" && [ -s "$folder/whole-mesons.h5" ]
result $? "three channels of eight slices and a condensate for each file, and masses"
# shellcheck disable=SC2046
launch -n 2 ./flowmeas --quiet $(output pieces) "$folder/meas.cfg" "${configs[@]:0:1}" >"$folder/out" 2>"$folder/err" &&
    launch -n 2 ./flowmeas --quiet --groups 2 $(output pieces) "$folder/meas.cfg" "${configs[@]}" >>"$folder/out" 2>>"$folder/err" &&
    cmp "$folder/whole-mesons.h5" "$folder/pieces-mesons.h5" && cmp "$folder/wholer1.txt" "$folder/piecesr1.txt" && cmp "$folder/wholer2.txt" "$folder/piecesr2.txt"
result $? "in two runs on two ranks: the same files, byte for byte"
# shellcheck disable=SC2046
./flowmeas $(output whole) "$folder/meas.cfg" "${configs[@]}" | cmp - "$folder/said"
result $? "what is recorded is printed again"
./flowstat "$folder/said" >"$folder/stat" 2>&1 && grep -q '^light_PP_4 ' "$folder/stat"
result $? "flowstat reads what is printed"

# But for the condensate, which is drawn always.
values() { ./flowmeas "$folder/meas.cfg" "$@" "${configs[0]}" | grep -v '^#' | tail -n 1 | sed 's/ [^ ]*$//'; }
first=$(values --set 'mesons.source=[0, 0]' --set mesons.sources=1)
[ "$first" = "$(values --set 'mesons.source=[0, 0]' --set mesons.sources=1 --set mesons.seed=7)" ] &&
    [ "$first" != "$(values --set 'mesons.source=[1, 0]' --set mesons.sources=1)" ] && [ "$(values)" != "$(values --set mesons.seed=7)" ]
result $? "sources are where they are asked for, or drawn by the seed"

# shellcheck disable=SC2046
expect 3 'was begun with .*kappa' $(output whole) "$folder/meas.cfg" --set 'operators.[1].kappa=0.21' "${configs[0]}"
expect 3 "mesons.operator: .*is 'light' meant" "$folder/meas.cfg" --set mesons.operator=ligth "${configs[0]}"
expect 3 "'A4' is none: write two of S, P" "$folder/meas.cfg" --set 'mesons.channels=["A4"]' "${configs[0]}"
expect 3 "there are two 'PP'" "$folder/meas.cfg" --set 'mesons.channels=["PP", "PP"]' "${configs[0]}"
expect 3 'step-.*2 dimensions have no V2V2' "$folder/meas.cfg" --set 'mesons.channels=["V2V2"]' "${configs[0]}"
expect 3 'a source is given: leave sources out' "$folder/meas.cfg" --set 'mesons.source=[0, 0]' "${configs[0]}"
expect 3 'coordinate 6 is beyond the extent 6' "$folder/meas.cfg" --set 'mesons.source=[6, 0]' --set mesons.sources=1 "${configs[0]}"
expect 3 'source: has 1 coordinates' "$folder/meas.cfg" --set 'mesons.source=[0]' --set mesons.sources=1 "${configs[0]}"
expect 3 '3 numbers in angle for a lattice of 2' "$folder/meas.cfg" --set 'operators.[1].angle=[0, 0, 1]' "${configs[0]}"
expect 3 'letters, digits' "$folder/meas.cfg" --set 'operators.[1].name="li/ght"' "${configs[0]}"
expect 6 'step-.*1 iterations' "$folder/meas.cfg" --set mesons.iterations=1 "${configs[0]}"
printf 'mesons = { operator = "light"; };\n' >"$folder/none.cfg"
expect 3 'there are no operators: write' "$folder/none.cfg" "${configs[0]}"
expect 0 'operator = "light"' --print-config "$folder/meas.cfg"

./flowhmc --quiet --out "$folder/other" --set 'lattice.size=[6, 6]' "$folder/run.cfg" >"$folder/out" 2>"$folder/err"
./flowhmc --quiet --out "$folder/open" --set 'lattice.boundary=["periodic", "open"]' "$folder/run.cfg" >"$folder/out" 2>"$folder/err"
sed 's/"heatbath"; count = 5/"hmc"/; s/6, 8/6, 5/' "$folder/run.cfg" >"$folder/odd.cfg" # heatbaths need even extents too
./flowhmc --quiet --out "$folder/odd" "$folder/odd.cfg" >"$folder/out" 2>"$folder/err"
expect 3 'is of another lattice than the files before' "$folder/meas.cfg" --number 'replica-0*([0-9]+)' "${configs[0]}" "$folder/other/configs/step-0000000001-replica-00001.h5"
expect 3 'quarks know periodic lattices alone' "$folder/meas.cfg" "$folder/open/configs/step-0000000001-replica-00000.h5"
expect 3 'quarks need even extents' "$folder/meas.cfg" "$folder/odd/configs/step-0000000001-replica-00000.h5"

python=${PYTHON-/usr/bin/python3}
if "$python" -c 'import h5py' >/dev/null 2>&1; then
    "$python" - "$folder/whole-mesons.h5" >"$folder/out" 2>"$folder/err" <<'END'
import h5py, sys
light = h5py.File(sys.argv[1])["light"]
assert light["PP"].shape == (4, 8) and light["PP_mass"].shape == (4,) and (light["PP"][:] > 0).all()
assert light["condensate"].shape == (4,) and (abs(light["condensate"][:] - 2) < 0.5).all()
assert list(light["configuration"]) == [1, 2, 1, 2] and list(light["replica"]) == [1, 1, 2, 2]
END
    result $? "h5py reads correlators by operator and channel"
else
    count=$((count + 1))
    echo "ok $count # SKIP $python has no h5py"
fi
echo "1..$count"
