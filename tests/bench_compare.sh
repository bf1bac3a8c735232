#!/usr/bin/env bash
# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
#
# tests/bench_compare.sh: scripts/bench-compare finds the row that is slower and not the noise, names rows that are missing, refuses what
# cannot be compared, and runs the benchmarks of two builds in turns.  Skipped without python3.
: "${srcdir=.}"
compare=$(cd "$srcdir/scripts" && pwd)/bench-compare
if ! command -v python3 >/dev/null; then
    echo '1..0 # SKIP no python3'
    exit 0
fi
# shellcheck source=tests/tap.sh
. "${srcdir=.}/tests/tap.sh"
folder=$(mktemp -d bench_compare.XXXXXX) || exit 1
cd "$folder" || exit 1
trap 'cd ..; rm -rf "$folder"' EXIT
unset BENCH_JSON BENCH_BRIEF BENCH_RANKS

# Rows: NAME VALUE SPREAD, separated by commas.  What else is in a file may be changed with sed.
results() { # rows
    printf '{ "benchmark": "stub", "ranks": 1, "brief": false, "build": { "instructions": "AVX2" },\n'
    printf '  "machine": { "cpu": "abacus", "cores": 2, "device": null }, "rows": [\n'
    tr ',' '\n' <<<"$1" | awk '{
        printf "%s    { \"name\": \"%s\", \"unit\": \"us\", \"value\": %s, ", (NR > 1 ? ",\n" : ""), $1, $2
        printf "\"median\": %s, \"spread\": %s }", $2, $3
    }'
    printf '\n] }\n'
}

# Exit code, what is said, arguments of the script.
says() { # name of the test, code, pattern, arguments
    local name=$1 code=$2 pattern=$3 status
    shift 3
    [ "$(status_of "$compare" "$@")" = "$code" ] && cat out err | grep -q -e "$pattern" &&
        { [ "$code" -lt 2 ] || { [ "$(wc -l <err)" = 1 ] && [ ! -s out ]; }; }
    status=$?
    result $status "$name"
}

# --------------------------------------------------------------------------------------------------------------- files

results 'force 10 0.1,halo 5 0.05,sum 2 0.02' >a.json
results 'force 12 0.1,halo 5.05 0.05,sum 2 0.02' >slower.json
results 'force 11 2,halo 4.5 1,sum 2 0.02' >noise.json
results 'force 10 0.1,sum 2 0.02,new 1 0.01' >other.json
says "a file against itself: nothing" 0 '3 rows, geometric mean 1.000, 0 slower, 0 faster, 0 missing' a.json a.json
says "a row that is slower is found" 1 '^  force .* 1.200 .*slower$' a.json slower.json
grep -q '3 rows, geometric mean 1.066, 1 slower, 0 faster, 0 missing' out && [ "$(grep -c 'slower$' out)" = 1 ]
result $? "and is the only one; the geometric mean is that of the three ratios"
says "the other way round it is faster" 0 '^  force .* 0.833 .*faster$' slower.json a.json
says "noise is not reported" 0 ' 0 slower, 0 faster, 0 missing' a.json noise.json
says "--least: small changes are none" 0 ' 0 slower' --least 25 a.json slower.json
says "a row that B has not" 1 '^  missing in B: halo$' a.json other.json
grep -q '^  missing in A: new$' out && grep -q '2 rows, .* 2 missing' out
result $? "and one that A has not"

# ------------------------------------------------------------------------------------------------------------- refusals

