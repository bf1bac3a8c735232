#!/usr/bin/env bash
# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
#
# tests/cases.sh: what users brought: files of other programs, short chains, commands repeated or given twice.  Their inputs are
# in CASES; without them nothing is tested.
: "${srcdir=.}"
unset SLURM_JOB_END_TIME
build=$PWD
: "${CASES=$srcdir/../shared/cases}"
if [ ! -d "$CASES" ]; then
    echo "1..0 # SKIP no folder $CASES"
    exit 0
fi
cases=$(cd "$CASES" && pwd)
# shellcheck source=tests/tap.sh
. "$srcdir/tests/tap.sh"
folder=$(mktemp -d cases.XXXXXX) || exit 1
cd "$folder" || exit 1
mounted=
trap 'cd ..; [ -z "$mounted" ] || umount -l "$folder/small"; rm -rf "$folder"' EXIT
program() { timeout 60 "$build/$1" "${@:2}" >out 2>err </dev/null; }
refused() { # exit code, pattern of the one line, program, arguments
    local code=$1 pattern=$2
    shift 2
    program "$@"
    [ $? = "$code" ] && grep -q -e "$pattern" err && [ "$(wc -l <err)" = 1 ]
    result $? "exit $code: $(cat err)"
}

# ------------------------------------------------------------------------------------------------ configurations of others

# Plaquette, lattice, word of the warning or "" for none, file, options.
good() {
    local plaquette=$1 lattice=$2 warning=$3 file=$4
    shift 4
    program flowconv --check "$@" "$file" && grep -q "^plaquette   $plaquette" out && grep -q '^verdict     good$' out &&
        grep -q "^lattice     $lattice$" out && if [ -n "$warning" ]; then grep -q "^warning .*$warning" out; else ! grep -q '^warning' out; fi
    result $? "${file#"$cases/"} is good; $(sed -n 's/^warning *//p' out)"
}
su3='su3 4 x 4 x 4 x 6'
for file in ildg-foreign-checksum/rng_after.ildg ildg-xml-comment/comment_swap.ildg ildg-xml-comment/comment2.ildg scidac-singlefile/scidac.lime; do
    good 0.420547916980 "$su3" '' "$cases/$file"
done
good 0.420547916980 "$su3" 'no checksum' "$cases/openstaple-ildg/staple.ildg"
good 0.420547916980 "$su3" '3056 bytes of padding' "$cases/trailing-bytes/trail4k.ildg"
good 0.420547916980 "$su3" '1 bytes of padding' "$cases/trailing-bytes/trail1.nersc"
good 0.386237196866 "$su3" '' "$cases/openqcd-open-boundary/openbc.openqcd"
good 0.476138110632 'su2 4 x 4 x 4 x 4' 'no checksum' "$cases/lqcdjl-su2-ildg/su2.ildg" --dims 4x4x4x4
qdp=$cases/nersc-header-variants/qdp0.nersc digits=$cases/nersc-header-variants/digits4.nersc
good 0.4205479 "$su3" 'checksum is 0: not computed' "$qdp"
good 0.4205479 "$su3" 'few digits' "$digits"
LC_ALL=C sed '/^FLOATING_POINT/d' "$qdp" >nofloat.nersc
good 0.4205479 "$su3" 'FLOATING_POINT' nofloat.nersc
LC_ALL=C sed 's/^PLAQUETTE *=.*/PLAQUETTE = 0.42054791698D+00/; s/^LINK_TRACE *=.*/LINK_TRACE = 8.0646851218D-01/' "$digits" >fexp.nersc
good 0.4205479 "$su3" '' fexp.nersc
LC_ALL=C sed 's/^PLAQUETTE *=.*/PLAQUETTE = 0.4306/' "$digits" >wrong.nersc
refused 5 'plaquette is' flowconv --check wrong.nersc

# What is good is also measured, and begun from.
cat >measure.cfg <<'END'
measure = { observables = [ "plaquette" ]; };
END
cat >start.cfg <<'END'
lattice = { group = "su3"; size = [4, 4, 4, 6]; };
action  = ( { kind = "wilson"; beta = 5.7; } );
chain   = { seed = 1; steps = 1; };
updates = ( { kind = "heatbath"; } );
measure = { observables = [ "plaquette" ]; };
END
number=0
for file in ildg-foreign-checksum/rng_after.ildg scidac-singlefile/scidac.lime openstaple-ildg/staple.ildg nersc-header-variants/qdp0.nersc trailing-bytes/trail1.nersc; do
    number=$((number + 1))
    program flowmeas measure.cfg "$cases/$file" && grep -q '^0.42054' out && program flowhmc --quiet --out "from-$number" --set "chain.start=\"$cases/$file\"" start.cfg
    result $? "$file: measured, and begun from"
done

# ------------------------------------------------------------------------------------------------------------- flowstat

refused 5 "first_na.txt:1: 'NA' is not a finite number" flowstat "$cases/flowstat-first-row-lost/first_na.txt"
sed '1s/.*/0 ********/' "$cases/flowstat-first-row-lost/first_na.txt" >stars.txt
refused 5 "stars.txt:1: '\*" flowstat stars.txt
program flowstat "$cases/flowstat-first-row-lost/bom.txt" && grep -q 'bom.txt: 500 rows' out && grep -q '^column1' out
result $? "a byte-order mark is no row"
program flowhmc --quiet --out bom "$cases/flowstat-first-row-lost/bom.cfg" && [ ! -s err ]
result $? "nor an error of a run card"
program flowstat "$cases/flowstat-appended-headings/ab.txt" && grep -q 'ab.txt: 2 rows' out
result $? "headings once more in the middle"
program flowstat "$cases/flowstat-short-chain/sim.txt" && [ "$(grep -c 'too few entries' out)" -ge 58 ] &&
    program flowstat "$cases/flowstat-short-chain/two.txt" && grep -q 'too few entries' out
