#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Names, by nm over the objects: what a layer gives to others is strata_<layer>_<verb>; a
# static function has no name of a function that the kernel exports (a reader would take it
# for that one).
set -u
# shellcheck source=selftests/lint/objects.sh
. "$LINT/objects.sh"

release=$(selftests/vm/run -k 6.12 --kernel) || exit 1
symvers=$(readlink -f "/lib/modules/$release/build")/Module.symvers
[ -s "$symvers" ] || { echo "names: no $symvers"; exit 1; }

# The objects of a layer that have a name of their own; tcp's pure algorithms have theirs
symbols | awk -v symvers="$symvers" '
	BEGIN {
		allow["core"] = "net conf family sock_owner sock_mem sock_list"
		# main.c fills the tables of others
		allow["core"] = allow["core"] " dev_up arp_up ip_up drop"
		allow["dev"] = "dev addr loop"
		allow["arp"] = "arp neigh"
		allow["ip"] = "ip route lpm path pmtu reasm"
		allow["icmp"] = "icmp ping"
		allow["tcp"] = "tcp bbr chrono cong cubic dctcp drs mtup rack rate recovery reno rtt sack scb snd tlp wnd"
		allow["sock"] = "sock stream dgram family"
		allow["control"] = "rtnl sysctl"
		allow["report"] = "report proc mib diag"
		while ((getline line < symvers) > 0) {
			split(line, part, "\t")
			kernel[part[2]] = 1
		}
	}
	# module and trace point machinery
	$4 ~ /^(init_module|cleanup_module|__.*)$/ { next }
	$1 == "t" && $4 in kernel { print $2 ":1: static " $4 "() has the name of a kernel function" }
	$1 ~ /^[TDBRVC]$/ {
		n = split($3 in allow ? allow[$3] : $3, noun, " ")
		for (i = 1; i <= n; i++)
			if ($4 == "strata_" noun[i] || index($4, "strata_" noun[i] "_") == 1)
				next
		print $2 ":1: " $4 " is not strata_" $3 "_..."
	}'
exit 0
