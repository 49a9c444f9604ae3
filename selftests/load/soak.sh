#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A day of mixed traffic in virtual time: connections that idle, short ones, transfers, stalled
# ones and datagrams, in every combination of stacks, over a link that loses, delays, reorders,
# doubles and spoils packets and is dead now and then, while addresses, routes, the MTU and the
# card's link address change and neighbours come and go. All data must be right, no counter may
# tell of a fault, and memory must be back to the start.
#
#	ns la: va 10.9.0.1/24 native -------- vb 10.9.0.2/24 native :ns lb
#	          10.9.0.11/24 Strata            10.9.0.12/24, 10.9.0.13/24 Strata
#
# STRATA_SOAK_HOURS: how long (24)
#
# shellcheck source=selftests/lib/ktap.sh disable=SC2317 # called through ktap_run
. "$(dirname "$0")/../lib/ktap.sh"
# shellcheck source=selftests/load/load_env.sh
. "$(dirname "$0")/load_env.sh"
# shellcheck source=selftests/load/load_counters.sh
. "$(dirname "$0")/load_counters.sh"

[ "${STRATA_MACHINE-}" = sim ] || ktap_skip_all "a day is too long where time is real"

hours=${STRATA_SOAK_HOURS:-24}
logs=$(mktemp -d)
a() { strata -n la "$@"; }
b() { strata -n lb "$@"; }

# one packet at a time, so that netem spoils packets, not bundles
bad_link() {
	ip -n la link set va gso_max_segs 1 && ip -n lb link set vb gso_max_segs 1 || return 1
	tc -n la qdisc replace dev va root netem delay 20ms 5ms loss 2% duplicate 0.5% \
		corrupt 0.1% limit 10000 &&
		tc -n lb qdisc replace dev vb root netem delay 20ms 5ms loss 2% duplicate 0.5% \
			corrupt 0.1% limit 10000
}
no_link() {
	tc -n la qdisc replace dev va root netem loss 100% &&
		tc -n lb qdisc replace dev vb root netem loss 100%
}

# name, who serves whom, the server's address
pairs=(
	"ss strata@la strata@lb 10.9.0.11"
	"sn strata@la native@lb 10.9.0.11"
	"ns native@la strata@lb 10.9.0.1"
)
names=() pids=()
begin() { # NAME KIND SERVER CLIENT ADDRESS SECONDS
	local name=$1
	shift
	LOAD_PORT=$((7000 + ${#pids[@]})) "$DIR/load_soak" "$@" > "$logs/$name" 2>&1 &
	pids+=($!)
	names+=("$name")
}
traffic() { # SECONDS
	local pair kind
	names=() pids=()
	for pair in "${pairs[@]}"; do
		for kind in idle short bulk stall udp; do
			# shellcheck disable=SC2086 # words
			begin "$kind ${pair%% *}" $kind ${pair#* } "$1"
		done
	done
	begin "idle over lo" idle strata@la strata@la 127.0.0.1 "$1"
	begin "short over lo" short strata@la strata@la 127.0.0.1 "$1"
	# 10.9.0.98 nobody has, 10.9.0.99 has a link address nobody has
	begin "nowhere" nowhere strata@la strata@la 10.9.0.98 "$1"
}

# ---- what is done to the machines meanwhile; each leaves all as it was ----

# every ten minutes: an entry nobody used since is gone (gc_stale), and made anew
neighbour_expires() {
	local left
	left=$(a neigh show 10.9.0.13)
	[ -z "$left" ] || { echo "still there: $left"; return 1; }
	a ping -c 5 -i 0.5 10.9.0.13 > /dev/null || { echo "no answer"; return 1; }
	[ -n "$(a neigh show 10.9.0.13)" ]
}
addresses_and_routes() {
	a addr add 10.9.0.21/24 dev va && a route add 10.200.0.0/16 via 10.9.0.12 &&
		a route replace default via 10.9.0.12 && b addr add 10.9.1.12/24 dev vb &&
		sleep 5 && a ping -c 5 -i 0.5 10.9.1.12 > /dev/null &&
		a route del default && a route del 10.200.0.0/16 && b addr del 10.9.1.12/24 dev vb &&
		a addr del 10.9.0.21/24 dev va
}
smaller_mtu() {
	ip -n la link set va mtu 1300 && ip -n lb link set vb mtu 1300 && sleep 60 &&
		ip -n la link set va mtu 1500 && ip -n lb link set vb mtu 1500
}
other_link_address() { # N
	ip -n la link set va address "02:00:00:00:01:$(printf %02x "$1")" && a neigh flush dev va &&
		a neigh replace 10.9.0.99 lladdr 02:00:00:00:00:99 dev va nud permanent
}
blackout() { no_link && sleep 20 && bad_link; }

# one of these every ten minutes, each in its turn
changes() { # SECONDS
	local n end=$(($1 / 600)) what
	for ((n = 1; n < end; n++)); do
		sleep 400
		neighbour_expires || { echo "neighbour, round $n"; return 1; }
		case $((n % 6)) in
		0) what=blackout ;;
		1 | 3) what=addresses_and_routes ;;
		2) what=smaller_mtu ;;
		4) what="other_link_address $n" ;;
		5) what=true ;;
		esac
		$what || { echo "$what, round $n"; return 1; }
		sleep 140
	done
}

