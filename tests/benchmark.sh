#!/usr/bin/env bash
# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
#
# scripts/autocorr-benchmark runs from end to end with next to no statistics, writes all columns for all methods, does
# not run again what is finished, knows SU(2) and the Schwinger model too, and fails in one line where it cannot run.  Skipped without python3, numpy and h5py.
: "${srcdir=.}"
script=$srcdir/scripts/autocorr-benchmark
if ! /usr/bin/python3 -c 'import numpy, h5py' 2>/dev/null && ! python3 -c 'import numpy, h5py' 2>/dev/null; then
    echo '1..0 # SKIP no python3 with numpy and h5py'
    exit 0
fi
# shellcheck source=tests/tap.sh
. "${srcdir=.}/tests/tap.sh"
folder=$(mktemp -d benchmark.XXXXXX) || exit 1
trap 'rm -rf "$folder"' EXIT
said=$folder

# The value of a column in the row of a method.
value() { # method, column[, folder]
    awk -F, -v method="$1" -v column="$2" 'NR == 1 { for (i = 1; i <= NF; i++) place[$i] = i }
        NR > 1 && $place["method"] == method { print $place[column] }' "$folder/${3:-out}/results.csv"
}

# One line on stderr that matches the pattern, and no success.
refused() { # pattern, options
    local pattern=$1
    shift
    "$script" --smoke --out "$folder/refused" "$@" >"$folder/said" 2>"$folder/err" </dev/null && return 1
    [ "$(wc -l <"$folder/err")" = 1 ] && grep -q -e "$pattern" "$folder/err"
}

"$script" --smoke --programs . --out "$folder/out" >"$folder/log" 2>&1 </dev/null
status=$?
result $status "a run from end to end"
[ $status = 0 ] || sed 's/^/# /' "$folder/log"

head -1 "$folder/out/results.csv" | tr ',' '\n' | sort >"$folder/columns"
for column in size beta method settings updates acceptance ess ess_error tau_q tau_q_error tau_q2 tau_plaquette \
    tau_loop core_seconds_per_update joules_per_update cost_core_seconds cost_slowest_core_seconds \
    training_core_seconds break_even_samples verdict q2 q2_exact q2_pull plaquette_pull loop_pull charge_p_value \
    log_z log_z_exact log_z_pull; do
    grep -qx "$column" "$folder/columns" || echo "$column"
done >"$folder/missing"
[ ! -s "$folder/missing" ]
result $? "all columns are there"
sed 's/^/# missing: /' "$folder/missing"

for method in hmc heatbath winding direct flow fthmc; do
    [ "$(value $method size)" = 8 ]
    result $? "a row for $method"
done
for method in hmc heatbath winding direct flow; do
    tau=$(value $method tau_q) seconds=$(value $method core_seconds_per_update) cost=$(value $method cost_core_seconds)
    awk -v tau="$tau" -v cost="$cost" -v seconds="$seconds" 'BEGIN {
        ratio = cost / (tau * seconds)
        exit !(tau > 0.2 && tau < 100 && seconds > 0 && ratio > 1.99 && ratio < 2.01)
    }'
    result $? "$method: cost is 2 tau_int(Q) times core-seconds per update"
done
awk -v ess="$(value direct ess)" 'BEGIN { exit !(ess > 0.4 && ess < 0.52) }'
result $? "the direct sampler's ESS is that of its formula"
awk -v pull="$(value flow log_z_pull)" 'BEGIN { exit !(pull > -5.5 && pull < 5.5 && pull != "") }'
result $? "ln Z of the flow"
grep -q 'flow + Metropolis' "$folder/out/table.txt" && grep -q '^| 8 | 2 | HMC' "$folder/out/table.md"
result $? "tables in text and markdown"

"$script" --smoke --programs . --out "$folder/out" >"$folder/log" 2>&1 </dev/null &&
    ! grep 'updates of' "$folder/log" | grep -qv 'was there'
result $? "what is finished is not run again"

"$script" --theory schwinger --smoke --programs . --out "$folder/quarks" >"$folder/log" 2>&1 </dev/null
status=$?
result $status "the Schwinger model from end to end"
[ $status = 0 ] || sed 's/^/# /' "$folder/log"
for method in hmc winding pseudofermions flow flow_winding; do
    # against the reference, or the other methods; exceptions of the short runs are not to be taken for faults
    awk -v q2="$(value $method q2 quarks)" -v plaquette="$(value $method plaquette quarks)" 'BEGIN {
        exit !(q2 > 0.05 && q2 < 0.7 && plaquette > 0.73 && plaquette < 0.78) }'
    result $? "$method: plaquette and charge squared"
done
[ "$(value hmc q2_exact quarks)" = 0.2464 ] && [ -z "$(value flow log_z_exact quarks)" ]
result $? "what quarks are compared with"

"$script" --theory su2 --smoke --programs . --out "$folder/colour" >"$folder/log" 2>&1 </dev/null
status=$?
result $status "SU(2) from end to end"
[ $status = 0 ] || sed 's/^/# /' "$folder/log"
for method in hmc heatbath flow; do
    awk -v plaquette="$(value $method plaquette colour)" -v exact="$(value $method plaquette_exact colour)" \
        -v tau="$(value $method tau colour)" -v line="$(value $method tau_line colour)" 'BEGIN {
        exit !(plaquette > exact - 0.02 && plaquette < exact + 0.02 && exact > 0.4 && (tau == "" || tau >= line)) }'
    result $? "$method: plaquette, and tau of what is slowest"
done
awk -v pull="$(value flow log_z_pull colour)" 'BEGIN { exit !(pull > -5.5 && pull < 5.5 && pull != "") }'
result $? "ln Z of the flow of SU(2)"

"$script" --theory schwinger --beta 2 --out "$folder/refused" 2>&1 | grep -q 'has one coupling'
result $? "couplings of a theory that has one"
refused 'is not there: run scripts/build' --programs "$folder"
result $? "without programs: one line"
"$script" --help | grep -q -- '--quick --beta'
result $? "help has an example"
echo "1..$count"
