#!/usr/bin/env bash
# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
#
# tests/golden-runs.sh: a record of bytes.  Short runs of all programs, each on several numbers of ranks, write what they always
# wrote: on all ranks the same, and to the bit what tests/golden/KEY.txt has.  A change of the sources that is to change no
# result leaves these files alone; one that is to change results writes them anew, and says so:
#
#     cd build && make check TESTS=tests/golden-runs.sh                       compares
#     cd build && GOLDEN_WRITE=1 make check TESTS=tests/golden-runs.sh        writes tests/golden/KEY.txt; then git diff tests/golden
#
# The last bits depend on the vectors, the compiler and the C library: KEY (tests/digest key) names them, as
# avx512-gcc12-glibc2.36.  For each key a build of its own: ../configure --with-arch=x86-64-v4, -v3 (avx2), -v2 (sse).  Where there
# is no file for the key, what the ranks wrote is compared with each other only.
#
# A line of the record is the name of a run, what of it, and a SHA-256:
#
#     history      history.h5, the whole file
#     configs      saved configurations, with their names: .h5 all but the attributes `program` and `configuration`, .nersc all but
#                  CREATOR, .ildg from the links on, .openqcd the whole file
#     checkpoint   all but the attributes `config`, `build`, `history_checksum`, `core_seconds`, `measure_core_seconds`, `processor_seconds`, `joules`
#                  and `links_id` (a version, not a result), and `seconds`
#     model        parameters, moments, loss history, description: all but `config`, times and costs
#     summary      summary.json without version, build, ranks, times, costs, paths and the action of a model
#     settings     config.cfg, the whole file: changes when a key of the configuration is added
#     output       what was printed
#     flow         files of flowmeas: .ms.dat the whole file, .h5 its contents
#     FILE         what flowconv wrote: as under configs, .ildg from a file without `program` the whole file
build=$PWD
: "${MPIRUN=mpirun}" "${MPIRUN_FLAGS=--oversubscribe --bind-to none}" "${srcdir=.}"
top=$(cd "$srcdir" && pwd)
# shellcheck source=tests/tap.sh
. "${srcdir=.}/tests/tap.sh"
key=$("$build/tests/digest" key) || exit 1
record=$top/tests/golden/$key.txt
folder=$(mktemp -d golden-runs.XXXXXX) || exit 1
cd "$folder" || exit 1
trap 'cd ..; rm -rf "$folder"' EXIT
shopt -s nullglob

# --------------------------------------------------------------------------------------------------------- running cards

# Runs wait for each other most of the time, so that several are under way.
cards=()
begin() { # ranks, folder of the run, program, its arguments
    while [ "$(jobs -rp | wc -l)" -ge 4 ]; do wait -n; done
    (
        cd "$2" || exit
        # Word splitting is wanted: these are commands with their flags.
        # shellcheck disable=SC2086
        if [ "$1" = 1 ]; then
            "$build/$3" "${@:4}"
        else
            $MPIRUN $MPIRUN_FLAGS -n "$1" "$build/$3" "${@:4}"
        fi >out 2>err </dev/null
        echo $? >code
    ) &
}

# A card: numbers of ranks, name, file for the card or "", program, its arguments.  The card itself is read from here.
card() {
    local ranks name=$2 file=$3 text
    text=$(cat)
    cards+=("$name")
    for ranks in $1; do
        mkdir "$name.$ranks"
        [ -z "$file" ] || echo "$text" >"$name.$ranks/$file"
        begin "$ranks" "$name.$ranks" "${@:4}"
    done
}

# ------------------------------------------------------------------------------------------------------- what is hashed

hash() { sha256sum | cut -d ' ' -f 1; }
contents() { "$build/tests/digest" contents "$@"; }

# A configuration as it was before it was told which version wrote it.
configuration() {
    case $1 in
        *.h5) contents "$1" program configuration ;;
        *.nersc) LC_ALL=C sed '/^CREATOR = /d' "$1" | hash ;;
        *.ildg) tail -c "+$(LC_ALL=C grep -abo ildg-binary-data "$1" | head -n 1 | cut -d : -f 1)" "$1" | hash ;;
        *) hash <"$1" ;;
    esac
}

