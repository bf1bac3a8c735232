#!/usr/bin/env bash
# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
#
# tests/faults.sh: one call of one rank on a file fails, is interrupted, or is the last thing that rank does: the programs end
# within seconds, on all ranks, with one line and the code of files, what had a name before is whole, and the same command
# goes on, to the same files as if nothing had been.
# FAULTS=all tries every call of every rank, in FAULTS_CASES; else the first of each kind.
: "${MPIRUN=mpirun}" "${MPIRUN_FLAGS=--oversubscribe --bind-to none}" "${srcdir=.}" "${FAULTS=first}"
: "${FAULTS_CASES=run resume start train meas plot h5 nersc ildg}"
build=$PWD
# shellcheck source=tests/tap.sh
. "$srcdir/tests/tap.sh"
folder=$(mktemp -d faults.XXXXXX) || exit 1
cd "$folder" || exit 1
trap 'cd ..; rm -rf "$folder"' EXIT
calls="open pread pwrite fsync ftruncate rename fallocate mkdir link dprintf fflush"

if ! LD_PRELOAD=$build/tests/faults.so "$build/flowconv" --version >/dev/null 2>&1; then
    echo "1..0 # SKIP nothing can be preloaded here"
    exit 0
fi

cat >run.cfg <<'END'
lattice = { group = "u1"; size = [6, 6]; };
action  = ( { kind = "wilson"; beta = 2.0; } );
chain   = { seed = 3; steps = 4; checkpoint_every = 2; save_every = 2; keep_checkpoints = 2; };
updates = ( { kind = "hmc"; steps = 2; } );
measure = { observables = [ "plaquette" ]; };
END
cat >su3.cfg <<'END'
lattice = { group = "su3"; size = [2, 2, 2, 6]; };
action  = ( { kind = "wilson"; beta = 5.0; } );
chain   = { seed = 3; steps = 1; save_every = 1; };
updates = ( { kind = "heatbath"; } );
END
cat >train.cfg <<'END'
lattice = { group = "u1"; size = [8, 8]; };
action  = ( { kind = "wilson"; beta = 1.0; } );
flow    = { layers = ( { kind = "plaquette_coupling"; hidden = [2]; knots = 3; } ); };
train   = { steps = 4; batch = 32; evaluate_every = 2; evaluate_samples = 32; final_samples = 32; checkpoint_every = 2; };
model   = "failing/model.h5";
END
cat >meas.cfg <<'END'
measure = { observables = [ "plaquette" ]; };
loops   = { r = 1; t = 1; };
flow    = { time = 0.1; step = 0.05; every = 1; output = "failing/flow"; };
END
"$build/flowhmc" --quiet --out good run.cfg && "$build/flowhmc" --quiet --out su3 su3.cfg && cp su3/configs/*.h5 in.h5 &&
    "$build/flowconv" --quiet in.h5 in.nersc && "$build/flowconv" --quiet in.h5 in.ildg
result $? "runs and files to begin with"

# A case by name: makes what it needs; $words is what is run.
prepare() {
    rm -rf failing && mkdir failing && cp in.nersc in.h5 in.ildg failing
    case $1 in
        run) words=(flowhmc --quiet --resume --out failing/run run.cfg) ;;
        resume) cp -r good failing/run && words=(flowhmc --quiet --resume --out failing/run --set chain.steps=6 run.cfg) ;;
        start) words=(flowhmc --quiet --resume --out failing/run --set chain.start=failing/in.ildg su3.cfg) ;;
        train) words=(flowtrain --quiet --resume --out failing/run train.cfg) ;;
        meas) words=(flowmeas meas.cfg failing/in.nersc) ;;
        plot) cp good/history.h5 failing && words=(flowstat --plot failing/plot.svg failing/history.h5) ;;
        h5) words=(flowconv --quiet failing/in.nersc failing/out.h5) ;;
        nersc) words=(flowconv --quiet failing/in.h5 failing/out.nersc) ;;
        ildg) words=(flowconv --quiet failing/in.nersc failing/out.ildg) ;;
    esac
}

# Without a fault, on one rank.
run() {
    "$build/${words[0]}" "${words[@]:1}" >out 2>err </dev/null
}

# kind, call, rank, number, ranks, case: exit code in $code, seconds are bounded.
inject() {
    prepare "$6"
    rm -f fault
    # shellcheck disable=SC2086
    FAULT_KIND=$1 FAULT_CALL=$2 FAULT_RANK=$3 FAULT_NUMBER=$4 FAULT_PATH=failing/ timeout --kill-after=5 30 $MPIRUN $MPIRUN_FLAGS -n "$5" \
        env LD_PRELOAD="$build/tests/faults.so" "$build/${words[0]}" "${words[@]:1}" >out 2>err </dev/null
    code=$?
}

# Nothing unfinished is left, and what has a name is good.
whole() {
    local file
    [ "$1" = killed ] || [ -z "$(find failing -name '*.tmp')" ] || return 1
    while read -r file; do
        "$build/flowconv" --check --quiet "$file" >out.check 2>&1 || return 1
    done < <(find failing -path '*configs/*.h5' -o -path 'failing/out.*' ! -name '*.tmp')
}

# What the files come to, but for those that tell the time.
outcome() {
    find failing -type f ! -name 'checkpoint*' ! -name log.txt ! -name summary.json ! -name trajectories.txt ! -name model.h5 | sort | xargs cksum
}

# One line, nothing lost, and the same command goes on to the outcome $expected; or it did not matter.
ended_well() {
    whole || return 1
    if [ $code != 0 ]; then
        [ $code = 4 ] && [ "$(grep -c '^flow[a-z]*: ' err)" = 1 ] && run || return 1
    fi
    [ "$(outcome)" = "$expected" ]
}

# call, rank, ranks, case: each number in turn, until there is no such call.
try() {
    local number=1 most=1000 bad=0 tried=0
    [ "$FAULTS" = all ] || most=1
    prepare "$4" && run && expected=$(outcome) || bad=1
    while [ $number -le $most ]; do
        inject fail "$1" "$2" $number "$3" "$4"
        [ -e fault ] || break
        tried=$((tried + 1))
        if ! ended_well; then
            bad=1
            echo "# exit code $code at call $number: $(head -n 1 err)"
            break
        fi
        number=$((number + 1))
    done
    [ "$FAULTS" = all ] || [ $tried -gt 0 ] || bad=1
    injected=$((injected + tried))
    result $bad "$4: $1 fails on rank $2 of $3, $tried times"
}

if [ "$FAULTS" = all ]; then
    for case in $FAULTS_CASES; do
        injected=0
        for call in $calls; do
            try $call 0 2 $case
            try $call 1 2 $case
            try $call 2 3 $case
        done
        [ $injected -gt 0 ]
        result $? "$case: faults were met, $injected in all"
    done
else
    for call in open pwrite fsync; do
        try $call 1 2 run
        try $call 2 3 nersc
    done
    for call in rename ftruncate fallocate; do try $call 0 2 h5; done
    for call in dprintf fflush; do try $call 0 2 run; done
    try open 1 2 resume
    try pread 1 2 resume
    try open 1 3 meas
    try fsync 0 2 meas
    try pwrite 0 2 train
    for call in open pread pwrite; do try $call 0 1 plot; done
fi

for call in open pread pwrite fsync ftruncate fallocate; do
    for case in run train meas ildg; do
        [ "$FAULTS" = all ] || [ $case$call = runfallocate ] || [ $case$call = measfsync ] || continue
        inject interrupt $call 0 1 2 $case
        [ $code = 0 ] && whole
        result $? "$case: signals that interrupt $call end nothing"
    done
done

# A rank's last breath, at any call: what was there is whole, and a resumed run ends as if nothing had been.
prepare run && run && expected=$(outcome)
for call in $calls; do
    [ "$FAULTS" = all ] || [ $call = rename ] || continue
    bad=0
    for number in 1 2 3 5 8 13 21; do
        [ "$FAULTS" = all ] || [ $number = 3 ] || continue
        inject kill $call 0 $number 1 run
        whole killed && run && [ "$(outcome)" = "$expected" ] || bad=1
    done
    result $bad "SIGKILL at $call, and a resumed run"
done

# Standard output is a file too.
if [ -c /dev/full ]; then
    for options in "flowconv --check in.h5" "flowmeas meas.cfg in.h5" "flowstat good" "flowstat --csv good" "flowstat --json good" \
        "flowhmc --out failing/full run.cfg" "flowtrain --out failing/full train.cfg" "flowhmc --print-config" "flowtrain --help"; do
        rm -rf failing && mkdir failing
        read -ra words <<<"$options"
        "$build/${words[0]}" "${words[@]:1}" 2>err >/dev/full </dev/null
        [ $? = 4 ] && [ "$(wc -l <err)" = 1 ]
        result $? "a full disk for the output of $options"
    done
fi
echo "1..$count"
