#!/bin/bash
# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
#
# series: an observable with steps and a replica of its own: the gradient flow during a run.  It is what flowmeas finds on the saved
# configurations, the same to the byte on any number of ranks and after being resumed, and flowstat and summary.json know its steps.
# shellcheck source=tests/tap.sh
. "${srcdir=.}/tests/tap.sh"
: "${MPIRUN=mpirun}" "${MPIRUN_FLAGS=--oversubscribe --bind-to none}"
folder=$(mktemp -d series.XXXXXX) || exit 1
trap 'rm -rf "$folder"' EXIT
said=$folder
# Flags in a variable are several words.
# shellcheck disable=SC2086
launch() { $MPIRUN $MPIRUN_FLAGS "$@"; }
own=history-gradient_flow.h5

cat >"$folder/run.cfg" <<'END'
lattice = { group = "su2"; size = [4, 4, 4, 8]; };
action  = ( { kind = "wilson"; beta = 2.4; } );
chain   = { seed = 5; steps = 24; thermalise = 3; replicas = 2; save_every = 4; checkpoint_every = 5; };
updates = ( { kind = "heatbath"; }, { kind = "overrelax"; } );
measure = { every = 2; observables = [ "gradient_flow", "plaquette" ];
            gradient_flow = { step = 0.05; times = [0.1, 0.2]; every = 4; replica = 1; }; };
END
run() { # folder, options
    ./flowhmc --quiet --out "$folder/$1" "$folder/run.cfg" "${@:2}" >"$folder/out" 2>"$folder/err"
}
same() { cmp -s "$folder/$1/$own" "$folder/$2/$own" && cmp -s "$folder/$1/history.h5" "$folder/$2/history.h5"; }
# Number of entries, mean, error, its error and tau_int of a column, 17 digits each.
mean() { ./flowstat --csv --column "$1" "$2" 2>"$folder/err" | sed -n 2p | cut -d, -f4-8; }

run one && [ -s "$folder/one/$own" ]
result $? "a run on one rank"
launch -n 4 ./flowhmc --quiet --out "$folder/four" "$folder/run.cfg" >"$folder/out" 2>"$folder/err" && same one four
result $? "four ranks: the same bytes"
run pieces --set chain.steps=6 && launch -n 2 ./flowhmc --quiet --out "$folder/pieces" --resume "$folder/run.cfg" --set chain.steps=17 &&
    launch -n 4 ./flowhmc --quiet --out "$folder/pieces" --resume "$folder/run.cfg" && same one pieces
result $? "resumed twice, on two and four ranks: the same bytes"

