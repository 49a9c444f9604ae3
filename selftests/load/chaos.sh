#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What is pulled away under running transfers: the module (refused), the addresses, the
# device, the namespace; and two stacks on one card. After each, everything must be given
# back and the module leave.
#
#	ns la: va 10.9.0.1/24 native -------- vb 10.9.0.2/24 native :ns lb
#	          10.9.0.11/24 Strata            10.9.0.12/24 Strata
#
# shellcheck source=selftests/lib/ktap.sh disable=SC2317 # called through ktap_run
. "$(dirname "$0")/../lib/ktap.sh"
# shellcheck source=selftests/load/load_env.sh
. "$(dirname "$0")/load_env.sh"
# shellcheck source=selftests/load/load_counters.sh
. "$(dirname "$0")/load_counters.sh"

case ${STRATA_FULL:-0}$STRATA_MACHINE in
1debug) cycles=50 times=5 flows=2 wave=10 ;;
1*) cycles=50 times=10 flows=8 wave=50 ;;
0debug) cycles=2 times=1 flows=1 wave=4 ;;
*) cycles=2 times=1 flows=2 wave=10 ;;
esac

log=$(mktemp)
up_all() { load_module && up; }
flow() { timeout 120 "$DIR/load_flow" "$@"; }
conns() { timeout 300 "$DIR/load_conns" "$@"; }

# Transfers and connections, with Strata as server, as client and as both, until they fail
# or are killed.
pids=() flow_pids=()
traffic() {
	local pair port=0 pid
	pids=() flow_pids=()
	for pair in "strata@la native@lb 10.9.0.11" "native@la strata@lb 10.9.0.1" \
		"strata@lb strata@la 10.9.0.12"; do
		port=$((port + 10))
		# shellcheck disable=SC2086 # words
		LOAD_PORT=$((7000 + port)) "$DIR/load_flow" $pair $flows 0 >>"$log" 2>&1 &
		pids+=($!) flow_pids+=($!)
		# shellcheck disable=SC2086
		LOAD_PORT=$((7001 + port)) "$DIR/load_conns" $pair 100000000 $wave >>"$log" 2>&1 &
		pids+=($!)
	done
	sleep 1
	for pid in "${pids[@]}"; do
		kill -0 "$pid" || { cat "$log"; return 1; }
	done
}
traffic_ends() {
	kill -KILL "${pids[@]}"
	wait "${pids[@]}"
	return 0
} 2>/dev/null

# run a command under traffic, end that, and see that all is given back. The namespaces
# stay reachable by descriptor when their names are gone.
under_traffic() { # COMMAND...
	local status
	up_all || return 1
	exec 8</run/netns/la 9</run/netns/lb
	traffic || return 1
	"$@"
	status=$?
	traffic_ends
	killed_off || status=1
	exec 8<&- 9<&-
	down
	within 5 rmmod strata || return 1
	return "$status"
}

# `strata ss -K` ends what no peer will end any more
killed_off() {
	local fd
	for fd in 8 9; do
		nsenter --net="/proc/self/fd/$fd" strata ss -K -a >/dev/null || return 1
	done
	within 5 no_sockets
}

refused() {
	local i
	for ((i = 0; i < times; i++)); do
		rmmod strata 2>"$log" && return 1
		grep -q 'in use' "$log" || { cat "$log"; return 1; }
		[ -d /sys/module/strata ] || return 1
		sleep 0.2
	done
}
device_goes() { ip -n la link del va && sleep 1; }
device_moves() { ip -n la link set va netns lb && sleep 1; }
device_down_up() {
	local i
	for ((i = 0; i < times; i++)); do
		ip -n la link set va down && sleep 0.2 && ip -n la link set va up || return 1
		sleep 0.5
	done
}
namespace_goes() { ip netns del "$1" && sleep 1; }
mtu_changes() {
	local mtu
	for mtu in 600 9000 1500; do
		ip -n la link set va mtu "$mtu" && ip -n lb link set vb mtu "$mtu" || return 1
		sleep 0.3
	done
}

# do the flows of shared_card() stand, so that something may happen to them?
connected() {
	local file
	for file in "$log".[1-3]; do
		[ ! -e "$file" ] || grep -q '^# connected' "$file" || return 1
	done
}

