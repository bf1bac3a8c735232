#!/usr/bin/env bash
# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
#
# tests/flowconv.sh: flowconv converts between formats on any number of ranks, keeps every bit and the provenance, prints what
# it found, and ends with one line and the exit code of its kind when something is wrong.  flowhmc starts from its files.
: "${MPIRUN=mpirun}" "${MPIRUN_FLAGS=--oversubscribe --bind-to none}" "${srcdir=.}"
build=$PWD
shared=$(cd "$srcdir" && pwd)/../shared/configs
# shellcheck source=tests/tap.sh
. "${srcdir=.}/tests/tap.sh"
folder=$(mktemp -d flowconv.XXXXXX) || exit 1
cd "$folder" || exit 1
trap 'cd ..; rm -rf "$folder"' EXIT
held() { result $? "$*"; }
shopt -s nullglob

conv() { timeout 60 "$build/flowconv" "$@" >out 2>err </dev/null; }

# Expected exit code, pattern of the one line, arguments.
refused() {
    local code=$1 pattern=$2
    shift 2
    conv "$@"
    [ $? = "$code" ] && [ "$(wc -l <err)" = 1 ] && grep -q "^flowconv: .*$pattern" err
    held "exit $code: $(cat err)"
}

flip() { # file, offset: inverts the byte
    local byte
    byte=$(od -An -tu1 -j "$2" -N1 "$1")
    # shellcheck disable=SC2059
    printf "\\$(printf %o $((255 - byte)))" | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# A field of unit links, written by hand: V = 4^4, big-endian 64 bits.
{
    printf 'BEGIN_HEADER\nDATATYPE = 4D_SU3_GAUGE_3x3\n'
    printf 'DIMENSION_%d = 4\n' 1 2 3 4
    printf 'CHECKSUM = 40000000\nLINK_TRACE = 1\nPLAQUETTE = 1.0\nSEQUENCE_NUMBER = 17\nCREATOR = hand\nFLOATING_POINT = IEEE64BIG\nEND_HEADER\n'
    one='\77\360\0\0\0\0\0\0\0\0\0\0\0\0\0\0' zero='\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0'
    link=$one$zero$zero$zero$one$zero$zero$zero$one
    site=$link$link$link$link
    row=$site$site$site$site
    # shellcheck disable=SC2059
    for ((i = 0; i < 64; i++)); do printf "$row"; done
} >unit.nersc
sum=$(printf %x $((3 * 4 * 256 * 0x3ff00000 % 4294967296)))
sed -i "s/CHECKSUM = 40000000/CHECKSUM = $sum/" unit.nersc

conv --check unit.nersc && grep -q '^plaquette   1.000000000000  (stored 1)' out && grep -q '^verdict     good' out &&
    grep -q '^link trace  1.000000000000' out && grep -q "^checksum    $sum  (stored $sum)" out && grep -q '^unitarity   0$' out &&
    grep -q '^lattice     su3 4 x 4 x 4 x 4' out
held "--check prints what it found"

for format in nersc ildg openqcd h5; do
    conv unit.nersc "unit.$format.$format" && conv --check "unit.$format.$format"
    held "to $format and read again"
    # shellcheck disable=SC2086
    $MPIRUN $MPIRUN_FLAGS -n 4 "$build/flowconv" unit.nersc "four.$format" >out 2>err </dev/null && cp "unit.$format.$format" "one.$format"
    held "to $format on four ranks"
done
conv unit.nersc four2.ildg --lfn lfn://local/x && conv unit.nersc one2.ildg --lfn lfn://local/x && cmp four2.ildg one2.ildg >out &&
    cmp one.nersc four.nersc >out && cmp one.openqcd four.openqcd >out && cmp one.h5 four.h5 >out
held "the bytes do not depend on the number of ranks"
grep -aq 'SEQUENCE_NUMBER = 17' one.nersc && conv one.h5 back.nersc && cmp one.nersc back.nersc >out
held "provenance goes through HDF5 and comes back"
conv --id b6.0 --label test --two-row --precision 32 unit.nersc small.nersc && grep -aq 'ENSEMBLE_ID = b6.0' small.nersc &&
    grep -aq 'ENSEMBLE_LABEL = test' small.nersc && grep -aq 'DATATYPE = 4D_SU3_GAUGE$' small.nersc && grep -aq 'IEEE32BIG' small.nersc &&
    [ "$(stat -c %s small.nersc)" -lt 60000 ] && conv --check small.nersc
held "two rows of 32 bits"
conv --format ildg --lfn mc://ldg/x/y unit.nersc unit.lime && grep -aq 'mc://ldg/x/y' unit.lime && conv --check unit.lime one.h5 && [ "$(grep -c '^verdict' out)" = 2 ]
held "an explicit format, a logical name, two files checked"

# Links of a chain as text, one number a line.
cat >chain.cfg <<'EOF'
lattice = { group = "su3"; size = [4, 2, 6, 16]; };
action = ( { kind = "wilson"; beta = 5.7; } );
chain = { steps = 1; save_every = 1; save_format = "nersc"; };
updates = ( { kind = "heatbath"; } );
EOF
"$build/flowhmc" --quiet chain.cfg >out 2>err && links=$((4 * 2 * 6 * 16 * 4 * 144)) && tail -c $links chain/configs/*.nersc >links &&
    od -A n -v -t f8 --endian=big -w8 links >links.txt
for ranks in 1 2 3 4; do
    # shellcheck disable=SC2086
    $MPIRUN $MPIRUN_FLAGS -n $ranks "$build/flowconv" --from bridge --dims 4x2x6x16 links.txt text.nersc >out 2>err </dev/null &&
        grep -q '^format      bridge, text' out && tail -c $links text.nersc | cmp - links >>out
    held "text of Bridge++ on $ranks ranks"
done
head -n 1000 links.txt >cut.txt
refused 5 'holds 1000 numbers and should hold 55296' --from bridge --dims 4x2x6x16 cut.txt cut.nersc

conv --quiet unit.nersc quiet.h5 && [ ! -s out ] && [ ! -s err ]
held "--quiet"

for file in "$shared"/nersc.l8t4b3360 "$shared"/*.ildg "$shared"/*.lime "$shared"/lat.sample.l4444 "$shared"/*.openqcd; do
    if [ ! -f "$file" ]; then continue; fi
    # shellcheck disable=SC2086
    $MPIRUN $MPIRUN_FLAGS -n 2 "$build/flowconv" --check "$file" >out 2>err </dev/null && grep -q '^verdict     good' out
    held "${file##*/} is good"
