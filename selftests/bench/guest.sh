#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
#   namespace server            namespace client
#     b0 --------- veth --------- b1
#   10.9.0.1 native  10.9.0.2      10.8.0.1 Strata 10.8.0.2
#
# guest.sh TIMES [TEST...]: every test on both stacks; one line of bench.c each. TEST@own runs
# both ends in "server", over its own address. With STRATA_WHERE set the kernel's symbols
# are left in $STRATA_OUT/kallsyms.
set -eu

times=$1
shift
declare -A units=([tcp_stream]=128000000 [tcp_streams]=128000000 [tcp_rr]=4000 [tcp_crr]=1000
	[tcp_message]=250 [tcp_epoll]=10000 [udp_rr]=4000 [udp_one_way]=96000)

[ "$STRATA_COUNT" = 1 ] || { units[tcp_stream]=200000000; units[tcp_streams]=200000000; }

insmod "$STRATA_KO"
ip netns add server
ip netns add client
ip link add b0 netns server type veth peer name b1 netns client
for side in "server b0 1" "client b1 2"; do
	read -r ns dev n <<< "$side"
	ip -n "$ns" link set lo up
	ip -n "$ns" link set "$dev" up
	ip -n "$ns" addr add "10.9.0.$n/24" dev "$dev"
	ip netns exec "$ns" strata addr add "10.8.0.$n/24" dev "$dev"
done
[ -z "${STRATA_WHERE-}" ] || cat /proc/kallsyms > "$STRATA_OUT/kallsyms"
for ((i = 0; i < times; i++)); do
	for test; do
		for stack in "native 10.9.0.1" "strata 10.8.0.1"; do
			read -r family address <<< "$stack"
			client=client
			[[ $test != *@own ]] || client=server
			timeout 300 build/bench "$test" "$family" "${units[${test%@own}]:?no such test}" \
				server "$client" "$address"
		done
	done
done
