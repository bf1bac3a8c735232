#!/usr/bin/env bash
# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
#
# tests/benchmarks.sh: every benchmark of tests/bench runs to its end, once and on small lattices; prints numbers, and writes
# results that scripts/bench-compare reads: at least one row, and times that are positive numbers.
: "${MPIRUN=mpirun}" "${MPIRUN_FLAGS=--oversubscribe --bind-to none}" "${srcdir=.}"
build=$PWD
compare=$(cd "$srcdir/scripts" && pwd)/bench-compare
python=$(command -v python3)
# shellcheck source=tests/tap.sh
. "${srcdir=.}/tests/tap.sh"
folder=$(mktemp -d benchmarks.XXXXXX) || exit 1
cd "$folder" || exit 1
trap 'cd ..; rm -rf "$folder"' EXIT
export BENCH_BRIEF=yes

# The results are there, and fit themselves.
has_results() { # file
    [ -s "$1" ] && { [ -z "$python" ] || "$compare" "$1" "$1" >compared 2>>err; }
}

# Ranks, name, what comes with a number, arguments.
runs() {
    local ranks=$1 name=$2 pattern=$3 status
    shift 3
    # Word splitting is wanted: these are commands with their flags.
    # shellcheck disable=SC2086
    BENCH_JSON=$name-$ranks.json timeout 60 $MPIRUN $MPIRUN_FLAGS -n "$ranks" "$build/tests/bench/$name" "$@" >out 2>err </dev/null &&
        grep -q -e "$pattern" out && ! grep -q -i -w -e 'nan\|inf' out && { grep -q '^no GPU' out || has_results "$name-$ranks.json"; }
    status=$?
    result $status "$(echo "$name" "$@"): ranks: $ranks"
}

runs 1 determinant 'both  *[0-9.]* ms per member'
runs 1 dirac 'iteration of CG  *float *[0-9.]* us'
runs 2 dirac 'iteration of BiCGstab  *double *[0-9.]* us'
runs 2 files 'copy  *[0-9.]* MB/s'
runs 1 flow_kernels 'training step, networks alone: [0-9.]* ms'
runs 1 gauge_kernels 'OMF4, 3 steps  *[0-9.]* s' 4
runs 2 gauge_kernels 'OMF4, 3 steps  *[0-9.]* s' 4
runs 2 scaling 'force  *[0-9.]* ms'
runs 2 training 'training step  *[0-9.]* ms'
runs 1 updates 'overrelaxation sweep [0-9.]*'
runs 1 device 'training step.*: [0-9.]* ms\|no GPU' 4 64

if [ "$python" ]; then
    "$python" - gauge_kernels-2.json >out 2>err <<'CHECK'
import json, re, sys
r = json.load(open(sys.argv[1]))
assert r["benchmark"] == "gauge_kernels" and r["ranks"] == 2 and r["brief"] and r["clock"] == "wall"
assert all(isinstance(r["build"][key], str) and r["build"][key] for key in ("version", "compiler", "flags", "instructions"))
assert r["build"]["commit"] is None or re.fullmatch("[0-9a-f]{12,40}(-dirty)?", r["build"]["commit"])
assert "-std=" in r["build"]["flags"] and r["machine"]["cpu"] and r["machine"]["cores"] >= 1
assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", r["date"]) and r["load_average"] >= 0
peak, copy = r["ceilings"]["multiply_adds"], r["ceilings"]["copy"]
assert 0.1 < peak < 1e4 and 0.1 < copy < 1e4
force = next(row for row in r["rows"] if row["name"] == "su3, double, 4^4, force")
assert force["unit"] == "us per link" and force["value"] == force["median"] and force["spread"] == 0 and force["repetitions"] == 1
assert force["ceiling"] in ("multiply_adds", "copy") and 0 < force["share"] < 100
assert not any("share" in row for row in r["rows"] if "OMF4" in row["name"])
CHECK
    result $? "build, machine, ceilings and shares are in the results"
fi
echo "1..$count"
