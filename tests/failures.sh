#!/usr/bin/env bash
# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
#
# tests/failures.sh: bad input ends flowhmc and flowmeas with the exit code of its kind and one line that says what, where and
# what to do; nothing crashes, hangs, or is half accepted.
: "${MPIRUN=mpirun}" "${MPIRUN_FLAGS=--oversubscribe --bind-to none}" "${srcdir=.}"
build=$PWD
models=$(cd "$srcdir/share/models" && pwd) || exit 1
folder=$(mktemp -d failures.XXXXXX) || exit 1
cd "$folder" || exit 1
mounted=
trap 'cd ..; [ -z "$mounted" ] || umount "$folder/small"; rm -rf "$folder"' EXIT
count=0

cat >run.cfg <<'END'
lattice = { group = "u1"; size = [8, 8]; };
action  = ( { kind = "wilson"; beta = 2.0; } );
chain   = { seed = 3; steps = 20; checkpoint_every = 10; save_every = 10; };
updates = ( { kind = "hmc"; steps = 4; } );
measure = { observables = [ "plaquette", "charge" ]; };
END
sed 's/kind = "hmc"; steps = 4;/kind = "flow"; model = "model.h5"; batch = 8;/' run.cfg >flow.cfg
cp "$models/u1-beta2.h5" model.h5
mpirun_ranks=1

# Expected exit code, pattern of the one line, then the command.
expect() {
    local code=$1 pattern=$2 status good
    shift 2
    count=$((count + 1))
    # Word splitting is wanted: these are commands with their flags.
    # shellcheck disable=SC2086
    if [ $mpirun_ranks = 1 ]; then
        timeout 60 "$build/$1" "${@:2}" >out 2>err </dev/null
    else
        timeout 60 $MPIRUN $MPIRUN_FLAGS -n $mpirun_ranks "$build/$1" "${@:2}" >out 2>err </dev/null
    fi
    status=$?
    # mpirun adds a paragraph of its own
    [ $status = "$code" ] && grep -q -e "$pattern" err && [ "$(grep -c "^$1: " err)" = 1 ] &&
        { [ $mpirun_ranks -gt 1 ] || [ "$(wc -l <err)" = 1 ]; } && ! ls core* >/dev/null 2>&1
    good=$?
    if [ $good = 0 ]; then echo "ok $count - exit $code: $(grep "^$1: " err)"; else
        echo "not ok $count - exit $code: ${*}"
        echo "# exit code $status"
        sed 's/^/# /' err
    fi
}

succeed() {
    count=$((count + 1))
    if "$build/$1" "${@:2}" >out 2>err </dev/null; then echo "ok $count - $*"; else
        echo "not ok $count - $*"
        sed 's/^/# /' err
    fi
}

flip() { # file, offset: inverts the byte
    local byte
    byte=$(od -An -tu1 -j "$2" -N1 "$1")
    printf '%b' "\\x$(printf %02x $((255 - byte)))" | dd of="$1" bs=1 seek="$2" conv=notrunc 2>/dev/null
}

expect 2 'unknown option' flowhmc --outt x run.cfg
expect 2 'too many' flowhmc run.cfg run.cfg
expect 4 'none.cfg' flowhmc none.cfg
expect 3 'run.cfg:3.*is .steps. meant\|command line.*is .steps. meant' flowhmc --set chain.stepps=3 run.cfg
sed 's/^updates/update/' run.cfg >singular.cfg
expect 3 "singular.cfg:4: update: unknown key: is 'updates' meant" flowhmc singular.cfg
expect 3 'betta' flowhmc --set 'action.[0].betta=3.0' run.cfg
expect 3 'seed' flowhmc --set 'chain.seed="seven"' run.cfg
sed '2s/.*/operators = ( { name = "light"; kind = "wilson"; kappa = 0.2; } ); action = ( { kind = "determinant"; operator = "light"; } );/' run.cfg >quarks.cfg
expect 3 'quarks.cfg:2: operators: there are no quarks in 3 dimensions' flowhmc --set 'lattice.size=[8,8,8]' quarks.cfg
expect 3 'command line: operators.\[0\].csw: .*no clover term' flowhmc --set 'operators.[0].csw=1.0' quarks.cfg
expect 3 'quarks.cfg:2: operators: .*periodic lattices alone' flowhmc --set 'lattice.boundary=["periodic","open"]' quarks.cfg
expect 3 'action.\[0\].operator: .*is .light. meant' flowhmc --set 'action.[0].operator=ligth' quarks.cfg
expect 3 'size' flowhmc --set 'lattice.size=[-8,8]' run.cfg
expect 3 'is .hmc. meant\|nearest\|hmc' flowhmc --set 'updates.[0].kind=hmcc' run.cfg
expect 3 'lattice.group: this key is required' flowhmc /dev/stdin
echo 'lattice = { group = "u1"; size = [8, 8; };' >broken.cfg
expect 3 'broken.cfg:1' flowhmc broken.cfg
expect 3 'dimension' flowhmc --set 'lattice.size=[8,8,8]' flow.cfg
expect 3 'observable\|not known' flowhmc --set 'measure.observables=["plaquete"]' run.cfg
mpirun_ranks=4
expect 3 'divide' flowhmc --set 'lattice.size=[6,6]' --set 'lattice.ranks=[4,1]' run.cfg
expect 3 'ranks' flowhmc --set 'lattice.ranks=[2,1]' run.cfg
expect 4 'none.h5.*looked for ./none.h5, .*models/none.h5' flowhmc --set 'updates.[0].model=none.h5' flow.cfg
mpirun_ranks=1