without='"(version|build|action|ranks|seconds|core_seconds|measure_core_seconds|processor_seconds|training_core_seconds|joules|per_independent_sample|file|path)":'
entry() { # what, file, command that hashes it and its arguments: a line, if there is such a file
    [ ! -e "$2" ] || echo "$1 $("${@:3}")"
}
hash_file() { hash <"$1"; }
hash_configs() {
    local file
    for file in "$1"/*; do echo "${file##*/} $(configuration "$file")"; done | hash
}
hash_summary() { grep -Ev "$without" "$1" | hash; }
hash_flow() { { hash_file "$1/flowr1.ms.dat" && contents "$1/flowr1.h5"; } | hash; }
hash_output() { grep -v '^# backend' "$1" | hash; }

entries() { # folder of a run: lines `what hash`
    local file
    entry history "$1/run/history.h5" hash_file "$1/run/history.h5"
    entry configs "$1/run/configs" hash_configs "$1/run/configs"
    entry checkpoint "$1/run/checkpoint.h5" contents "$1/run/checkpoint.h5" config build history_checksum core_seconds measure_core_seconds processor_seconds joules links_id seconds
    entry model "$1/model.h5" contents "$1/model.h5" config training_core_seconds
    entry summary "$1/run/summary.json" hash_summary "$1/run/summary.json"
    entry settings "$1/run/config.cfg" hash_file "$1/run/config.cfg"
    entry flow "$1/flowr1.ms.dat" hash_flow "$1"
    entry output "$1/printed" hash_output "$1/out"
    for file in "$1"/converted.*; do
        case $file in
            *whole.ildg) echo "${file##*/} $(hash_file "$file")" ;;
            *) echo "${file##*/} $(configuration "$file")" ;;
        esac
    done
}

# Did all runs of a card end well, with the same bytes?  What they wrote is appended to what was found.
check_ranks() {
    local name=$1 run status=0 first=
    for run in "$name".*; do
        entries "$run" >"$run/entries"
        [ "$(cat "$run/code")" = 0 ] && [ -s "$run/entries" ] || status=1
        sed "s|^|on ${run##*.}: |" "$run/err"
        : "${first:=$run}"
        cmp "$first/entries" "$run/entries" && diff "$first/entries" "$run/entries" || status=1
        [ ! -d "$first/run/configs" ] || diff -rq "$first/run/configs" "$run/run/configs" || status=1
    done >out 2>&1
    : >err
    result $status "$name: the same on $(for run in "$name".*; do echo -n "${run##*.} "; done)ranks"
    sed "s/^/$name /" "$first/entries" >>found
}

check_record() { # name
    grep "^$1 " found >new
    grep "^$1 " "$record" >old
    diff old new >out 2>err && [ -s old ]
    result $? "$1: as recorded"
}

all_checks() {
    local name
    wait
    for name in "${cards[@]}"; do
        check_ranks "$name"
        if [ -z "${GOLDEN_WRITE-}" ] && [ -e "$record" ]; then check_record "$name"; fi
    done
    cards=()
}

# --------------------------------------------------------------------------------------------------------------- flowhmc

chain() { # numbers of ranks, name, lattice, action, chain, updates, observables, more
    local chain=$5
    case $chain in *' steps '* | 'steps '*) ;; *) chain+=' steps = 4;' ;; esac
    card "$1" "$2" run.cfg flowhmc --quiet run.cfg <<END
lattice = { $3 };
action  = ( $4 );
chain   = { seed = 11; checkpoint_every = 3; $chain };
updates = ( $6 );
measure = { observables = [ $7 ]; };
${8-}
END
}

wilson='{ kind = "wilson"; beta = 2.2; }'
weak='{ kind = "wilson"; beta = 5.9; }'
leapfrog='{ kind = "hmc"; trajectory = 0.4; steps = 4; integrator = "leapfrog"; }'
omf2='{ kind = "hmc"; trajectory = 0.5; steps = 3; randomise = 0.3; }'
omf4='{ kind = "hmc"; trajectory = 0.6; steps = 2; integrator = "omf4"; }'
sweeps='{ kind = "heatbath"; }, { kind = "overrelax"; count = 2; }'
nested='{ kind = "hmc"; trajectory = 0.4; steps = [3, 2]; integrator = "leapfrog"; },
    { kind = "hmc"; trajectory = 0.5; steps = [2, 2]; }, { kind = "hmc"; trajectory = 0.5; steps = [2, 1]; integrator = "omf4"; }'
