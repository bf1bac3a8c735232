#!/usr/bin/env bash
# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
#
# tests/campaign.sh: configurations in the format asked for, older checkpoints, the forecast, and campaigns of several jobs:
# one after the other, and under a stand-in for SLURM; they end with the same configurations as one run.
: "${MPIRUN=mpirun}" "${MPIRUN_FLAGS=--oversubscribe --bind-to none}" "${srcdir=.}"
build=$PWD
campaign=$(cd "$srcdir/scripts" && pwd)/campaign
# shellcheck source=tests/tap.sh
. "${srcdir=.}/tests/tap.sh"
folder=$(mktemp -d campaign.XXXXXX) || exit 1
cd "$folder" || exit 1
trap 'cd ..; rm -rf "$folder"' EXIT
unset SLURM_JOB_ID

cat >run.cfg <<'CFG'
lattice = { group = "su2"; size = [4, 4, 4, 4]; };
action  = ( { kind = "wilson"; beta = 2.3; } );
chain   = { seed = 5; steps = 30; thermalise = 5; save_every = 5; checkpoint_every = 4; };
updates = ( { kind = "hmc"; trajectory = 0.5; steps = 4; }, { kind = "overrelax"; } );
CFG

# ------------------------------------------------------------------------------------------------ formats, checkpoints

flow() {
    "$build/flowhmc" run.cfg --quiet "$@"
}

good=0
for format in h5 nersc ildg; do
    [ "$(status_of flow --out $format --set chain.save_format=$format)" = 0 ] &&
        [ "$(ls $format/configs | wc -l)" = 6 ] && "$build/flowconv" --check $format/configs/step-0000000035.$format >out 2>err &&
        grep -q 'verdict *good' out || good=1
    grep '^plaquette' out | awk '{ print $2 }' >>plaquettes
done
[ $good = 0 ] && [ "$(sort -u plaquettes | wc -l)" = 1 ]
result $? "configurations as h5, nersc and ildg, all with plaquette $(head -1 plaquettes)"
[ "$(status_of flow --out none --set chain.save_format=openqcd)" = 3 ] && grep -q 'save_format.*openqcd' err && [ ! -e none ]
result $? "a format that cannot hold the links is refused before anything is done"
[ "$(status_of flow --out h5 --resume --set chain.save_format=nersc --set chain.steps=35)" = 0 ] && [ -e h5/configs/step-0000000040.nersc ]
result $? "the format may change on resuming"

[ "$(status_of flow --out kept --set chain.keep_checkpoints=3)" = 0 ] &&
    [ "$(cd kept && echo checkpoint*)" = 'checkpoint-step-0000000028.h5 checkpoint-step-0000000032.h5 checkpoint.h5' ]
result $? "three checkpoints are kept, and their names sort"
printf x | dd of=kept/checkpoint.h5 bs=1 seek=3000 conv=notrunc 2>/dev/null
[ "$(status_of flow --out kept --resume --set chain.steps=60)" = 5 ] &&
    grep -q 'damaged.*step 32: mv kept/checkpoint-step-0000000032.h5 kept/checkpoint.h5' err
result $? "a damaged checkpoint: the older one is named"
rm kept/checkpoint.h5
[ "$(status_of flow --out kept --resume --set chain.steps=60)" = 4 ] && grep -q 'mv kept/checkpoint-step-0000000032.h5' err
result $? "and it is not begun anew without one"
mv kept/checkpoint-step-0000000032.h5 kept/checkpoint.h5
[ "$(status_of flow --out kept --resume --set chain.steps=60)" = 0 ] && [ "$(status_of flow --out whole --set chain.steps=60)" = 0 ] &&
    cmp kept/history.h5 whole/history.h5 && diff -r kept/configs whole/configs && [ "$(cd kept && echo checkpoint*)" = checkpoint.h5 ]
result $? "from it the same bytes as a run that was never damaged; without the key one checkpoint is kept"

# Word splitting is wanted: these are commands with their flags.
# shellcheck disable=SC2086
[ "$(status_of $MPIRUN $MPIRUN_FLAGS -n 2 "$build/flowhmc" run.cfg --out dry --trial --set chain.save_format=ildg --set chain.steps=50000)" = 0 ] &&
    grep -q '2 ranks' out && grep -q 'configuration: 65536 bytes (ildg, 64.00 KiB); 10000 of them: 625.00 MiB' out &&
    grep -q -e '^memory: .* on each rank' -e '^memory: not known' out && grep -q '^trial: 5 steps' out &&
    awk '/^trial:/ { for (i = 2; i <= NF; i++) if ($i == "s" && $(i + 2) ~ /step/) step = $(i - 1); measure = $(NF - 3) }
        /^campaign:/ { hours = (50005 * step + 50000 * measure) / 1800; if (hours > 0 && $3 / hours > 0.97 && $3 / hours < 1.03) good = 1 }
        END { exit !good }' out && [ ! -e dry ]