# Both stacks at once on one card, transfers and connections; none may fail or stand still.
shared_card() { # [COMMAND...: meanwhile]
	local status=0 pid here=()
	LOAD_PORT=7100 flow strata@la strata@lb 10.9.0.11 "$flows" 6 >"$log.1" 2>&1 & here+=($!)
	LOAD_PORT=7110 flow native@la native@lb 10.9.0.1 "$flows" 6 >"$log.2" 2>&1 & here+=($!)
	if [ "${mixed-}" != 0 ]; then
		LOAD_PORT=7120 flow strata@la native@lb 10.9.0.11 "$flows" 6 >"$log.3" 2>&1 & here+=($!)
	fi
	if [ $# = 0 ]; then
		LOAD_PORT=7130 conns strata@la strata@lb 10.9.0.11 $((2 * wave)) "$wave" >"$log.4" 2>&1 &
		here+=($!)
	fi
	# native cannot connect without a route: not while the device is down
	if [ "${1-}" != device_down_up ]; then
		LOAD_PORT=7140 conns native@la native@lb 10.9.0.1 $((2 * wave)) "$wave" >"$log.5" 2>&1 &
		here+=($!)
	fi
	sleep 1
	[ $# = 0 ] || { within 30 connected && "$@"; } || status=1
	for pid in "${here[@]}"; do
		wait "$pid" || status=1
	done
	cat "$log".?
	return "$status"
}
# the last address unbinds the card, the first binds it again
unbind_rebind() {
	local i
	for i in 1 2 3; do
		strata -n la addr del 10.9.0.11/24 dev va || return 1
		sleep 0.2
		strata -n la addr add 10.9.0.11/24 dev va || return 1
		sleep 0.2
	done
}
# native's own part of that, with nothing of Strata beside it
native_alone() {
	local status=0 pid here=()
	LOAD_PORT=7110 flow native@la native@lb 10.9.0.1 "$flows" 4 >"$log.1" 2>&1 & here+=($!)
	LOAD_PORT=7140 conns native@la native@lb 10.9.0.1 $((2 * wave)) "$wave" >"$log.2" 2>&1 &
	here+=($!)
	for pid in "${here[@]}"; do
		wait "$pid" || status=1
	done
	[ "$status" = 0 ] || cat "$log".?
	return "$status"
}

# What may count in one run and not in another is when packets met the reader, the peer's timers
# and each other: how ACKs were delayed and data queued, probes and retransmissions on a busy
# machine. All else that native counts beside Strata it counts alone too; and what it sent into
# the card is what native at the other end got out of it, to the packet and the octet.
chance='TcpExt:(Delayed|TCPHP|TCPPureAcks|TCPBacklogCoalesce|TCPRcvC|TCPOFO(Queue|Merge)|TCPAckComp'
chance+='|TCPAutoCorking|TCPSpurious|TCP(To|From|Want)ZeroWindow|TCPWinProbe|TCPLossProbe|TCPDSACK'
chance+='|TCPTimeouts|TCPSlowStartR|TCPFastR|TCPLostR|TCPSackR|TCPSACKR|TCPTSR|TCPHystart|TCPKeepA'
chance+='|TCP(Full|Partial|DSACK|Loss)Undo|TCPSynRetrans|TCP(Sack|Loss)Fail|TcpTimeoutRehash'
chance+='|TcpDuplicateDataRehash|TCPAbortOn(Data|Close)|TCPSackShift|TCPSackMerged|TW|TCPACKSkipped'
chance+='|TCPOrigDataSent|TCPDelivered|PruneCalled)|Tcp:(RetransSegs|OutRsts|EstabResets|CurrEstab)'
native_unchanged() { # ALONE BESIDE: what has grown
	local status=0 pair new
	new=$(awk 'NR == FNR { seen[$1, $2]; next } !(($1, $2) in seen) { print }' \
		<(echo "$1") <(echo "$2") | grep -vE "^l[ab] ($chance)")
	[ -z "$new" ] || { echo "native counted beside Strata, but not alone:"; echo "$new"; status=1; }
	new=$(echo "$2" | grep statistics/)
	[ -z "$new" ] || { echo "lost by the card: $new"; status=1; }
	for pair in "la Ip:OutRequests lb Ip:InReceives" "lb Ip:OutRequests la Ip:InReceives" \
		"la IpExt:OutOctets lb IpExt:InOctets" "lb IpExt:OutOctets la IpExt:InOctets" \
		"la Ip:InReceives la Ip:InDelivers" "lb Ip:InReceives lb Ip:InDelivers" \
		"la Tcp:PassiveOpens lb Tcp:ActiveOpens"; do
		# shellcheck disable=SC2086 # words
		same_growth "$2" $pair || status=1
	done
	return "$status"
}
same_growth() { # GROWN NAMESPACE NAME NAMESPACE NAME
	local one two
	one=$(awk -v ns="$2" -v name="$3" '$1 == ns && $2 == name { print $3 }' <<< "$1")
	two=$(awk -v ns="$4" -v name="$5" '$1 == ns && $2 == name { print $3 }' <<< "$1")
	[ -n "$one" ] && [ "$one" = "$two" ] && return
	echo "native: $2 $3 $one, but $4 $5 $two"
	return 1
}
# both stacks at once, and what native counts then
share_counted() {
	local status=0 before between after alone beside
	up_all || return 1
	before=$(counters_rest native la lb)
	native_alone || status=1
	between=$(counters_rest native la lb)
	mixed=0 shared_card || status=1
	after=$(counters_rest native la lb)
	alone=$(grown "$before" "$between") beside=$(grown "$between" "$after")
	native_unchanged "$alone" "$beside" || status=1
	if [ "$(grep Opens <<< "$alone")" != "$(grep Opens <<< "$beside")" ]; then
		printf 'opened alone, and beside:\n%s\n%s\n' "$alone" "$beside" | grep -i opens
		status=1
	fi
	reset_all la lb
	down
	within 5 rmmod strata || return 1
	return "$status"
}
share() { # [COMMAND...]
	local status
	up_all || return 1
	shared_card "$@"
	status=$?
	reset_all la lb
	down
	within 5 rmmod strata || return 1
	return "$status"
}

# Sockets end by `strata ss -K`, but only when they are closed are they gone: then the
# module leaves. The programs notice when they run again.
kill_and_close() {
	local pid
	kill -STOP "${pids[@]}"
	if ! reset_all la lb || ! refused; then
		traffic_ends
		return 1
	fi
	kill -CONT "${pids[@]}"
	for pid in "${flow_pids[@]}"; do
		wait "$pid" && { echo "$pid did not notice"; return 1; }
	done
	traffic_ends
	reset_all la lb && within 1 no_sockets && rmmod strata && insmod "$STRATA_KO"
}

# TIME-WAIT, addresses and bound cards do not keep the module; nor do they when their
# namespace goes at the same time
cycle() {
	local i
	for ((i = 0; i < cycles; i++)); do
		up_all || return 1
		conns strata@la strata@lb 10.9.0.11 10 5 || return 1
		((i % 2)) || down
		within 2 rmmod strata || { echo "cycle $i"; return 1; }
		((i % 2)) && down
	done
	return 0
}

ktap_plan 13
ktap_run "two stacks share the card" share
ktap_run "native counts beside Strata what it counts alone" share_counted
ktap_run "it is unbound and bound again under transfers" share unbind_rebind
ktap_run "transfers outlive changes of the MTU" share mtu_changes
ktap_run "transfers outlive a device that goes down and up" share device_down_up
ktap_run "rmmod is refused while sockets are open" under_traffic refused
ktap_run "ss -K, close, rmmod" under_traffic kill_and_close
ktap_run "the device goes" under_traffic device_goes
ktap_run "the device moves to another namespace" under_traffic device_moves
ktap_run "the device goes down and up" under_traffic device_down_up
ktap_run "the MTU changes" under_traffic mtu_changes
ktap_run "a namespace goes" under_traffic namespace_goes lb
ktap_run "load, traffic, unload: $cycles times" cycle
rm -f "$log" "$log".?
ktap_end
