#!/bin/bash
# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
#
# flowtrain: its exit codes, and that a run that was stopped, killed and resumed on other numbers of ranks ends with the same
# bits as one that never stopped.
# shellcheck source=tests/tap.sh
. "${srcdir=.}/tests/tap.sh"
folder=$(mktemp -d flowtrain.XXXXXX) || exit 1
trap 'rm -rf "$folder"' EXIT
said=$folder
expect() { ends flowtrain "$@"; }
: "${MPIRUN=mpirun}" "${MPIRUN_FLAGS=--oversubscribe}"

cat >"$folder/train.cfg" <<'END'
lattice = { group = "u1"; size = [8, 8]; };
action = ( { kind = "wilson"; beta = 1.0; } );
flow = { layers = ( { kind = "plaquette_coupling"; repeat = 4; hidden = [3]; knots = 3; } ); };
train = { steps = 900; batch = 32; learning_rate = 0.02; schedule = "cosine"; warm_up = 5; evaluate_every = 50;
          evaluate_samples = 64; final_samples = 512; checkpoint_every = 90; };
model = "whole.h5";
END

# What a run of train.cfg came to: all but the time it took and where.
outcome() {
    grep -v -e seconds -e ranks -e path "$folder/$1/summary.json"
}

# How many evaluations the log of a run tells of.
evaluations() {
    { cat "$folder/$1/log.txt" 2>/dev/null; } | grep -c loss
}

# Starts or resumes a run in the background and waits for its next evaluation: ranks, name, options.
begin() {
    local before
    before=$(evaluations "$2")
    # Word splitting is wanted: these are commands with their flags.
    # shellcheck disable=SC2086
    $MPIRUN $MPIRUN_FLAGS -n "$1" ./flowtrain --resume --set model="$2.h5" "${@:3}" "$train" >"$folder/log" 2>&1 </dev/null &
    job=$!
    while [ "$(evaluations "$2")" -le "$before" ] && kill -0 $job 2>/dev/null; do sleep 0.02; done
}

train="$folder/train.cfg"

expect 0 'mpirun -n 2 flowtrain' --help
expect 2 'is --resume meant' --resumee "$train"
expect 2 'one argument too many' "$train" "$train"
expect 4 'none.cfg' "$folder/none.cfg"
expect 3 'is .steps. meant' --set train.stepps=3 "$train"
expect 3 'multiple of the vector length' --dry-run --set train.batch=33 "$train"
expect 3 'multiple of 4' --dry-run --set 'lattice.size=[6,6]' "$train"
expect 3 'does not fit a run on 1' --dry-run --set 'lattice.ranks=[2,1]' "$train"
expect 3 'give one for each' --dry-run --set 'lattice.ranks=[1]' "$train"
expect 3 'ends in .h5' --set model=whole "$train"
expect 3 'is .path. meant' --set train.objective=paths "$train"
expect 0 'final_samples = 512' --print-config "$train"
expect 0 'parameters' --dry-run "$train"
expect 0 'parameters' --dry-run
quarks=(--set 'operators=({name="light"; kind="wilson"; kappa=0.2;})' --set 'action=({kind="wilson"; beta=1.0;}, {kind="determinant"; operator="light";})')
expect 0 'kappa = 0.2' --print-config "${quarks[@]}" "$train"
expect 0 'parameters' --dry-run "${quarks[@]}" "$train"
expect 3 'in float knows actions without quarks' --dry-run "${quarks[@]}" --set precision=float "$train"
expect 3 'is .light. meant' "${quarks[@]}" --set 'action.[1].operator=ligth' "$train"
expect 4 'none/dir' --out "$folder/none/dir" "$train"
[ "$(ls "$folder")" = "$(printf 'err\nout\ntrain.cfg')" ]
result $? "nothing was written by all this"

expect 0 'ln Z' "$train"
expect 3 'there is such a model' --out "$folder/other" "$train"
[ ! -e "$folder/other" ]
result $? "a run that is refused leaves no directory"
expect 3 'there is a run' --set model=other.h5 --out "$folder/whole" "$train"
expect 3 'was run with' --resume --set train.batch=64 "$train"
./flowtrain --resume --quiet "$train" >"$folder/out" 2>&1 && [ ! -s "$folder/out" ]
result $? "a run that is done can be resumed, and --quiet prints nothing"

