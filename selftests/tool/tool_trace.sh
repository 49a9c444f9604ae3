#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Trace events and `strata trace`: each event of the stack (state change, segment sent, received,
# sent again, drop with its reason), as tracefs has it and as the tool draws it.
#
#	ns ta: va 10.77.0.1/24 ---- vb 10.77.0.2/24 :ns tb
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
# The client closes first; its socket ends when TIME-WAIT is left to a small object.
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
	states_are "10.77.0.1:$port" 10.77.0.2:7 "7>2 2>1 1>4 4>5 5>6 6>7" || status=1
	states_are 10.77.0.2:7 "10.77.0.1:$port" "3>1 1>8 8>9 9>7" || status=1
	for sent in "10.77.0.1:$port 10.77.0.2:7" "10.77.0.2:7 10.77.0.1:$port"; do
		rcvd="${sent#* } ${sent% *}"
		sent=$(segments xmit "$sent") rcvd=$(segments rcv "$rcvd")
		[ "$(wc -l <<< "$sent")" -ge 4 ] && [ "$sent" = "$rcvd" ] && continue
		printf 'sent:\n%s\nreceived at the other end:\n%s\n' "$sent" "$rcvd"
		status=1
	done
	grep -q 'strata_tcp_xmit: .* len=6 ' "$tmp" || { echo "no segment of 6 octets"; status=1; }
	[ "$status" = 0 ] || cat "$tmp"
	return "$status"
}
no_open_end() { [ -z "$(a ss -tnH state connected exclude time-wait)$(b ss -tnH state connected exclude time-wait)" ]; }
# flags, sequence number, acknowledgment, length and window of a socket's segments
segments() { # xmit|rcv ENDS
	sed -n "s/.*strata_tcp_$1: sk=[0-9a-f]* $2 \(flags=.* wnd=[0-9]*\) state=.*/\1/p" "$tmp"
}

# --- the tool ---
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
	wait_for no_instance && ! kill "$pid" 2>/dev/null
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

ktap_plan 11
ip netns add ta && ip netns add tb
ip link add va netns ta type veth peer name vb netns tb
ip -n ta link set va up && ip -n tb link set vb up && ip -n ta link set lo up
a addr add 10.77.0.1/24 dev va && b addr add 10.77.0.2/24 dev vb
ktap_result $? "addresses"
# (not through a function: the pid is to be the server's)
ip netns exec tb tcp_echo_server -a 10.77.0.2 -p 7 2> /dev/null &
server=$!
ktap_run "a server" wait_for has_listener
ktap_run "the events of a connection" events
ktap_run "trace, ended by Ctrl-C" traces INT
ktap_run "trace, ended by SIGTERM" traces TERM
ktap_run "trace -c" trace_counts
ktap_run "trace, killed" trace_killed
ktap_run "trace, its reader gone" trace_unread
ktap_run "trace -d: drops and why" trace_drops ""
ktap_run "trace -d -j: drops and why" trace_drops json
ktap_run "trace: retransmissions, as many as tcp_info has" trace_retransmits
rmdir "$seen" 2>/dev/null

kill $server
wait $server 2>/dev/null
ip netns del ta
ip netns del tb
rm -f "$tmp" "$tmp.err" "$tmp.in2" "$tmp.out"
ktap_end
