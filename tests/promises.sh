#!/usr/bin/env bash
# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
#
# tests/promises.sh: what a run directory promises: it belongs to one run, whatever is put into it; a start that fails leaves it as
# it was; whoever stops the program, and however early, gets a checkpoint or nothing; what cannot be right is said.
: "${srcdir=.}"
unset SLURM_JOB_END_TIME
build=$PWD
models=$(cd "$srcdir/share/models" && pwd) || exit 1
# shellcheck source=tests/tap.sh
. "${srcdir=.}/tests/tap.sh"
folder=$(mktemp -d promises.XXXXXX) || exit 1
cd "$folder" || exit 1
trap 'cd ..; rm -rf "$folder"' EXIT

cat >run.cfg <<'END'
lattice = { group = "u1"; size = [8, 8]; };
action  = ( { kind = "wilson"; beta = 2.0; } );
chain   = { seed = 3; steps = 40; checkpoint_every = 10; save_every = 20; };
updates = ( { kind = "hmc"; steps = 4; } );
measure = { observables = [ "plaquette", "charge" ]; };
END
flow() { "$build/flowhmc" --quiet run.cfg "$@"; }
fails() { # exit code, pattern of the one line, options of flowhmc
    local status
    status=$(status_of flow "${@:3}")
    [ "$status" = "$1" ] && grep -q -e "$2" err && [ "$(wc -l <err)" = 1 ] && [ ! -s out ]
}
until_file() { # file, process: waits
    while [ ! -e "$1" ] && kill -0 "$2" 2>/dev/null; do sleep 0.02; done
}

# ---------------------------------------------------------------------------------------------------- one run, one folder

[ "$(status_of flow --out good)" = 0 ] && [ "$(status_of flow --out other --set chain.seed=4)" = 0 ]
result $? "two runs that differ in the seed"
cp -r good spliced && cp other/history.h5 spliced
fails 5 'history.h5: does not belong to the checkpoint beside it' --out spliced --resume --set chain.steps=60
result $? "the history of another seed is refused"
cp other/checkpoint.h5 spliced
fails 3 'checkpoint.h5: is of another configuration.*seed' --out spliced --resume --set chain.steps=60
result $? "so is its checkpoint"
cmp good/config.cfg spliced/config.cfg >out && diff -r good/configs spliced/configs >>out
result $? "and nothing but the log has changed"
cp -r good longer && [ "$(status_of flow --out longer --resume --set chain.steps=80)" = 0 ] && cp longer/history.h5 good/history.h5 &&
    [ "$(status_of flow --out good --resume --set chain.steps=80)" = 0 ] && cmp good/history.h5 longer/history.h5
result $? "a history of the same run that is ahead of the checkpoint is its own"

cp "$models/u1-beta2.h5" model.h5
sed 's/kind = "hmc"; steps = 4;/kind = "flow"; model = "model.h5"; batch = 8;/' run.cfg >flow.cfg
flowing() { "$build/flowhmc" --quiet flow.cfg "$@"; }
[ "$(status_of flowing --out model)" = 0 ] && [ ! -s err ] && cp "$models/u1-beta3.h5" model.h5 &&
    [ "$(status_of flowing --out model --resume --set chain.steps=60)" = 3 ] && grep -q 'model = ' err
result $? "another model under the same name is refused: $(head -c 150 err)"

cut -d ' ' -f 1-4 longer/trajectories.txt >whole-lines
"$build/flowhmc" --quiet run.cfg --out lines --set chain.steps=400000000 >out 2>err </dev/null &
until_file lines/configs/step-0000000040.h5 $!
kill -KILL $!
wait $! 2>/dev/null
echo 999999999 0.1 >>lines/trajectories.txt
[ "$(status_of flow --out lines --resume --set chain.steps=10000000 --set walltime=1s)" = 7 ] &&
    awk 'NR == 1 { good = $0 == "step dh_0 accepted_0 force_level0_0 seconds_0" } NR > 1 && ($1 != NR - 1 || NF != 5 || $4 <= 0) { good = 0 } END { exit !good }' lines/trajectories.txt &&
    cut -d ' ' -f 1-4 lines/trajectories.txt | head -n 81 | cmp - whole-lines && "$build/flowstat" longer/trajectories.txt >out 2>err && grep -q '^dh_0' out
