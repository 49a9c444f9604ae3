#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# redis-server with redis-cli and redis-benchmark.
#
# shellcheck source=selftests/interop/env.sh
. "$(dirname "$0")/env.sh"

N=500
full && N=5000

# shellcheck disable=SC2317 # called through check
cli() { client redis-cli -h "$ADDR" "$@"; }

# shellcheck disable=SC2317
pong() { [ "$(cli ping)" = PONG ]; }

# shellcheck disable=SC2317
big_value() { # there and back
	head -c 1M "$WORK/www/file" > "$WORK/value"
	cli -x set key < "$WORK/value" > /dev/null || return
	cli get key | head -c 1M | cmp - "$WORK/value"
}

# shellcheck disable=SC2317
benchmark() {
	local out

	if ! out=$(client redis-benchmark -h "$ADDR" -q -n "$N" -t ping,set,get,lpush "$@" 2>&1) ||
	   [ "$(grep -c 'requests per second' <<< "${out//$'\r'/$'\n'}")" -lt 4 ] ||
	   grep -qi error <<< "$out"; then
		echo "$out"
		return 1
	fi
}

# shellcheck disable=SC2317 # called through every_way
one_way() {
	serve redis-server --bind "$ADDR" --port 6379 --save '' --appendonly no \
		--protected-mode no --dir "$WORK"
	check "redis-server listens" ready 6379
	check "PING" pong
	check "a value of 1 MB" big_value
	check "redis-benchmark, 10 clients" benchmark -c 10
	check "redis-benchmark, 50 clients, pipelined" benchmark -c 50 -P 16
}

ktap_plan 15
env_init
every_way one_way
ktap_end
