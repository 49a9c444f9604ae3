# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Two namespaces, la and lb, joined by a pair, each end with an address of each stack.
# shellcheck disable=SC2034 # for who sources this
DIR=$(dirname "$(realpath -s "$0")")

load_module() { [ -d /sys/module/strata ] || insmod "${STRATA_KO:?}"; }

up() {
	ip netns add la && ip netns add lb &&
		ip link add va netns la type veth peer name vb netns lb &&
		ip -n la link set lo up && ip -n lb link set lo up &&
		ip -n la link set va up && ip -n lb link set vb up &&
		ip -n la addr add 10.9.0.1/24 dev va && ip -n lb addr add 10.9.0.2/24 dev vb &&
		strata -n la addr add 10.9.0.11/24 dev va &&
		strata -n lb addr add 10.9.0.12/24 dev vb
}

down() {
	ip netns del la
	ip netns del lb
} 2>/dev/null

# TCP sockets of Strata in all namespaces, orphans too
sockets() { awk '$1 == "STRATA-TCP" { print $3 }' /proc/net/protocols; }
no_sockets() { [ "$(sockets)" = 0 ]; }

no_slabs() { ! grep -i strata /proc/slabinfo; }

# COMMAND must succeed within so many seconds; its last output shows why not
within() { # SECONDS COMMAND...
	local n=$(($1 * 2)) out
	shift
	while ! out=$("$@" 2>&1); do
		n=$((n - 1))
		[ $n -gt 0 ] || { echo "$out"; grep STRATA /proc/net/protocols; return 1; }
		sleep 0.5
	done
}
