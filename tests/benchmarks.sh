#!/usr/bin/env bash
# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
#
# tests/benchmarks.sh: every benchmark of tests/bench runs to its end and prints numbers; once, and on small lattices.
: "${MPIRUN=mpirun}" "${MPIRUN_FLAGS=--oversubscribe --bind-to none}"
build=$PWD
# shellcheck source=tests/tap.sh
. "${srcdir=.}/tests/tap.sh"
folder=$(mktemp -d benchmarks.XXXXXX) || exit 1
cd "$folder" || exit 1
trap 'cd ..; rm -rf "$folder"' EXIT
export BENCH_BRIEF=yes

# Ranks, name, what comes with a number, arguments.
runs() {
    local ranks=$1 name=$2 pattern=$3 status
    shift 3
    # Word splitting is wanted: these are commands with their flags.
    # shellcheck disable=SC2086
    timeout 60 $MPIRUN $MPIRUN_FLAGS -n "$ranks" "$build/tests/bench/$name" "$@" >out 2>err </dev/null &&
        grep -q -e "$pattern" out && ! grep -q -i -w -e 'nan' out
    status=$?
    result $status "$(echo "$name" "$@"): ranks: $ranks"
}

runs 1 determinant 'both  *[0-9.]* ms per member'
runs 2 files 'copy  *[0-9.]* MB/s'
runs 1 flow_kernels 'training step, networks alone: [0-9.]* ms'
runs 1 gauge_kernels 'OMF4, 3 steps  *[0-9.]* s' 4
runs 2 gauge_kernels 'OMF4, 3 steps  *[0-9.]* s' 4
runs 2 scaling 'force  *[0-9.]* ms'
runs 2 training 'training step  *[0-9.]* ms'
runs 1 updates 'overrelaxation sweep [0-9.]*'
runs 1 device 'training step.*: [0-9.]* ms\|no GPU' 4 64
echo "1..$count"