loops='"plaquette", "rectangle", "polyakov", "wilson_loop_2x2"'
flow() { echo "{ kind = \"flow\"; model = \"$1\"; batch = 32; }"; }
fthmc() { echo "{ kind = \"fthmc\"; model = \"$1\"; trajectory = 0.1; steps = 5; randomise = 0.2; integrator = \"$2\"; }"; }

chain '1 2 4' u1-2d 'group = "u1"; size = [8, 8];' "$wilson" 'thermalise = 2; replicas = 3; save_every = 1;' \
    "$leapfrog, $omf2, $omf4, $sweeps, { kind = \"instanton\"; hits = 3; }, { kind = \"direct\"; }" "$loops, \"charge\", \"wilson_loop_3x1\""
chain '1 2' u1-2d-direct 'group = "u1"; size = [6, 10];' "$wilson" 'replicas = 20;' '{ kind = "direct"; }' '"charge"'
chain '1 2' u1-2d-open 'group = "u1"; size = [8, 6]; boundary = ["periodic", "open"];' "$wilson" 'save_every = 2;' "$omf2, $sweeps" '"plaquette"'
chain '1 2' u1-3d 'group = "u1"; size = [4, 6, 8];' "$wilson" 'start = "cold"; save_every = 4;' "$leapfrog, $sweeps" "$loops"
chain '1 2' u1-3d-levels 'group = "u1"; size = [4, 4, 6];' \
    '{ kind = "luescher_weisz"; beta = 1.1; }, { kind = "wilson"; beta = 0.7; level = 1; }' 'replicas = 2; save_every = 4;' "$nested" "$loops"
chain '1 2' u1-4d-defect 'group = "u1"; size = [4, 4, 4, 4]; defect = { direction = 1; size = [2, 2, 4]; coupling = 0.4; };' "$wilson" \
    'save_every = 4;' "$omf4, $sweeps" "$loops"
chain '1 2' su2-2d 'group = "su2"; size = [8, 8];' "$wilson" 'replicas = 2; save_every = 4;' "$leapfrog, $omf2, $omf4, $sweeps" "$loops"
chain '1 2' su2-3d-improved 'group = "su2"; size = [4, 4, 6];' '{ kind = "improved"; beta = 1.9; c1 = -0.1; }' 'save_every = 4;' "$omf2, $omf4" "$loops"
chain '1 2' su2-3d-open 'group = "su2"; size = [4, 6, 4]; boundary = ["open", "periodic", "periodic"];' "$wilson" 'save_every = 4;' \
    "$leapfrog, $sweeps" '"plaquette"'
chain '1 2 4' su2-4d 'group = "su2"; size = [4, 4, 4, 6];' "$wilson" 'thermalise = 1; save_every = 2;' "$omf2, $sweeps" "$loops"
chain '1 2' su3-2d 'group = "su3"; size = [4, 8];' "$weak" 'replicas = 2; save_every = 4;' "$leapfrog, $sweeps" "$loops"
chain '1 2' su3-3d-defect 'group = "su3"; size = [4, 4, 4]; defect = { size = [2, 4]; coupling = 0.5; };' "$weak" 'save_every = 4;' \
    "$omf2, $omf4, $sweeps" "$loops"
chain '1 2' su3-4d-levels 'group = "su3"; size = [4, 4, 4, 4];' '{ kind = "wilson"; beta = 4.0; }, { kind = "iwasaki"; beta = 1.3; level = 1; }' \
    'save_every = 4;' "$nested" "$loops"
chain '1 2 4' su3-4d 'group = "su3"; size = [4, 4, 4, 6];' "$weak" 'save_every = 2;' "$omf2, $omf4, $sweeps" "$loops"
chain '1 2' su3-4d-nersc 'group = "su3"; size = [4, 4, 4, 6]; boundary = ["periodic", "periodic", "periodic", "open"];' "$weak" \
    'save_every = 2; save_format = "nersc";' "$omf2, $sweeps" '"plaquette"'
