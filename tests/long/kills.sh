#!/usr/bin/env bash
# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
#
# tests/long/kills.sh: a run that is killed at 50 random instants, and resumed each time on another number of ranks, ends with
# the same configurations and the same history, to the byte, as one that was never stopped. Once for each of KILLS_GROUPS;
# KILLS changes the number.  In `clock` checkpoints are written by the clock, and no kill costs more than the time between two.
: "${MPIRUN=mpirun}" "${MPIRUN_FLAGS=--oversubscribe --bind-to none}" "${srcdir=.}" "${KILLS=50}" "${KILLS_GROUPS=u1 su3 clock}"
build=$PWD
model=$(cd "$srcdir/share/models" && pwd)/u1-beta2.h5 || exit 1
# shellcheck source=tests/tap.sh
. "${srcdir=.}/tests/tap.sh"
folder=$(mktemp -d kills.XXXXXX) || exit 1
cd "$folder" || exit 1
trap 'cd ..; rm -rf "$folder"' EXIT
RANDOM=1

cat >u1.cfg <<END
lattice = { group = "u1"; size = [16, 16]; };
action  = ( { kind = "wilson"; beta = 2.0; } );
chain   = { seed = 9; steps = 3000; thermalise = 20; save_every = 500; checkpoint_every = 10; };
updates = ( { kind = "flow"; model = "$model"; batch = 64; }, { kind = "hmc"; steps = 6; }, { kind = "overrelax"; count = 2; },
            { kind = "heatbath"; }, { kind = "instanton"; } );
measure = { observables = [ "plaquette", "charge", "wilson_loop_2x2" ]; };
END
cat >su3.cfg <<END
lattice = { group = "su3"; size = [4, 4, 4, 8]; };
action  = ( { kind = "wilson"; beta = 5.7; } );
chain   = { seed = 9; steps = 1500; thermalise = 20; save_every = 250; checkpoint_every = 10; };
updates = ( { kind = "hmc"; steps = 2; integrator = "omf4"; }, { kind = "overrelax"; count = 2; }, { kind = "heatbath"; } );
measure = { observables = [ "plaquette", "polyakov", "wilson_loop_2x2" ]; };
END
cat >clock.cfg <<END
lattice = { group = "u1"; size = [16, 16]; };
action  = ( { kind = "wilson"; beta = 2.0; } );
chain   = { seed = 9; steps = 1000000000; checkpoint_every = "1s"; };
updates = ( { kind = "hmc"; steps = 20; } );
measure = { every = 10; observables = [ "plaquette", "charge" ]; };
END

# Word splitting is wanted: these are commands with their flags.
# shellcheck disable=SC2086
sample() { # ranks, options
    local ranks=$1
    shift
    exec $MPIRUN $MPIRUN_FLAGS -n "$ranks" "$build/flowhmc" "$group.cfg" --quiet "$@" </dev/null >>out 2>&1
}

# Kills launcher and ranks at once, KILLS times, up to three seconds after so many that they are left alone; kills counts them.
all_ranks=(1 2 4 8)
kill_again_and_again() { # run directory, seconds, command after each
    local rounds=0 launcher pids
    kills=0
    while [ $kills -lt "$KILLS" ] && [ $rounds -lt $((2 * KILLS)) ]; do
        rounds=$((rounds + 1))
        (sample "${all_ranks[$((rounds % 4))]}" --out "$1" --resume) &
        launcher=$!
        sleep "$(($2 + RANDOM % 3)).$((RANDOM % 10))"
        pids=$(pgrep -f -- "flowhmc $group.cfg --quiet --out $1")
        # shellcheck disable=SC2086
        [ -n "$pids" ] && kill -KILL $pids 2>/dev/null && kills=$((kills + 1)) && "$3"
        wait $launcher 2>/dev/null
    done
    [ $kills -ge "$KILLS" ]
    result $? "$group: killed $kills times"
}

for group in $KILLS_GROUPS; do
    [ "$group" != clock ] || continue
    reference=$group-reference killed=$group-$folder
    (sample 1 --out "$reference")
    [ -f "$reference/summary.json" ]
    result $? "$group: the run that is never stopped"

    kill_again_and_again "$killed" 0 true

    (sample 2 --out "$killed" --resume)
    good=0
    cmp "$reference/history.h5" "$killed/history.h5" >>out 2>&1 || good=1
    [ "$(ls "$reference/configs")" = "$(ls "$killed/configs")" ] || good=1
    for file in "$reference"/configs/*; do cmp "$file" "$killed/configs/${file##*/}" >>out 2>&1 || good=1; done
    steps=$(sed -n 's/.*resumed at step \([0-9]*\).*/\1/p' "$killed/log.txt" | tr '\n' ' ')
    result $good "the same bytes; resumed at steps $steps"
    [ $good = 0 ] || tail -n 20 out | sed 's/^/# /'
done

# What the last kill has cost: the time since the checkpoint or, if none was due yet, since the last line of the log: "resumed".
milliseconds() { date -r "$1" +%s%3N 2>/dev/null || echo 0; }
lost() {
    local now checkpoint log
    now=$(date +%s%3N) checkpoint=$(milliseconds "$killed/checkpoint.h5") log=$(milliseconds "$killed/log.txt")
    echo $((now - (checkpoint > log ? checkpoint : log))) >>losses
}
case " $KILLS_GROUPS " in
    *' clock '*)
        # A machine that is busy with other things may keep a step waiting; without the clock they would lose all 5 to 8 seconds.
        group=clock killed=clock-$folder slack=3500
        kill_again_and_again "$killed" 5 lost
        worst=$(sort -n losses | tail -n 1)
        [ "$worst" -le $((1000 + slack)) ]
        result $? "clock: no more than $worst ms were lost where 1000 are from one checkpoint to the next"
        (sample 1 --out "$killed" --resume --set walltime=1s)
        steps=$(sed -n 's/.*stopped at step \([0-9]*\) .*/\1/p' out | tail -n 1)
        (sample 1 --out clock-reference --set "chain.steps=$steps")
        [ -n "$steps" ] && cmp clock-reference/history.h5 "$killed/history.h5" >>out 2>&1
        result $? "clock: the same bytes after $steps steps"
        ;;
esac
echo "1..$count"
