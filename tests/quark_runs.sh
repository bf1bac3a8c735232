#!/usr/bin/env bash
# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
#
# tests/quark_runs.sh: runs with quarks write the same bytes on any number of ranks, whenever they are killed and resumed; tell what their
# solvers did; take the memory that is foretold; and end with one line where an equation cannot be solved, with a checkpoint to go on from.
build=$PWD
: "${MPIRUN=mpirun}" "${MPIRUN_FLAGS=--oversubscribe --bind-to none}"
# shellcheck source=tests/tap.sh
. "${srcdir=.}/tests/tap.sh"
folder=$(mktemp -d quark_runs.XXXXXX) || exit 1
cd "$folder" || exit 1
trap 'cd ..; rm -rf "$folder"' EXIT

cat >clover.cfg <<'END'
lattice   = { group = "su3"; size = [4, 4, 4, 4]; };
operators = ( { name = "light"; kind = "clover"; kappa = 0.105; csw = 1.2; }, { name = "strange"; kind = "clover"; kappa = 0.1; csw = 1.2; } );
action    = ( { kind = "wilson"; beta = 5.6; level = 0; },
              { kind = "two_flavours"; operator = "light"; masses = [0.0, 0.2, 1.0]; levels = [1, 0, 0]; level = 1; },
              { kind = "rational"; operator = "strange"; range = [0.5, 9.0]; error = 1e-7; error_force = 1e-4; level = 1; } );
chain     = { seed = 5; steps = 3; save_every = 1; checkpoint_every = 1; };
updates   = ( { kind = "hmc"; trajectory = 0.2; steps = [1, 1, 1]; integrator = "leapfrog"; } );
END
cat >schwinger.cfg <<'END'
lattice   = { group = "u1"; size = [8, 8]; };
operators = ( { name = "light"; kind = "wilson"; kappa = 0.2; }, { name = "strange"; kind = "wilson"; kappa = 0.18; } );
action    = ( { kind = "wilson"; beta = 2.0; level = 0; },
              { kind = "two_flavours"; operator = "light"; masses = [0.0, 0.3]; levels = [1, 0]; level = 1; },
              { kind = "rational"; operator = "strange"; range = [0.2, 9.0]; error = 1e-7; level = 1; } );
chain     = { seed = 5; steps = 3; thermalise = 1; replicas = 3; save_every = 1; checkpoint_every = 1; };
updates   = ( { kind = "hmc"; trajectory = 0.5; randomise = 0.3; steps = [1, 1, 1]; integrator = "leapfrog"; } );
END

# Word splitting is wanted: these are commands with their flags.
# shellcheck disable=SC2086
on() { # ranks, card, options
    local ranks=$1 card=$2
    shift 2
    if [ "$ranks" = 1 ]; then
        exec "$build/flowhmc" "$card.cfg" --quiet "$@" </dev/null
    else
        exec $MPIRUN $MPIRUN_FLAGS -n "$ranks" "$build/flowhmc" "$card.cfg" --quiet "$@" </dev/null
    fi
}
fails() { # exit code, pattern of the one line, card, options
    [ "$(status_of on 1 "${@:3}")" = "$1" ] && grep -q -e "$2" err && [ "$(wc -l <err)" = 1 ]
}

# Of a checkpoint what a run follows from: costs and the count of changes of the links are left out.
checkpoint() { "$build/tests/digest" contents "$1/checkpoint.h5" core_seconds processor_seconds measure_core_seconds joules seconds links_id; }
# Of the text all columns but those of seconds, in as many lines as the first run has.
without_seconds() {
    awk 'NR == 1 { for (i = 1; i <= NF; i++) if ($i !~ /^seconds/) keep[++n] = i } { line = ""; for (i = 1; i <= n; i++) line = line " " $keep[i]; print line }' "$1/trajectories.txt"
}
same() { # runs
    local file
    for file in history.h5 trajectories.h5; do cmp "$1/$file" "$2/$file" || return 1; done
    diff -r "$1/configs" "$2/configs" && [ -n "$(checkpoint "$1")" ] && [ "$(checkpoint "$1")" = "$(checkpoint "$2")" ] && diff <(without_seconds "$1") <(without_seconds "$2")
} >out 2>err

# ----------------------------------------------------------------------------------------------------------- any ranks

