# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The counters of a stack, by name, and what they did in between.

# "NAMESPACE Group:Name value" of every counter of either stack, and what the cards there gave up
counters() { # native|strata NAMESPACE...
	local stack=$1 ns folder
	shift
	[ "$stack" = native ] && folder=/proc/net || folder=/proc/net/strata
	for ns; do
		ip netns exec "$ns" cat "$folder/snmp" "$folder/netstat" | awk -v ns="$ns" '
			!($1 in names) { names[$1] = $0; next }
			{
				split(names[$1], name)
				for (i = 2; i <= NF; i++)
					print ns, $1 name[i], $i
				delete names[$1]
			}'
		# shellcheck disable=SC2016
		ip netns exec "$ns" sh -c 'cd /sys/class/net && for f in v*/statistics/*_dropped \
			v*/statistics/*_errors; do echo "$1 $f $(cat $f)"; done' _ "$ns"
	done
}

# how much each has grown, those that have; what was not there before was 0
grown() { # BEFORE AFTER
	awk 'NR == FNR { was[$1, $2] = $3; next }
		$3 != was[$1, $2] + 0 { print $1, $2, $3 - was[$1, $2] }' <(echo "$1") <(echo "$2")
}

# read when nothing moves any more: what the last call said is said again
counters_rest() { # native|strata NAMESPACE...
	local now before='' tries
	for ((tries = 0; tries < 40; tries++)); do
		now=$(counters "$@")
		[ "$now" != "$before" ] || break
		before=$now
		sleep 0.3
	done
	echo "$now"
}
