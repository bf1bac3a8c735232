#!/usr/bin/env bash
# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
#
# tests/evolutions.sh: runs that find their own ladder, and runs out of equilibrium, are the same to the byte on any number of ranks and when
# they were killed and resumed; what they say of weights; flowstat weighs as they do.
: "${MPIRUN=mpirun}" "${MPIRUN_FLAGS=--oversubscribe --bind-to none}"
build=$PWD
# shellcheck source=tests/tap.sh
. "${srcdir=.}/tests/tap.sh"
folder=$(mktemp -d evolutions.XXXXXX) || exit 1
cd "$folder" || exit 1
trap 'cd ..; rm -rf "$folder"' EXIT
unset SLURM_JOB_ID SLURM_JOB_END_TIME

# Word splitting is wanted: these are commands with their flags.
# shellcheck disable=SC2086
sample() { # ranks, card, options
    local ranks=$1 card=$2
    shift 2
    exec $MPIRUN $MPIRUN_FLAGS -n "$ranks" "$build/flowhmc" "$card" "$@" </dev/null
}

cat >ladder.cfg <<'END'
lattice = { group = "u1"; size = [8, 8]; defect = { size = [4]; couplings = "auto"; acceptance = 0.7; }; };
action  = ( { kind = "wilson"; beta = 3.0; } );
chain   = { seed = 5; steps = 1000; thermalise = 100; save_every = 500; checkpoint_every = 20; };
updates = ( { kind = "heatbath"; }, { kind = "tempering"; } );
measure = { observables = [ "plaquette", "charge" ]; };
END
cat >evolution.cfg <<'END'
lattice = { group = "u1"; size = [8, 8]; defect = { size = [4]; coupling = 0.0; }; };
action  = ( { kind = "wilson"; beta = 3.0; } );
chain   = { seed = 5; steps = 200; thermalise = 40; replicas = 3; save_every = 100; checkpoint_every = 20; };
updates = ( { kind = "heatbath"; }, { kind = "nonequilibrium"; coupling = 1.0; steps = 8; adapt = true;
                                      updates = ( { kind = "hmc"; steps = 2; }, { kind = "heatbath"; } ); } );
measure = { observables = [ "plaquette", "charge" ]; };
END

same() {
    cmp -s "$1/history.h5" "$2/history.h5" && cmp -s "$1/trajectories.h5" "$2/trajectories.h5" || return 1
    [ "$(ls "$1/configs")" = "$(ls "$2/configs")" ] || return 1
    for file in "$1"/configs/*; do cmp -s "$file" "$2/configs/${file##*/}" || return 1; done
}

# Killed a moment after its first checkpoint, on two ranks, and resumed on one.
broken() { # card
    local launcher
    (sample 2 "$1.cfg" --quiet --out "$1-killed") >out 2>err &
    launcher=$!
    while [ ! -e "$1-killed/checkpoint.h5" ] && kill -0 $launcher 2>/dev/null; do sleep 0.01; done
    pkill -KILL -P $launcher
    kill -KILL $launcher 2>/dev/null
    wait $launcher 2>/dev/null
    sleep 0.3
    [ "$(status_of sample 1 "$1.cfg" --quiet --out "$1-killed" --resume)" = 0 ]
}

for card in ladder evolution; do
    [ "$(status_of sample 1 $card.cfg --out $card)" = 0 ] && cp out $card.out
    result $? "$card: a run on one rank"
    [ "$(status_of sample 4 $card.cfg --quiet --out $card-4)" = 0 ] && same $card $card-4
    result $? "$card: four ranks: the same bytes"
    broken $card && same $card $card-killed
    result $? "$card: killed, and resumed on another number of ranks: the same bytes"
done

# ------------------------------------------------------------------------------------------------------------- a ladder

rungs=$(sed -n 's/^pilot: \([0-9]*\) rungs.*/\1/p' ladder.out)
[ "${rungs:-0}" -gt 2 ] && [ "$(grep -c '^ *[0-9]* - [0-9]*  *[01]' ladder.out)" = $((rungs - 1)) ]
result $? "the pilot finds $rungs rungs, and each pair has its row of acceptances"
grep -q 'couplings = "auto"' ladder/config.cfg && [ "$(status_of "$build/flowhmc" --dry-run ladder.cfg)" = 0 ] && grep -q 'of the pilot' out
result $? "a forecast has the rungs of the pilot"
for why in "chain.thermalise=10:thermalisation of" "updates.[1].kind=overrelax:needs the update tempering"; do
    [ "$(status_of "$build/flowhmc" ladder.cfg --out refused --set "${why%%:*}")" = 3 ] && grep -q "${why#*:}" err && [ ! -e refused ]
    result $? "refused: $(cat err)"
done
mkdir stopped && (sample 1 ladder.cfg --quiet --out stopped --set chain.thermalise=100000000) >out 2>err &
launcher=$!
for _ in $(seq 200); do
    sleep 0.05
    touch stopped/stop
    kill -0 $launcher 2>/dev/null || break
done
wait $launcher
[ $? = 7 ] && grep -q 'stopped in the pilot' err && [ ! -e stopped/config.cfg ]
result $? "a pilot that is stopped: $(cat err)"

# ------------------------------------------------------------------------------------------------------------ evolutions

grep -q '^nonequilibrium: .*evolutions 600, ess 0' evolution.out && grep -q '^log_weight' evolution.out && grep -q '/ ESS 0' evolution.out
result $? "evolutions are told, with their weights"
"$build/flowstat" evolution >stat && grep -q '^Means are weighted with exp(log_weight): ESS 0' stat &&
    [ "$(awk '$1 == "plaquette" { print $2; exit }' stat)" = "$(awk '$1 == "plaquette" { print $2; exit }' evolution.out)" ]
result $? "flowstat weighs as the run does"
echo 'measure = { observables = [ "plaquette" ]; };' >measure.cfg
"$build/flowmeas" measure.cfg evolution/configs/step-0000000140-replica-00001.h5 >out 2>err && grep -q 'warning: .*weights: its own, exp(-' err
result $? "flowmeas warns of a weight that it does not heed: $(cat err)"
[ "$(status_of "$build/flowhmc" --trial evolution.cfg)" = 0 ] && grep -q '^campaign' out
result $? "a trial"
echo "1..$count"