# A run without an end, until it has a checkpoint later than the last.
start() { # ranks, card: in the background
    touch mark
    (on "$1" "$2" --out "$2-broken" --resume --set chain.steps=1000000) >out 2>err &
    launcher=$!
    while [ ! "$2-broken/checkpoint.h5" -nt mark ] && kill -0 $launcher 2>/dev/null; do sleep 0.02; done
}

for card in clover schwinger; do
    [ "$(status_of on 1 $card --out $card-1)" = 0 ] && [ -s $card-1/trajectories.h5 ] && [ "$(ls $card-1/configs | wc -l)" -ge 2 ]
    result $? "$card: a run on one rank"
    for ranks in 2 4; do
        [ "$(status_of on $ranks $card --out $card-$ranks)" = 0 ] && same $card-1 $card-$ranks
        result $? "$card: the same bytes on $ranks"
    done
    start 2 $card
    pkill -KILL -P $launcher
    kill -KILL $launcher 2>/dev/null
    wait $launcher 2>/dev/null
    sleep 0.3
    start 4 $card
    touch $card-broken/stop
    wait $launcher
    stopped=$?
    [ $stopped = 7 ] && grep -q 'stopped at step' err
    result $? "$card: killed on 2 ranks, resumed and stopped on 4: exit code $stopped"
    start 1 $card
    kill -TERM $launcher
    wait $launcher
    thermalise=$(sed -n 's/.*thermalise = \([0-9]*\).*/\1/p' $card.cfg)
    steps=$(($(sed -n 's/.*stopped at step \([0-9]*\).*/\1/p' err) - ${thermalise:-0}))
    [ "$(status_of on 2 $card --out $card-whole --set chain.steps=$steps)" = 0 ] && same $card-whole $card-broken
    result $? "$card: $steps steps, killed and resumed on 2, 4 and 1 ranks: the same bytes as in one run on 2"
done

# ------------------------------------------------------------------------------------------------- what solvers have done

head -n 1 clover-1/trajectories.txt >out
awk 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i; next }
    { good = $at["solves_term1_0"] > 0 && $at["iterations_term1_0"] > 1 && $at["most_iterations_term1_0"] >= $at["iterations_term1_0"] &&
          $at["residue_term1_0"] > 0 && $at["residue_term1_0"] <= 1e-12 && $at["residue_force_term1_0"] <= 1e-9 &&
          $at["residue_term2_0"] <= 1e-12 && $at["residue_force_term2_0"] <= 1e-9 && $at["solves_term2_0"] > 0 &&
          $at["seconds_term1_0"] > 0 && $at["seconds_term2_0"] > 0 && $at["seconds_term1_0"] + $at["seconds_term2_0"] <= $at["seconds_0"] * 1.02
      bad += !good }
    END { exit NR != 4 || bad > 0 }' clover-1/trajectories.txt 2>err
result $? "a line for each trajectory has solves, iterations, residues and seconds of each term: $(sed -n 2p clover-1/trajectories.txt)"
"$build/flowstat" clover-1/trajectories.h5 >out 2>err && grep -q '^most_iterations_term2_0 ' out && grep -q '^residue_term1_0 ' out
result $? "and HDF5 has all but the seconds"
grep 'saved step' clover-1/log.txt >out && grep -q ', iterations [0-9]' out && grep -q 'hmc, solves: term 2, solves [0-9]*, iterations [0-9.]*' clover-1/log.txt
result $? "the log shows them: $(head -n 1 out)"

# Sums of the text are those of the summary, whatever was killed in between.
summary() { tr -d '\n' <"$1/summary.json" | sed 's/.*"solves": \[\([^]]*\)\].*/\1/'; }
value() { summary "$1" | sed "s/.*\"term\": $2,\([^}]*\)}.*/\1/" | tr ',' '\n' | sed -n "s/ *\"$3\": *//p"; }
sums() { # run, term: solves, the most iterations, both of the steps that count
    awk -v term="_term$2_0" -v from="$3" 'NR == 1 { for (i = 1; i <= NF; i++) { name = $i; sub(/_replica[0-9]*$/, "", name)
            if (name == "solves" term) solves[i]; if (name == "most_iterations" term) most[i] } next }
        $1 > from { for (i in solves) n += $i; for (i in most) if ($i > m) m = $i } END { print n, m }' "$1/trajectories.txt"
}
for term in 1 2; do
    for run in clover-broken schwinger-broken; do
        echo "$(value $run $term solves) $(value $run $term most_iterations)" >out
        sums $run $term "$([ $run = clover-broken ] && echo 0 || echo 1)" >err
        cmp -s out err && [ "$(value $run $term solves)" -gt 0 ] && [ "$(value clover-broken $term seconds | cut -c1)" != - ]
        result $? "$run: term $term of summary.json: $(cat out)"
    done