soak() { # SECONDS
	a neigh replace 10.9.0.99 lladdr 02:00:00:00:00:99 dev va nud permanent || return 1
	traffic "$1"
	changes "$1" > "$logs/changes" 2>&1 &
	pids+=($!)
	names+=(changes)
}

# what must have happened, so that all of it was tried
happened="Tcp:RetransSegs Tcp:InCsumErrors TcpExt:TCPFastRetrans TcpExt:TCPTimeouts
	TcpExt:TCPLossProbes TcpExt:TCPKeepAlive TcpExt:TCPWinProbe TcpExt:TCPToZeroWindowAdv
	TcpExt:TCPDSACKRecv TcpExt:TCPOFOQueue TcpExt:TW Ip:ReasmOKs Ip:FragCreates
	Udp:InDatagrams ArpExt:OutRequests ArpExt:ResolutionFailed"
# what tells of a fault, whatever the link does. (OutDiscards are what waits for the link address
# of a host that is not there; connections that time out are counted below)
faults='Ip:(InDiscards|OutNoRoutes|FragFails|InUnknownProtos|InAddrErrors)'
faults+='|Icmp:(OutErrors|OutRateLimit)|Udp:(RcvbufErrors|SndbufErrors|MemErrors|NoPorts)'
faults+='|TcpExt:(TCPMemoryPressures|TCPAbortOnMemory|TCPTimeWaitOverflow'
faults+='|ListenOverflows|ListenDrops|TCPBacklogDrop|TCPRetransFail|TCPWqueueTooBig|PruneCalled'
faults+='|OfoPruned|RcvPruned|TCPOFODrop|TCPSACKReneging|TCPReqQFull|Syncookies|PAWSActive)'
faults+='|ArpExt:(TableFull|QueueDrops|AddressConflicts)|Tcp:EstabResets'
all_happened() { # GROWN
	local name missing=''
	for name in $happened; do
		grep -q " $name " <<< "$1" || missing+=" $name"
	done
	[ -z "$missing" ] || { echo "did not happen:$missing"; echo "$1"; return 1; }
}
no_faults() { # GROWN
	local silent
	# what the link has spoilt is no fault
	awk '$2 == "Icmp:InErrors" { errors[$1] = $3 }
		$2 == "Icmp:InCsumErrors" { spoilt[$1] = $3 }
		END {
			for (ns in errors)
				if (errors[ns] != spoilt[ns]) {
					print ns, errors[ns], "Icmp:InErrors, spoilt", spoilt[ns] + 0
					bad = 1
				}
			exit bad
		}' <<< "$1" || return 1
	! grep -E "^l[ab] ($faults)" <<< "$1" || return 1
	# those that were to time out, and no other
	silent=$(sed -n 's/^# nowhere .*: \([0-9]*\) in .*/\1/p' "$logs/nowhere")
	[ "$(grep TCPAbortOnTimeout <<< "$1")" = "la TcpExt:TCPAbortOnTimeout $silent" ] && return
	grep TCPAbortOnTimeout <<< "$1"
	echo "but $silent that nobody answered"
	return 1
}

# once through all of it before the account of memory is opened
warm_up() {
	local i status=0
	soak 900
	for i in "${!pids[@]}"; do
		wait "${pids[i]}" || { echo "${names[i]}"; cat "$logs/${names[i]}"; status=1; }
	done
	rest && return "$status"
}
# connections end by themselves, TIME-WAIT too
rest() { within 600 no_sockets && within 120 no_time_waits; }
no_time_waits() {
	local ns
	for ns in la lb; do
		ip netns exec "$ns" grep '^TCP:' /proc/net/strata/sockstat
	done | awk '$7 != 0 { print; bad = 1 } END { exit bad }'
}

ktap_plan $((8 + 5 * ${#pairs[@]} + 4))
ktap_run "module" load_module
ktap_run "namespaces, addresses" up
b addr add 10.9.0.13/24 dev vb
ktap_run "a bad link" bad_link
ktap_run "a quarter of an hour of all of it" warm_up
before=$(memory_take)
counted=$(counters strata la lb)
soak $((hours * 3600))
for i in "${!pids[@]}"; do
	wait "${pids[i]}"
	status=$?
	[ "$status" = 0 ] || ktap_note "$(cat "$logs/${names[i]}")"
	ktap_result "$status" "$hours h: ${names[i]}" "$(tail -n 1 "$logs/${names[i]}")"
done
ktap_run "all sockets are gone" rest
now=$(grown "$counted" "$(counters strata la lb)")
ktap_run "all that was to be tried happened" all_happened "$now"
ktap_run "no counter tells of a fault" no_faults "$now"
ktap_run "memory is back to the start" within 20 memory_same "$before"
down
rm -rf "$logs"
ktap_end
