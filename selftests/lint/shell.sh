#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Every shell script of the tree passes shellcheck.
set -u
# shellcheck source=selftests/lint/cache.sh
. "$LINT/cache.sh"

# SC1091: what is sourced is named by a variable, so it is not followed; SC2317: functions
# are called through their name, which shellcheck takes for unreachable
check() { shellcheck -x -S style -e SC1091,SC2317 -f gcc "$1"; }

git ls-files -co --exclude-standard | while read -r f; do
	[ -f "$f" ] || continue
	case $f in
	*.sh|*.bash) echo "$f" ;;
	*.c|*.h|*.md|*.txt) ;;
	*) head -n 1 "$f" 2>/dev/null | tr -d '\0' | grep -qE '^#!.*\b(ba)?sh\b' && echo "$f" ;;
	esac
done | each_changed check
exit 0