chain '1 2' su2-4d-ildg 'group = "su2"; size = [4, 4, 4, 4];' "$wilson" 'save_every = 2; save_format = "ildg";' "$sweeps" '"plaquette"'
chain '1 2' u1-flow 'group = "u1"; size = [8, 8];' "$wilson" 'replicas = 2; save_every = 2; steps = 40;' "$(flow u1-beta2.h5), $sweeps" '"plaquette", "charge"'
chain '1 2 4' u1-flow-float 'group = "u1"; size = [8, 12];' "$wilson" 'save_every = 2;' "$(flow u1-beta2.h5), $omf2" '"charge"' 'precision = "float";'
chain '1 2 4' u1-fthmc 'group = "u1"; size = [8, 8];' "$wilson" 'save_every = 2; replicas = 2;' \
    "$(fthmc u1-beta2.h5 leapfrog), $(fthmc u1-beta2.h5 omf2), $(fthmc u1-beta2.h5 omf4)" '"plaquette", "charge"'
all_checks
# ------------------------------------------------------------------------- what begins from files: flowhmc, the others

mkdir stored
# What is converted: a field of MILC's, and what flowhmc saved.
"$build/tests/digest" milc golden.milc
result $? "a file of MILC"

chain '1 2' start-h5 'group = "su3"; size = [4, 4, 4, 6];' "$weak" 'start = "../su3-4d.1/run/configs/step-0000000004.h5"; save_every = 4; replicas = 2;' \
    "$omf2" "$loops"
chain '1 2' start-nersc 'group = "su3"; size = [4, 4, 4, 6];' "$weak" 'start = "../su3-4d-nersc.1/run/configs/step-0000000002.nersc"; save_every = 4; save_format = "openqcd";' \
    "$sweeps" "$loops"
chain '1 2' start-milc 'group = "su3"; size = [4, 2, 6, 10];' "$weak" 'start = "../golden.milc"; save_every = 4;' "$omf4" '"plaquette", "rectangle"'

training() { # name, lattice, layers, train, more
    card '1 2' "$1" train.cfg flowtrain --quiet --out run train.cfg <<END
lattice = { group = "u1"; size = $2; };
action  = ( { kind = "wilson"; beta = 1.5; } );
flow    = { layers = ( $3 ); };
train   = { batch = 32; learning_rate = 0.02; evaluate_every = 2; evaluate_samples = 64; final_samples = 64; steps = 4; $4 };
model   = "model.h5";
${5-}
END
}

stored=$(for step in 3 4 5 6; do for replica in 0 1 2; do echo -n "\"../u1-2d.1/run/configs/step-000000000$step-replica-0000$replica.h5\", "; done; done)
stored="ensemble = [ ${stored%, } ];"
coupling='{ kind = "plaquette_coupling"; repeat = 4; hidden = [4]; knots = 4; }'
tangents='{ kind = "plaquette_coupling"; transform = "tangents"; repeat = 4; hidden = [4, 4]; knots = 3; activation = "silu"; loops = ["1x1", "1x2"]; harmonics = 2; }'
scales='{ kind = "multiscale"; levels = 6; split = { transform = "even_spline"; harmonics = 2; hidden = [4]; knots = 4; activation = "tanh"; }; }'
mixed="{ kind = \"multiscale\"; levels = 4; split = { knots = 4; hidden = [4]; }; layers = ( $coupling ); }"
training coupling-path '[8, 8]' "$coupling" 'objective = "path"; schedule = "cosine"; warm_up = 2; clip = 1.0;'
training coupling-reparametrise '[8, 8]' "$tangents" 'objective = "reparametrise"; anneal = { start = 0.2; steps = 3; };'
training coupling-reinforce '[8, 4]' "$coupling" 'objective = "reinforce"; schedule = "step"; decay_steps = 2;' 'precision = "float";'
training coupling-forward '[8, 8]' "$tangents" "objective = \"forward\"; $stored"
training scales-path '[8, 8]' "$scales" 'objective = "path"; seed = 3;' 'precision = "float";'
training scales-reparametrise '[8, 8]' "$mixed" 'objective = "reparametrise";'
training scales-reinforce '[8, 4]' "$scales" 'objective = "reinforce"; anneal = { start = 0.5; };'
training scales-forward '[8, 8]' "$scales" "objective = \"forward\"; $stored"

