#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# socat: TCP there and back with half-close, UDP datagrams, fragments.
#
# shellcheck source=selftests/interop/env.sh
. "$(dirname "$0")/env.sh"

SIZES="1 9000"
full && SIZES="1 1472 1473 9000"

# shellcheck disable=SC2317 # called through check
echoed() { # both directions at once; the client ends its half first
	client socat -b 65536 -t 60 - "TCP4:$ADDR:7000" < "$WORK/www/file" > "$WORK/got" || return
	[ "$(sum_of "$WORK/got")" = "$SUM" ]
}

# The client ends when as many octets as it sent have come back, and sends no
# datagram to say that it has no more (shut-none).
# shellcheck disable=SC2317
datagram() { # OCTETS
	head -c "$1" "$WORK/www/file" > "$WORK/sent"
	client socat -b 65536 -t "$LIMIT" - "UDP4:$ADDR:7001,shut-none,readbytes=$1" \
		< "$WORK/sent" > "$WORK/got"
	cmp "$WORK/sent" "$WORK/got"
}

# shellcheck disable=SC2317 # called through every_way
one_way() {
	serve socat -b 65536 "TCP4-LISTEN:7000,bind=$ADDR,reuseaddr,fork" EXEC:cat
	check "listens" ready 7000
	check "TCP echo, $MB MB" echoed
	serve socat -b 65536 "UDP4-RECVFROM:7001,bind=$ADDR,fork" EXEC:cat
	check "UDP: bound" ready 7001 udp
	for size in $SIZES; do
		check "UDP echo, $size octets" datagram "$size"
	done
}

if full; then ktap_plan 21; else ktap_plan 15; fi
env_init
every_way one_way
ktap_end
