#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# TCP transfers over good and bad links, octets compared:
#
#	namespace a                     namespace b
#	  va 192.0.2.1/24 strata  <-->    vb 192.0.2.2/24 strata
#	     192.0.2.11/24 native            192.0.2.12/24 native
#
# {strata-strata, strata-native, native-strata} x {server sends, client sends, both at
# once}; netem on both ends. On the sim machine time is virtual, so that every link is
# tried; elsewhere a sample, STRATA_FULL=1 for all.
#
# shellcheck source=selftests/lib/ktap.sh
. "$(dirname "$0")/../lib/ktap.sh"

A="ip netns exec strata-tcp-a"
B="ip netns exec strata-tcp-b"
XFER=$(dirname "$0")/tcp_xfer

# shellcheck disable=SC2317
cleanup() { # called by the trap
	ip netns del strata-tcp-a
	ip netns del strata-tcp-b
	rmmod strata
}

insmod "${STRATA_KO:?}" || exit 1
trap cleanup EXIT
ip netns add strata-tcp-a
ip netns add strata-tcp-b
ip link add va netns strata-tcp-a type veth peer name vb netns strata-tcp-b
$A ip link set va up
$B ip link set vb up
$A ip addr add 192.0.2.11/24 dev va
$B ip addr add 192.0.2.12/24 dev vb
$A strata addr add 192.0.2.1/24 dev va || exit 1
$B strata addr add 192.0.2.2/24 dev vb || exit 1

# A lost ARP probe is not TCP's matter: the neighbours are known
va=$($A cat /sys/class/net/va/address) vb=$($B cat /sys/class/net/vb/address)
for addr in 192.0.2.2 192.0.2.12; do
	$A strata neigh add "$addr" lladdr "$vb" dev va nud permanent || exit 1
	$A ip neigh add "$addr" lladdr "$vb" dev va nud permanent || exit 1
done
for addr in 192.0.2.1 192.0.2.11; do
	$B strata neigh add "$addr" lladdr "$va" dev vb nud permanent || exit 1
	$B ip neigh add "$addr" lladdr "$va" dev vb nud permanent || exit 1
done

# netem ARGS... on both ends; none: a clean link
link() {
	$A tc qdisc del dev va root 2>/dev/null
	$B tc qdisc del dev vb root 2>/dev/null
	[ $# -gt 0 ] || return 0
	$A tc qdisc add dev va root netem "$@" && $B tc qdisc add dev vb root netem "$@"
}

mtu() {
	$A ip link set va mtu "$1" && $B ip link set vb mtu "$1"
}

declare -A server=([strata]=strata-tcp-a:strata:192.0.2.1 [native]=strata-tcp-a:native:192.0.2.11)
declare -A client=([strata]=strata-tcp-b:strata:192.0.2.2 [native]=strata-tcp-b:native:192.0.2.12)

# NAME BYTES [slow]: all combinations over the link as it is
transfers() {
	local name=$1 bytes=$2 slow=${3-} pair way

	for pair in strata-strata strata-native native-strata; do
		for way in ${ways:-down up both}; do
			ktap_run "$name: $pair $way" "$XFER" "${server[${pair%-*}]}" \
				"${client[${pair#*-}]}" "$way" "$bytes" $slow
		done
	done
}

# a second without a single packet, in the middle
blackout() {
	local pid

	(
		sleep 0.3
		link loss 100%
		sleep 1
		link delay 5ms
	) &
	pid=$!
	"$@"
	local status=$?
	wait $pid
	return $status
}

KB=1024 MB=1048576
case $STRATA_MACHINE in
sim) big=$((20 * MB)) part=$((2 * MB)) all=1 ;;
debug) big=$((2 * MB)) part=$((256 * KB)) all=${STRATA_FULL:-0} ;;
*) big=$((20 * MB)) part=$((2 * MB)) all=${STRATA_FULL:-0} ;;
esac

[ "${STRATA_FULL:-0}" = 0 ] || [ "$STRATA_MACHINE" = debug ] || big=$((100 * MB))

# shellcheck disable=SC2034
ways=
[ "$all" = 1 ] || ways=both

if [ "$all" = 1 ]; then
	ktap_plan 102	# 11 links x 3 pairs x 3 ways, and 3 blackouts
else
	ktap_plan 15	# 4 links x 3 pairs, and 3 blackouts
fi

link
transfers "clean" $big
link loss 5% delay 5ms limit 10000
transfers "loss 5 %" $part
link delay 20ms 10ms limit 10000
transfers "delay 20 ms +- 10 ms, reordered" $part
if [ "$all" = 1 ]; then
	link loss 20% delay 5ms limit 10000
	transfers "loss 20 %" $part
	link duplicate 5% delay 5ms limit 10000
	transfers "duplication 5 %" $part
	link corrupt 1% delay 5ms limit 10000
	transfers "corruption 1 %" $part
	link rate 1mbit limit 10
	transfers "1 Mbit/s, queue of 10" $part
	link
	mtu 576
	transfers "MTU 576" $part
	mtu 9000
	transfers "MTU 9000" $part
	mtu 1500
	link delay 10ms 5ms loss 3% duplicate 2% corrupt 0.5% rate 20mbit limit 100
	transfers "all of it" $part
fi
link delay 5ms
transfers "closed window" $part slow
link delay 5ms limit 10000
for pair in strata-strata strata-native native-strata; do
	ktap_run "blackout of a second: $pair" blackout "$XFER" "${server[${pair%-*}]}" \
		"${client[${pair#*-}]}" both $((part * 4))
done
ktap_end