result $? "a line for each trajectory, whatever was killed: $(sed -n 2p longer/trajectories.txt)"

"$build/flowstat" --column dh_0 longer/trajectories.txt | grep '^dh_0' >out && "$build/flowstat" --column dh_0 longer/trajectories.h5 2>err | grep '^dh_0' | cmp - out
result $? "the same as HDF5: $(cat out)"
cp -r longer newer && sed -i '1s/ force_level0_0//' newer/trajectories.txt
fails 5 'trajectories.txt: has other columns than this run: move it away' --out newer --resume --set chain.steps=120
result $? "a text of other columns is left as it is"
cp longer/trajectories.txt newer/ && cp spliced/trajectories.h5 newer/
fails 5 'trajectories.h5: is not of this run up to its checkpoint: move it away' --out newer --resume --set chain.steps=120 && cmp newer/config.cfg longer/config.cfg
result $? "so is HDF5 that is behind the checkpoint"
rm newer/trajectories.* && [ "$(status_of flow --out newer --resume --set chain.steps=120)" = 0 ] && [ "$(sed -n 2p newer/trajectories.txt | cut -d ' ' -f 1)" = 81 ] &&
    [ "$(status_of flow --out longer --resume --set chain.steps=120)" = 0 ] && tail -n 40 longer/trajectories.txt | cut -d ' ' -f 1-4 >expected &&
    tail -n +2 newer/trajectories.txt | cut -d ' ' -f 1-4 | cmp - expected && cmp newer/history.h5 longer/history.h5 &&
    [ "$(status_of flow --out newer --resume --set chain.steps=160)" = 0 ] && "$build/flowstat" newer/trajectories.h5 | grep -q ': 80 rows'
result $? "without them they begin where the run goes on"

# ---------------------------------------------------------------------------------------------------------- the length

[ "$(status_of flow --out typo)" = 0 ]
"$build/flowhmc" --quiet run.cfg --out typo --resume --set chain.steps=400000000 >out 2>err </dev/null &
until_file typo/configs/step-0000000100.h5 $!
kill -USR2 $!
wait $!
[ $? = 7 ] && grep -q 'signal 12' err && [ "$(wc -l <err)" = 1 ]
result $? "SIGUSR2 ends a run that is far too long: $(cat err)"
done=$(sed -n 's/.*stopped at step \([0-9]*\).*/\1/p' err)
fails 3 "$done steps after thermalisation are done: give chain.steps = $done or more" --out typo --resume --set chain.steps=$((done - 1)) &&
    grep -q 'steps = 400000000' typo/config.cfg
result $? "what is done cannot be undone"
[ "$(status_of flow --out typo --resume --set chain.steps=$((done + 20)))" = 0 ] && [ "$(status_of flow --out straight --set chain.steps=$((done + 20)))" = 0 ] &&
    cmp straight/history.h5 typo/history.h5 && cmp straight/config.cfg typo/config.cfg
result $? "a mistyped length is taken back: the same bytes as if it had never been"
mv typo/history.h5 away
fails 4 history.h5 --out typo --resume --set chain.steps=$((done + 40)) && grep -q "steps = $((done + 20));" typo/config.cfg
result $? "a resume that fails does not change config.cfg"

# ------------------------------------------------------------------------------------------------- starts that fail, locks

fails 4 none.h5 --out failed --set chain.start=none.h5 && [ ! -e failed ]
result $? "a start that fails leaves no folder"
mkdir empty && fails 4 none.h5 --out empty --set chain.start=none.h5 && [ -z "$(ls -A empty)" ] && [ "$(status_of flow --out empty)" = 0 ]
result $? "nor anything in one that was there"
"$build/flowhmc" --quiet run.cfg --out locked --set chain.steps=400000000 >/dev/null 2>first </dev/null &
first=$!
until_file locked/checkpoint.h5 $first
rm locked/log.txt
fails 4 'another run is at work' --out locked --resume --set chain.steps=400000000
result $? "without its log a run still keeps others out"
kill -HUP $first
wait $first
[ $? = 7 ] && grep -q 'signal 1)' first
result $? "SIGHUP: $(cat first)"

