#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# TCP transfers over good and bad links, octets and SHA-256 compared:
#
#	namespace a (server)            namespace b (client)
#	  va 192.0.2.1/24 strata  <-->    vb 192.0.2.2/24 strata
#	     192.0.2.11/24 native            192.0.2.12/24 native
#
# Links x {strata-strata, strata-native, native-strata} (server-client) x {down: the
# server sends, up: the client sends, both at once}. Each end's netem spoils what it
# sends. On bad links segments leave one by one (gso_max_segs 1), so that netem loses,
# turns round and counts packets, not bundles of 44 of them.
#
#	sim       every link, virtual time; STRATA_FULL=1: every way, larger, and
#	          native-native for comparison
#	others    a sample of links, both ways at once; STRATA_FULL=1: every way
#
# The line behind a result gives (virtual) seconds, goodput and the digests' start.
# tcp_links.sh [LINK...] runs the named links only.
#
# shellcheck disable=SC2317 # link_* are called by name
# shellcheck source=selftests/lib/ktap.sh
. "$(dirname "$0")/../lib/ktap.sh"

A="ip netns exec strata-tcp-a"
B="ip netns exec strata-tcp-b"
XFER=$(dirname "$0")/tcp_xfer
KB=1024 MB=1048576
FULL=${STRATA_FULL:-0}

cleanup() { # called by the trap
	ip netns del strata-tcp-a
	ip netns del strata-tcp-b
	rmmod strata
}

# --- the links: each function sets both ends up from scratch ---------------------

declare -A title=(
	[clean]="clean"
	[loss5]="loss 5 %"
	[loss20]="loss 20 %"
	[reorder]="delay 20 ms +- 10 ms, reordered"
	[duplicate]="duplication 5 %"
	[corrupt]="corruption 1 %"
	[narrow]="1 Mbit/s, queue of 10"
	[mtu576]="MTU 576"
	[mtu9000]="MTU 9000"
	[blackout]="blackout of a second"
	[slow]="receiver reads slowly"
	[mixed]="all of it"
)

# ARGS... of netem on both ends
bundles() {
	$A tc qdisc replace dev va root netem "$@" && $B tc qdisc replace dev vb root netem "$@"
}

# the same, one packet at a time
netem() {
	$A ip link set va gso_max_segs 1
	$B ip link set vb gso_max_segs 1
	bundles "$@"
}

mtu() {
	$A ip link set va mtu "$1" && $B ip link set vb mtu "$1"
}

link_clean() {
	$A tc qdisc del dev va root 2>/dev/null
	$B tc qdisc del dev vb root 2>/dev/null
	$A ip link set va gso_max_segs 65535
	$B ip link set vb gso_max_segs 65535
	mtu 1500
}

link_loss5() { netem loss 5% delay 5ms limit 10000; }
link_loss20() { netem loss 20% delay 5ms limit 10000; }
link_reorder() { netem delay 20ms 10ms limit 10000; }
link_duplicate() { netem duplicate 5% delay 5ms limit 10000; }
link_corrupt() { netem corrupt 1% delay 5ms limit 10000; }
link_narrow() { netem rate 1mbit limit 10; }
link_mtu576() { mtu 576 && bundles delay 5ms limit 10000; }
link_mtu9000() { mtu 9000 && bundles delay 5ms limit 10000; }
link_blackout() { netem rate 10mbit delay 5ms limit 1000; }
link_slow() { netem delay 5ms limit 10000; }
link_mixed() {
	mtu 576 &&
		netem delay 20ms 10ms loss 10% duplicate 5% corrupt 1% rate 1mbit limit 10
}

# --- transfers --------------------------------------------------------------------

declare -A server=([strata]=strata-tcp-a:strata:192.0.2.1 [native]=strata-tcp-a:native:192.0.2.11)
declare -A client=([strata]=strata-tcp-b:strata:192.0.2.2 [native]=strata-tcp-b:native:192.0.2.12)

