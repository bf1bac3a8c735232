#!/bin/bash
# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
#
# flowmeas: loops and the gradient flow of stored configurations; files that are gone on with, or refused; which configuration a file
# holds; groups of ranks; runs that are stopped, or killed at KILLS random instants.
: "${KILLS=2}"
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
expect 0 '3 configurations in' $flow "${configs[0]}"
[ "$(grep -vc '^#' "$folder/out")" = 2 ]
result $? "a configuration that is recorded is printed again"
late="$folder/meas.cfg --set flow.output=$folder/late"
# shellcheck disable=SC2086
./flowmeas --quiet $late "${configs[2]}" && expect 3 'configuration 1 comes after 3: add them in ascending order' $late "${configs[0]}"
# shellcheck disable=SC2086
expect 3 'holds 2 + 1 measurements every 5 steps' $flow --set flow.time=1.0 "${configs[0]}"
printf 'x' >>"$folder/flowr1.ms.dat"
# shellcheck disable=SC2086
expect 0 'warning: .*flowr1.ms.dat: ends within a record.* cut from 1761 to 1760 bytes' $flow "${configs[0]}"
printf '# 4 some' >>"$folder/flowr1.txt"
# shellcheck disable=SC2086
expect 0 'warning: .*flowr1.txt: ends within a record' $flow "${configs[0]}"
cmp "$folder/flowr1.ms.dat" "$folder/piecesr1.ms.dat" && sed 's/pieces/flow/' "$folder/piecesr1.txt" | cmp - "$folder/flowr1.txt"
result $? "what is whole is left as it was"
cp "$folder/flowr1.txt" "$folder/kept"
sed -i 's/^# 2 /# 7 /' "$folder/flowr1.txt"
# shellcheck disable=SC2086
expect 5 'its record at byte' $flow "${configs[0]}"
cp "$folder/kept" "$folder/flowr1.txt"
# shellcheck disable=SC2086
expect 3 'was begun with .*measure.observables' $flow --set 'measure.observables=["plaquette"]' "${configs[0]}"
cp "${configs[0]}" "$folder/copy.h5"
# shellcheck disable=SC2086
expect 3 'is number 1, which .*flowr1.txt has of .*step-0000000001.h5' $flow "$folder/copy.h5"
# shellcheck disable=SC2086
expect 3 'are both number 1 of replica 1: give each once' $flow "$folder/copy.h5" "${configs[0]}"
# shellcheck disable=SC2086
expect 3 'which is in .*flowr1.ms.dat, but not in' $flow --set "measure.output=$folder/other" "${configs[0]}"
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

# Which configuration a file holds: names of other programs, in the order in which they sort.
top=$PWD
program() { "$top/flowmeas" "$@" >"$top/$folder/out" 2>"$top/$folder/err" </dev/null; }
numbers() { sed -n 's/^# \([0-9][0-9]*\) .*/\1/p' "$@" | tr '\n' ' '; }
./flowconv --quiet "${configs[0]}" "$folder/whole.nersc" && LC_ALL=C sed '/^FLOWHMC_REPLICA/d' "$folder/whole.nersc" >"$folder/foreign"
mkdir "$folder/names" && cd "$folder/names" || exit 1
cat >meas.cfg <<'EOF'
flow = { time = 0.1; step = 0.05; every = 1; output = "fl"; };
EOF
for stem in ckpoint_lat. conf. ckpoint_lat.IEEE64BIG. l48f21b6.0m001r1n l328f21b6285m0009_019. cfg_; do
    for number in 8 10 200; do ln -s ../foreign "$stem$number"; done
    program meas.cfg "$stem"* && [ "$(numbers flr1.txt)" = '8 10 200 ' ] && grep -q '^# the files are taken in the order' ../out &&
        program meas.cfg "$stem"* && [ "$(numbers flr1.txt)" = '8 10 200 ' ]
    result $? "$stem*: numbers 8, 10, 200, in this order, once"
    rm -f flr1.*