done

# --------------------------------------------------------------------------------------------------------------- memory

# "on a rank" with all libraries, in MiB
rank_memory() { # file
    awk '/^memory:/ { for (i = 1; i <= NF; i++) if ($i == "libraries") { value = $(i + 1); if ($(i + 2) == "GiB") value *= 1024; if ($(i + 2) == "KiB") value /= 1024 } print value }' "$1"
}
larger="--set lattice.size=[8,8,8,8]"
# shellcheck disable=SC2086
"$build/flowhmc" clover.cfg --dry-run $larger >dry 2>err && "$build/flowhmc" clover.cfg --trial $larger --set 'updates.[0].trajectory=0.01' >trial 2>>err
cat dry trial >out
awk -v said="$(rank_memory dry)" -v taken="$(rank_memory trial)" 'BEGIN { exit !(said > 100 && said > 0.9 * taken && said < 1.1 * taken) }'
result $? "--dry-run: $(rank_memory dry) MiB on a rank, and $(rank_memory trial) MiB were taken"

# ------------------------------------------------------------------------------------------------------------- failures

cp -r clover-1 failing
cp failing/checkpoint.h5 kept.h5
few="--set action.[1].iterations=3"
# shellcheck disable=SC2086
fails 6 'step 3: .*mixed conjugate gradients (clover, kappa 0.105, csw 1.2, mu 0, member 0): residue [0-9.e-]* after 3 iterations' clover --out failing --resume --set chain.steps=4 $few
result $? "no convergence: $(cat err)"
cmp -s kept.h5 failing/checkpoint.h5 && [ "$(status_of on 2 clover --out failing --resume --set chain.steps=4)" = 0 ] &&
    [ "$(status_of on 1 clover --out clover-1 --resume --set chain.steps=4)" = 0 ] && same clover-1 failing
result $? "the checkpoint is as it was, and with more iterations the run goes on to the same bytes"
fails 6 'conjugate gradients of many shifts (clover, kappa 0.1, .*residue' clover --out fresh --set 'action.[2].iterations=3' && [ ! -e fresh/checkpoint.h5 ] &&
    [ "$(status_of on 1 clover --out fresh --resume --set chain.steps=1)" = 0 ]
result $? "in the first step: no checkpoint, and the run begins again"
fails 6 'rational (clover, kappa 0.1, .*the spectrum leaves the range \[1, 2\]' clover --out narrow --set 'action.[2].range=[1.0, 2.0]'
result $? "a range that is too narrow: $(cat err)"
fails 6 'mixed conjugate gradients (wilson, kappa 0.4, .*residue' schwinger --out critical --set 'operators.[0].kappa=0.4' --set 'action.[1].iterations=30' --set 'action.[2].operator=strange'
result $? "beyond the critical kappa, on a hot start: $(cat err)"
free='operators.[1].angle=[0.0,0.0]'
fails 6 'spectrum leaves the range' schwinger --out zero --set chain.start=cold --set 'operators.[1].kappa=0.25' --set "$free"
result $? "a zero mode: $(cat err)"
sed 's/.*kind = "two_flavours".*/{ kind = "determinant"; operator = "strange"; level = 1; } );/; /kind = "rational"/d' schwinger.cfg >exact.cfg
[ "$(status_of on 2 exact --out exact-2 --set 'updates.[0].steps=[1,1]')" = 0 ] && [ "$(status_of on 1 exact --out exact-1 --set 'updates.[0].steps=[1,1]')" = 0 ] &&
    same exact-1 exact-2 && [ "$(value exact-1 1 solves)" = $((3 * 3 * 4)) ] && [ "$(value exact-1 1 most_iterations)" = 0 ]
result $? "eliminations of an exact determinant are counted, too, the same on two ranks: $(value exact-1 1 solves)"
fails 6 'determinant of quarks with kappa = 0.25.* is zero' exact --out exact --set chain.start=cold --set 'operators.[1].kappa=0.25' --set "$free" --set 'updates.[0].steps=[1,1]'
result $? "and that of an exact determinant: $(cat err)"
echo "1..$count"
