#!/usr/bin/env bash
# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
#
# tests/docs.sh: what the guide says that commands print is what they print.  Last digits are those of one kind of build; others
# skip this.  make check-docs is for all pages.
: "${srcdir=.}"
skip() {
    echo "1..0 # SKIP $1"
    exit 0
}
if ! command -v python3 || ! command -v jq; then skip "python3 and jq are not there" >&3; fi 3>&1 >/dev/null
folder=$(mktemp -d docs.XXXXXX) || exit 1
trap 'rm -rf "$folder"' EXIT
./flowhmc "$srcdir/share/examples/quickstart-hmc.cfg" --quiet --out "$folder/run" --set chain.steps=1 >/dev/null 2>&1
build=$(sed -n 's/^ *"build": "\(.*\)",$/\1/p' "$folder/run/summary.json")
grep -q -F "($build)" "$srcdir/doc/guide.md" || skip "the outputs of doc/guide.md are of another build than '$build'"
echo 1..1
if "$srcdir/scripts/check-docs" . doc/guide.md doc/flowstat.md doc/flowmeas.md >"$folder/out" 2>&1; then
    echo "ok 1 - $(tail -1 "$folder/out")"
else
    echo "not ok 1 - commands of the manual print something else"
    sed 's/^/# /' "$folder/out"
fi
