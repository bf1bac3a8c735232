#!/bin/sh
# sh convert.sh CONFIGURATION: writes it, an SU(3) field in four dimensions in any format, in every format that flowconv
# writes, back again from the last, and verifies all of them.  The files appear in the present directory.
set -e
input=$1
for format in nersc ildg openqcd h5; do
    flowconv --quiet "$input" "converted.$format"
    input=converted.$format
done
flowconv --quiet converted.h5 back.ildg
flowconv --check converted.nersc converted.ildg converted.openqcd converted.h5 back.ildg
