#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The tool's commands on AF_INET (tool_native), in a namespace of its own: the
# same words given to ip(8) must leave the same state, and what is shown must
# be what ip(8) and ss(8) show.
# shellcheck source=selftests/lib/ktap.sh disable=SC2317 # called through ktap_run
. "$(dirname "$0")/../lib/ktap.sh"

[ "$(id -u)" = 0 ] || ktap_skip_all "needs root for a network namespace"
if [ -z "${TOOL_NATIVE_NS:-}" ]; then
	trap - EXIT
	TOOL_NATIVE_NS=1 exec unshare -n -- "$0" "$@"
fi

t() { timeout 20 "$(dirname "$0")/tool_native" "$@"; }

# ip's line and ours differ by blanks at the end of a line.
trim() { sed 's/ *$//'; }
same_routes() { diff <(ip -4 route show | trim) <(t route show); }
same_neighbours() { diff <(ip -4 neigh show nud all | trim | sort) <(t neigh show nud all | sort); }
same_addrs() {
	diff <(ip -4 -o addr show | sed 's/\\.*//' | trim) <(t -o addr show)
}
json_addrs() {
	diff <(ip -4 -j addr show | jq -c '[.[]|{ifname,mtu,operstate,addr_info:[.addr_info[]|{family,local,prefixlen,metric,broadcast,scope,noprefixroute}]}|select(.addr_info!=[])]') \
	     <(t -j addr show | jq -c '[.[]|{ifname,mtu,operstate,addr_info:[.addr_info[]|{family,local,prefixlen,metric,broadcast,scope,noprefixroute}]}]')
}
json_routes() {
	diff <(ip -4 -j route show | jq -c '[.[]|{dst,tos,gateway,dev,prefsrc,metric,metrics}]') \
	     <(t -j route show | jq -c '[.[]|{dst,tos,gateway,dev,prefsrc,metric,metrics}]')
}
# Both make the same of the same words: ip(8)'s routes under 10.12, the tool's under 10.11.
same_metrics() {
	local words n=0
	for words in "${metrics[*]}" "${locked[*]}" "${times[@]}"; do
		n=$((n + 1))
		# shellcheck disable=SC2086	# words
		t route add 10.11.$n.0/24 dev d0 $words || return 1
		echo "route add 10.12.$n.0/24 dev d0 $words"
	done | ip -batch - || return 1
	[ "$(ip -4 route show root 10.12.0.0/16 | wc -l)" = $((${#times[@]} + 2)) ] &&
		diff <(ip -4 route show root 10.12.0.0/16 | sed 's/^10.12/10.11/') \
			<(ip -4 route show root 10.11.0.0/16) &&
		diff <(ip -4 route show root 10.11.0.0/16 | trim) <(t route show root 10.11.0.0/16) &&
		json_routes
}
empty() { local out; out=$("$@") && [ -z "$out" ]; }
fails() { # STATUS TEXT COMMAND...
	local status=$1 text=$2 out
	shift 2
	out=$("$@" 2>&1)
	[ $? != "$status" ] || [[ $out != *"$text"* ]] || return 0
	echo "$* -> $out"
	return 1
}
monitor_sees() {
	local log pid
	log=$(mktemp)
	t monitor > "$log" &
	pid=$!
	sleep 1
	t addr add 10.9.0.1/24 dev d0 && t route add 10.8.0.0/16 via 10.9.0.2 &&
		t addr del 10.9.0.1/24 dev d0
	sleep 1
	kill "$pid"
	cat "$log"
	grep -q '^\[ADDR\].*inet 10.9.0.1/24 scope global d0' "$log" &&
		grep -q '^\[ROUTE\]10.8.0.0/16 via 10.9.0.2 dev d0' "$log" &&
		grep -q '^\[ADDR\]Deleted .*inet 10.9.0.1/24' "$log"
}
# ss(8) puts the last two words of its head together, and prints an empty line where a
# socket has nothing inside; members of tcp_info that Debian 12's does not know are ours.
# What only the clock changes is left out; on sim, where it stands still between the two, all counts.
ss_words() {
	local clock='s/(timer:\(timewait,)[^,]*/\1/'
	[ "${STRATA_MACHINE-}" != sim ] || clock=''
	tr -s ' \t' ' ' | sed -E 's/PortProcess/Port Process/; s/ *$//; /^ *$/d
		s/ (rcv_wnd|rehash):[0-9]+//g; s/(lastsnd|lastrcv|lastack):[0-9]+/\1/g
		'"$clock"
}
ss_same() { # WORDS...: the whole output, its head too; again if a second began in between
	for _ in 1 2 3; do
		ss -4 "$@" 2>/dev/null | ss_words > "$tmp.ss"
		t ss "$@" | ss_words > "$tmp.ours"
		grep -q . "$tmp.ss" && diff "$tmp.ss" "$tmp.ours" && return
	done
	return 1
}
# Sockets of every kind: listening, connected with a timer, bound to a device, marked, of another
# user; a datagram socket that is connected, one that is not; one in TIME-WAIT.
ss_sockets() {
	exec python3 - <<-'END'
	import os, signal, socket as S, time
	lis = S.create_server(("127.0.0.1", 5555))
	cli = S.create_connection(("127.0.0.1", 5555))
	srv = lis.accept()[0]
	cli.setsockopt(S.SOL_SOCKET, S.SO_KEEPALIVE, 1)
	cli.setsockopt(S.SOL_SOCKET, 36, 0x2a)		# SO_MARK
	cli.send(b"x" * 3000)
	srv.recv(1000)
	dev = S.socket()
	dev.setsockopt(S.SOL_SOCKET, S.SO_BINDTODEVICE, b"lo")
	dev.bind(("127.0.0.1", 22)); dev.listen(3)
	os.seteuid(1234)
	udp = S.socket(S.AF_INET, S.SOCK_DGRAM); udp.bind(("0.0.0.0", 5353))
	os.seteuid(0)
	con = S.socket(S.AF_INET, S.SOCK_DGRAM); con.connect(("127.0.0.1", 5353)); con.send(b"y" * 99)
	one = S.create_connection(("127.0.0.1", 5555)); two = lis.accept()[0]
	one.shutdown(S.SHUT_WR); two.close(); one.close()
	time.sleep(0.5)
	print("ready", flush=True)
	signal.pause()
	END
}

ping_counts() { # the summary's "N packets transmitted, M received"
	local out
	out=$(t ping "${@:2}")
	echo "$out"
	[[ $out = *$'\n'"$1"* ]]
}
ping_status() { local want=$1; shift; t ping "$@"; [ $? = "$want" ]; }

ss_forms=("" "-n" "-a" "-tan" "-t -l -p -n" "-tlnpH sport = :5555" "-u -a -n" "-uan -e" "-u" "-ta -o -n"
	"-tan -e" "-tan -m" "-uan -m -i" "-tan -i" "-ta -i" "-ta -i -o" "-tuanoempiO" "-tn state established"
	"-tn state established state listening" "-tuan sport = :5353 or dport = :5555")
metrics=(mtu 1400 advmss 0x500 hoplimit 010 window 4294967295 cwnd 7 initcwnd 8 initrwnd 9 ssthresh 11
	reordering 5 rtt 100ms rttvar 1.7ms rto_min 1.5s features ecn quickack 1 congctl reno
	fastopen_no_cookie 1)
locked=(mtu lock 1400 advmss lock 900 hoplimit lock 10 window lock 5000 cwnd lock 7 initcwnd lock 8
	initrwnd lock 9 ssthresh lock 11 reordering lock 5 rtt lock 100 rttvar lock 50 rto_min 200
	congctl lock reno quickack 0 fastopen_no_cookie 0)
times=("rtt 1" "rtt 0" "rtt 0.5" "rtt 1.2ms" "rtt 1MS" "rtt 999.1msec" "rtt 1.001sec" "rtt .5s" "rtt 1.secs"
	"rtt 0x10ms" "rtt 010" "rtt 536870911msecs" "rttvar 7" "rttvar 1.2" "rttvar 100ms" "rttvar 2s"
	"rttvar 123456ms" "rto_min 0" "rto_min 1.2" "rto_min 999" "rto_min 1000" "rto_min 12345678ms")
ktap_plan $((60 + ${#ss_forms[@]}))
ktap_run "setup: lo" ip link set lo up
ktap_run "setup: dummy" ip link add d0 type dummy
ktap_run "setup: up" ip link set d0 up

ktap_run "addr add" t addr add 10.0.0.1/24 brd + dev d0
ktap_run "addr add with peer" t addr add 10.0.1.1 peer 10.0.1.2/32 dev d0
ktap_run "addr add, host scope" t addr add 127.9.0.1/32 dev lo
ktap_run "addr add metric" t addr add 10.0.3.1/24 dev d0 metric 9
ktap_run "addr add noprefixroute" t addr add 10.0.4.1/24 dev d0 noprefixroute priority 9
ktap_run "addr show as ip" same_addrs
ktap_run "addr show -j as ip" json_addrs
ktap_run "addr add twice: the kernel's word, status 2" fails 2 "" t addr add 10.0.0.1/24 dev d0
ktap_run "addr add of a length of 0" t addr add 10.77.9.1/0 dev d0
ktap_run "addr show as ip, length 0" same_addrs
ktap_run "addr del of a length of 0" t addr del 10.77.9.1/0 dev d0
ktap_run "addr replace" t addr replace 10.0.0.1/24 dev d0
ktap_run "route add via" t route add 10.2.0.0/16 via 10.0.0.254 src 10.0.0.1 metric 7 mtu 1300
ktap_run "route add dev" t route add 10.3.0.0/16 dev d0
ktap_run "route add default" t route add default via 10.0.0.253
ktap_run "route add unreachable" t route add unreachable 10.4.0.0/16
ktap_run "route add tos" t route add 10.3.0.0/16 dev d0 tos 0x10
ktap_run "route add tos, a name" t route add 10.3.0.0/16 dev d0 dsfield AF11
ktap_run "route add mtu lock" t route add 10.3.0.0/16 dev d0 metric 3 mtu lock 1300 features ecn
ktap_run "route add, every metric" t route add 10.3.0.0/16 dev d0 metric 4 "${metrics[@]}"
ktap_run "route add, every metric locked" t route add 10.3.0.0/16 dev d0 metric 5 "${locked[@]}"
ktap_run "route show as ip" same_routes
ktap_run "route show -j as ip" json_routes
ktap_run "route add, metrics as by ip" same_metrics
ktap_run "route del, another metric: not found, status 2" fails 2 "" t route del 10.3.0.0/16 metric 5 window 1
ktap_run "route del, all its metrics" t route del 10.3.0.0/16 metric 5 "${locked[@]}"
ktap_run "route replace" t route replace 10.2.0.0/16 via 10.0.0.252 metric 7
ktap_run "route show after replace" same_routes
ktap_is "route get" "$(t route get 10.2.3.4)" "10.2.3.4 via 10.0.0.252 dev d0 src 10.0.0.1"
ktap_run "route show PREFIX" test "$(t route show 10.2.0.0/16 | wc -l)" = 1
ktap_run "route show root PREFIX" test "$(t route show root 10.0.0.0/8 | wc -l)" = \
	"$(ip -4 route show root 10.0.0.0/8 | wc -l)"
ktap_run "route add refused: status 2" fails 2 "" t route add 10.5.0.0/16 via 99.0.0.1
ktap_run "route del" t route del 10.2.0.0/16 metric 7
ktap_run "route show after del" same_routes
ktap_run "neigh add" t neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev d0
ktap_run "neigh replace" t neigh replace 10.0.0.8 lladdr 02:00:00:00:00:08 dev d0 nud stale
ktap_run "neigh show as ip" same_neighbours
ktap_is "neigh get" "$(t neigh get 10.0.0.9 dev d0)" "10.0.0.9 dev d0 lladdr 02:00:00:00:00:09 PERMANENT"
ktap_run "neigh flush leaves permanent" t neigh flush dev d0
ktap_is "neigh after flush" "$(t neigh show nud permanent)" "10.0.0.9 dev d0 lladdr 02:00:00:00:00:09 PERMANENT"
ktap_run "neigh del" t neigh del 10.0.0.9 dev d0
ktap_run "monitor" monitor_sees
ktap_run "link set mtu" t link set d0 mtu 1400
ktap_is "link show" "$(t -j link show d0 | jq '.[0].mtu')" 1400
ip route add 10.5.0.0/16 dev d0 tos 8	# (the kernel deletes a route by its TOS, too)
ktap_run "route flush" t route flush root 10.0.0.0/8
ktap_run "route show as ip, flushed" same_routes
ktap_run "route flush leaves none, of no TOS" empty t route show root 10.0.0.0/8
# What it shows and cannot name to the kernel: next hop objects.
ip addr add 10.7.0.1/24 dev d0 && ip nexthop add id 7 via 10.7.0.2 dev d0 &&
	ip route add 10.6.0.0/16 nhid 7
ktap_run "route flush of what it cannot remove: says so, status 2" \
	fails 2 "Error: 1 route could not be removed" t route flush 10.6.0.0/16
ktap_run "route show: it is there" test "$(t route show 10.6.0.0/16 | wc -l)" = 1
ip nexthop del id 7
ktap_run "addr flush" t addr flush dev d0
ktap_run "addr show is empty after flush" empty t addr show dev d0

echo "0 2147483647" > /proc/sys/net/ipv4/ping_group_range
ktap_run "ping" ping_counts "3 packets transmitted, 3 received, 0% packet loss" -c 3 -i 0.1 127.0.0.1
ktap_run "ping, large" ping_counts "1 packets transmitted, 1 received" -c 1 -s 20000 127.0.0.1
ktap_run "ping nobody: status 1" ping_status 1 -c 1 -W 1 10.99.0.1
ktap_is "ping -j" "$(t -j ping -c 2 -i 0.1 127.0.0.1 | jq -c '.[0]|[.received,.corrupted,.errors,.replies[1].icmp_seq,.replies[1].ttl]')" "[2,0,0,2,64]"
ktap_is "ping -q" "$(t ping -q -c 1 127.0.0.1 | grep -c 'bytes from')" 0

# (the one congestion control that every kernel here has and that says nothing of its own)
echo cubic > /proc/sys/net/ipv4/tcp_congestion_control
tmp=$(mktemp)
ss_sockets > "$tmp" &
server=$!
for _ in {1..100}; do
	grep -q ready "$tmp" && break
	sleep 0.1
done
ktap_is "what is compared has TIME-WAIT and its timer" \
	"$(ss -4 -tano | grep -c 'TIME-WAIT.*timer:(timewait')" 1
for form in "${ss_forms[@]}"; do
	read -ra words <<< "$form"
	ktap_run "ss ${form:-, no option} as ss(8)" ss_same "${words[@]}"
done
kill $server
rm -f "$tmp" "$tmp.ss" "$tmp.ours"
ktap_end