result $? "--trial: $(grep -s '^campaign' out); nothing is written"

cat >large.cfg <<'CFG'
lattice = { group = "su3"; size = [64, 64, 64, 128]; };
action  = ( { kind = "luescher_weisz"; beta = 6.0; } );
chain   = { steps = 10000; save_every = 20; };
updates = ( { kind = "hmc"; trajectory = 1.0; steps = 20; } );
measure = { observables = [ "plaquette", "wilson_loop_16x32" ]; };
CFG
"$build/flowhmc" large.cfg --dry-run >out 2>err </dev/null
[ $? = 0 ] && grep -q '64 x 64 x 64 x 128' out && grep -q -e '^memory: about [0-9.]* GiB' -e '^memory: not known' out && grep -q '500 of them: 8.79 TiB' out && [ ! -e large ]
result $? "a lattice that would not fit in memory is foretold: $(grep -s '^memory' out)"
"$build/flowhmc" large.cfg --print-config --set 'lattice.size=[64,64,64,127]' >out 2>err </dev/null
[ $? = 0 ] && grep -q 'size = \[64, 64, 64, 127\]' out
result $? "and its configuration printed"

# ------------------------------------------------------------------------------------------------------------ one by one

mkdir bin
cat >bin/launcher <<'STUB'
#!/bin/bash
# Starts what it is told, and tells it to stop after three more configurations, as a limit of time would; notices if
# two are at work at once.
[ "${*: -1}" != --print-config ] || exec "$@"
saved() { ls "$RUN/configs" 2>/dev/null | wc -l; }
limit=$(($(saved) + 3))
mkdir "$RUN.at-work" 2>/dev/null || touch two-at-once
echo "$*" >>started
"$@" &
worker=$!
trap 'kill -USR1 $worker' USR1
while [ "$(saved)" -lt $limit ] && kill -0 $worker 2>/dev/null; do sleep 0.02; done
kill -USR1 $worker 2>/dev/null
until wait $worker; code=$?; ! kill -0 $worker 2>/dev/null; do :; done
rmdir "$RUN.at-work"
exit $code
STUB
chmod +x bin/launcher
export RUN
sed 's/steps = 4;/steps = 40;/; s/save_every = 5/save_every = 10/' run.cfg >long.cfg
[ "$(status_of "$build/flowhmc" long.cfg --quiet --out reference --set chain.steps=100)" = 0 ] && [ "$(ls reference/configs | wc -l)" = 10 ]
result $? "one run of ten configurations"

same() { # run directory
    cmp reference/history.h5 "$1/history.h5" && diff -r reference/configs "$1/configs"
}

drive() { # options
    "$campaign" --flowhmc "$build/flowhmc" "$@" long.cfg
}

RUN=here
[ "$(status_of drive --out here --configs 10 --launch bin/launcher)" = 0 ] && same here >>out
result $? "a campaign of $(wc -l <started) jobs, one after the other: the same bytes"
grep -q '^done: here: 10/10 configurations, .* an hour, 0h00m left, acceptance [0-9.]*, plaquette 0[0-9.]* (step 105)$' out && [ "$(wc -l <started)" -gt 1 ]
result $? "it reports: $(tail -1 out)"
[ "$(status_of drive --out here --configs 10 --launch false)" = 0 ] && grep -q '^done: here: 10/10' out
result $? "what is done is not done again"
[ "$(status_of drive --out here --configs 12 --launch "$MPIRUN $MPIRUN_FLAGS -n 2")" = 0 ] && [ "$(ls here/configs | wc -l)" = 12 ]
result $? "it can be made longer, here by mpirun with two ranks"
[ "$(status_of drive --out here --configs 20 --report)" = 0 ] && grep -q '^here: 12/20 configurations' out
result $? "--report: $(cat out)"

[ "$(status_of drive --out here --configs 20 --launch "$MPIRUN $MPIRUN_FLAGS -n 1" --set action.[0].beta=2.0)" = 3 ] &&
    grep -q '^campaign: flowhmc ended with exit code 3 (configuration): flowhmc: here/config.cfg.*beta' err && [ "$(wc -l <err)" = 1 ]