result $? "chains of half an autocorrelation time, and of two rows, are too short"
program flowstat --json --replicas "$cases"/flowstat-unequal-replicas/rep?.txt &&
    awk -F '[:,]' '{ gsub(/[ "]/, "", $1); value[$1] = $2 }
        function near(name, x) { return (value[name] - x) ^ 2 <= (1e-8 * x) ^ 2 }
        END { exit !(near("mean", 0.009261183) && near("error", 0.0712021567) && near("tau_int", 3.84548608) && near("tau_int_error", 0.52612356) && value["window"] == 23 && value["n"] == 4200) }' out
result $? "replicas of 1000, 3000 and 200 rows: mean, error, tau_int, its error, window, as UWerr"

# -------------------------------------------------------------------------------------------------- numbers, repetitions

small=$cases/flow-number-from-extension/small.nersc
echo 'flow = { time = 0.02; step = 0.01; every = 1; output = "fl"; };' >>measure.cfg
numbers() { sed -n 's/^# \([0-9][0-9]*\) .*/\1/p' "$@" | tr '\n' ' '; }
for stem in ckpoint_lat. conf. conf.00 ckpoint_lat.IEEE64BIG. l48f21b6.0m001r1n l328f21b6285m0009_019. cfg_; do
    files=()
    for n in 8 10 200; do
        ln -sf "$small" "$stem$n"
        files+=("$stem$n")
    done
    rm -f flr1.*
    program flowmeas measure.cfg "${files[@]}" && [ "$(numbers flr1.txt)" = '8 10 200 ' ]
    result $? "${stem}8, ${stem}10, ${stem}200"
done

cat >long.cfg <<'END'
flow = { time = 0.4; step = 0.0005; every = 100; output = "fl"; };
END
rm -f flr1.*
files=() more=()
for n in 10 20 30 40 50 60; do
    ln -sf "$small" c_$n && ln -sf "$small" c_$((n + 60))
    files+=("c_$n") more+=("c_$((n + 60))")
done
"$build/flowmeas" long.cfg "${files[@]}" >first.out 2>first.err </dev/null &
until [ -s flr1.txt ] || ! kill -0 $! 2>/dev/null; do sleep 0.02; done
program flowmeas long.cfg "${more[@]}"
status=$?
wait $!
[ $? = 0 ] && { [ $status = 0 ] || { [ $status = 4 ] && grep -q 'another flowmeas is at work' err && program flowmeas long.cfg "${more[@]}"; }; } &&
    [ "$(numbers flr1.txt)" = '10 20 30 40 50 60 70 80 90 100 110 120 ' ] && grep -q '^# 12 configurations' out
result $? "two on one output: the second waits, or is refused; nothing is lost"

cp "$small" self.nersc && ln -s self.nersc link.nersc
refused 2 'is IN' flowconv --precision 32 self.nersc self.nersc
refused 2 'is IN' flowconv --force --two-row self.nersc link.nersc
cmp self.nersc "$small"
result $? "and the file is as it was"

# A disk of 60 kB that is full during the gradient flow, and has room again.
mkdir small
if mount -t tmpfs -o size=60k tmpfs small 2>/dev/null; then
    mounted=yes
    echo 'flow = { time = 0.8; step = 0.02; every = 1; output = "fl"; };' >small/m.cfg
    for n in 1 2 3 4 5 6 7 8 9; do ln -s "$small" small/c_$n.nersc; done
    (cd small && exec "$build/flowmeas" m.cfg c_?.nersc) >out 2>err </dev/null
    [ $? = 4 ] && [ "$(wc -l <err)" = 1 ]
    result $? "a full disk: $(cat err)"
    mount -o remount,size=2m small
    (cd small && exec "$build/flowmeas" m.cfg c_?.nersc) >out 2>err </dev/null
    [ $? = 0 ] && [ ! -s err ] && [ "$(numbers small/flr1.txt)" = '1 2 3 4 5 6 7 8 9 ' ]
    result $? "with room again the same command goes on"
else
    count=$((count + 1))
    echo "ok $count # SKIP a full disk: this needs the right to mount one"
fi

# ----------------------------------------------------------------------------------------------------------------- runs

# Run directory, signal: card, options: sent to a run that is much too long once it is under way.
stop() {
    "$build/flowhmc" --quiet "$cases/$3/run.cfg" --out "$1" "${@:4}" >out 2>err </dev/null &
    until [ -e "$1/configs/step-0000001020.h5" ] || ! kill -0 $! 2>/dev/null; do sleep 0.02; done
    kill -"$2" $!
    wait $!
}
for signal in USR1 USR2 XCPU HUP TERM; do
    stop "$signal" $signal signals-other-batch-systems --set chain.steps=20000000
    [ $? = 7 ] && [ -s "$signal/checkpoint.h5" ] && [ -s "$signal/history.h5" ]
    result $? "SIG$signal: $(cat err)"
done
program flowhmc --quiet "$cases/resume-steps-typo/run.cfg" --out typo &&
    { stop typo USR1 resume-steps-typo --resume --set chain.steps=20000000 || [ $? = 7 ]; } &&
    steps=$(($(sed -n 's/.*stopped at step \([0-9]*\).*/\1/p' err) + 20)) &&
    program flowhmc --quiet "$cases/resume-steps-typo/run.cfg" --out typo --resume --set chain.steps=$steps
result $? "20000000 steps by mistake, then $steps"
echo "1..$count"
