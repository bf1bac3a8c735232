#!/usr/bin/env bash
# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
#
# tests/long/measured.sh: tests/flowmeas.sh with ten kills at random instants in place of two; KILLS changes the number.
export KILLS="${KILLS-10}"
exec bash "${srcdir=.}/tests/flowmeas.sh"
