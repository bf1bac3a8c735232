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
expect 0 'flowstat --skip 500' -h
expect 0 'plaquette  *0\.[67][0-9()]*  *[0-9.()]*  *[0-9]*  *20000' "$folder/a.dat"
expect 0 'frozen never changes' "$folder/a.dat"
expect 0 '^-2  ' "$folder/a.dat"
expect 0 '19000 + 15000 rows of 2 replicas' --replicas --skip 1000 "$folder/a.dat" "$folder/b.dat"
expect 0 'b.dat: 16000 rows' "$folder/a.dat" "$folder/b.dat"
expect 0 '^charge ' --column=charge -- "$folder/a.dat"
! grep -q plaquette "$folder/out"
result $? "--column: no other column"
expect 2 'is --skip meant' --skp 3 "$folder/a.dat"
expect 2 'needs a value' "$folder/a.dat" --column
expect 2 'number of rows' --skip -1 "$folder/a.dat"
expect 2 'takes no value' --json=yes "$folder/a.dat"
expect 2 'file is missing'
expect 2 'exclude each other' --json --csv "$folder/a.dat"
expect 2 'ends in .svg' --plot "$folder/a.png" "$folder/a.dat"
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

# A chain of three unequal replicas, with what plain sums in the manner of UWerr give for it with S = 1.5; tiny and huge columns.
lengths() {
    awk 'BEGIN {
        seed = 7
        for (r = 0; r < 3; r++)
            for (i = 0; i < (r == 0 ? 1000 : r == 1 ? 3000 : 200); i++) {
                for (k = y = 0; k < 12; k++) { seed = (seed * 16807) % 2147483647; y += seed / 2147483647 }
                x = i ? 9 / 11 * x + y - 6 : (y - 6) * 1.739
                printf "%.12e %.12e %.12e\n", x, x * 1e-150, x * 1e150 >"'"$folder"'/rep" r ".txt"
            }
    }' /dev/null
}
lengths
expect 0 '1000 + 3000 + 200 rows of 3 replicas' --replicas "$folder"/rep?.txt
./flowstat --csv --replicas "$folder"/rep?.txt >"$folder/out" 2>"$folder/err"
result $? "--csv"

# Columns of the table of --csv: path,observable,replicas,n,mean,error,error_error,tau_int,tau_int_error,window,variance,...
# The path has commas of its own.
sed -n 's/^"[^"]*",//p' "$folder/out" | awk -F, -v MEAN=-0.157423901964 -v ERROR=0.0833064402358 -v TAU=5.03032944927 -v SPREAD=0.767919755937 -v WINDOW=29 '
    function near(a, b) { return a / b - 1 < 1e-8 && b / a - 1 < 1e-8 }
    NR == 1 { good = $3 == 4200 && near($4, MEAN) && near($5, ERROR) && near($7, TAU) && near($8, SPREAD) && $9 == WINDOW
              mean = $4; error = $5; tau = $7; variance = $10 }
    NR == 2 { good = good && near($5 * 1e150, error) && near($7, tau) && near($10, variance * 1e-300) }
    NR == 3 { good = good && near($5 / 1e150, error) && near($7, tau) && near($10, variance * 1e300) }
    END { exit !(good && NR == 3) }'
result $? "--replicas of unequal lengths: as UWerr; variances of 1e-300 and 1e300 are kept"

# 60 chains of 100 entries, half a tau_int each.
awk 'BEGIN {
    seed = 11
    for (i = 0; i < 100; i++)
        for (c = 0; c < 60; c++) {
            for (k = y = 0; k < 12; k++) { seed = (seed * 16807) % 2147483647; y += seed / 2147483647 }
            x[c] = i ? 399 / 401 * x[c] + y - 6 : (y - 6) * 10
            printf "%.9f%s", x[c], c < 59 ? " " : "\n"
        }
}' /dev/null >"$folder/short.txt"
./flowstat "$folder/short.txt" >"$folder/out"
[ "$(grep -c 'too few entries' "$folder/out")" -ge 58 ]
result $? "chains that are too short are told"
printf '1\n2\n' >"$folder/two.txt"
expect 0 'column1: too few entries' "$folder/two.txt"
printf '1\n' >"$folder/one.txt"
expect 0 'has a single entry' "$folder/one.txt"

./flowstat --skip 10 --plot "$folder/a.svg" "$folder/a.dat" "$folder/b.dat" >"$folder/out" 2>"$folder/err" &&
    grep -q '^</svg>' "$folder/a.svg" && [ "$(grep -c 'tau_int = ' "$folder/a.svg")" = 4 ] &&
    [ "$(grep -c 'P(Q)' "$folder/a.svg")" = 2 ] && [ "$(grep -c 'never changes' "$folder/a.svg")" = 2 ] &&
    ! grep -q -i 'nan\|inf' "$folder/a.svg"
result $? "--plot"
./flowstat --plot "$folder/model.svg" "$srcdir/share/models/u1-beta6.h5" >"$folder/out" 2>"$folder/err" &&
    grep -q 'ess' "$folder/out" && grep -q '>loss<' "$folder/model.svg"
result $? "--plot of a training"
expect 3 'choose with --column' --plot "$folder/many.svg" "$folder/short.txt" "$folder/short.txt"
expect 4 'nobody/a.svg' --plot "$folder/nobody/a.svg" "$folder/a.dat"

# Without MPI: its first component is one that does not exist.
for program in flowhmc flowtrain flowmeas flowconv flowstat; do
    for option in --help --version -h; do
        OMPI_MCA_pml=nobody OMPI_MCA_ess=nobody PMIX_MCA_gds=nobody ./$program $option >"$folder/out" 2>"$folder/err" || break 2
    done
    [ ! -s "$folder/err" ] || break
done
[ ! -s "$folder/err" ] && [ "$program" = flowstat ]
result $? "--help and --version need no MPI"
OMPI_MCA_pml=nobody OMPI_MCA_ess=nobody ./flowstat "$folder/two.txt" >"$folder/out" 2>"$folder/err"
result $? "flowstat needs no MPI"
echo "1..$count"
