#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# dig and the C library's resolver ask dnsmasq, by UDP and TCP.
#
# shellcheck source=selftests/interop/env.sh
. "$(dirname "$0")/env.sh"

# shellcheck disable=SC2317 # called through check
answered() { # EXPECTED OPTION...
	local expected=$1 got
	shift
	got=$(client dig @"$ADDR" +short +tries=3 +time=10 "$@")
	[ "$got" = "$expected" ] || { echo "got: $got"; return 1; }
}

# shellcheck disable=SC2317 # by the name server in the namespace's resolv.conf
resolved() {
	local got

	mkdir -p "/etc/netns/$A"
	printf 'nameserver %s\noptions timeout:20\n' "$ADDR" > "/etc/netns/$A/resolv.conf"
	got=$(client getent ahostsv4 host.test)
	[ "$(awk 'NR == 1 { print $1 }' <<< "$got")" = 192.0.2.77 ] || { echo "got: $got"; return 1; }
}

TEXT=$(printf 'x%.0s' $(seq 250))

# shellcheck disable=SC2317 # called through every_way
one_way() {
	local txt=()

	for _ in 1 2 3 4 5 6 7; do
		txt+=("--txt-record=long.test,$TEXT")
	done
	serve dnsmasq -k -C /dev/null -R -h -u root --log-facility=- -x "$WORK/dns.pid" \
		--port=53 --listen-address="$ADDR" --bind-interfaces \
		--address=/host.test/192.0.2.77 "${txt[@]}"
	check "dnsmasq listens" ready 53 udp
	check "an address" answered 192.0.2.77 host.test
	check "an address by TCP" answered 192.0.2.77 +tcp host.test
	check "a long answer, cut and asked again by TCP" answered \
		"$(for _ in 1 2 3 4 5 6 7; do echo "\"$TEXT\""; done)" +bufsize=512 long.test TXT
	check "the C library's resolver" resolved
}

ktap_plan 15
env_init
every_way one_way
ktap_end
