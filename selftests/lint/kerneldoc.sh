#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The kernel-doc comments of the root headers and the uapi parse. (Those of the sources are
# seen by the kbuild check: W=1.)
set -u
# shellcheck source=selftests/lint/cache.sh
. "$LINT/cache.sh"

tool=$(kernel_script kernel-doc) || { echo "kerneldoc: cannot read linux-source-6.12"; exit 1; }
export tool

# "not described", "Excess", "no structured comments": a comment states the contract, not
# what a parameter's name and type say; only what is malformed or misnamed counts.
# trace.h is left out: TRACE_EVENT is not C that kernel-doc reads
check() {
	perl "$tool" -none "$1" 2>&1 |
		grep -vE 'not described in|no structured comments|Excess function parameter'
}
find kmod/*.h uapi -name '*.h' -not -name trace.h | sort | each_changed check
exit 0