done
[ -d "$shared" ] || { count=$((count + 1)); echo "ok $count # SKIP no files of other programs in ../shared/configs"; }

cp unit.nersc bad.nersc
flip bad.nersc 50000
refused 5 'checksum is .* and should be' --check bad.nersc
grep -q '^verdict     bad.nersc: checksum' out
held "the verdict says so too"
refused 5 'checksum is' bad.nersc bad.h5
[ ! -e bad.h5 ]
held "and nothing is written"
refused 5 'matrices that are not in su3' --force --check bad.nersc
cp one.ildg bad.ildg
flip bad.ildg 9000
refused 5 'suma is' --check bad.ildg
cp one.openqcd bad.openqcd
flip bad.openqcd 9007
refused 5 'not in su3' --check bad.openqcd
head -c 100000 unit.nersc >short.nersc
refused 5 'holds .* bytes of links and should hold 147456' --check short.nersc
sed 's/DIMENSION_4 = 4/DIMENSION_4 = 8/' unit.nersc >wrong.nersc
refused 5 'should hold 294912, for 4 x 4 x 4 x 8' --check wrong.nersc
sed 's/DIMENSION_4 = 4/DIMENSION_4 = 999999999999999999/' unit.nersc >huge.nersc
refused 5 'out of range' --check huge.nersc
sed "s/CHECKSUM = $sum/CHECKSUM = 1/" unit.nersc >sum.nersc
refused 5 "checksum is $sum and should be 1" sum.nersc sum.h5
conv --force sum.nersc sum.h5 && grep -q '^warning     checksum is' out
held "--force makes it a warning"
sed '/^CHECKSUM/d' unit.nersc >none.nersc
conv none.nersc none.h5 && grep -q '^warning     there is no checksum' out
held "no checksum is a warning"
refused 4 'cannot be read' --check nowhere.nersc
refused 4 'no regular file' --check .
mkfifo pipe.h5
refused 4 'no regular file' --check pipe.h5
refused 4 'cannot be written' unit.nersc nowhere/unit.h5
refused 3 'names no format' unit.nersc unit.dat
refused 3 'is nersc meant' --format nercs unit.nersc x
refused 3 'only read' --format milc unit.nersc x
refused 3 'leave the precision out' --precision 32 unit.nersc x.openqcd
refused 3 'byte order' --endian middle unit.nersc x.h5
refused 5 'not in su3\|checksum' --endian little unit.nersc x.h5
refused 3 'extents are 4 x 4 x 4 x 4 and not' --dims 4x4x4x8 unit.nersc x.h5
cp unit.nersc self.nersc && ln self.nersc hard.h5 && ln -s self.nersc soft.h5 && cp self.nersc late.h5.tmp
refused 2 'is IN' --precision 32 self.nersc self.nersc
refused 2 'is IN' self.nersc ./self.nersc
refused 2 'is IN' self.nersc "$PWD/soft.h5"
refused 2 'is IN' self.nersc hard.h5
refused 2 'is IN' soft.h5 self.nersc
refused 2 'is IN' late.h5.tmp late.h5
cmp self.nersc unit.nersc && cmp late.h5.tmp unit.nersc && rm late.h5.tmp
held "a file onto itself, by whatever name, is left alone"
refused 2 'four extents' --dims 4x4x4 unit.nersc x.h5
refused 2 'use 32 or 64' --precision 16 unit.nersc x.h5
refused 2 'give two' unit.nersc
refused 2 'a file is missing' --check
refused 2 'is --check meant' --chek unit.nersc
files=(*.tmp)
[ ${#files[@]} = 0 ]
held "no temporary files are left"

echo 'measure = { observables = [ "plaquette" ]; };' >meas.cfg
"$build/flowmeas" meas.cfg sum.nersc >out 2>err </dev/null
[ $? = 5 ] && "$build/flowmeas" --force meas.cfg sum.nersc >out 2>err </dev/null && grep -q 'warning: sum.nersc: checksum is' err && [ "$(tail -1 out)" = 1 ]
held "flowmeas --force measures what differs from its header"
cat >run.cfg <<'END'
lattice = { group = "su3"; size = [4, 4, 4, 4]; };
action  = ( { kind = "wilson"; beta = 5.0; } );
chain   = { seed = 3; steps = 1; start = "sum.nersc"; };
updates = ( { kind = "hmc"; steps = 2; } );
END
"$build/flowhmc" --quiet --out forced run.cfg >out 2>err </dev/null
[ $? = 5 ] && "$build/flowhmc" --quiet --out forced2 --set chain.force=true run.cfg >out 2>err </dev/null && grep -q 'warning: .*sum.nersc: checksum is' err
held "and flowhmc starts from it with chain.force"

for format in nersc ildg openqcd h5; do
    cat >run.cfg <<END
lattice = { group = "su3"; size = [4, 4, 4, 4]; };
action  = ( { kind = "wilson"; beta = 5.0; } );
chain   = { seed = 3; steps = 1; start = "one.$format"; };
updates = ( { kind = "hmc"; steps = 2; } );
measure = { observables = [ "plaquette" ]; };
END
    "$build/flowhmc" --quiet --out "from-$format" run.cfg >out 2>err </dev/null && [ ! -s err ]
    held "flowhmc starts from $format"
    echo 'measure = { observables = [ "plaquette" ]; };' >meas.cfg
    "$build/flowmeas" meas.cfg "one.$format" >out 2>err </dev/null && [ "$(tail -1 out)" = 1 ]
    held "flowmeas measures $format"
done

# Several that write one file.
exec 9>two.h5.tmp && flock -x 9
refused 4 'two.h5: another process is writing it' one.nersc two.h5
[ -e two.h5.tmp ] && [ ! -e two.h5 ]
held "and what the other writes is left alone"
exec 9>&-
conv one.nersc two.h5
held "what a process that is gone has left is in nobody's way"
for i in 1 2 3 4 5 6; do
    "$build/flowconv" --quiet one.nersc at-once.h5 >"out$i" 2>&1 </dev/null &
    jobs[i]=$!
done
bad=0
for i in 1 2 3 4 5 6; do
    wait "${jobs[i]}"
    code=$?
    [ $code = 0 ] || { [ $code = 4 ] && grep -q 'another process' "out$i"; } || bad=1
done
[ $bad = 0 ] && cmp at-once.h5 two.h5 && [ ! -e at-once.h5.tmp ]
held "six at once: each writes it, or says that another does"
echo "1..$count"
