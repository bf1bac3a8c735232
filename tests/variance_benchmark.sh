#!/usr/bin/env bash
# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
#
# scripts/variance-benchmark runs from end to end with next to no statistics, goes on where it was stopped, and fails in one line where it cannot run.
# shellcheck source=tests/tap.sh
. "${srcdir=.}/tests/tap.sh"
script=$srcdir/scripts/variance-benchmark
folder=$(mktemp -d variance.XXXXXX) || exit 1
trap 'rm -rf "$folder"' EXIT
said=$folder

"$script" --smoke --programs . --out "$folder/bench" >"$folder/table" 2>"$folder/log" </dev/null
status=$?
result $status "a run from end to end"
[ $status = 0 ] || sed 's/^/# /' "$folder/log"
[ "$(grep -c "^[46]x.* 6.0 " "$folder/table")" = 5 ] && grep -q "b6.0-large: 6 configurations; core-seconds" "$folder/table"
result $? "a row for each lattice and its coefficients"
rm "$folder/bench/table.txt"
"$script" --smoke --programs . --out "$folder/bench" 2>"$folder/log" </dev/null | head -n 6 >"$folder/again"
head -n 6 "$folder/table" | cmp - "$folder/again" && [ "$(grep -c configurations "$folder/log")" = 0 ]
result $? "nothing is generated twice"
[ "$(status_of "$script" --smoke --programs "$folder" --out "$folder/none")" = 1 ] && [ "$(wc -l <"$folder/err")" = 1 ] && grep -q 'run scripts/build' "$folder/err"
result $? "without programs it says so"
[ "$(status_of "$script" --fast)" = 2 ] && grep -q 'options are' "$folder/err"
result $? "other options are refused"
echo "1..$count"
