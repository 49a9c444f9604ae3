#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Trace events and `strata trace`: each event of the stack (state change, segment sent, received,
# sent again, drop with its reason), as tracefs has it and as the tool draws it.
#
#	ns ta: va 10.77.0.1/24 ---- vb 10.77.0.2/24 :ns tb
#	                               10.77.0.3/24 (native)
#
# shellcheck source=selftests/lib/ktap.sh disable=SC2317 # called through ktap_run
. "$(dirname "$0")/../lib/ktap.sh"

[ "$(id -u)" = 0 ] || ktap_skip_all "needs root"
ktap_need_module
[ -d /sys/kernel/tracing/events/strata ] || ktap_skip_all "this kernel has no trace events"

PATH=$(dirname "$(command -v strata)")/examples:$PATH
tmp=$(mktemp)
seen=/sys/kernel/tracing/instances/tool-strata

a() { timeout 60 strata -n ta "$@"; }
b() { timeout 60 strata -n tb "$@"; }
wait_for() { # COMMAND...: up to 20 s
	local i
	for ((i = 0; i < 200; i++)); do
		"$@" >/dev/null 2>&1 && return
		sleep 0.1
	done
	return 1
}
has_listener() { [ -n "$(b ss -tlnH sport = :7)" ]; }
has_connection() { [ -n "$(a ss -tnH state established dport = :7)" ]; }

