#!/bin/bash
# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
#
# python: the Python package reads what the programs write.  PYTHON names another interpreter than that of the system.
# shellcheck source=tests/tap.sh
. "${srcdir=.}/tests/tap.sh"
python=${PYTHON-/usr/bin/python3}
if ! "$python" -c 'import h5py, numpy' >/dev/null 2>&1; then
    echo "1..0 # SKIP $python with h5py and numpy is not there (Debian: python3-h5py)"
    exit 0
fi
folder=$(mktemp -d python.XXXXXX) || exit 1
trap 'rm -rf "$folder"' EXIT
said=$folder
cat >"$folder/run.cfg" <<'END'
lattice = { group = "u1"; size = [4, 4]; };
action = ( { kind = "wilson"; beta = 1.0; } );
chain = { seed = 5; steps = 400; thermalise = 20; replicas = 3; };
updates = ( { kind = "heatbath"; }, { kind = "hmc"; steps = 2; } );
measure = { every = 2; observables = [ "plaquette", "gradient_flow", "charge" ];
            gradient_flow = { times = [0.2]; step = 0.1; every = 5; replica = 1; }; };
END
./flowhmc "$folder/run.cfg" --out "$folder/run" --quiet >"$folder/out" 2>"$folder/err" &&
    ./flowstat --json --skip 10 "$folder/run" >"$folder/run.json"
result $? "a run"
export PYTHONPATH=$srcdir/share/python PYTHONDONTWRITEBYTECODE=1
"$python" "$srcdir/tests/python.py" "$folder/run" "$folder/run.json" "$srcdir/share/models/u1-beta6.h5" >"$folder/checks" 2>"$folder/err"
status=$?
while read -r verdict name; do
    cp "$folder/checks" "$folder/out"
    [ "$verdict" = good ]
    result $? "$name"
done <"$folder/checks"
[ "$status" = 0 ]
result $? "the checks ran to their end"

cp "$folder/run/history.h5" "$folder/copy"
printf x | dd of="$folder/run/history.h5" bs=1 seek=3000 conv=notrunc 2>/dev/null
"$python" -m flowhmc.plot "$folder/run" "$folder/run.png" >"$folder/out" 2>"$folder/err"
[ $? = 5 ]
result $? "a damaged history is refused"
if "$python" -c 'import matplotlib' >/dev/null 2>&1; then
    cp "$folder/copy" "$folder/run/history.h5"
    "$python" -m flowhmc.plot "$folder/run" "$folder/run.png" >"$folder/out" 2>"$folder/err" && [ -s "$folder/run.png" ]
    result $? "a picture"
else
    count=$((count + 1))
    echo "ok $count # SKIP $python has no matplotlib"
fi
echo "1..$count"