done
ln -s ../foreign 9x4_run5 && ln -s ../foreign 7x4_run5 && said=..
refused() { # exit code, pattern, arguments
    program "${@:3}"
    [ $? = "$1" ] && grep -q -e "$2" ../err && [ "$(wc -l <../err)" = 1 ] && [ -z "$(ls fl* 2>/dev/null)" ]
    result $? "refused before anything is measured: $(head -n 1 ../err)"
}
refused 3 'are both number 5 of replica 1' meas.cfg 7x4_run5 9x4_run5
refused 2 'has no group' meas.cfg --number '[0-9]+x' 7x4_run5
program meas.cfg --number '^([0-9]+)x' 9x4_run5 7x4_run5 && [ "$(numbers flr1.txt)" = '7 9 ' ]
result $? "--number decides"
rm -f flr1.*
for replica in 0 1; do for step in 5 10; do ln -s ../foreign step-$step-replica-$replica.nersc; done; done
program meas.cfg step-* && [ "$(numbers flr1.txt flr2.txt)" = '5 10 5 10 ' ] && [ -s flr2.ms.dat ] && [ -s flr2.h5 ]
result $? "a file for each replica"
rm -f fl*
refused 3 'flow.replica: the files are of 2 replicas' meas.cfg --set flow.replica=1 step-*
program --print-config meas.cfg && grep -q 'output = "fl"' ../out && program --print-config && grep -q 'bin = 1' ../out
result $? "--print-config without files"
cd ../.. && said=$folder