result $? "a failure ends it: $(cut -c 1-120 err)"
printf x | dd of=here/checkpoint.h5 bs=1 seek=3000 conv=notrunc 2>/dev/null
[ "$(status_of drive --out here --configs 20 --launch '')" = 5 ] && grep -q 'exit code 5 (damaged file): .*checkpoint.h5' err
result $? "so does a damaged file"
[ "$(status_of drive --out unsaved --configs 20 --launch '' --set chain.save_every=0)" = 3 ] && grep -q 'save_every is 0' err
result $? "a configuration that would save none is refused"
[ "$(status_of drive --out unknown --configs 20 --launch '' --set chain.stpes=0)" = 3 ] && grep -q "is 'steps' meant" err
result $? "a configuration with a mistake ends with the message of flowhmc"
[ "$(status_of drive --out never --configs)" = 2 ] && [ "$(status_of drive --out never --configs many)" = 2 ] && [ ! -e never ]
result $? "bad options are refused"

# Told to stop, and begun again; the second one keeps out as long as the first is at work.
begin() { # run directory, options: in the background, until its first configuration
    "$campaign" --flowhmc "$build/flowhmc" --out "$1" --configs 100000 "${@:2}" long.cfg >out 2>err </dev/null &
    driver=$!
    until [ -n "$(ls "$1/configs" 2>/dev/null)" ] || ! kill -0 $driver 2>/dev/null; do sleep 0.02; done
}
begin told --launch ''
"$campaign" --flowhmc "$build/flowhmc" --out told --configs 10 --launch '' long.cfg >/dev/null 2>second
[ $? = 4 ] && grep -q 'another campaign is at work' second
result $? "two campaigns in one run directory: $(cat second)"
kill -TERM $driver
wait $driver
[ $? = 7 ] && grep -q 'stopped at a signal' err && [ -e told/checkpoint.h5 ]
result $? "SIGTERM: a checkpoint and exit code 7"
begin stopped --launch ''
touch stopped/stop
wait $driver
[ $? = 7 ] && grep -q 'stopped/stop is there' err
result $? "a file stop: exit code 7"
printf '#!/bin/sh\n[ "$3" != --out ] || exit 7\nexec "$@"\n' >bin/idle
chmod +x bin/idle
[ "$(status_of drive --out idle --configs 10 --launch bin/idle)" = 4 ] && grep -q 'two jobs in a row without a new checkpoint' err
result $? "jobs that get nowhere do not go on for ever"

# ----------------------------------------------------------------------------------------------------------- under SLURM