sed 's/AVX2/SSE/' a.json >sse.json
sed 's/abacus/Z3/' a.json >machine.json
sed 's/"ranks": 1/"ranks": 2/' a.json >ranks.json
sed 's/false/true/' a.json >brief.json
sed 's/"us"/"ms"/' a.json >unit.json
says "instruction sets that differ" 3 'instruction sets differ: AVX2 and SSE: --mixed' a.json sse.json
says "machines that differ" 3 'machines differ: abacus, 2 cores and Z3, 2 cores: --mixed' a.json machine.json
says "both, where told so" 0 '3 rows' --mixed a.json machine.json
says "numbers of ranks differ, whatever was told" 3 'numbers of ranks differ: 1 and 2$' --mixed a.json ranks.json
says "a measurement against none" 3 'BENCH_BRIEF' --mixed a.json brief.json
broken() { # name, pattern; the file is on stdin
    cat >broken.json
    says "broken: $1" 5 "^bench-compare: broken.json: .*$2" a.json broken.json
}
broken "the end is missing" '' < <(head -c 300 a.json)
broken "empty" '' </dev/null
broken "a list" 'not an object' < <(printf '[1, 2]')
broken "no text" '' < <(printf '\377\376')
broken "a hundred thousand brackets" '' < <(head -c 100000 /dev/zero | tr '\0' '[')
broken "NaN" 'NaN' < <(sed 's/"value": 10,/"value": NaN,/' a.json)
broken "infinite" 'force' < <(sed 's/"value": 10,/"value": 1e999,/' a.json)
broken "no time at all" 'force' < <(sed 's/"value": 10,/"value": 0,/' a.json)
broken "a time in words" 'force' < <(sed 's/"value": 10,/"value": "ten",/' a.json)
broken "a key is missing" 'cores' < <(sed 's/"cores": 2,//' a.json)
broken "a name twice" 'two rows' < <(sed 's/halo/force/' a.json)
broken "no rows" 'no rows' < <(results '' | sed '3d')
broken "a name that commands the terminal" 'printed' < <(sed 's/halo/\\u001b[31m/' a.json)
sed 's/abacus/aba\\ncus/' a.json >broken.json
says "a machine of two lines" 5 "'cpu' is no line of text" a.json broken.json
mkfifo pipe
says "a pipe: nobody waits for it" 4 'pipe: not a file' a.json pipe
truncate -s 20000000 broken.json
says "a file too large" 5 'too large' a.json broken.json
says "a file that is not there" 4 '^bench-compare: none.json: No such file' a.json none.json
says "units that differ" 5 'different units' a.json unit.json
says "one argument" 2 'see --help' a.json
says "a file and a build" 2 'two builds or two files' a.json .
says "too few rounds" 2 '--rounds 5' --rounds 5 a.json a.json
says "an unknown option" 2 'see --help' --fast a.json a.json
says "--help has an example" 0 '^ *scripts/bench-compare --only gauge_kernels --rounds 9 ../before/build build' --help

# -------------------------------------------------------------------------------------------------------------- builds

# A benchmark of a build: the time of its row "force"; that of the other one changes from run to run.
# shellcheck disable=SC2016
stub() { # build, benchmark, time of "force"
    mkdir -p "$1/tests/bench"
    {
        printf '#!/bin/sh\necho %s >>"%s/order"\nn=$(wc -l <"%s/order")\n' "$1" "$PWD" "$PWD"
        printf 'noise=$(awk -v n="$n" "BEGIN { print 5 + (n * 7 %% 5 - 2) / 10 }")\n'
        printf 'sed "s/NOISE/$noise/g" >"$BENCH_JSON" <<END\n%s\nEND\n' "$(results "force $3 0.1,halo NOISE 0.1")"
    } >"$1/tests/bench/$2"
    chmod +x "$1/tests/bench/$2"
}
printf '#!/bin/sh\n[ "$1 $2" = "-n 1" ] || exit 1\nshift 2\nexec "$@"\n' >launcher
chmod +x launcher
export MPIRUN=$PWD/launcher
stub before stub 10
stub after stub 11
says "two builds: what is slower is found" 1 '^  force  *10  *11 us  *1.100  1.100 1.100  slower$' --rounds 6 before after
grep -q '^stub: 6 rounds$' out && grep -q ' 1 slower, 0 faster, 0 missing' out
result $? "and nothing in the noise"
[ "$(tr '\n' ' ' <order)" = 'before after after before before after after before before after after before ' ]
result $? "they run in turns"
stub before gone 1
says "a benchmark that one build has not" 1 '^benchmark in one build only: gone$' --rounds 6 before after
says "and asked for by name" 4 'after/tests/bench/gone: is not there' --only gone before after
printf '#!/bin/sh\necho "flowhmc: the disk is full" >&2\nexit 4\n' >after/tests/bench/stub
says "a benchmark that fails" 6 'after/tests/bench/stub: exit code 4: flowhmc: the disk is full' before after
printf '#!/bin/sh\n' >after/tests/bench/stub
says "a benchmark without results" 4 'after/tests/bench/stub: wrote no results' before after
mkdir none
says "a folder that is no build" 4 'make bench' none after
echo "1..$count"
