#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Calls go down: by nm over the objects that kbuild.sh made, so by facts. A symbol defined in a
# layer may be used by that layer and those above; what is used upward must be a table of main.c.
set -u
# shellcheck source=selftests/lint/objects.sh
. "$LINT/objects.sh"

symbols | awk '
	BEGIN {
		n = split("core dev arp ip port icmp udp tcp sock control report", order, " ")
		for (i = 1; i <= n; i++)
			rank[order[i]] = i
		# neither of these sees the other
		rank["tcp"] = rank["udp"]
		rank["control"] = rank["report"] = rank["sock"]
		n = 0
	}
	{ layer[$2] = $3 }
	$1 ~ /^[TDBRVC]$/ { where[$4] = $3 }
	$1 == "U" { file[++n] = $2; user[n] = $4 }
	END {
		for (d in layer)
			if (!(layer[d] in rank))
				print d ":1: no layer is called " layer[d]
		for (i = 1; i <= n; i++) {
			f = file[i]
			d = where[user[i]]
			u = layer[f]
			if (d != "" && d != u && f != "kmod/main.c" && rank[d] >= rank[u])
				print f ":1: " u " uses " user[i] " of " d ", which is not below it"
		}
	}'
exit 0