# A second without a single packet, in the middle. A netem of its own (handle 2:) takes
# the other's place and queue in one step: a link without any for a moment carries all.
# LINK COMMAND...
blackout() {
	local link=$1 pid said status

	shift
	(
		sleep 0.3
		$A tc qdisc replace dev va root handle 2: netem loss 100%
		$B tc qdisc replace dev vb root handle 2: netem loss 100%
		sleep 1
		"link_$link"
	) &
	pid=$!
	said=$("$@" 2>&1)
	status=$?
	wait "$pid"
	echo "$said"
	[ "$status" = 0 ] || return "$status"
	# a transfer that was over before proves nothing
	awk '{ exit !($1 > 1.3) }' <<< "$said"
}

# LINK PAIR WAY BYTES
transfer() {
	local link=$1 pair=$2 way=$3 said status wrap=() slow=() sent closed

	case $link in
	blackout | mixed) wrap=(blackout "$link") ;;
	esac
	case $link in
	slow | mixed) slow=(slow) ;;
	esac
	sent=$(packets_of_a)
	closed=$(windows_closed)
	said=$(${wrap[@]+"${wrap[@]}"} "$XFER" "${server[${pair%-*}]}" "${client[${pair#*-}]}" \
		"$way" "$4" ${slow[@]+"${slow[@]}"} 2>&1)
	status=$?
	sent=$(($(packets_of_a) - sent))
	# the server's data leaves in bundles that the device divides (GSO), of at least four
	# segments; "both" counts its ACKs among them
	[ "$way" != both ] || sent=$((sent / 2))
	if [ "$link" = clean ] && [ "$way" != up ] && [ $((sent * 1448 * 4)) -gt "$4" ]; then
		said+="; $sent packets for $4 octets: not bundled" status=1
	fi
	# a receiver of ours that reads slowly must have closed its window
	if [ "$link" = slow ] && [[ ${pair#*-}$way == strata[db]o* ]] &&
		[ "$(windows_closed)" = "$closed" ]; then
		said+="; the window was never closed" status=1
	fi
	ktap_result "$status" "${title[$link]}: $pair $way"
	ktap_note "$said"
}

# how often the client's namespace, on Strata, has advertised a window of zero
# shellcheck disable=SC2016 # awk
windows_closed() {
	$B awk '/^TcpExt:/ && !n { n = split($0, name); next }
		/^TcpExt:/ { for (i = 1; i <= n; i++) if (name[i] == "TCPToZeroWindowAdv") print $i }' \
		/proc/net/strata/netstat
}

packets_of_a() { $A cat /sys/class/net/va/statistics/tx_packets; }

links=(clean loss5 reorder slow blackout)
ways=both pairs="strata-strata strata-native native-strata"
big=$((20 * MB)) part=$((2 * MB))
if [ "$STRATA_MACHINE" = sim ]; then
	links=(clean loss5 loss20 reorder duplicate corrupt narrow mtu576 mtu9000 slow blackout
	       mixed)
elif [ "$STRATA_MACHINE" = debug ]; then
	big=$((5 * MB)) part=$((512 * KB))
fi
if [ "$FULL" = 1 ]; then
	ways="down up both" part=$((2 * MB))
	[ "$STRATA_MACHINE" = debug ] || big=$((100 * MB))
	[ "$STRATA_MACHINE" != sim ] || pairs+=" native-native"
fi
[ $# = 0 ] || links=("$@")

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

# At 20 % of loss each way native's RTO grows to its maximum, as the ACKs of copies echo
# the first's timestamp and it takes its own timeouts for round trips; two native ends then
# give up (ETIMEDOUT) in one of thirty transfers. This is about Strata: let native go on
$A sysctl -qw net.ipv4.tcp_retries2=60
$B sysctl -qw net.ipv4.tcp_retries2=60

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

# shellcheck disable=SC2086
set -- $pairs
# shellcheck disable=SC2206
each=($ways)
ktap_plan $((${#links[@]} * $# * ${#each[@]}))
for link in "${links[@]}"; do
	if ! { link_clean && "link_$link"; }; then
		ktap_note "$link: the link could not be set up"
		break	# the plan stays unfulfilled
	fi
	bytes=$part
	[ "$link" != clean ] || bytes=$big
	for pair in $pairs; do
		for way in $ways; do
			# what the last blackout left behind
			case $link in blackout | mixed) link_clean && "link_$link" ;; esac
			transfer "$link" "$pair" "$way" "$bytes"
		done
	done
done
ktap_end
