#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The tool on the loaded module: two namespaces joined by a veth pair, Strata at
# both ends. (strata trace: tool_trace.sh)
#
#	ns ta: va 10.77.0.1/24 ---- vb 10.77.0.2/24 :ns tb
#
# shellcheck source=selftests/lib/ktap.sh disable=SC2317 # called through ktap_run
. "$(dirname "$0")/../lib/ktap.sh"

[ "$(id -u)" = 0 ] || ktap_skip_all "needs root"
ktap_need_module

examples=$(dirname "$(command -v strata)")/examples
PATH=$examples:$PATH

a() { timeout 30 strata -n ta "$@"; }
b() { timeout 30 strata -n tb "$@"; }

# --- helpers: each prints what it saw when it fails ---
says() { # TEXT COMMAND...
	local out text=$1
	shift
	out=$("$@" 2>&1)
	echo "$out"
	[[ $out = *"$text"* ]]
}
silent() { local out; out=$("$@") && [ -z "$out" ]; }
refused() { # TEXT COMMAND...: status 2, one line of the kernel's
	local out status text=$1
	shift
	out=$("$@" 2>&1)
	status=$?
	echo "$* -> $status: $out"
	[ "$status" = 2 ] && [ "$(wc -l <<< "$out")" = 1 ] && [[ $out = *"$text"* ]]
}
ends_with() { # STATUS COMMAND...
	local status=$1 got
	shift
	"$@"
	got=$?
	[ "$got" = "$status" ]
}
jq_is() { # EXPRESSION COMMAND...
	local out expr=$1
	shift
	out=$("$@")
	echo "$out"
	[ -n "$out" ] && jq -e "$expr" <<< "$out"
}
wait_for() { # COMMAND...: up to 10 s
	local i
	for ((i = 0; i < 100; i++)); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.1
	done
	return 1
}
has_listener() { [ -n "$(b ss -tlnH sport = :7)" ]; }
has_connection() { [ -n "$(a ss -tnH state established dport = :7)" ]; }
no_connection() { ! has_connection; }

line_is() { # PATTERN COMMAND...: one line, of that form
	local out pattern=$1
	shift
	out=$("$@" 2>&1)
	echo "$out"
	[[ $out =~ ^$pattern$ ]]
}

ident() { a ss -waj | jq '.[0].local_port'; }
has_other_ident() { # FORMER
	local now
	now=$(ident)
	[[ $now =~ ^[0-9]+$ && $now != "$1" ]]
}

knows_all() { # no ~0 as if it were a time
	local out

	out=$("$@")
	echo "$out"
	[ -n "$out" ] && [[ $out != *e+0* ]]
}

