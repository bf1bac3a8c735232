#!/usr/bin/env bash
# flowhmc: SPDX-License-Identifier: GPL-3.0-or-later
#
# tests/long/faults.sh: every call on a file fails once, on every rank; see tests/faults.sh.
export FAULTS=all
exec bash "${srcdir=.}/tests/faults.sh"
