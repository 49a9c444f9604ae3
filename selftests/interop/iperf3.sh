#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# iperf3: TCP both ways, eight streams, UDP.
#
# shellcheck source=selftests/interop/env.sh
. "$(dirname "$0")/env.sh"

SECS=1
full && SECS=20

# Run the client, and have jq look at its report.
# shellcheck disable=SC2317 # called through check
measured() { # CONDITION OPTION...
	local condition=$1
	shift
	client iperf3 -c "$ADDR" -J "$@" > "$WORK/report" || { jq -r .error "$WORK/report"; return 1; }
	jq -e "$condition" "$WORK/report" > /dev/null ||
		{ jq -c '.error, .end.sum_sent, .end.sum_received, .end.sum' "$WORK/report"; return 1; }
}

# All streams moved data.
ALL='.error == null and .end.sum_received.bytes > 0 and all(.end.streams[]; .receiver.bytes > 0)'
# Far below what the link carries: nearly all arrives.
UDP='.error == null and .end.sum.packets > 50 and .end.sum.lost_percent < 5'

# shellcheck disable=SC2317 # called through every_way
one_way() {
	serve iperf3 -s -B "$ADDR"
	check "the server listens" ready 5201
	check "TCP" measured "$ALL" -t "$SECS"
	check "TCP, -R" measured "$ALL" -t "$SECS" -R
	check "TCP, -P 8" measured "$ALL and (.end.streams | length) == 8" -t "$SECS" -P 8
	check "UDP" measured "$UDP" -t "$SECS" -u -b 2M
	full || return
	check "TCP, --bidir" measured '.error == null and .end.sum_received.bytes > 0 and
		.end.sum_received_bidir_reverse.bytes > 0' -t "$SECS" --bidir
	check "TCP, -P 8 -R" measured "$ALL and (.end.streams | length) == 8" -t "$SECS" -P 8 -R
	check "UDP, -R" measured "$UDP" -t "$SECS" -u -b 2M -R
}

if full; then ktap_plan 24; else ktap_plan 15; fi
env_init
every_way one_way
ktap_end
