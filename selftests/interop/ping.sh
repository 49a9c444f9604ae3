#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# ping both ways, to the other host and to oneself.
#
# shellcheck source=selftests/interop/env.sh
. "$(dirname "$0")/env.sh"

# shellcheck disable=SC2317 # called through check
pings() { # ADDRESS OPTION...
	local to=$1 out
	shift
	if ! out=$(client ping -n -q -W 20 "$@" "$to") ||
	   grep -qi 'wrong\|corrupted\|DUP\|error' <<< "$out"; then
		echo "$out"
		return 1
	fi
}

# shellcheck disable=SC2317 # called through every_way
one_way() {
	for size in 56 1473 20000; do
		check "$size octets" pings "$ADDR" -c 3 -i 0.2 -s "$size"
	done
	check "flood" pings "$ADDR" -f -c 200
	check "oneself" pings "$PEER" -c 2 -i 0.2
}

ktap_plan 15
env_init
every_way one_way
ktap_end
