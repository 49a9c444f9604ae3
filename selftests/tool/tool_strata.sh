#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The tool on the loaded module: two namespaces joined by a veth pair, Strata at
# both ends.
#
#	ns ta: va 10.77.0.1/24 ---- vb 10.77.0.2/24 :ns tb
#
# shellcheck source=selftests/lib/ktap.sh disable=SC2317 # called through ktap_run
. "$(dirname "$0")/../lib/ktap.sh"

[ "$(id -u)" = 0 ] || ktap_skip_all "needs root"
if [ ! -d /sys/module/strata ]; then
	[ -r "${STRATA_KO:-}" ] || ktap_skip_all "the module is not here"
	insmod "$STRATA_KO" || ktap_skip_all "the module does not load"
fi

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
watch_ends() { # SIGINT ends the watch with status 0
	local pid
	strata -n ta stat -a -w 0.2 > "$tmp" &
	pid=$!
	sleep 1
	kill -INT "$pid"
	wait "$pid" && grep -q '/s$' "$tmp"
}
no_instance() { ! ls -d /sys/kernel/tracing/instances/strata-trace-* 2>/dev/null; }
traces() { # the ladder of a connection, ended by a signal
	local pid sig=$1
	strata -n ta trace 7 > "$tmp" 2> "$tmp.err" &
	pid=$!
	wait_for grep -q Tracing "$tmp.err" || { cat "$tmp.err"; return 1; }
	echo hello | ip netns exec ta timeout 10 tcp_echo_client -p 7 10.77.0.2
	sleep 1
	kill "-$sig" "$pid"
	wait "$pid" || return 1
	cat "$tmp"
	grep -q -- '|-- SYN seq 0 win [0-9]* mss 1460 .*>|' "$tmp" &&
		grep -q -- '|<- SYN ACK seq 0 ack 1 .*-|' "$tmp" &&
		! grep -qE ':0( |$)' "$tmp" && ! grep -q '^#3' "$tmp" &&
		grep -q '#1 .*SYN-SENT' "$tmp" && grep -q '#1 .*ESTAB' "$tmp" &&
		grep -q -- '|-- PSH ACK seq 1 ack 1 len 6 ' "$tmp" && no_instance
}
# A killed run cannot clean up: the next one does it.
trace_killed() {
	local pid
	strata -n ta trace > /dev/null 2> "$tmp.err" &
	pid=$!
	wait_for grep -q Tracing "$tmp.err"
	kill -9 "$pid"
	wait "$pid" 2>/dev/null
	ls -d /sys/kernel/tracing/instances/strata-trace-"$pid" || return 1
	timeout -s INT 5 strata -n ta trace
	no_instance
}
trace_unread() { # trace | head: no complaint, nothing left
	local pid
	strata -n ta trace -j 2> "$tmp.err" > >(head -n 1 > "$tmp") &
	pid=$!
	wait_for grep -q Tracing "$tmp.err"
	for _ in 1 2 3; do
		echo hello | ip netns exec ta timeout 10 tcp_echo_client -p 7 10.77.0.2
	done
	wait_for no_instance && ! kill "$pid" 2>/dev/null
	[ "$(wc -l < "$tmp")" = 1 ] && [ "$(wc -l < "$tmp.err")" = 1 ]
}
trace_counts() { # -c ends by itself
	local pid
	timeout 30 strata -n ta trace -j -c 3 7 > "$tmp" 2> "$tmp.err" &
	pid=$!
	wait_for grep -q Tracing "$tmp.err"
	echo hello | ip netns exec ta timeout 10 tcp_echo_client -p 7 10.77.0.2
	wait "$pid" || return 1
	cat "$tmp"
	[ "$(jq -s '[.[]|select(.event=="xmit" or .event=="rcv")]|length' "$tmp")" = 3 ] &&
		no_instance
}

tmp=$(mktemp)
ktap_plan 59

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
ktap_run "neigh add" a neigh add 10.77.0.9 lladdr 02:00:00:00:00:09 dev va
ktap_run "neigh show, permanent" says "10.77.0.9 dev va lladdr 02:00:00:00:00:09 PERMANENT" a neigh show nud permanent
ktap_run "neigh del" a neigh del 10.77.0.9 dev va
ktap_run "neigh flush" a neigh flush dev va
ktap_run "monitor" monitor_sees
ktap_run "link monitor -j" monitor_json

# (not through a function: the pid is to be the server's)
ip netns exec tb tcp_echo_server -a 10.77.0.2 -p 7 &
server=$!
ktap_run "ss -l shows the listener" wait_for has_listener
ktap_run "ss -p names the process" says '(("tcp_echo_server"' b ss -tlnp
mkfifo "$tmp.in"
ip netns exec ta tcp_echo_client -p 7 10.77.0.2 < "$tmp.in" > /dev/null &
client=$!
exec 9<> "$tmp.in"
ktap_run "ss shows the connection" wait_for has_connection
ktap_run "ss: local and peer" says "10.77.0.2:7" a ss -tn
ktap_run "ss -i" says " cwnd:" a ss -tni
ktap_run "ss -i: no value that is unknown" knows_all a ss -tni
ktap_run "ss -m" says " skmem:(r" a ss -tnm
ktap_run "ss -e" says " ino:" a ss -tne
ktap_run "ss -j" jq_is '.[0].state=="ESTAB" and .[0].peer_port==7 and .[0].info.mss>0' a ss -jtnp dport = :7
ktap_run "ss filters" silent a ss -tnH "dport = :8 or src 10.9.9.9"
ktap_run "ss -s" says "estab 1" a ss -s
ktap_run "stat" says "TcpActiveOpens" a stat
ktap_run "stat PATTERN -j" jq_is '.TcpActiveOpens>0 and length==1' a -j stat activeopens
ktap_run "stat -w ends with Ctrl-C" watch_ends
ktap_run "ss -K" a ss -tnK dport = :7
ktap_run "ss: closed by -K" wait_for no_connection
exec 9>&-
wait $client 2>/dev/null

ktap_run "trace, ended by Ctrl-C" traces INT
ktap_run "trace, ended by SIGTERM" traces TERM
ktap_run "trace -c" trace_counts
ktap_run "trace, killed" trace_killed
ktap_run "trace, its reader gone" trace_unread

kill $server
wait $server 2>/dev/null
a addr flush dev va
ktap_run "the last address unbinds" silent a link show
b addr flush dev vb
ip netns del ta
ip netns del tb
rm -f "$tmp" "$tmp.err" "$tmp.in"
ktap_end
