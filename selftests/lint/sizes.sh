#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Files and functions that outgrew their place: .c 700 lines, .h 250, functions 100.
set -u

find kmod userspace -name '*.c' -o -name '*.h' | sort | while read -r f; do
	lines=$(wc -l < "$f")
	case $f in *.h) max=250 ;; *) max=700 ;; esac
	[ "$lines" -le $max ] || echo "$f:1: $lines lines, at most $max"
	awk -v f="$f" '
		/^{/ { start = FNR }
		/^}/ && start { if (FNR - start - 1 > 100)
			print f ":" start ": function of " FNR - start - 1 " lines, at most 100"; start = 0 }
	' "$f"
done
exit 0
