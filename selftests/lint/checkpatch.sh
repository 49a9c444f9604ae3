#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# checkpatch.pl --strict of the kernel's own sources. What it cannot know is listed below,
# each with the reason.
set -u

release=$(selftests/vm/run -k 6.12 --kernel) || exit 1
base=${release%-amd64}
for dir in "/usr/src/linux-headers-$base-common" "/usr/src/linux-kbuild-$base" /usr/lib/linux-kbuild-"$base"; do
	[ -e "$dir/scripts/checkpatch.pl" ] && tool=$dir/scripts/checkpatch.pl
done
if [ -z "${tool-}" ]; then
	tool=$LINT_CACHE/scripts/checkpatch.pl
	if [ ! -e "$tool" ]; then
		tar -C "$LINT_CACHE" --strip-components=1 -xf /usr/src/linux-source-6.12.tar.xz \
			linux-source-6.12/scripts/{checkpatch.pl,spelling.txt,const_structs.checkpatch,kernel-doc} ||
			{ echo "checkpatch: cannot read linux-source-6.12"; exit 1; }
	fi
fi

# MACRO_ARG_*, COMPLEX_MACRO: the X-macro lists of stats.h are lists, not expressions
# TRACE_EVENT layout (OPEN_ENDED_LINE, PARENTHESIS_ALIGNMENT) is trace.h's own style: exempt below
# FILE_PATH_CHANGES, MAINTAINERS: there is no MAINTAINERS file
ignore=FILE_PATH_CHANGES,MACRO_ARG_REUSE,MACRO_ARG_UNUSED

seen=$LINT_CACHE/checkpatch.clean
touch "$seen"
find kmod uapi -name '*.[ch]' -not -name trace.h | sort | while read -r f; do
	key=$(sha256sum < "$f")$f
	grep -qxF "$key" "$seen" && continue
	extra=''
	[ "$f" = kmod/stats.h ] && extra=,COMPLEX_MACRO,LINE_SPACING
	out=$(perl "$tool" --no-tree --strict --terse --no-summary --max-line-length=100 \
		--ignore "$ignore$extra" -f "$f" 2>&1 | grep -v 'No typedefs file found')
	if [ -n "$out" ]; then
		printf '%s\n' "$out"
	else
		echo "$key" >> "$seen"
	fi
done
exit 0
