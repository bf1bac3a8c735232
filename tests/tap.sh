#!/bin/bash
# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
#
# tests/tap.sh: what the scripts among the tests share.  Programs write to $said/out and $said/err.
# shellcheck disable=SC2034 # plans are written by those who read this
count=0
said=.

# Status of a condition, name of the test.
result() {
    count=$((count + 1))
    if [ "$1" = 0 ]; then
        echo "ok $count - $2"
    else
        echo "not ok $count - $2"
        cat "$said/out" "$said/err" 2>/dev/null | sed 's/^/# /'
    fi
}

# Program in the current folder, its exit code, what its output has in it, options.  A failure says one line.
ends() {
    local program=$1 code=$2 pattern=$3 status
    shift 3
    "./$program" "$@" >"$said/out" 2>"$said/err" </dev/null
    status=$?
    [ $status = "$code" ] && cat "$said/out" "$said/err" | grep -q -e "$pattern" && { [ "$code" = 0 ] || [ "$(wc -l <"$said/err")" = 1 ]; }
    status="$?:$status"
    result "${status%:*}" "$program ${*//$said\//}: exit code $code"
}

# Command: its exit code as text.
status_of() {
    ("$@") >"$said/out" 2>"$said/err" </dev/null
    echo $?
}