# A queue in a folder: queue/ID is a job, which says what it waits for, PENDING or RUNNING; a server starts them.
mkdir queue
export QUEUE=$PWD/queue
cat >bin/sbatch <<'STUB'
#!/bin/bash
# sbatch --parsable [--dependency=afterany:ID] SCRIPT
[ "$1" = --parsable ] && shift
after=
case $1 in --dependency=afterany:*) after=${1##*:} && shift ;; esac
[ ! -e "$QUEUE.closed" ] || { echo 'sbatch: error: the queue is closed' >&2; exit 1; }
id=$(($(cat "$QUEUE.last" 2>/dev/null || echo 100) + 1))
echo $id >"$QUEUE.last"
echo PENDING >"$QUEUE/$id"
(
    while [ -n "$after" ] && [ -e "$QUEUE/$after" ]; do sleep 0.05; done
    sleep 0.05
    [ -e "$QUEUE/$id" ] || exit
    echo RUNNING >"$QUEUE/$id"
    SLURM_JOB_ID=$id bash "$1" >"$QUEUE.$id.out" 2>&1 &
    echo $! >"$QUEUE.$id.pid"
    wait $!
    echo "$id $?" >>"$QUEUE.ended"
    rm -f "$QUEUE/$id"
) >/dev/null 2>&1 </dev/null &
echo "$id"
STUB
cat >bin/squeue <<'STUB'
#!/bin/bash
cd "$QUEUE" || exit
for id in *; do [ ! -e "$id" ] || echo "$id $(cat "$id")"; done
STUB
cat >bin/scancel <<'STUB'
#!/bin/bash
rm -f "$QUEUE/$1"
echo "$1" >>"$QUEUE.cancelled"
STUB
chmod +x bin/*
PATH=$PWD/bin:$PATH
printf '#!/bin/bash\n#SBATCH --time=24:00:00\nexport FROM_HEAD=1\n' >head.sh
emptied() { # until no job is left
    for _ in $(seq 1000); do
        [ -n "$(ls queue)" ] || return 0
        sleep 0.05
    done
    return 1
}
RUN=queued
rm -f started
[ "$(status_of drive --out queued --configs 10 --launch bin/launcher --slurm head.sh)" = 0 ] && grep -q '^submitted job 101 ' out
result $? "submitted: $(cat out)"
status_of drive --out queued --configs 10 --launch bin/launcher --slurm head.sh >code
[ "$(cat code)" = 0 ] && grep -q '^queued: job 10[1-9] [A-Z]*: nothing to submit' out
result $? "again: $(head -1 out)"
emptied && same queued >out && [ "$(wc -l <started)" -gt 1 ] && ! grep -qv ' 0$' queue.ended
result $? "$(wc -l <started) jobs, each submitted by the one before: the same bytes"
[ "$(tail -1 queue.cancelled)" = "$(cat queue.last)" ] && grep -q 'done: queued: 10/10 configurations' queued/campaign/log.txt
result $? "the job after the last is cancelled"

before=$(cat queue.last)
[ "$(status_of drive --out never --configs 10 --slurm head.sh --set chain.start=none.h5)" = 4 ] && grep -q 'none.h5' err &&
    [ "$(status_of drive --out never --configs 10 --slurm head.sh --set chain.stpes=3)" = 3 ] && grep -q "is 'steps' meant" err &&
    [ "$(status_of drive --out never --configs 10 --slurm head.sh --set chain.save_every=0)" = 3 ] && grep -q 'save_every is 0' err &&
    [ "$(status_of drive --out queued --configs 20 --slurm head.sh --set action.[0].beta=2.0)" = 3 ] && grep -q 'was run with.*beta' err &&
    [ "$before" = "$(cat queue.last)" ] && [ ! -e never ]
result $? "what would fail in the queue is not submitted"
RUN=broken
sed 's/--print-config/--dry-run/' bin/launcher >bin/breaks && sed -i '3i [ ! -e breaks-now ] || { echo "flowhmc: node lost: it is gone" >\&2; exit 9; }' bin/breaks && chmod +x bin/breaks && touch breaks-now
[ "$(status_of drive --out broken --configs 10 --launch bin/breaks --slurm head.sh)" = 0 ] && emptied &&
    tail -1 queue.ended | grep -q ' [39]$' && [ "$(status_of drive --out broken --configs 10 --report)" = 0 ] && grep -q '^stopped: .*node lost' out
result $? "a failure ends the chain: $(tail -1 out | cut -c 1-120)"
rm breaks-now
[ "$(status_of drive --out broken --configs 10 --launch bin/launcher --slurm head.sh)" = 0 ] && grep -q '^it was stopped: .*node lost' out && emptied && same broken >out
result $? "given again, the command says what it was, and goes on"
printf '#!/bin/bash\necho "module: command not found" >&2\nexit 1\n' >bad-head.sh
[ "$(status_of drive --out mute --configs 10 --slurm bad-head.sh)" = 0 ] && emptied && cp "queue.$(cat queue.last).out" "slurm-$(cat queue.last).out" &&
    [ "$(status_of drive --out mute --configs 10 --report)" = 0 ] && grep -q "job $(cat queue.last) ended without a word of its own: .*module: command not found" out
result $? "a job that never came to work: $(tail -1 out)"

# The end of a node: neither the job nor flowhmc comes to say anything.
RUN=lost
[ "$(status_of drive --out lost --configs 10 --launch '' --slurm head.sh)" = 0 ]
until [ -n "$(ls lost/configs 2>/dev/null)" ] || [ -z "$(ls queue)" ]; do sleep 0.01; done
first=$(sed -n 1p lost/campaign/jobs)
job=$(cat "queue.$first.pid")
mapfile -t parts < <(pgrep -P "$job")
kill -KILL "$job" "${parts[@]}"
emptied && grep -q "^$first 137" queue.ended && [ "$(ls lost/configs | wc -l)" = 10 ] && same lost >out
result $? "a job that is killed with all it started: the next goes on, to the same bytes"

touch queue.closed
[ "$(status_of drive --out closed --configs 10 --launch '' --slurm head.sh)" = 4 ] && grep -q '^campaign: sbatch failed' err
result $? "no queue: $(tail -1 err)"
[ ! -e two-at-once ]
result $? "never were two jobs at work in one run directory"

echo "1..$count"