# --- longer cases ---
monitor_sees() {
	local log pid
	log=$(mktemp)
	strata -n ta monitor > "$log" &
	pid=$!
	sleep 1
	a addr add 10.78.0.1/24 dev va && a route add 10.79.0.0/16 via 10.78.0.2 &&
		a neigh add 10.78.0.9 lladdr 02:00:00:00:00:09 dev va &&
		a addr del 10.78.0.1/24 dev va && a link set va mtu 1400 &&
		ip -n ta link set lo mtu 60000 && a link set va mtu 1500
	sleep 1
	kill "$pid"
	cat "$log"
	grep -q '^\[ADDR\].*inet 10.78.0.1/24' "$log" &&
		grep -q '^\[ROUTE\]10.79.0.0/16 via 10.78.0.2 dev va' "$log" &&
		grep -q '^\[NEIGH\]10.78.0.9 dev va lladdr 02:00:00:00:00:09' "$log" &&
		grep -q '^\[ADDR\]Deleted .*inet 10.78.0.1/24' "$log" &&
		grep -q '^\[LINK\].*: va.* mtu 1400 ' "$log" && ! grep -q ': lo' "$log"
}
monitor_json() { # an object a line, of the device alone
	local pid

	strata -n ta -j link monitor > "$tmp" &
	pid=$!
	sleep 1
	a link set va mtu 1400 && a link set va mtu 1500
	sleep 1
	kill "$pid"
	cat "$tmp"
	jq -es 'map(select(.object == "link" and .ifname == "va").mtu) | index(1400) != null' < "$tmp"
}
monitor_objects() { # addr, route and neigh: an object a line, what was removed marked
	local pid

	strata -n ta -j monitor > "$tmp" &
	pid=$!
	sleep 1
	a addr add 10.78.0.1/24 dev va && a route add 10.76.0.0/16 via 10.78.0.2 &&
		a neigh add 10.78.0.8 lladdr 02:00:00:00:00:09 dev va &&
		a neigh del 10.78.0.8 dev va && a route del 10.76.0.0/16 &&
		a addr del 10.78.0.1/24 dev va
	sleep 1
	kill "$pid"
	cat "$tmp"
	jq -es '
	def seen($object; $gone): map(select(.object == $object and (.deleted // false) == $gone));
	def has_addr: any(.local == "10.78.0.1" and .prefixlen == 24 and .dev == "va");
	def has_route: any(.dst == "10.76.0.0/16" and .gateway == "10.78.0.2" and .dev == "va");
	def has_neigh: any(.dst == "10.78.0.8" and .dev == "va" and
			   .lladdr == "02:00:00:00:00:09");
	(seen("addr"; false) | has_addr) and (seen("addr"; true) | has_addr) and
	(seen("route"; false) | has_route) and (seen("route"; true) | has_route) and
	(seen("neigh"; false) | has_neigh and any(.state == ["PERMANENT"])) and
	(seen("neigh"; true) | any(.dst == "10.78.0.8"))' < "$tmp"
}
watch_json() { # the difference in each interval, an object each
	local pid

	strata -n ta -j stat -w 1 IcmpOutEchos > "$tmp" &
	pid=$!
	sleep 0.5
	a ping -c 3 -i 0.01 10.77.0.2
	sleep 2
	kill -INT "$pid"
	wait "$pid" || return 1
	cat "$tmp"
	jq -es 'length >= 2 and (map(.IcmpOutEchos // 0) | add == 3) and
		all(keys - ["IcmpOutEchos"] == [])' < "$tmp"
}
watch_ends() { # SIGINT ends the watch with status 0
	local pid
	strata -n ta stat -a -w 0.2 > "$tmp" &
	pid=$!
	sleep 1
	kill -INT "$pid"
	wait "$pid" && grep -q '/s$' "$tmp"
}
says_cubic() { # the name comes from sock_diag
	says " cubic wscale:" a ss -tni && jq_is '.[0].cong == "cubic"' a ss -jtn dport = :7
}
native_has_cgroup() { # of its sockets, in this kernel
	python3 -c 'import socket, subprocess
s = socket.create_server(("127.0.0.1", 0)); subprocess.run(["ss", "-tlneH"])' | grep -q " cgroup:"
}
send_rate_is() { # computed from cwnd, mss and RTT as ss(8) does
	jq_is '.[0].info | (.send_bps - .cwnd * .mss * 8000000 / .rtt_us) | fabs < 1' \
		a ss -jtn dport = :7 && says " send " a ss -tni
}

tmp=$(mktemp)
ktap_plan 74

ip netns add ta && ip netns add tb
ip link add va netns ta type veth peer name vb netns tb
ip -n ta link set va up && ip -n tb link set vb up && ip -n ta link set lo up
ktap_run "addr: none at first" silent a addr show
ktap_run "link: none bound at first" silent a link show
ktap_run "addr add" a addr add 10.77.0.1/24 dev va
ktap_run "addr add, the other end" b addr add 10.77.0.2/24 dev vb
ktap_run "addr show" says "inet 10.77.0.1/24" a addr show
ktap_run "addr show -j" jq_is '.[0].ifname=="va" and .[0].addr_info[0].local=="10.77.0.1"' a -j addr show
ktap_run "addr add twice is refused" refused "Error: strata: " a addr add 10.77.0.1/24 dev va
ktap_run "addr del of none is refused" refused "Error: strata: " a addr del 10.77.0.99/24 dev va
ktap_run "addr replace" a addr replace 10.77.0.1/24 dev va
ktap_run "addr add unprivileged is refused" refused "not permitted" \
	ip netns exec ta setpriv --reuid=65534 --regid=65534 --clear-groups \
	--inh-caps=-all strata addr add 10.77.0.3/24 dev va
routes=$(a route show)
ktap_run "addr add of a length of 0, as native" a addr add 10.77.9.1/0 dev va
ktap_is "and no route comes with it" "$(a route show)" "$routes"
a addr del 10.77.9.1/0 dev va
ktap_run "link show" says ": va" a link show
ktap_run "link show -j" jq_is '.[0].mtu==1500 and .[0].ifname=="va"' a -j link show

ktap_run "route: the connected one" says "10.77.0.0/24 dev va" a route show
ktap_run "route add default" a route add default via 10.77.0.2
ktap_run "route add with mtu" a route add 10.80.0.0/16 via 10.77.0.2 metric 5 mtu 1300
ktap_run "route show" says "10.80.0.0/16 via 10.77.0.2 dev va" a route show
ktap_run "route show, its words" says "metric 5 mtu 1300" a route show 10.80.0.0/16
ktap_run "route show -j" jq_is 'map(select(.dst=="default"))[0].gateway=="10.77.0.2"' a -j route show
ktap_run "route get" says "10.80.1.1 via 10.77.0.2 dev va" a route get 10.80.1.1
ktap_run "route add twice is refused" refused "Error: strata: " a route add default via 10.77.0.2
ktap_run "route via nowhere is refused" refused "Error: strata: " a route add 10.81.0.0/16 via 99.0.0.1
ktap_run "route replace" a route replace 10.80.0.0/16 via 10.77.0.3 metric 5
ktap_run "route show after replace" says "via 10.77.0.3" a route show 10.80.0.0/16
ktap_run "route del" a route del 10.80.0.0/16 metric 5
ktap_run "route show after del" silent a route show 10.80.0.0/16

ktap_run "ping" a ping -c 3 -i 0.2 10.77.0.2
ktap_run "ping -j" jq_is '.[0].received==2 and .[0].corrupted==0' a ping -j -c 2 -i 0.2 -s 3000 10.77.0.2
ktap_run "ping nobody: status 1" ends_with 1 a ping -c 1 -W 4 10.77.0.77
ktap_run "neigh show" says "10.77.0.2 dev va lladdr" a neigh show
ktap_run "neigh show -j" jq_is 'map(select(.dst == "10.77.0.2"))[0] | .dev == "va" and
	(.lladdr | test("^[0-9a-f:]{17}$")) and (.state | length == 1)' a -j neigh show
ktap_run "neigh add" a neigh add 10.77.0.9 lladdr 02:00:00:00:00:09 dev va
ktap_run "neigh show, permanent" says "10.77.0.9 dev va lladdr 02:00:00:00:00:09 PERMANENT" a neigh show nud permanent
ktap_run "neigh del" a neigh del 10.77.0.9 dev va
ktap_run "neigh flush" a neigh flush dev va
ktap_run "monitor" monitor_sees
ktap_run "link monitor -j" monitor_json
ktap_run "monitor -j: addresses, routes, neighbours" monitor_objects

# (not through a function: the pid is to be the server's)
# what these two say when ss -K ends their connection must not fall into a line of KTAP
ip netns exec tb tcp_echo_server -a 10.77.0.2 -p 7 2> /dev/null &
server=$!
ktap_run "ss -l shows the listener" wait_for has_listener
ktap_run "ss -p names the process" says '(("tcp_echo_server"' b ss -tlnp
mkfifo "$tmp.in"
ip netns exec ta tcp_echo_client -p 7 10.77.0.2 < "$tmp.in" > /dev/null 2>&1 &
client=$!
exec 9<> "$tmp.in"
ktap_run "ss shows the connection" wait_for has_connection
ktap_run "ss: local and peer" says "10.77.0.2:7" a ss -tn
ktap_run "ss -i" says " cwnd:" a ss -tni
ktap_run "ss -i: the congestion control" says_cubic
ktap_run "ss -i: the rate" send_rate_is
ktap_run "ss -i: no value that is unknown" knows_all a ss -tni
ktap_run "ss -m" says " skmem:(r" a ss -tnm
ktap_run "ss -e" says " ino:" a ss -tne
if native_has_cgroup; then
	ktap_run "ss -e: the cgroup" says " cgroup:" a ss -tne
else
	ktap_skip "ss -e: the cgroup" "sockets have none in this kernel"
fi
ktap_run "ss -j" jq_is '.[0].state=="ESTAB" and .[0].peer_port==7 and .[0].info.mss>0' a ss -jtnp dport = :7
ktap_run "ss filters" silent a ss -tnH "dport = :8 or src 10.9.9.9"
ktap_run "ss -s" says "estab 1" a ss -s
ktap_run "ss -s -j" jq_is '.tcp.estab == 1 and .tcp.inuse == 1 and .tcp.orphaned == 0 and
	.udp.inuse == 0 and .total == 1 + .tcp.timewait' a ss -s -j

# one of each other kind: waiting, connected to nobody, pinging; each option shows its own
a neigh add 10.77.0.88 lladdr 02:00:00:00:00:88 dev va
ip netns exec tb udp_echo -l -a 10.77.0.2 -p 7 > /dev/null 2>&1 &
udp=$!
ip netns exec ta udp_echo -c 99 -p 9 -a 10.77.0.88 > /dev/null 2>&1 &
nobody=$!
strata -n ta ping -i 0.2 10.77.0.2 > /dev/null &
ping=$!
# (the runner leaves descriptors open: which one the socket got is no matter)
ktap_run "ss -ul: who waits" wait_for line_is \
	'UNCONN +0 +0 +10\.77\.0\.2:7 +0\.0\.0\.0:\*  *users:\(\("udp_echo",pid='$udp',fd=[0-9]+\)\) *' b ss -uanpH
ktap_run "ss -u: who is connected" wait_for line_is \
	'ESTAB +0 +[0-9]+ +10\.77\.0\.1:[0-9]+ +10\.77\.0\.88:9 *' a ss -unH
ktap_run "ss -u -j" jq_is 'length == 1 and (.[0] | .netid == "udp" and .state == "ESTAB" and
	.peer == "10.77.0.88" and .peer_port == 9)' a ss -u -a -j
ktap_run "ss -w: who pings" wait_for line_is \
	'UNCONN +0 +0 +[0-9.]+:[0-9]+ +0\.0\.0\.0:\*  *users:\(\("strata",pid='$ping',fd=[0-9]+\)\) *' a ss -wanpH
ktap_run "ss -w -j" jq_is 'length == 1 and .[0].netid == "icmp"' a ss -waj
ktap_run "ss -uw: both, and no other" jq_is 'map(.netid) | sort == ["icmp", "udp"]' a ss -uwaj
ktap_run "ss -uw, a filter" jq_is 'map(.netid) == ["udp"]' a ss -uwaj dport = :9
ktap_run "ss -uK" says 10.77.0.88:9 a ss -uanK
ktap_run "ss: closed by -uK" wait_for silent a ss -uanH
was=$(ident)
ktap_run "ss -wK" says ":$was " a ss -wanK
ktap_run "ss: closed by -wK, and ping has another" wait_for has_other_ident "$was"
# a name cut within a character (PR_SET_NAME takes anything) is a user all the same
ip netns exec tb strata run python3 -c '
import ctypes, socket, time
ctypes.CDLL(None).prctl(15, b"caf\xc3")
s = socket.create_server(("10.77.0.2", 7777))
time.sleep(60)' &
named=$!
ktap_run "ss -p -j: a name that is no UTF-8" wait_for jq_is \
	'length == 1 and (.[0].users | length) == 1 and .[0].users[0].name == "caf?"' b ss -tlpj sport = :7777
kill $named
# what is listed and gone by itself is no error, and the rest goes
come_and_go() { for _ in {1..20}; do a neigh replace 10.77.0.90 lladdr 02:00:00:00:00:90 dev va &&
	a neigh del 10.77.0.90 dev va 2> /dev/null; done; }
flushed_beside() {
	local n
	come_and_go & n=$!
	for _ in {1..20}; do a neigh flush dev va nud permanent || return 1; done
	wait "$n" || :
}
ktap_run "neigh flush, as entries go by themselves" flushed_beside
kill $udp $ping
wait $udp $nobody $ping 2> /dev/null

ktap_run "stat" says "TcpActiveOpens" a stat
ktap_run "stat PATTERN -j" jq_is '.TcpActiveOpens>0 and length==1' a -j stat activeopens
ktap_run "stat -w -j" watch_json
ktap_run "stat -w ends with Ctrl-C" watch_ends
ktap_run "ss -K" a ss -tnK dport = :7
ktap_run "ss: closed by -K" wait_for no_connection
exec 9>&-
wait $client 2>/dev/null

kill $server
wait $server 2>/dev/null
a addr flush dev va
ktap_run "the last address unbinds" silent a link show
b addr flush dev vb
ip netns del ta
ip netns del tb
rm -f "$tmp" "$tmp.in"
ktap_end
