#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# checkpatch.pl --strict of the kernel's own sources. What it cannot know is listed below,
# each with the reason.
set -u
# shellcheck source=selftests/lint/cache.sh
. "$LINT/cache.sh"

tool=$(kernel_script checkpatch.pl) || { echo "checkpatch: cannot read linux-source-6.12"; exit 1; }
export tool

# MACRO_ARG_REUSE, MACRO_ARG_UNUSED: macros that stand in for a kernel's inline functions
# take their arguments as those do, and the lists of stats.h have a column per user
# COMPLEX_MACRO, LINE_SPACING in stats.h: its X-macros are lists, not expressions
# FILE_PATH_CHANGES: there is no MAINTAINERS file
# trace.h is left out: the layout of TRACE_EVENT is a style of its own
check() {
	local ignore=FILE_PATH_CHANGES,MACRO_ARG_REUSE,MACRO_ARG_UNUSED

	[ "$1" != kmod/stats.h ] || ignore+=,COMPLEX_MACRO,LINE_SPACING
	perl "$tool" --no-tree --strict --terse --no-summary --max-line-length=100 \
		--ignore "$ignore" -f "$1" 2>&1 | grep -v 'No typedefs file found'
}
find kmod uapi -name '*.[ch]' -not -name trace.h | sort | each_changed check
exit 0