# Paths of files, as they are from the folder of another run; no name has a blank.
saved() { # patterns: sets files
    local file
    files=()
    # Patterns are to be expanded.
    # shellcheck disable=SC2206
    for file in "$@"; do files+=($file); done
    files=("${files[@]/#/../}")
}

measuring() { # name, measure and the like, files
    card '1 2' "$1" meas.cfg flowmeas meas.cfg "${@:3}" <<<"$2"
    touch "$1.1/printed" "$1.2/printed"
}

saved 'su3-4d.1/run/configs/*'
measuring meas-wilson "measure = { observables = [ $loops ]; }; loops = { r = 2; t = 3; smearing = \"ape\"; steps = 3; };
    flow = { time = 0.4; step = 0.02; every = 5; };" "${files[@]}"
saved 'su2-4d.1/run/configs/*'
measuring meas-zeuthen "measure = { observables = [ $loops ]; }; loops = { r = 2; t = 2; smearing = \"stout\"; steps = 3; };
    flow = { kind = \"zeuthen\"; integrator = \"adaptive\"; time = 0.4; step = 0.02; every = 5; };" "${files[@]}"
saved 'u1-flow.1/run/configs/step-0000000004-*'
measuring meas-u1 'measure = { observables = [ "plaquette", "charge" ]; }; flow = { time = 1.0; step = 0.05; };' "${files[@]}"
saved 'su3-4d-nersc.1/run/configs/*'
measuring meas-open 'measure = { observables = [ "plaquette" ]; }; flow = { integrator = "adaptive"; time = 0.2; step = 0.02; every = 5; };' "${files[@]}"

converting() { # name of the file to write, options, file to read
    card '1 2' "to-${1#converted.}" '' flowconv --quiet "${@:2}" "$1" </dev/null
}

converting converted.h5 ../golden.milc
converting converted.nersc ../su3-4d.1/run/configs/step-0000000004.h5
converting converted.rows.nersc --two-row --precision 32 --id b5.9 --label golden ../golden.milc
converting converted.whole.ildg --lfn lfn://local/golden ../golden.milc
converting converted.single.ildg --precision 32 ../su3-4d.1/run/configs/step-0000000004.h5
converting converted.openqcd ../su3-4d.1/run/configs/step-0000000004.h5
converting converted.two.ildg ../su2-4d.1/run/configs/step-0000000005.h5
all_checks

# --------------------------------------------------------------------------- what begins from what those have written

chain '1 2' u1-flow-coupling 'group = "u1"; size = [8, 8];' "$wilson" 'save_every = 2; replicas = 2;' \
    "$(flow ../coupling-path.1/model.h5), $(fthmc ../coupling-path.1/model.h5 omf2)" '"plaquette", "charge"'
chain '1 2' u1-fthmc-tangents 'group = "u1"; size = [12, 8];' "$wilson" 'save_every = 4;' "$(fthmc ../coupling-reparametrise.1/model.h5 leapfrog)" '"plaquette"'
training scales-initial '[8, 8]' "$scales" 'objective = "reinforce";' 'initial = "../scales-path.1/model.h5";'
saved '*.1/converted.*' 'su*.1/run/configs/*-000000000[45].*' 'start-*.1/run/configs/*'
card '1 2' checks '' flowconv --check "${files[@]}" </dev/null
for name in u1-2d u1-flow su3-4d; do mkdir "stored/$name" && cp "$name.1/run/history.h5" "stored/$name"; done
card 1 stat '' flowstat ../stored/u1-2d ../stored/u1-flow ../stored/su3-4d ../meas-zeuthen.1/out </dev/null
touch checks.{1,2}/printed stat.1/printed
all_checks

# ---------------------------------------------------------------------------------------------------------- the record

if [ -n "${GOLDEN_WRITE-}" ]; then
    mkdir -p "${record%/*}" && { echo "# $key: written by tests/golden-runs.sh, which see" && cat found; } >"$record"
    result $? "written: ${record#"$top/"}"
elif [ -e "$record" ]; then
    diff <(grep -v '^#' "$record" | cut -d ' ' -f 1,2) <(cut -d ' ' -f 1,2 found) >out 2>err
    result $? "the record is of these runs"
else
    count=$((count + 1))
    echo "ok $count # SKIP there is no tests/golden/$key.txt: GOLDEN_WRITE=1 writes it"
fi
echo "1..$count"