# --- tracefs alone ---
# The states of one connection: RFC 9293 3.3.2, figure 5, by the numbers of net/tcp_states.h.
# The client closes first, and is in TIME-WAIT until that ends: the small object that stands for it
# then is no state.
states_are() { # LOCAL-END REMOTE-END STATES
	local got
	got=$(sed -n "s/.*strata_tcp_state: .* $1 -> $2 state \([0-9]*\) -> \([0-9]*\)\$/\1>\2/p" \
		"$tmp" | tr '\n' ' ')
	[ "$got" = "$3 " ] && return
	echo "$1 to $2: $got, not $3"
	return 1
}
events() { # of one connection: its states, and what one end sends the other receives
	local port status=0 sent rcvd
	mkdir "$seen" && echo 1 > "$seen/events/strata/enable" || return 1
	echo hello | ip netns exec ta timeout 20 tcp_echo_client -p 7 10.77.0.2
	wait_for no_open_end
	echo 0 > "$seen/events/strata/enable"
	cat "$seen/trace" > "$tmp"
	rmdir "$seen"
	port=$(sed -n 's/.*strata_tcp_xmit: sk=[0-9a-f]* 10.77.0.1:\([0-9]*\) .*/\1/p' "$tmp" | head -n 1)
	states_are "10.77.0.1:$port" 10.77.0.2:7 "7>2 2>1 1>4 4>5 5>6" || status=1
	states_are 10.77.0.2:7 "10.77.0.1:$port" "3>1 1>8 8>9 9>7" || status=1
	for sent in "10.77.0.1:$port 10.77.0.2:7" "10.77.0.2:7 10.77.0.1:$port"; do
		rcvd="${sent#* } ${sent% *}"
		sent=$(segments xmit "$sent") rcvd=$(segments rcv "$rcvd")
		# (a FIN in time carries the ACK of the other's)
		[ "$(wc -l <<< "$sent")" -ge 3 ] && [ "$sent" = "$rcvd" ] && continue
		printf 'sent:\n%s\nreceived at the other end:\n%s\n' "$sent" "$rcvd"
		status=1
	done
	grep -q 'strata_tcp_xmit: .* len=6 ' "$tmp" || { echo "no segment of 6 octets"; status=1; }
	[ "$status" = 0 ] || cat "$tmp"
	return "$status"
}
no_open_end() { [ -z "$(a ss -tnH state connected exclude time-wait)$(b ss -tnH state connected exclude time-wait)" ]; }
states_become() { # LOCAL-END REMOTE-END STATES: within 20 s
	local i
	for ((i = 0; i < 20; i++)); do
		states_now "$@" > /dev/null && return
		sleep 1
	done
	states_are "$@"
}
states_now() { cat "$seen/trace" > "$tmp" && states_are "$@"; }
# Whoever ends TIME-WAIT: here SOCK_DESTROY.
destroyed() {
	local port status=0
	mkdir "$seen" && echo 1 > "$seen/events/strata/strata_tcp_state/enable" || return 1
	echo hello | ip netns exec ta timeout 20 tcp_echo_client -p 7 10.77.0.2
	wait_for no_open_end
	port=$(sed -n 's/.* 10.77.0.1:\([0-9]*\) -> .* state 7 -> 2$/\1/p' "$seen/trace")
	states_become "10.77.0.1:$port" 10.77.0.2:7 "7>2 2>1 1>4 4>5 5>6" || status=1
	a ss -tnK state time-wait
	states_become "10.77.0.1:$port" 10.77.0.2:7 "7>2 2>1 1>4 4>5 5>6 6>7" || status=1
	rmdir "$seen"
	return "$status"
}
# A native peer that takes one connection and reads to its end. Three seconds later it ends its
# side, resets it, or does nothing.
peer() { # fin|rst|nothing
	exec ip netns exec tb timeout 40 python3 - "$1" <<-'END'
	import socket, struct, sys, time
	l = socket.socket()
	l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
	l.bind(("10.77.0.3", 8))
	l.listen()
	print("ready", flush=True)
	c, _ = l.accept()
	while c.recv(100):
	    pass
	time.sleep(8)
	if sys.argv[1] == "rst":
	    c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
	if sys.argv[1] == "nothing":
	    time.sleep(30)
	END
}
has_peer() { [ -n "$(a ss -tnH state established dport = :8)" ]; }
# A connection whose process is gone is in FIN-WAIT-2 until its peer, or the time, ends that.
orphan() { # what the PEER does, STATES behind FIN-WAIT-2
	local in=$tmp.in2 client peer port status=0 so_far="7>2 2>1 1>4 4>5"
	mkdir "$seen" && echo 1 > "$seen/events/strata/strata_tcp_state/enable" || return 1
	peer "$1" > "$tmp.out" &
	peer=$!
	wait_for grep -q ready "$tmp.out"
	mkfifo "$in"
	ip netns exec ta tcp_echo_client -p 8 10.77.0.3 < "$in" > /dev/null &
	client=$!
	exec 8<> "$in"
	wait_for has_peer || status=1
	kill -9 "$client"
	wait "$client" 2>/dev/null
	exec 8>&-
	rm "$in"
	port=$(sed -n 's/.* 10.77.0.1:\([0-9]*\) -> .* state 7 -> 2$/\1/p' "$seen/trace")
	sleep 1
	a ss -tnH state fin-wait-2 dport = :8 | grep . || status=1
	states_now "10.77.0.1:$port" 10.77.0.3:8 "$so_far" || status=1
	states_become "10.77.0.1:$port" 10.77.0.3:8 "$so_far $2" || status=1
	if [ "$1" = fin ]; then
		# (a minute; nothing in virtual time)
		if [ "$STRATA_MACHINE" = sim ]; then sleep 55; else a ss -tnK state time-wait; fi
		states_become "10.77.0.1:$port" 10.77.0.3:8 "$so_far $2 6>7" || status=1
	fi
	kill "$peer" 2>/dev/null
	wait "$peer" 2>/dev/null
	rmdir "$seen"
	return "$status"
}
# A port that its owner takes back from TIME-WAIT: the old connection ends before the new begins
taken_back() {
	local status=0 server
	mkdir "$seen" && echo 1 > "$seen/events/strata/strata_tcp_state/enable" || return 1
	ip netns exec tb timeout 60 python3 - > "$tmp.out" <<-'END' &
	import socket
	l = socket.socket()
	l.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
	l.bind(("10.77.0.3", 8))
	l.listen()
	print("ready", flush=True)
	for i in range(2):
	    c, _ = l.accept()
	    while c.recv(100):
	        pass
	    c.close()
	END
	server=$!
	wait_for grep -q ready "$tmp.out"
	ip netns exec ta timeout 60 strata run python3 - <<-'END' || status=1
	import socket
	for i in range(2):
	    s = socket.socket()
	    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
	    s.bind(("10.77.0.1", 7010))
	    s.connect(("10.77.0.3", 8))
	    s.shutdown(socket.SHUT_WR)
	    s.recv(1)
	    s.close()
	END
	wait "$server" || status=1
	states_become 10.77.0.1:7010 10.77.0.3:8 \
		"7>2 2>1 1>4 4>5 5>6 6>7 7>2 2>1 1>4 4>5 5>6" || status=1
	rmdir "$seen"
	return "$status"
}
# The same two ends again, while Strata's is in TIME-WAIT: that ends before the next begins.
reused() {
	local status=0
	mkdir "$seen" && echo 1 > "$seen/events/strata/strata_tcp_state/enable" || return 1
	ip netns exec tb timeout 60 python3 - <<-'END' || status=1
	import os, socket, subprocess, time
	def serve():
	    p = subprocess.Popen("exec ip netns exec ta tcp_echo_server -a 10.77.0.1 -p 9",
	                         shell=True, stderr=subprocess.DEVNULL, start_new_session=True)
	    while not subprocess.getoutput("strata -n ta ss -tlnH sport = :9"):
	        time.sleep(0.1)
	    return p
	def connect():
	    s = socket.socket()
	    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
	    s.bind(("10.77.0.3", 7009))
	    s.settimeout(20)
	    s.connect(("10.77.0.1", 9))
	    s.send(b"hello")
	    s.recv(5)
	    return s
	for i in range(2):
	    p = serve()
	    s = connect()
	    os.killpg(p.pid, 9)	# it has a child for the connection
	    p.wait()
	    s.recv(5)
	    s.close()
	    time.sleep(1)
	END
	states_become 10.77.0.1:9 10.77.0.3:7009 \
		"3>1 1>4 4>5 5>6 6>7 3>1 1>4 4>5 5>6" || status=1
	rmdir "$seen"
	return "$status"
}
# Namespace and all: the last one.
namespace_gone() {
	local port status=0
	mkdir "$seen" && echo 1 > "$seen/events/strata/strata_tcp_state/enable" || return 1
	echo hello | ip netns exec ta timeout 20 tcp_echo_client -p 7 10.77.0.2
	wait_for no_open_end
	port=$(sed -n 's/.* 10.77.0.1:\([0-9]*\) -> .* state 7 -> 2$/\1/p' "$seen/trace")
	states_become "10.77.0.1:$port" 10.77.0.2:7 "7>2 2>1 1>4 4>5 5>6" || status=1
	ip netns del ta
	states_become "10.77.0.1:$port" 10.77.0.2:7 "7>2 2>1 1>4 4>5 5>6 6>7" || status=1
	rmdir "$seen"
	return "$status"
}
# flags, sequence number, acknowledgment, length and window of a socket's segments
segments() { # xmit|rcv ENDS
	sed -n "s/.*strata_tcp_$1: sk=[0-9a-f]* $2 \(flags=.* wnd=[0-9]*\) state=.*/\1/p" "$tmp"
}