expect 4 'none.h5' flowhmc --set 'updates.[0].model=none.h5' flow.cfg
head -c 3000 model.h5 >short.h5
expect 5 'short.h5' flowhmc --set 'updates.[0].model=short.h5' flow.cfg
cp model.h5 flipped.h5
flip flipped.h5 20000
expect 5 'flipped.h5' flowhmc --set 'updates.[0].model=flipped.h5' flow.cfg
expect 5 'run.cfg' flowhmc --set 'updates.[0].model=run.cfg' flow.cfg
expect 3 'dimension' flowhmc --set 'lattice.size=[8,8,8]' --set 'measure.observables=["plaquette"]' flow.cfg

succeed flowhmc --quiet --out good run.cfg
expect 3 'resume' flowhmc --out good run.cfg
expect 3 'beta\|seed' flowhmc --out good --resume --set chain.seed=4 run.cfg
succeed flowhmc --quiet --out good --resume --set chain.steps=30 run.cfg
cp good/checkpoint.h5 whole.h5
head -c 2000 whole.h5 >good/checkpoint.h5
expect 5 'checkpoint.h5' flowhmc --out good --resume --set chain.steps=40 run.cfg
cp whole.h5 good/checkpoint.h5
flip good/checkpoint.h5 4000
expect 5 'checkpoint.h5' flowhmc --out good --resume --set chain.steps=40 run.cfg
cp model.h5 good/checkpoint.h5
expect 5 'checkpoint' flowhmc --out good --resume --set chain.steps=40 run.cfg
cp whole.h5 good/checkpoint.h5
succeed flowhmc --quiet --out good --resume --set chain.steps=40 run.cfg

config=$(find good/configs -name '*.h5' | sort | head -n 1)
cp "$config" start.h5
succeed flowhmc --quiet --out from-file --set chain.start=start.h5 run.cfg
expect 4 'none.h5' flowhmc --out x1 --set chain.start=none.h5 run.cfg
expect 3 'start.h5: is of u1 on 8 x 8' flowhmc --out x2 --set chain.start=start.h5 --set 'lattice.size=[8,12]' run.cfg
cp start.h5 bad.h5
flip bad.h5 2500
expect 5 'bad.h5' flowhmc --out x3 --set chain.start=bad.h5 run.cfg
head -c 1500 start.h5 >bad.h5
expect 5 'bad.h5' flowhmc --out x4 --set chain.start=bad.h5 run.cfg

echo 'measure = { observables = [ "plaquette", "charge" ]; };' >meas.cfg
succeed flowmeas meas.cfg "$config"
expect 3 'are both number' flowmeas meas.cfg start.h5 "$config"
expect 5 'bad.h5' flowmeas meas.cfg bad.h5
expect 4 'none.h5' flowmeas meas.cfg none.h5
expect 2 'missing' flowmeas meas.cfg

expect 6 'forth and back' flowhmc --out chaos --set 'action.[0].beta=500.0' --set 'updates.[0].trajectory=20.0' run.cfg

# A fault of the program itself.
count=$((count + 1))
"$build/tests/lattice" misfit >out 2>err </dev/null
if [ $? = 3 ] && grep -q '^flowhmc: a field in float .* lay the lattice out for float' err; then echo "ok $count - exit 3: $(head -n 1 err)"; else
    echo "not ok $count - a field in float on a lattice laid out for double"
    sed 's/^/# /' err
fi

# Pipes that nobody writes into are waited for by nobody.
mkfifo pipe
expect 4 'pipe: is a pipe' flowhmc pipe
expect 4 'pipe: is no regular file' flowhmc --out x5 --set chain.start=pipe run.cfg
expect 4 'pipe: is no regular file' flowmeas meas.cfg pipe
expect 4 'pipe: is no regular file' flowhmc --set 'updates.[0].model=pipe' flow.cfg
for name in config.cfg log.txt checkpoint.h5 history.h5 trajectories.txt trajectories.h5; do
    cp -r good "pipe-$name"
    rm "pipe-$name/$name"
    mkfifo "pipe-$name/$name"
    expect 4 "$name" flowhmc --out "pipe-$name" --resume --set chain.steps=50 run.cfg
done
# Links where temporary files should be are not followed.
cp -r good linked
echo kept >kept
for name in config.cfg checkpoint.h5 history.h5 summary.json; do ln -s ../kept "linked/$name.tmp"; done
succeed flowhmc --quiet --out linked --resume --set chain.steps=50 run.cfg
count=$((count + 1))
if [ "$(cat kept)" = kept ]; then echo "ok $count - and what links led to is kept"; else echo "not ok $count - a link was followed"; fi
(
    ulimit -v 4000000
    if "$build/flowhmc" --version >/dev/null 2>&1; then
        expect 3 'memory: no' flowhmc --out x6 --set 'lattice.size=[65536,32768]' run.cfg
    else
        echo "ok $((count + 1)) # SKIP no program begins with so little memory here"
    fi
)
count=$((count + 1))

touch file
expect 4 'file' flowhmc --out file/run run.cfg
expect 4 'file' flowhmc --out file run.cfg
mkdir small
if mount -t tmpfs -o size=64k tmpfs small 2>/dev/null; then
    mounted=yes
    expect 4 'small' flowhmc --out small/run --set 'lattice.size=[64,64]' run.cfg
else
    count=$((count + 1))
    echo "ok $count # SKIP a full disk: no right to mount a small one"
fi
echo "1..$count"
