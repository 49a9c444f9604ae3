#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Calls go down: by nm over the objects that kbuild.sh made, so by facts. A symbol defined in a
# layer may be used by that layer and those above; what is used upward must be a table of main.c.
set -u

obj=$(find "$LINT_CACHE"/kbuild-6.12 -type d -name kmod 2>/dev/null | head -n 1)
[ -n "$obj" ] || { echo "layers: no objects: run the kbuild check first"; exit 1; }

find "$obj" -name '*.o' -not -name '.*' | sort | while read -r o; do
	rel=${o#"$obj"/}
	case $rel in */*) layer=${rel%%/*} ;; *) layer=core ;; esac
	nm "$o" | awk -v l="$layer" -v f="kmod/${rel%.o}.c" '
		$(NF-1) == "U" { print "U", $NF, l, f; next }
		$(NF-1) ~ /^[TDBRVC]$/ { print "D", $NF, l, f }'
done | awk '
	BEGIN {
		split("core dev arp ip icmp port udp tcp sock control report", order, " ")
		for (i in order) rank[order[i]] = i
		rank["port"] = rank["icmp"]; rank["tcp"] = rank["udp"]; rank["report"] = rank["control"]
	}
	$1 == "D" { where[$2] = $3 }
	$1 == "U" { user[++n] = $0 }
	END {
		for (i = 1; i <= n; i++) {
			split(user[i], u, " ")
			d = where[u[2]]
			# main.c sees every layer; trace points live in report/trace.c but belong to core
			if (d == "" || d == u[3] || u[4] == "kmod/main.c" || d == "core" || u[2] ~ /^__(tracepoint|traceiter|SCT|SCK)/)
				continue
			if (rank[d] >= rank[u[3]])
				print u[4] ":1: " u[3] " uses " u[2] " of " d ", which is not below it"
		}
	}'
exit 0
