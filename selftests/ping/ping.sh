#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A native host pings Strata over a veth pair:
#
#	namespace n: native          namespace s: strata
#	  vn 192.0.2.1/24  <------->  vs 192.0.2.2/24
#
# shellcheck source=selftests/lib/ktap.sh
. "$(dirname "$0")/../lib/ktap.sh"

in_n() { ip netns exec strata-ping-n "$@"; }
in_s() { ip netns exec strata-ping-s "$@"; }

# shellcheck disable=SC2317
cleanup() { # called by the trap
	ip netns del strata-ping-n
	ip netns del strata-ping-s
	rmmod strata
}

insmod "${STRATA_KO:?}" || exit 1
trap cleanup EXIT
ip netns add strata-ping-n
ip netns add strata-ping-s
ip link add vn netns strata-ping-n type veth peer name vs netns strata-ping-s
in_n ip link set vn up
in_s ip link set vs up
in_n ip addr add 192.0.2.1/24 dev vn

# -s: octets of data behind the 8 of the header
pings() { in_n ping -q -n -i 0.2 -W 2 "$@" 192.0.2.2; }
# shellcheck disable=SC2317
no_answer() { ! pings -c 1; }
# shellcheck disable=SC2317
checked() { # every octet that comes back is compared by ping
	local out

	out=$(pings "$@") && ! grep -qi 'wrong\|corrupted\|DUP' <<< "$out"
}

ktap_plan 10
ktap_run "nobody answers before there is an address" no_answer
ktap_run "address" in_s strata addr add 192.0.2.2/24 dev vs
for size in 0 1 56 1472 1473 4000 65507; do
	ktap_run "echo of $size octets" checked -c 3 -s "$size"
done
ktap_run "flood" checked -f -c 500 -i 0
ktap_end
