#!/usr/bin/env bash
# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
#
# tests/faults.sh: one call of one rank on a file fails, is interrupted, or is the last thing that rank does: the programs end
# within seconds, on all ranks, with one line and the code of files, and what had a name before is whole.
# FAULTS=all tries every call of every rank; else the first of each kind.
: "${MPIRUN=mpirun}" "${MPIRUN_FLAGS=--oversubscribe --bind-to none}" "${srcdir=.}" "${FAULTS=first}"
build=$PWD
# shellcheck source=tests/tap.sh
. "$srcdir/tests/tap.sh"
folder=$(mktemp -d faults.XXXXXX) || exit 1
cd "$folder" || exit 1
trap 'cd ..; rm -rf "$folder"' EXIT
calls="open pread pwrite fsync ftruncate rename fallocate"

if ! LD_PRELOAD=$build/tests/faults.so "$build/flowconv" --version >/dev/null 2>&1; then
    echo "1..0 # SKIP nothing can be preloaded here"
    exit 0
fi

cat >run.cfg <<'END'
lattice = { group = "u1"; size = [6, 6]; };
action  = ( { kind = "wilson"; beta = 2.0; } );
chain   = { seed = 3; steps = 4; checkpoint_every = 2; save_every = 2; };
updates = ( { kind = "heatbath"; } );
measure = { observables = [ "plaquette" ]; };
END
cat >su3.cfg <<'END'
lattice = { group = "su3"; size = [2, 2, 2, 6]; };
action  = ( { kind = "wilson"; beta = 5.0; } );
chain   = { seed = 3; steps = 1; save_every = 1; };
updates = ( { kind = "heatbath"; } );
END
echo 'measure = { observables = [ "plaquette" ]; };' >meas.cfg
"$build/flowhmc" --quiet --out good run.cfg && "$build/flowhmc" --quiet --out su3 su3.cfg && cp su3/configs/*.h5 in.h5 &&
    "$build/flowconv" --quiet in.h5 in.nersc && "$build/flowconv" --quiet in.h5 in.ildg
result $? "runs and files to begin with"
"$build/flowhmc" --quiet --out other --set chain.seed=4 run.cfg
before=$(cat other/history.h5 | cksum)

# A case by name: makes what it needs, and says what is run.
prepare() {
    case $1 in
        run) rm -rf x && mkdir x && echo flowhmc --quiet --out x/run run.cfg ;;
        resume) rm -rf x && mkdir x && cp -r good x/run && echo flowhmc --quiet --resume --out x/run --set chain.steps=6 run.cfg ;;
        start) rm -rf x && mkdir x && cp in.ildg x/in.ildg && echo flowhmc --quiet --out run-start --set chain.start=x/in.ildg su3.cfg ;;
        meas) rm -rf x run-start && mkdir x && cp in.nersc x/in.nersc && echo flowmeas meas.cfg x/in.nersc ;;
        h5) rm -rf x && mkdir x && cp in.nersc x/in.nersc && echo flowconv --quiet x/in.nersc x/out.h5 ;;
        nersc) rm -rf x && mkdir x && cp in.h5 x/in.h5 && echo flowconv --quiet x/in.h5 x/out.nersc ;;
        ildg) rm -rf x && mkdir x && cp in.nersc x/in.nersc && echo flowconv --quiet x/in.nersc x/out.ildg ;;
    esac
}

# kind, call, rank, number, ranks, case: exit code in $code, seconds are bounded.
inject() {
    local words
    rm -rf run-start
    read -ra words <<<"$(prepare "$6")"
    # shellcheck disable=SC2086
    FAULT_KIND=$1 FAULT_CALL=$2 FAULT_RANK=$3 FAULT_NUMBER=$4 FAULT_PATH=x/ timeout --kill-after=5 30 $MPIRUN $MPIRUN_FLAGS -n "$5" \
        env LD_PRELOAD="$build/tests/faults.so" "$build/${words[0]}" "${words[@]:1}" >out 2>err </dev/null
    code=$?
}

# Nothing unfinished is left, and what has a name is good.
whole() {
    local file
    [ "$1" = killed ] || [ -z "$(find x -name '*.tmp')" ] || return 1
    while read -r file; do
        "$build/flowconv" --check --quiet "$file" >out.check 2>&1 || return 1
    done < <(find x -path '*configs/*.h5' -o -path 'x/out.*' ! -name '*.tmp')
}

# kind, call, rank, ranks, case: each number in turn, until there is no such call.
try() {
    local number=1 most=60 bad=0 tried=0
    [ "$FAULTS" = all ] || most=1
    while [ $number -le $most ]; do
        inject fail "$1" "$2" $number "$3" "$4"
        [ $code != 0 ] || break
        tried=$((tried + 1))
        if [ $code != 4 ] || [ "$(grep -c '^flow[a-z]*: ' err)" != 1 ] || ! whole; then
            bad=1
            echo "# exit code $code at call $number"
            break
        fi
        number=$((number + 1))
    done
    [ "$FAULTS" = all ] || [ $tried -gt 0 ] || bad=1
    result $bad "$4: $1 fails on rank $2 of $3, $tried times"
}

if [ "$FAULTS" = all ]; then
    for case in run resume start meas h5 nersc ildg; do
        for call in $calls; do
            try $call 0 2 $case
            try $call 1 2 $case
            try $call 2 3 $case
        done
    done
else
    for call in open pwrite fsync; do
        try $call 1 2 run
        try $call 2 3 nersc
    done
    for call in rename ftruncate fallocate; do try $call 0 2 h5; done
    try open 1 2 resume
    try pread 1 2 resume
    try open 1 3 meas
fi

for call in open pread pwrite fsync ftruncate fallocate; do
    for case in run ildg; do
        [ "$FAULTS" = all ] || [ $case$call = runfsync ] || [ $case$call = runfallocate ] || continue
        inject interrupt $call 0 1 2 $case
        [ $code = 0 ] && whole
        result $? "$case: signals that interrupt $call end nothing"
    done
done

# The last breath of a rank, at any call: what was there is whole, and a resumed run ends as if nothing had been.
for call in $calls; do
    [ "$FAULTS" = all ] || [ $call = rename ] || continue
    bad=0
    for number in 1 2 3 5 8 13 21; do
        [ "$FAULTS" = all ] || [ $number = 3 ] || continue
        FAULT_KIND=kill FAULT_CALL=$call FAULT_RANK=0 FAULT_NUMBER=$number FAULT_PATH=x/
        export FAULT_KIND FAULT_CALL FAULT_RANK FAULT_NUMBER FAULT_PATH
        rm -rf x && mkdir x
        timeout 60 env LD_PRELOAD="$build/tests/faults.so" "$build/flowhmc" --quiet --out x/run --set chain.seed=4 run.cfg >out 2>err </dev/null
        whole killed || bad=1
        "$build/flowhmc" --quiet --resume --out x/run --set chain.seed=4 run.cfg >out 2>err </dev/null || bad=1
        [ "$(cat x/run/history.h5 | cksum)" = "$before" ] || bad=1
    done
    result $bad "SIGKILL at $call, and a resumed run"
done
echo "1..$count"
