#!/usr/bin/env bash
# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
#
# tests/resume.sh [BUILD FOLDER]: a run that is killed, stopped and resumed on other numbers of ranks writes the same
# configurations and the same history, to the byte, as one that never stopped.
build=$(cd "${1:-.}" && pwd) || exit 1
: "${MPIRUN=mpirun}" "${MPIRUN_FLAGS=--oversubscribe --bind-to none}"
# shellcheck source=tests/tap.sh
. "${srcdir=.}/tests/tap.sh"
folder=$(mktemp -d resume.XXXXXX) || exit 1
cd "$folder" || exit 1
trap 'cd ..; rm -rf "$folder"' EXIT

# Word splitting is wanted: these are commands with their flags.
# shellcheck disable=SC2086
sample() { # ranks, options
    local ranks=$1
    shift
    exec $MPIRUN $MPIRUN_FLAGS -n "$ranks" "$build/flowhmc" run.cfg --quiet "$@" </dev/null
}

cat >run.cfg <<'END'
lattice = { group = "u1"; size = [16, 16]; };
action  = ( { kind = "wilson"; beta = 3.0; } );
chain   = { seed = 5; steps = 500; thermalise = 40; replicas = 2; save_every = 100; checkpoint_every = 20; };
updates = ( { kind = "hmc"; trajectory = 1.0; steps = 4; integrator = "omf4"; },
            { kind = "heatbath"; }, { kind = "overrelax"; count = 2; }, { kind = "instanton"; }, { kind = "direct"; } );
measure = { every = 2; observables = [ "plaquette", "charge", "polyakov", "wilson_loop_2x2" ]; };
END

# Are the runs in these two folders the same, to the byte?
same() {
    cmp -s "$1/history.h5" "$2/history.h5" && cmp -s "$1/trajectories.h5" "$2/trajectories.h5" || return 1
    [ "$(ls "$1/configs")" = "$(ls "$2/configs")" ] || return 1
    for file in "$1"/configs/*; do cmp -s "$file" "$2/configs/${file##*/}" || return 1; done
}

[ "$(status_of sample 1 --out reference)" = 0 ]
result $? "a run on one rank"
[ "$(ls reference/configs | wc -l)" = 10 ]
result $? "it saved its configurations"
[ "$(status_of sample 1 --out reference)" = 3 ] && grep -q -e --resume err
result $? "a second run into its directory is refused"

[ "$(status_of sample 4 --out other)" = 0 ] && same reference other
result $? "four ranks: the same bytes"

# One chain through four kills and three ways to stop it, each on another number of ranks.  It has no end of its own, so
# that a fast machine does not get there first; a round begins when the one before has ended, and ends a moment after its
# first checkpoint.
endless="--out broken --resume --set chain.steps=1000000000"
start() { # ranks: in the background, until the first checkpoint
    touch mark
    # shellcheck disable=SC2086
    (sample "$1" $endless) >out 2>err &
    launcher=$!
    first_checkpoint
}
first_checkpoint() {
    while [ ! broken/checkpoint.h5 -nt mark ] && kill -0 $launcher 2>/dev/null; do sleep 0.02; done
}
kills=0
for ranks in 2 4 1 2; do
    start $ranks
    sleep 0.0$ranks
    pkill -KILL -P $launcher
    kill -KILL $launcher 2>/dev/null && kills=$((kills + 1))
    wait $launcher 2>/dev/null
    sleep 0.3
done
[ $kills = 4 ]
result $? "killed $kills times"

start 8
touch broken/stop
wait $launcher
[ $? = 7 ] && grep -q 'flowhmc: broken: stopped at step .*file.*--resume' err
result $? "a stop file: exit code 7 and one line"
start 1
kill -USR1 $launcher
wait $launcher
[ $? = 7 ] && grep -q 'signal' err
result $? "SIGUSR1: exit code 7"
touch mark
# shellcheck disable=SC2086
"$build/flowhmc" run.cfg --quiet $endless </dev/null >out 2>err &
launcher=$!
first_checkpoint
(while kill -TERM $launcher 2>/dev/null; do :; done) & # until it is gone: also when it has stopped, and ends
wait $launcher
[ $? = 7 ] && grep -q 'signal' err
result $? "SIGTERM, again and again: exit code 7"

steps=$(($(sed -n 's/.*stopped at step \([0-9]*\).*/\1/p' err) - 40))
[ "$(status_of sample 4 --out whole --set chain.steps=$steps)" = 0 ] && same whole broken
result $? "$steps steps: the same bytes as a run that never stopped"
[ "$(grep -c 'resumed at step' broken/log.txt)" = 6 ]
result $? "it went on from its checkpoints: $(sed -n 's/.*resumed at step //p' broken/log.txt | tr '\n' ' ')"
[ "$(status_of sample 1 --out limited --set walltime=1s --set chain.steps=1000000)" = 7 ] && grep -q 'wall-clock' err
result $? "the wall-clock limit: exit code 7"

# A longer run is a shorter one and its continuation.
[ "$(status_of sample 2 --out longer --set chain.steps=200)" = 0 ] && [ "$(status_of sample 4 --out longer --resume)" = 0 ] && same reference longer
result $? "more steps on resuming: the same bytes"
[ "$(status_of sample 1 --out longer --resume --set action.[0].beta=2.0)" = 3 ] && grep -q beta err
result $? "another action on resuming is refused"
printf x | dd of=longer/checkpoint.h5 bs=1 seek=3000 conv=notrunc 2>/dev/null
[ "$(status_of sample 1 --out longer --resume)" = 5 ] && grep -q checkpoint.h5 err
result $? "a damaged checkpoint is refused"

# Of a ladder that is adapted at first: members on other rungs than in the beginning, defects that have moved.
cat >run.cfg <<'END'
lattice = { group = "u1"; size = [16, 16]; defect = { size = [4]; couplings = [1.0, 0.6, 0.3, 0.0]; }; };
action  = ( { kind = "wilson"; beta = 4.0; } );
chain   = { seed = 5; steps = 60; thermalise = 40; replicas = 2; save_every = 20; checkpoint_every = 10; };
updates = ( { kind = "heatbath"; }, { kind = "tempering"; adapt = true; } );
measure = { every = 2; observables = [ "plaquette", "charge" ]; };
END
[ "$(status_of sample 1 --out tempered)" = 0 ] && [ "$(ls tempered/configs | wc -l)" = 6 ]
result $? "a ladder on one rank, of which the first rungs are saved"
[ "$(status_of sample 2 --out climbing --set chain.steps=5)" = 0 ] && [ "$(status_of sample 4 --out climbing --resume --set chain.steps=31)" = 0 ] &&
    [ "$(status_of sample 1 --out climbing --resume)" = 0 ] && same tempered climbing
result $? "on two, then on four, then on one: the same bytes"

echo "1..$count"
