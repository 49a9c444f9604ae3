#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# checkpatch.pl --strict over what runs in user space: tools, examples and tests. It knows the
# kernel only; what does not hold for a program is listed below, each with the reason.
set -u
# shellcheck source=selftests/lint/cache.sh
. "$LINT/cache.sh"

tool=$(kernel_script checkpatch.pl) || { echo "checkuser: cannot read linux-source-6.12"; exit 1; }
export tool

ignore=FILE_PATH_CHANGES		# there is no MAINTAINERS file
# what a program has not: the kernel's types, macros and functions
ignore+=,PREFER_KERNEL_TYPES,ARRAY_SIZE,BIT_MACRO,PREFER_DEFINED_ATTRIBUTE_MACRO,STRCPY
ignore+=,NAKED_SSCANF,SSCANF_TO_KSTRTO,EMBEDDED_FUNCTION_NAME,STATIC_CONST_CHAR_ARRAY
# what is right in one: flags set by signal handlers, environ, _Static_assert and PRIu64
ignore+=,VOLATILE,AVOID_EXTERNS,CAMELCASE
# text to parse and print, whole columns and patterns: neither cut nor trimmed
ignore+=,SPLIT_STRING,LONG_LINE_STRING,QUOTED_WHITESPACE_BEFORE_NEWLINE
# the harness: TEST_F(), FIXTURE_VARIANT_ADD(), EXPECT_*() end in no semicolon, hold a block or
# an if, so that braces about one are needed; tests make theirs of them, and lists of cases
ignore+=,BRACES,COMPLEX_MACRO,MACRO_WITH_FLOW_CONTROL,MULTISTATEMENT_MACRO_USE_DO_WHILE
ignore+=,MACRO_ARG_REUSE,MACRO_ARG_UNUSED,LEADING_SPACE,LINE_SPACING
# pictures to compare with stand at the margin; attributes fill a line
ignore+=,OPEN_ENDED_LINE,PARENTHESIS_ALIGNMENT
# "ss ss" in a usage, "si" and "sb" in printed units
ignore+=,REPEATED_WORD
export ignore

# A line that holds text is as long as the text makes it. "FIXTURE_DATA(x) *self" is no product,
# "(int [1]){ 28 }" no cast, RT_LIST(struct x) none either.
# (The shims under unit stand in for headers of the kernel: theirs are its names.)
check() {
	perl "$tool" --no-tree --strict --terse --show-types --no-summary --max-line-length=100 \
		--ignore "$ignore" -f "$1" 2>&1 | grep -v 'No typedefs file found' |
		while IFS= read -r said; do
			line=$(sed -n "$(cut -d: -f2 <<< "$said")p" "$1")
			case $said in
			*:LONG_LINE:*) [[ $line != *\"* ]] || continue ;;
			*:SPACING:*) [[ ! $line =~ FIXTURE_DATA|'(int ['|RT_LIST ]] || continue ;;
			esac
			echo "$said"
		done
}
find selftests userspace -name '*.[ch]' -not -path '*/shim/*' | sort | each_changed check
exit 0
