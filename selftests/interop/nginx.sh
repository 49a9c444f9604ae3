#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# nginx serves curl and wget.
#
# shellcheck source=selftests/interop/env.sh
. "$(dirname "$0")/env.sh"

# shellcheck disable=SC2317 # called through check
parallel() { # twenty connections, one request each
	local urls=() i

	for i in $(seq 20); do
		urls+=(-o "$WORK/small.$i" "http://$ADDR/small?$i")
	done
	client curl -sS -Z --parallel-max 20 "${urls[@]}" || return
	for i in $(seq 20); do
		cmp "$WORK/www/small" "$WORK/small.$i" || return
	done
}

# shellcheck disable=SC2317
kept_alive() { # fifty requests on one connection
	local n

	n=$(client curl -sS -w '%{num_connects}\n' -o /dev/null "http://$ADDR/small?[1-50]") || return
	[ "$(awk '{ n += $1 } END { print NR, n }' <<< "$n")" = "50 1" ] || { echo "$n"; return 1; }
}

# shellcheck disable=SC2317
part_of_file() {
	client curl -sS -r 100000-299999 -o "$WORK/got" "http://$ADDR/file" &&
		cmp "$WORK/got" <(tail -c +100001 "$WORK/www/file" | head -c 200000)
}

# shellcheck disable=SC2317
refused() { # nobody listens: curl's status 7
	local status

	client curl -sS "http://$ADDR:81/" 2> /dev/null
	status=$?
	[ "$status" = 7 ] || { echo "status $status"; return 1; }
}

# shellcheck disable=SC2317
one_way() {
	nginx_conf "$ADDR"
	serve nginx -c "$WORK/nginx.conf"
	check "nginx listens" ready 80
	check "curl, $MB MB" fetched curl -sS -o "$WORK/got" "http://$ADDR/file"
	check "wget, $MB MB" fetched wget -q -O "$WORK/got" "http://$ADDR/file"
	check "curl, 20 connections at once" parallel
	check "curl, 50 requests on one connection" kept_alive
	check "curl, a range" part_of_file
	check "curl, refused" refused
}

ktap_plan 21
env_init
every_way one_way
ktap_end