# Two replicas of five configurations: bins of two end with each, and t0 and w0 are those of each and of all.
./flowhmc --quiet --out "$folder/replicas" "$folder/run.cfg" --set chain.steps=5 --set chain.replicas=2 >/dev/null
cat >"$folder/bins.cfg" <<'EOF'
measure = { observables = [ "plaquette" ]; bin = 2; };
loops = { r = 2; t = 2; };
flow = { time = 2.0; step = 0.1; every = 1; };
EOF
for ranks in 1 2 4; do
    mkdir "$folder/bins$ranks"
    (cd "$folder/bins$ranks" && launch -n $ranks "$top/flowmeas" --groups $(((ranks + 1) / 2)) ../bins.cfg ../replicas/configs/*) >"$folder/bins$ranks.out" 2>"$folder/err" &&
        diff -r "$folder/bins1" "$folder/bins$ranks" && cmp "$folder/bins1.out" "$folder/bins$ranks.out"
    result $? "ten configurations of two replicas on $ranks ranks"
done
grep -q '10 configurations in 4 bins' "$folder/bins1.out"
result $? "no bin is of two replicas"
grep -A 1 '^# .* configurations \(in .*ms.dat\|of 2 replicas\)$' "$folder/bins1.out" | awk '/^# t0, clover/ { split($4, part, "("); t0[++n] = part[1] }
    END { exit !(n == 3 && t0[1] != t0[2] && (t0[3] - t0[1]) * (t0[3] - t0[2]) < 0) }'
result $? "t0 of all is between those of each: $(sed -n 's/^# t0, clover *//p' "$folder/bins1.out" | tr '\n' ' ')"

# The charge of U(1) in two dimensions is a sum of angles, which rounding makes -0 as often as 0.
cat >"$folder/u1.cfg" <<'EOF'
lattice = { group = "u1"; size = [8, 8]; };
action = ( { kind = "wilson"; beta = 2.0; } );
chain = { seed = 5; steps = 1; replicas = 40; save_every = 1; };
updates = ( { kind = "direct"; } );
EOF
./flowhmc --quiet --out "$folder/u1" "$folder/u1.cfg" >"$folder/out" 2>"$folder/err"
expect 0 '^0 0$' "$folder/open.cfg" --set 'measure.observables=["charge"]' --set "measure.output=$folder/u1" "$folder"/u1/configs/*
! grep -q -e '^-0' "$folder/out" "$folder"/u1r*.txt
result $? "no charge of -0"

# Checksums that differ.
LC_ALL=C sed 's/^CHECKSUM = .*/CHECKSUM = 1/' "$folder/whole.nersc" >"$folder/damaged.nersc"
expect 5 'checksum' "$folder/open.cfg" "$folder/damaged.nersc"
expect 0 'warning: .*checksum' --force "$folder/open.cfg" "$folder/damaged.nersc"

# Twelve configurations that take a while, in folders of their own, so that all paths are the same.
mkdir "$folder/one" && cat >"$folder/slow.cfg" <<'EOF'
measure = { observables = [ "plaquette" ]; bin = 3; };
loops = { r = 3; t = 3; };
flow = { time = 1.0; step = 0.002; every = 250; };
EOF
./flowhmc --quiet --out "$folder/long" "$folder/run.cfg" --set chain.steps=12 >/dev/null
measure() { # folder, ranks, options: may be killed, as the shell makes way for it
    cd "$top/$folder/$1" || exit
    # shellcheck disable=SC2086
    if [ "$2" = 1 ]; then exec "$top/flowmeas" "${@:3}" ../slow.cfg ../long/configs/*; fi
    # shellcheck disable=SC2086
    exec $MPIRUN $MPIRUN_FLAGS -n "$2" "$top/flowmeas" "${@:3}" ../slow.cfg ../long/configs/*
}
started=$(date +%s%N)
(measure one 1 >"$folder/one.out" 2>"$folder/err")
took=$((($(date +%s%N) - started) / 1000000))
same() { # folder: what is in the files of the run on one rank
    diff -r "$folder/one" "$folder/$1" >"$folder/err" 2>&1
}
[ -s "$folder/one/flow-loops.h5" ] && [ "$(numbers "$folder/one/flowr1.txt" | wc -w)" = 12 ] && grep -q '^# r0 ' "$folder/one.out" &&
    grep -q '12 configurations in 4 bins' "$folder/one.out"
result $? "twelve configurations: loops, potential, flow"
[ "$(grep '^#' "$folder/one.out" | awk 'length > 80' | wc -l)" = 0 ]
result $? "comments and tables fit on 80 columns"
for shape in '4 2' '3 3' '2 2'; do
    groups=${shape#* } ranks=${shape% *} run=groups${shape/ /-}
    mkdir "$folder/$run"
    (measure "$run" "$ranks" --groups "$groups" >"$folder/$run.out" 2>"$folder/err" </dev/null)
    same "$run" && cmp "$folder/one.out" "$folder/$run.out"
    result $? "$groups groups of $ranks ranks: the same bytes"
done
# The fourth is damaged, and the second and third are there all the same.
mkdir "$folder/part" "$folder/part/configs" && cp "$folder"/long/configs/*-000000000[1-6].h5 "$folder/part/configs"
printf 'damage' | dd of="$folder/part/configs/step-0000000004.h5" bs=1 seek=3000 conv=notrunc 2>/dev/null
(cd "$folder/part" && launch -n 3 "$top/flowmeas" --groups 3 --set flow.time=0.5 ../slow.cfg configs/step-000000000[123].h5 >/dev/null &&
    launch -n 3 "$top/flowmeas" --groups 3 --force --set flow.time=0.5 ../slow.cfg configs/*) >"$folder/out" 2>"$folder/err"
[ $? = 5 ] && grep -q 'step-0000000004.h5.*damaged' "$folder/err" && [ "$(numbers "$folder/part/flowr1.txt")" = '1 2 3 ' ]
result $? "a damaged file ends it before anything is measured"
# What is seen only with the links: a number that is none.
cp "$folder/whole.nersc" "$folder/part/step-1.nersc"
for i in 2 3 4; do LC_ALL=C sed "s/^SEQUENCE_NUMBER = .*/SEQUENCE_NUMBER = $i/" "$folder/whole.nersc" >"$folder/part/step-$i.nersc"; done
LC_ALL=C sed -i 's/^CHECKSUM = .*/CHECKSUM = 1/' "$folder/part/step-3.nersc"
(cd "$folder/part" && launch -n 4 "$top/flowmeas" --groups 4 --set measure.output=nersc ../open.cfg step-*) >"$folder/out" 2>"$folder/err"
[ $? = 5 ] && grep -q 'step-3.nersc.*checksum' "$folder/err" && [ "$(numbers "$folder/part/nerscr1.txt")" = '1 2 ' ] && [ "$(grep -vc '^#' "$folder/out")" = 3 ]
result $? "what comes before a damaged file is recorded, what comes after is not"
(cd "$folder/part" && "$top/flowmeas" --force --set measure.output=nersc ../open.cfg step-*) >"$folder/out" 2>"$folder/err" &&
    [ "$(numbers "$folder/part/nerscr1.txt")" = '1 2 3 4 ' ]
result $? "and with --force the rest"
expect 2 'give a number from 1 to that of the ranks, 1' --groups 2 "$folder/meas.cfg" "${configs[0]}"

# Asked to stop.
mkdir "$folder/term"
(measure term 1 >"$folder/out" 2>"$folder/err") &
while [ "$(numbers "$folder/term/flowr1.txt" 2>/dev/null | wc -w)" = 0 ]; do sleep 0.02; done
kill -TERM $!
wait $!
[ $? = 7 ] && [ "$(wc -l <"$folder/err")" = 1 ] && grep -q 'stopped after [0-9]* of 12 configurations (signal 15): the same command goes on' "$folder/err"
result $? "a signal ends it after the present configuration: $(head -n 1 "$folder/err")"
(measure term 1 >"$folder/term.out" 2>"$folder/err") && same term && cmp "$folder/one.out" "$folder/term.out"
result $? "the same command goes on, to the same bytes"

# Killed.
mkdir "$folder/killed"
for _ in $(seq "$KILLS"); do
    (measure killed 1 >"$folder/out" 2>>"$folder/killed.err") &
    sleep "$(awk -v r=$RANDOM -v ms=$took 'BEGIN { print r / 32768 * ms / 1000 }')"
    kill -KILL $! 2>/dev/null
    wait $! 2>/dev/null
done
(measure killed 1 >"$folder/killed.out" 2>"$folder/err")
same killed && cmp "$folder/one.out" "$folder/killed.out"
result $? "killed at $KILLS random instants, and repeated: the same bytes"

# At work on the same files.
mkdir "$folder/two"
(cd "$folder/two" && exec flock -x flowr1.ms.dat sleep 15) &
while [ ! -e "$folder/two/flowr1.ms.dat" ]; do sleep 0.02; done
sleep 0.2
(measure two 1 >"$folder/out" 2>"$folder/err")
[ $? = 4 ] && [ "$(wc -l <"$folder/err")" = 1 ] && grep -q 'flowr1.ms.dat: another flowmeas is at work on it' "$folder/err"
result $? "a second one on the same files is refused"
kill $! 2>/dev/null

# A full disk leaves whole records.
mkdir "$folder/small"
if mount -t tmpfs -o size=12k tmpfs "$folder/small" 2>/dev/null; then
    (measure small 1 >"$folder/out" 2>"$folder/err")
    [ $? = 4 ] && [ $((($(wc -c <"$folder/small/flowr1.ms.dat") - 20) % (4 + 8 * 3 * 3 * 8))) = 0 ] &&
        [ "$(numbers "$folder/small/flowr1.txt" | wc -w)" -lt 12 ]
    result $? "a full disk leaves whole records: $(head -n 1 "$folder/err")"
    mount -o remount,size=1m "$folder/small" && (measure small 1 >"$folder/out" 2>"$folder/err") && [ ! -s "$folder/err" ] && same small
    result $? "with room again the same command goes on"
    umount -l "$folder/small"
else
    count=$((count + 1))
    echo "ok $count # SKIP a full disk: this needs the right to mount one"
fi
echo "1..$count"