# --- the tool ---
ended() { ! kill -0 "$1" 2>/dev/null; }
no_instance() { ! ls -d /sys/kernel/tracing/instances/strata-trace-* 2>/dev/null; }
traces() { # the ladder of a connection, ended by a signal
	local pid sig=$1
	strata -n ta trace 7 > "$tmp" 2> "$tmp.err" &
	pid=$!
	wait_for grep -q Tracing "$tmp.err" || { cat "$tmp.err"; return 1; }
	echo hello | ip netns exec ta timeout 20 tcp_echo_client -p 7 10.77.0.2
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
		echo hello | ip netns exec ta timeout 20 tcp_echo_client -p 7 10.77.0.2
	done
	# also if nothing happens any more that it could write
	wait_for no_instance && wait_for ended "$pid" || return 1
	[ "$(wc -l < "$tmp")" = 1 ] && [ "$(wc -l < "$tmp.err")" = 1 ]
}
trace_counts() { # -c ends by itself
	local pid
	timeout 30 strata -n ta trace -j -c 3 7 > "$tmp" 2> "$tmp.err" &
	pid=$!
	wait_for grep -q Tracing "$tmp.err"
	echo hello | ip netns exec ta timeout 20 tcp_echo_client -p 7 10.77.0.2
	wait "$pid" || return 1
	cat "$tmp"
	[ "$(jq -s '[.[]|select(.event=="xmit" or .event=="rcv")]|length' "$tmp")" = 3 ] &&
		no_instance
}
# What a card of tb sends to va: a datagram, with a right or a wrong checksum.
datagram() { # right|wrong
	ip netns exec tb python3 - "$1" "$(ip netns exec ta cat /sys/class/net/va/address)" <<-'END'
	import socket, struct, sys
	def csum(d):
	    s = sum(struct.unpack("!%dH" % (len(d) // 2), d))
	    s = (s & 0xffff) + (s >> 16)
	    return ~((s & 0xffff) + (s >> 16)) & 0xffff
	src, dst = bytes([10, 77, 0, 2]), bytes([10, 77, 0, 1])
	udp = struct.pack("!4H", 4000, 9, 12, 0) + b"data"
	right = csum(src + dst + struct.pack("!2H", 17, 12) + udp)
	udp = udp[:6] + struct.pack("!H", right if sys.argv[1] == "right" else right ^ 1) + udp[8:]
	ip = struct.pack("!2B3H2BH", 0x45, 0, 32, 1, 0, 64, 17, 0) + src + dst
	ip = ip[:10] + struct.pack("!H", csum(ip)) + ip[12:]
	s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0x0800)
	s.bind(("vb", 0))
	mac = bytes.fromhex(sys.argv[2].replace(":", ""))
	s.send(mac + b"\2\0\0\0\0\2" + b"\x08\0" + ip + udp)
	END
}
trace_drops() { # a port nobody has, a wrong checksum: each packet with its reason
	local pid words=$1 opts=()

	[ -z "$words" ] || opts=(-j)
	strata -n ta "${opts[@]}" trace -d > "$tmp" 2> "$tmp.err" &
	pid=$!
	wait_for grep -q Tracing "$tmp.err"
	datagram right && datagram wrong
	sleep 1
	kill -INT "$pid"
	wait "$pid" || return 1
	cat "$tmp"
	if [ -z "$words" ]; then
		grep -qx "dropped by udp: NO_SOCKET" "$tmp" &&
			grep -qx "dropped by udp: UDP_CSUM" "$tmp"
	else
		jq -es 'map(select(.event == "drop" and .layer == "udp").reason) ==
			["NO_SOCKET", "UDP_CSUM"]' < "$tmp"
	fi
}
# Nothing leaves va for a while: what was sent goes again, each time with its event.
trace_retransmits() {
	local pid in=$tmp.in2 client ours
	local delay=0

	mkdir "$seen" && echo 1 > "$seen/events/strata/strata_tcp_retransmit/enable" || return 1
	strata -n ta -j trace 7 > "$tmp" 2> "$tmp.err" &
	pid=$!
	wait_for grep -q Tracing "$tmp.err"
	mkfifo "$in"
	ip netns exec ta tcp_echo_client -p 7 10.77.0.2 < "$in" > "$tmp.out" &
	client=$!
	exec 8<> "$in"
	wait_for has_connection
	tc -n ta qdisc add dev va root netem loss 100%
	echo hello >&8
	sleep 1.5
	tc -n ta qdisc del dev va root
	wait_for grep -q hello "$tmp.out" || delay=1
	ours=$(a -j ss -tni dport = :7 | jq '.[0].info.total_retrans')
	exec 8>&-
	wait "$client" 2>/dev/null
	sleep 0.5
	kill -INT "$pid"
	wait "$pid"
	cat "$tmp"
	echo "retransmitted: $ours by tcp_info; the events:"
	grep strata_tcp_retransmit "$seen/trace"
	[ "$delay" = 0 ] && [ "$ours" -ge 2 ] &&
		[ "$(grep -c strata_tcp_retransmit: "$seen/trace")" = "$ours" ] &&
		jq -es --argjson n "$ours" 'map(select(.event == "xmit" and .again)) |
			length == $n and all(.seq == 1 and .len == 6)' < "$tmp"
}
# A SYN whose sender is never heard of again but for one repetition: each SYN-ACK behind the
# first is one sent again, as the counter says.
syn() { # [SECONDS]: from 10.77.0.9, and again after SECONDS
	ip netns exec tb python3 - "$(ip netns exec ta cat /sys/class/net/va/address)" "$@" <<-'END'
	import socket, struct, sys, time
	def csum(d):
	    s = sum(struct.unpack("!%dH" % (len(d) // 2), d))
	    s = (s & 0xffff) + (s >> 16)
	    return ~((s & 0xffff) + (s >> 16)) & 0xffff
	src, dst = bytes([10, 77, 0, 9]), bytes([10, 77, 0, 1])
	tcp = struct.pack("!2H2I2B3H", 4009, 9, 1000, 0, 0x50, 2, 8000, 0, 0)
	tcp = tcp[:16] + struct.pack("!H", csum(src + dst + struct.pack("!2H", 6, 20) + tcp)) + tcp[18:]
	ip = struct.pack("!2B3H2BH", 0x45, 0, 40, 1, 0, 64, 6, 0) + src + dst
	ip = ip[:10] + struct.pack("!H", csum(ip)) + ip[12:]
	s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0x0800)
	s.bind(("vb", 0))
	frame = bytes.fromhex(sys.argv[1].replace(":", "")) + b"\2\0\0\0\0\2" + b"\x08\0" + ip + tcp
	s.send(frame)
	for again in sys.argv[2:]:
	    time.sleep(float(again))
	    s.send(frame)
	END
}
sent_again() {
	# shellcheck disable=SC2016 # awk's
	ip netns exec ta awk '$1 == "Tcp:" { if (n) print $n
		for (i = 1; i <= NF; i++) if ($i == "RetransSegs") n = i }' /proc/net/strata/snmp
}
request_retransmits() {
	local server pid before n status=0

	mkdir "$seen" && echo 1 > "$seen/events/strata/enable" || return 1
	a neigh replace 10.77.0.9 lladdr 02:00:00:00:00:02 dev va nud permanent
	ip netns exec ta tcp_echo_server -a 10.77.0.1 -p 9 2> /dev/null &
	server=$!
	wait_for has_listener9 || status=1
	strata -n ta -j trace 9 > "$tmp" 2> "$tmp.err" &
	pid=$!
	wait_for grep -q Tracing "$tmp.err"
	before=$(sent_again)
	syn 0.7
	sleep 3.5
	kill "$server"
	wait "$server" 2>/dev/null
	n=$(($(sent_again) - before))
	kill -INT "$pid"
	wait "$pid"
	cat "$tmp"
	grep -E 'strata_tcp_(xmit|retransmit)' "$seen/trace"
	echo "sent again: $n by the counter"
	# that of the second SYN, those of 1 and 3 s (or 1.7 and 3.7 s)
	[ "$n" -ge 2 ] && [ "$(grep -c strata_tcp_retransmit: "$seen/trace")" = "$n" ] &&
		[ "$(grep -c strata_tcp_xmit: "$seen/trace")" = "$((n + 1))" ] &&
		jq -es --argjson n "$n" 'map(select(.event == "xmit")) | length == $n + 1 and
			all(.flags == "SYN ACK" and .state == "SYN-RECV") and
			(map(select(.again)) | length == $n)' < "$tmp" || status=1
	rmdir "$seen"
	return "$status"
}
has_listener9() { [ -n "$(a ss -tlnH sport = :9)" ]; }

ktap_plan 19
ip netns add ta && ip netns add tb
ip link add va netns ta type veth peer name vb netns tb
ip -n ta link set va up && ip -n tb link set vb up && ip -n ta link set lo up
a addr add 10.77.0.1/24 dev va && b addr add 10.77.0.2/24 dev vb &&
	ip -n tb addr add 10.77.0.3/24 dev vb
ktap_result $? "addresses"
# (not through a function: the pid is to be the server's)
ip netns exec tb tcp_echo_server -a 10.77.0.2 -p 7 2> /dev/null &
server=$!
ktap_run "a server" wait_for has_listener
ktap_run "the events of a connection" events
ktap_run "TIME-WAIT, ended by SOCK_DESTROY" destroyed
ktap_run "FIN-WAIT-2 of an orphan, the FIN comes, TIME-WAIT" orphan fin "5>6"
ktap_run "FIN-WAIT-2 of an orphan, reset" orphan rst "5>7"
ip netns exec ta sysctl -qw net.strata.tcp_fin_timeout=5
ktap_run "FIN-WAIT-2 of an orphan, until tcp_fin_timeout" orphan nothing "5>7"
ip netns exec ta sysctl -qw net.strata.tcp_fin_timeout=60
ktap_run "TIME-WAIT, until the next connection of the same ends" reused
ktap_run "TIME-WAIT, until its owner takes the port back" taken_back
ktap_run "trace, ended by Ctrl-C" traces INT
ktap_run "trace, ended by SIGTERM" traces TERM
ktap_run "trace -c" trace_counts
ktap_run "trace, killed" trace_killed
ktap_run "trace, its reader gone" trace_unread
ktap_run "trace -d: drops and why" trace_drops ""
ktap_run "trace -d -j: drops and why" trace_drops json
ktap_run "trace: retransmissions, as many as tcp_info has" trace_retransmits
rmdir "$seen"
ktap_run "trace: SYN-ACKs of a request sent again, as many as counted" request_retransmits
ktap_run "TIME-WAIT, until its namespace goes" namespace_gone
rmdir "$seen" 2>/dev/null

kill $server
wait $server 2>/dev/null
ip netns del ta 2>/dev/null
ip netns del tb
rm -f "$tmp" "$tmp.err" "$tmp.in2" "$tmp.out"
ktap_end
