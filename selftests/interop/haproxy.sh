#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# haproxy between curl and nginx: connections in and out on one stack.
#
# shellcheck source=selftests/interop/env.sh
. "$(dirname "$0")/env.sh"

# shellcheck disable=SC2317 # called by one_way
haproxy_conf() {
	cat > "$WORK/haproxy.conf" <<-END
	global
		maxconn 100
	defaults
		mode $1
		timeout connect 60s
		timeout client 60s
		timeout server 60s
	frontend in
		bind $ADDR:8080
		default_backend out
	backend out
		server one $PEER:80
	END
}

# nginx stands beside the client, on the client's stack.
# shellcheck disable=SC2317 # called through every_way
one_way() {
	local mode modes=http

	nginx_conf "$PEER"
	on_stack "$A" "$CLIENT" timeout "$SERVER_LIMIT" nginx -c "$WORK/nginx.conf" > "$WORK/nginx.out" 2>&1 &
	full && modes="tcp http"
	for mode in $modes; do
		haproxy_conf "$mode"
		serve haproxy -db -f "$WORK/haproxy.conf"
		check "haproxy listens, mode $mode" ready 8080
		check "curl through mode $mode, $MB MB" fetched \
			curl -sS -f --retry 5 --retry-all-errors -o "$WORK/got" "http://$ADDR:8080/file"
		stop_in "$B"
	done
}

if full; then ktap_plan 12; else ktap_plan 6; fi
env_init
every_way one_way
ktap_end
