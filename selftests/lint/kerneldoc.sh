#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The kernel-doc comments of the headers parse and name what follows them. (Those of the
# sources are seen by the kbuild check: W=1.)
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
	# kernel-doc passes over comments of one line
	awk -v f="$1" '
		/^\/\*\* [a-z0-9_]+\(\) - .*\*\/$/ {
			name = substr($2, 1, length($2) - 2)
			at = FNR
			decl = ""
			next
		}
		name != "" {
			decl = decl $0
			if ($0 !~ /[;{]/)
				next
			if (decl !~ "[ *]" name "\\(")
				print f ":" at ": warning: " name "() is not what follows"
			name = ""
		}' "$1"
}
find kmod uapi -name '*.h' -not -name trace.h | sort | each_changed check
exit 0
