#!/bin/bash
# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
#
# flowstat: the command line, its exit codes, and its two kinds of output.
# shellcheck source=tests/tap.sh
. "${srcdir=.}/tests/tap.sh"
folder=$(mktemp -d flowstat.XXXXXX) || exit 1
trap 'rm -rf "$folder"' EXIT
said=$folder
expect() { ends flowstat "$@"; }

# An AR(1) chain with tau_int = 9.5, a charge that hops, and a column that stands still.
chain() { # seed, rows
    awk -v seed="$1" -v rows="$2" 'BEGIN {
        srand(seed)
        print "# a chain\nplaquette charge frozen"
        for (i = 0; i < rows; i++) {
            x = 0.9 * x + rand() + rand() + rand() - 1.5
            if (rand() < 0.1) q = int(5 * rand()) - 2
            printf "%.10f %d 3\n", 0.7 + 0.01 * x, q
        }
    }' /dev/null
}
chain 1 20000 >"$folder/a.dat"
chain 2 16000 >"$folder/b.dat"
printf 'plaquette\n1\n2\n' >"$folder/c.dat"
printf '1 2\n3\n' >"$folder/ragged.dat"

expect 0 'flowstat [0-9]' --version
expect 0 'flowstat --skip 500' --help
expect 0 'plaquette  *0\.[67][0-9()]*  *[0-9.()]*  *[0-9]*  *20000' "$folder/a.dat"
expect 0 'frozen never changes' "$folder/a.dat"
expect 0 '^-2  ' "$folder/a.dat"
expect 0 '15000 rows of 2 replicas' --replicas --skip 1000 "$folder/a.dat" "$folder/b.dat"
expect 0 'b.dat: 16000 rows' "$folder/a.dat" "$folder/b.dat"
expect 0 '^charge ' --column=charge -- "$folder/a.dat"
! grep -q plaquette "$folder/out"
result $? "--column: no other column"
expect 2 'is --skip meant' --skp 3 "$folder/a.dat"
expect 2 'needs a value' "$folder/a.dat" --column
expect 2 'number of rows' --skip -1 "$folder/a.dat"
expect 2 'takes no value' --json=yes "$folder/a.dat"
expect 2 'file is missing'
expect 3 'is .plaquette. meant' --column plaqette "$folder/a.dat"
expect 3 'lower --skip' --skip 20000 "$folder/a.dat"
expect 3 'different columns' --replicas "$folder/a.dat" "$folder/c.dat"
expect 4 'nobody' "$folder/nobody.dat"
expect 4 'history.h5' "$folder"
expect 5 'ragged.dat:2:' "$folder/ragged.dat"

./flowstat --json --skip 100 "$folder/a.dat" "$folder/b.dat" >"$folder/out"
awk '/"tau_int":/ { n++; tau[n] = $2 + 0 } /"rows": 1[59]900/ { rows++ } /"charge_distribution"/ { charges++ }
    END { exit !(n == 6 && rows == 2 && charges == 2 && tau[1] > 5 && tau[1] < 16 && tau[3] == 0) }' "$folder/out"
result $? "--json: two results, tau_int of AR(1) within 5 standard deviations, of a constant null"
echo "1..$count"