cat >su3.cfg <<'END'
lattice = { group = "su3"; size = [4, 4, 4, 4]; };
action  = ( { kind = "wilson"; beta = 5.7; } );
chain   = { steps = 1; save_every = 1; save_format = "nersc"; };
updates = ( { kind = "heatbath"; } );
END
su3() { "$build/flowhmc" --quiet su3.cfg "$@"; }
[ "$(status_of su3 --out nersc)" = 0 ] && LC_ALL=C sed 's/^PLAQUETTE = .*/PLAQUETTE = 0.5/' nersc/configs/step-0000000001.nersc >start.nersc &&
    [ "$(status_of su3 --out refused --set chain.start=start.nersc)" = 5 ] && [ ! -e refused ] &&
    [ "$(status_of su3 --out forced --set chain.start=start.nersc --set chain.force=true)" = 0 ] && grep -q 'warning: .*start.nersc: plaquette' err
result $? "a start that is not what it says: chain.force, and $(cat err)"

# ------------------------------------------------------------------------------------------------------- signals, limits

taken() { # process: is it flowhmc by now, and does it take SIGTERM?
    local mask
    grep -qs flowhmc "/proc/$1/comm" || return 1
    mask=$(sed -n 's/^SigCgt:[[:space:]]*//p' "/proc/$1/status" 2>/dev/null)
    [ -n "$mask" ] && [ $((0x$mask >> 14 & 1)) = 1 ]
}
early=0
for i in 1 2 3; do
    "$build/flowhmc" --quiet run.cfg --out early$i --set chain.steps=400000000 >out 2>err </dev/null &
    until taken $! || ! kill -0 $! 2>/dev/null; do sleep 0.00$i; done
    kill -TERM $!
    wait $!
    [ $? = 7 ] && [ "$(status_of flow --out early$i --resume)" = 0 ] || early=1
done
result $early "SIGTERM before MPI has started: exit code 7, and the run can be resumed"

# 8 MiB: what MPI itself writes fits, the links do not.
limited() { (ulimit -f 8192 && exec "$build/flowhmc" --quiet run.cfg "$@"); }
[ "$(status_of limited --out limited --set 'lattice.size=[1024, 1024]' --set chain.steps=1 --set chain.save_every=1)" = 4 ] && grep -q 'File too large' err && [ "$(wc -l <err)" = 1 ] &&
    [ -z "$(find limited -name '*.tmp')" ]
result $? "a limit of the size of files: $(cat err)"

SLURM_JOB_END_TIME=$(($(date +%s) + 4)) "$build/flowhmc" run.cfg --out job --set chain.steps=400000000 >out 2>err </dev/null
[ $? = 7 ] && grep -q 'end of the job' err && grep -q '^stops before the end of the job' out
result $? "a job's end: $(cat err)"

# tests/long/kills.sh does it 50 times.
(cd "$build" && KILLS=2 KILLS_GROUPS=clock bash "$srcdir/tests/long/kills.sh") >out 2>err && ! grep -q '^not ok' out
result $? "killed with checkpoints by the clock: $(grep lost out | sed 's/.*clock: //')"

# ------------------------------------------------------------------------------------------------------------ nonsense

[ "$(status_of flow --out turning --set 'updates=({kind="overrelax";})')" = 0 ] && grep -q '^flowhmc: warning: updates: overrelax,.* alone do not reach every configuration' err
result $? "overrelaxation alone: $(head -1 err)"
sed 's/kind = "hmc"; steps = 4;/kind = "overrelax";/' run.cfg >turning.cfg
"$build/flowhmc" turning.cfg --out reflected >out 2>err </dev/null
[ $? = 0 ] && grep -q '^flowhmc: warning: updates: overrelax' err && ! grep -q '[0-9]\{4,\}[0-9.e+]* sigma' out && grep -q '^plaquette .* -$' out
result $? "and rounding is taken for no variance: $(grep '^plaquette' out)"
[ "$(status_of flow --out stuck --set 'updates.[0].trajectory=4.0' --set 'updates.[0].steps=1' --set 'action.[0].beta=100.0')" = 0 ] &&
    grep -q '^flowhmc: warning: updates.\[0\] (hmc) accepted nothing' err
result $? "no acceptance in the whole run: $(cat err)"
cp "$models/u1-beta3.h5" model.h5
[ "$(status_of flowing --out foreign)" = 0 ] && grep -q '^flowhmc: warning: .*beta = 3.0.*there.*beta = 2.0.*here' err && [ "$(wc -l <err)" = 1 ]
result $? "a model of another action: $(cat err)"

echo "1..$count"