# A run without an end is asked to stop.
begin 2 endless --set train.steps=100000000
kill -USR1 $job
wait $job
[ $? = 7 ] && grep -q 'stopped at step .*signal.*: go on with --resume' "$folder/log"
result $? "exit code 7 at a signal"
begin 1 endless --set train.steps=100000000
touch "$folder/endless/stop"
wait $job
[ $? = 7 ] && grep -q 'stopped at step .*file.*: go on with --resume' "$folder/log"
result $? "exit code 7 at a stop file"

# Stopped, killed, and resumed on other numbers of ranks and another grid; a fast machine may be done before.
for ranks in 2 4 1; do
    grid=()
    [ $ranks = 2 ] && grid=(--set 'lattice.ranks=[2,1]')
    begin $ranks parts "${grid[@]}"
    [ $ranks = 2 ] && kill -USR1 $job 2>/dev/null
    [ $ranks = 4 ] && kill -KILL $job 2>/dev/null
    wait $job 2>/dev/null
done
diff <(outcome whole) <(outcome parts) && grep -q sha256 "$folder/whole/summary.json"
result $? "stopped, killed and resumed on other ranks: the same parameters as without"

# With quarks.
expect 0 'log weights' "${quarks[@]}" --set model=quarks.h5 --set train.steps=2 --set train.final_samples=32 "$train"

# One model for several runs.
begin 1 claimed --set train.steps=100000000
expect 3 'there is such a model' --out "$folder/second" --set model=claimed.h5 "$train"
expect 4 'another run is at work' --resume --set model=claimed.h5 --set train.steps=100000000 "$train"
kill -USR1 $job
wait $job
[ $? = 7 ] && grep -q '^flowtrain: .*stopped at step' "$folder/log"
result $? "the first is none the worse"
for i in 1 2 3 4; do
    ./flowtrain --quiet --out "$folder/at-once$i" --set model=at-once.h5 --set train.seed="$i" --set train.steps=20 "$train" >"$folder/out$i" 2>&1 &
    jobs[i]=$!
done
codes=
for i in 1 2 3 4; do
    wait "${jobs[i]}"
    codes+="$? "
done
codes=$(tr ' ' '\n' <<<"$codes" | sort | tr -d '\n')
[[ "$codes" =~ ^0[34][34][34]$ ]] && [ "$(cat "$folder"/out[1-4] | wc -l)" = 3 ] && [ "$(ls "$folder"/at-once?/summary.json | wc -l)" = 1 ]
result $? "four that begin at once: one of them has the model ($codes)"

# From one model to another.
expect 0 'begins from whole.h5' --set initial=whole.h5 --set model=moved.h5 --set 'lattice.size=[12,8]' --set 'action.[0].beta=1.5' \
    --set train.steps=2 "$train"
expect 3 'its layers are not those' --set initial=whole.h5 --set model=wide.h5 --set 'flow.layers.[0].knots=4' "$train"
sed 's/layers = ( \(.*\) );/layers = ( \1, { kind = "plaquette_coupling"; hidden = [4]; knots = 4; } );/' "$train" >"$folder/longer.cfg"
expect 0 'begins from whole.h5' --set initial=whole.h5 --set model=longer.h5 --set train.steps=0 --set train.final_samples=4096 "$folder/longer.cfg"
loss() { sed -n 's/^ *"loss": \([-0-9.]*\).*/\1/p' "$folder/$1/summary.json"; }
awk -v before="$(loss whole)" -v after="$(loss longer)" 'BEGIN { exit !(before > 0 && after > before - 1 && after < before + 1) }'
result $? "further layers begin near the identity"
expect 3 'its layers are not those' --set initial=longer.h5 --set model=less.h5 "$train"
expect 4 'none.h5' --set initial=none.h5 --set model=lost.h5 "$train"
head -c 5000 "$folder/whole.h5" >"$folder/short.h5"
expect 5 'short.h5' --set initial=short.h5 --set model=lost2.h5 "$train"
mv "$folder/moved.h5" "$folder/whole.h5"
expect 3 'is not the model of the run' --resume "$train"
cp "$folder/short.h5" "$folder/whole.h5"
expect 5 'whole.h5' --resume "$train"
echo "1..$count"
