#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Every shell script of the tree passes shellcheck.
set -u

git ls-files -co --exclude-standard | while read -r f; do
	[ -f "$f" ] || continue
	case $f in
	*.sh|*.bash) echo "$f" ;;
	*.c|*.h|*.md|*.txt) ;;
	*) head -n 1 "$f" 2>/dev/null | tr -d '\0' | grep -qE '^#!.*\b(ba)?sh\b' && echo "$f" ;;
	esac
done | xargs -r shellcheck -x -S style -e SC1091 -f gcc
exit 0
