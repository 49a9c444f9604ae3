#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Which congestion control a connection has: the namespace's default, a listener's, its own;
# BBR, from a module of its own, over a link that loses 1 % without being congested; and DCTCP,
# from another, over one that marks 2 % with CE instead.
#
#	namespace a (server)            namespace b (client)
#	  va 192.0.2.1/24 strata  <-->    vb 192.0.2.2/24 strata
#
# shellcheck source=selftests/lib/ktap.sh disable=SC2317 # called through ktap_run
. "$(dirname "$0")/../lib/ktap.sh"

A="ip netns exec strata-cong-a"
B="ip netns exec strata-cong-b"
XFER=$(dirname "$0")/tcp_xfer
BBR=$(dirname "${STRATA_KO:?}")/strata_bbr.ko
DCTCP=$(dirname "$STRATA_KO")/strata_dctcp.ko

cleanup() { # called by the trap
	ip netns del strata-cong-a
	ip netns del strata-cong-b
	rmmod strata_bbr
	rmmod strata_dctcp
	rmmod strata
} 2>/dev/null

default() { cat /proc/sys/net/strata/tcp_congestion_control; }
available() { cat /proc/sys/net/strata/tcp_available_congestion_control; }
choose() { echo "$1" > /proc/sys/net/strata/tcp_congestion_control; }
export -f default available choose

# NAME: of a new socket; with an argument, after it was chosen for it
socket_has() {
	$B strata run python3 -c '
import socket, sys
s = socket.socket()
if len(sys.argv) > 1:
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, sys.argv[1].encode())
print(s.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16).split(b"\0")[0].decode())' "$@"
}

# What ss says of a connection's algorithm beyond its name, digits as N; and how many octets
# TCP_CC_INFO has. RUN: "strata run", or nothing for native
tells() { # RUN SS...
	local run=$1
	shift
	# shellcheck disable=SC2086 # RUN may be empty
	$B $run python3 -c '
import re, socket, subprocess, sys
listener = socket.create_server(("127.0.0.1", 0))
end = socket.create_connection(listener.getsockname())
other = listener.accept()[0]
for i in range(20):
    end.send(b"x" * 1000)
    other.recv(1000, socket.MSG_WAITALL)
print(len(end.getsockopt(socket.IPPROTO_TCP, 26, 100)), end=" ")
peer = "127.0.0.1:%d" % listener.getsockname()[1]
said = subprocess.run(sys.argv[1:] + ["-tni", "dst", peer], capture_output=True, text=True)
found = re.search(r"(bbr|dctcp):\S+", said.stdout)
print(re.sub(r"[0-9.]+(e[+-]?[0-9]+)?[kMGT]?", "N", found[0]) if found else said.stdout + said.stderr)' "$@"
}

# The same of the native stack, where it has this algorithm; else what ss(8) would say
tells_native() { # NAME SHAPE
	modprobe "tcp_$1" 2>/dev/null
	if ! $B sysctl -qw "net.ipv4.tcp_congestion_control=$1" 2>/dev/null; then
		echo "$2"
		return
	fi
	$B ip link set lo up
	tells '' ss
	$B sysctl -qw net.ipv4.tcp_congestion_control=cubic
}

leaves() { # MODULE
	# sockets are freed after a grace period
	for _ in $(seq 50); do
		rmmod "$1" 2>/dev/null && return
		sleep 0.1
	done
	rmmod "$1"
}

refused() { ! "$@" 2>/dev/null; }

transfer() {
	"$XFER" strata-cong-a:strata:192.0.2.1 strata-cong-b:strata:192.0.2.2 both 1000000
}

# FILE NAME: a counter of namespace a in /proc/net/strata
# shellcheck disable=SC2016 # $ is awk's
counter() {
	$A awk -v name="$2" '
		NR % 2 { for (i = 2; i <= NF; i++) at[$1, $i] = i; next }
		($1, name) in at { print $at[$1, name] }' "/proc/net/strata/$1"
}

