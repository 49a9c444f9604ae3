#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# wrk: many requests on many connections of nginx.
#
# shellcheck source=selftests/interop/env.sh
. "$(dirname "$0")/env.sh"

SECS=1
full && SECS=30

# shellcheck disable=SC2317 # called through check
hammered() { # OPTION...
	local out

	if ! out=$(client wrk --timeout 30s -d "${SECS}s" "$@" "http://$ADDR/small") ||
	   grep -q 'Socket errors\|Non-2xx' <<< "$out" ||
	   ! awk '/requests in/ { n = $1 } END { exit !(n > 0) }' <<< "$out"; then
		echo "$out"
		return 1
	fi
}

# shellcheck disable=SC2317 # called through every_way
one_way() {
	nginx_conf "$ADDR"
	serve nginx -c "$WORK/nginx.conf"
	check "nginx listens" ready 80
	check "kept alive, 32 connections" hammered -t 2 -c 32
	check "a connection for every request" hammered -t 2 -c 8 -H 'Connection: close'
}

ktap_plan 9
env_init
every_way one_way
ktap_end