# What flowmeas finds on the configurations of that replica.
cat >"$folder/meas.cfg" <<'END'
flow = { step = 0.05; time = 0.2; every = 2; };
END
./flowmeas --set "flow.output=$folder/flow" "$folder/meas.cfg" "$folder"/one/configs/*-replica-00001.h5 >"$folder/measured.txt" 2>"$folder/err"
for column in flow_t2e flow_charge flow_charge_squared; do
    stored=$(mean $column "$folder/measured.txt") online=$(mean ${column}_0.2 "$folder/one")
    [ -n "$stored" ] && [ "$stored" = "$online" ]
    result $? "$column of 6 configurations: $online, as flowmeas has it, to the last bit"
done

# Steps of its own, in what is said of it.
./flowstat "$folder/one" >"$folder/out" 2>"$folder/err"
grep -q 'one: 12 rows of 2 replicas, one every 2 steps' "$folder/out" && grep -q "one/$own: 6 rows, one every 4 steps" "$folder/out" &&
    grep -q '^plaquette .* 24 ' "$folder/out" && grep -q '^flow_charge_0.1 .* 6 ' "$folder/out"
result $? "flowstat: each with its rows and steps"
./flowstat --skip 5 "$folder/one" >"$folder/out" 2>"$folder/err"
grep -q 'one: 7 rows' "$folder/out" && grep -q "$own: 4 rows" "$folder/out"
result $? "flowstat: skipped up to the same step"
./flowstat --skip 11 "$folder/one" >"$folder/out" 2>"$folder/err"
grep -q 'one: 1 row' "$folder/out" && grep -q "$own: 1 row" "$folder/out"
result $? "flowstat: the last rows"
run other --set chain.seed=6 && ./flowstat --replicas "$folder/one" "$folder/other" >"$folder/out" 2>"$folder/err"
grep -q 'other: 12 rows of 4 replicas' "$folder/out" && grep -q "other/$own: 6 rows of 2 replicas, one every 4 steps" "$folder/out"
result $? "flowstat --replicas: each with its like"
grep -q '"every": 4' "$folder/one/summary.json" && [ "$(grep -c '"every"' "$folder/one/summary.json")" = 6 ] &&
    grep -q '"measure_core_seconds": [0-9]' "$folder/one/summary.json"
result $? "summary.json: steps of its own, and what measuring took"

# The slowest is that of the largest tau_int in steps, and costs 2 tau_int of its own entries.
awk -F '[":, {]+' '
    /{$/ { name = $2; every = 2 }
    $2 == "tau_int" { tau = $3 }
    $2 == "n" { n = $3 }
    $2 == "every" { every = $3 }
    /^ *},?$/ && tau * every > most { most = tau * every; slowest = name; cost = 2 * tau / n }
    $2 == "core_seconds" { seconds = $3 }
    $2 == "per_independent_sample" { ratio = $3 / (cost * seconds) }
    $2 == "slowest_observable" { print "by its time " slowest ", said", $3; exit !(slowest == $3 && ratio > 0.999999 && ratio < 1.000001) }
' "$folder/one/summary.json" >"$folder/out"
result $? "the slowest observable, $(cat "$folder/out")"

# Measured after as many steps as all: the same numbers.
single=(--set chain.replicas=1 --set measure.gradient_flow.replica=0)
run alone "${single[@]}" && sed 's/ every = 4; replica = 1;//' "$folder/run.cfg" >"$folder/within.cfg" &&
    ./flowhmc --quiet --out "$folder/within" "$folder/within.cfg" --set chain.replicas=1 --set measure.every=4 >"$folder/out" 2>"$folder/err"
result $? "one replica, with steps of its own and without"
[ ! -e "$folder/within/$own" ] && [ "$(mean flow_t2e_0.1 "$folder/alone")" = "$(mean flow_t2e_0.1 "$folder/within")" ]
result $? "the same estimates: $(mean flow_t2e_0.1 "$folder/within")"
observable() { sed -n "/\"$1\": {/,/}/{/\"every\"/d;s/,$//;p}" "$2/summary.json"; }
[ -n "$(observable flow_t2e_0.2 "$folder/alone")" ] && [ "$(observable flow_t2e_0.2 "$folder/alone")" = "$(observable flow_t2e_0.2 "$folder/within")" ]
result $? "the same in summary.json, tau_int among it"

# No measurement of its own yet; nothing else measured.
run short --set chain.steps=2 && ./flowstat "$folder/short" >"$folder/out" 2>"$folder/err" && ! grep -q "$own" "$folder/out"
result $? "no rows yet: left out"
run only --set 'measure.observables=["gradient_flow"]' && ./flowstat "$folder/only" >"$folder/out" 2>"$folder/err" && grep -q "only/$own: 6 rows" "$folder/out" &&
    cmp -s "$folder/only/$own" "$folder/one/$own"
result $? "nothing else measured"
launch -n 2 ./flowhmc --quiet --out "$folder/zeuthen2" "$folder/run.cfg" --set measure.gradient_flow.kind=zeuthen >"$folder/out" 2>"$folder/err" &&
    run zeuthen --set measure.gradient_flow.kind=zeuthen && same zeuthen zeuthen2 && ! same zeuthen one
result $? "the Zeuthen flow, on one rank and two"

expect() { ends flowhmc "$@"; }
expect 0 's a measurement of gradient_flow' --trial "$folder/run.cfg"
expect 3 'measure.gradient_flow: unknown key' --out "$folder/no" "$folder/run.cfg" --set 'measure.observables=["plaquette"]'
expect 3 'is no multiple of step' --out "$folder/no" "$folder/run.cfg" --set 'measure.gradient_flow.times=[0.12]'
expect 3 'there .*gradient_flow.every' --out "$folder/one" --resume "$folder/run.cfg" --set measure.gradient_flow.every=8
cp "$folder/other/$own" "$folder/one/$own"
expect 5 'history\*.h5: does not belong to the checkpoint' --out "$folder/one" --resume "$folder/run.cfg" --set chain.steps=30
rm "$folder/one/$own"
expect 4 "$own: " --out "$folder/one" --resume "$folder/run.cfg" --set chain.steps=30
ends flowmeas 3 'gradient_flow is for runs' "$folder/meas.cfg" --set 'measure.observables=["gradient_flow"]' --set "flow.output=$folder/x" "$folder"/one/configs/*5-replica-00001.h5
echo "1..$count"