marked_not_lost() {
	local ce lost probes

	for side in "$A tc qdisc change dev va" "$B tc qdisc change dev vb"; do
		$side root netem delay 10ms loss 2% ecn rate 10mbit limit 1000 || return
	done
	ce=$(counter netstat TCPDeliveredCE)
	lost=$(counter snmp RetransSegs)
	probes=$(counter netstat TCPLossProbes)
	transfer || return
	echo "delivered with CE: $ce, $(counter netstat TCPDeliveredCE)"
	echo "sent again: $lost, $(counter snmp RetransSegs)"
	# in real time a busy machine may let a probe out
	probes=$(($(counter netstat TCPLossProbes) - probes))
	echo "of them probes: $probes"
	[ "$(counter netstat TCPDeliveredCE)" -gt "$ce" ] &&
		[ $(($(counter snmp RetransSegs) - lost)) -le "$probes" ]
}

insmod "$STRATA_KO" || exit 1
trap cleanup EXIT
ip netns add strata-cong-a
ip netns add strata-cong-b
ip link add va netns strata-cong-a type veth peer name vb netns strata-cong-b
for side in "strata-cong-a 192.0.2.1 va" "strata-cong-b 192.0.2.2 vb"; do
	read -r ns addr dev <<< "$side"
	ip -n "$ns" link set "$dev" up gso_max_segs 1
	ip netns exec "$ns" strata addr add "$addr/24" dev "$dev" || exit 1
	ip netns exec "$ns" tc qdisc add dev "$dev" root netem delay 10ms loss 1% rate 10mbit limit 100
done

ktap_plan 23
ktap_is "built in" "$(available)" "reno cubic"
ktap_is "the default" "$(default)" cubic
ktap_run "an unknown name is refused" refused choose none
ktap_is "and changes nothing" "$(default)" cubic
ktap_is "a socket has the default of its namespace" "$($B bash -c 'choose reno'; socket_has)" reno
ktap_is "another namespace has its own" "$($A bash -c default)" cubic
ktap_is "a socket may have its own" "$(socket_has cubic)" cubic
ktap_run "Reno: both ways at once" transfer

ktap_run "BBR's module loads" insmod "$BBR"
ktap_is "and is one more" "$(available)" "reno cubic bbr"
$A bash -c 'choose bbr'
$B bash -c 'choose bbr'
ktap_is "a socket has it" "$(socket_has)" bbr
ktap_is "and tells of it as native" "$(tells "strata run" strata ss)" \
	"$(tells_native bbr "20 bbr:(bw:Nbps,mrtt:N,pacing_gain:N,cwnd_gain:N)")"
ktap_run "BBR: both ways at once" transfer
ktap_run "a namespace's default keeps its module" refused rmmod strata_bbr
$A bash -c 'choose cubic'
$B bash -c 'choose cubic'
ktap_run "nobody uses it: it leaves" leaves strata_bbr
ktap_is "and is no longer offered" "$(available)" "reno cubic"
ktap_run "CUBIC: both ways at once" transfer

ktap_run "DCTCP's module loads" insmod "$DCTCP"
$A bash -c 'choose dctcp'
$B bash -c 'choose dctcp'
ktap_is "a socket has it" "$(socket_has)" dctcp
ktap_run "it is no namespace's root's to allow" \
	unshare -Urn bash -c 'choose reno && ! choose dctcp 2>/dev/null'
ktap_is "and tells of it as native" "$(tells "strata run" strata ss)" \
	"$(tells_native dctcp "16 dctcp:(ce_state:N,alpha:N,ab_ecn:N,ab_tot:N)")"
ktap_run "DCTCP: both ways at once, marked and nothing lost" marked_not_lost
$A bash -c 'choose cubic'
$B bash -c 'choose cubic'
ktap_run "nobody uses it: it leaves, too" leaves strata_dctcp
ktap_end
