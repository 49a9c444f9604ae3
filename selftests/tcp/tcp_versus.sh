#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Strata's TCP beside the native one on the same links, both with CUBIC: goodput of a bulk
# flow, time to complete of short transfers, and how they share a bottleneck.
#
#	a (servers)              r (native router)                     b (clients)
#	  va 192.0.2.1 strata      ra .254    rb .254                   vb 198.51.100.1 strata
#	     192.0.2.11 native     out of rb: rate, queue, loss         198.51.100.11 native
#	                                                                out of vb: the RTT
#
# Both ends of a flow belong to one stack. A cell with loss is repeated, the stacks in turn,
# until the standard error of the ratio of their means is below 1.5 %, 40 times at most; the
# line behind its result says how often. Virtual time is needed: on the machine sim or a
# counting one (6.12+count), which carries more octets per second of real time.
#
#	tcp_versus.sh [quick|goodput|short|share]...
#	tcp_versus.sh PART:CELL[:CELL]...	single cells, their numbers separated by commas:
#		goodput:LOSS,RTT,QUEUE  short:KB,RTT,LOSS  share:FLOWS,RTT
#
# STRATA_FULL=1: every cell, and all but quick if none is named; otherwise a sample of each, and
# quick (goodput in seconds rather than half a minute) and short. STRATA_CONG=reno: another
# algorithm, in both stacks. STRATA_RUNS=N: no cell is repeated more often; STRATA_SECONDS=N: how
# long a flow of goodput lasts. STRATA_ENDS=strata-native (or native-strata): the sender and the
# receiver of the flow that native's is compared with, to see which side a difference comes from.
#
# shellcheck disable=SC2034,SC2317 # A and B are used by name, as is cleanup
# shellcheck source=selftests/lib/ktap.sh
. "$(dirname "$0")/../lib/ktap.sh"

A="ip netns exec strata-vs-a"
R="ip netns exec strata-vs-r"
B="ip netns exec strata-vs-b"
FLOWS=$(dirname "$0")/tcp_flows
RATE=10mbit
ENDS=${STRATA_ENDS:-strata-strata}
RUNS=${STRATA_RUNS:-1000}
SHARES=5	# which of two flows gets more is chance, too: the mean index of so many runs
CELLS=
declare -A server=([strata]=strata-vs-a:strata:192.0.2.1 [native]=strata-vs-a:native:192.0.2.11)
declare -A client=([strata]=strata-vs-b:strata:198.51.100.1
		   [native]=strata-vs-b:native:198.51.100.11)

cleanup() { # called by the trap
	ip netns del strata-vs-a
	ip netns del strata-vs-b
	ip netns del strata-vs-r
	rmmod strata
}

# LOSS (%) RTT (ms) QUEUE (packets)
set_link() {
	$R tc qdisc replace dev rb root handle 1: netem loss "$1%" rate "$RATE" limit "$3" &&
		$B tc qdisc replace dev vb root handle 1: netem delay "$2ms" limit 100000
}

# What the last flow left in the queues is gone.
settle() { sleep 5; }

# The mean of two lists' ratio, its standard error and the means: "RATIO ERROR MEAN MEAN"
compare_lists() { # LIST LIST
	awk -v a="$1" -v b="$2" '
	function stat(list,   v, n, i, d) {
		n = split(list, v, " ")
		mean = 0; err = 0
		for (i = 1; i <= n; i++)
			mean += v[i] / n
		for (i = 1; i <= n; i++) {
			d = v[i] - mean
			err += d * d
		}
		err = n > 1 ? sqrt(err / (n - 1) / n) : 0
	}
	BEGIN {
		stat(a); ma = mean; ea = err
		stat(b); mb = mean; eb = err
		if (ma <= 0 || mb <= 0)
			exit 1
		printf "%.3f %.3f %.3f %.3f\n", ma / mb,
			ma / mb * sqrt(ea * ea / ma / ma + eb * eb / mb / mb), ma, mb
	}'
}

# Measures both stacks, alternating. TIMES at most, 4 at least (1 if TIMES is 1).
# MODE AMOUNT TIMES: sets ratio, error, strata, native, runs
measure() {
	local mode=$1 amount=$2 times=$3 s='' n='' one ends
	[ "$times" -le "$RUNS" ] || times=$RUNS
	for ((runs = 1; ; runs++)); do
		for ends in "$ENDS" native-native; do
			one=$("$FLOWS" "$mode" "$amount" "${server[${ends%-*}]}" \
				"${client[${ends#*-}]}") || return 1
			[ "$ends" = "$ENDS" ] && s+=" $one" || n+=" $one"
			settle
		done
		read -r ratio error strata native < <(compare_lists "$s" "$n") || return 1
		[ "$runs" -lt "$times" ] || return 0
		[ "$runs" -lt 4 ] || ! awk "BEGIN { exit !($error < 0.015) }" || return 0
	done
}

# NAME UNIT OPERATOR LIMIT: the verdict on the last measure()
verdict() {
	awk "BEGIN { exit !($ratio $3 $4) }"
	ktap_result $? "$1" "ratio $ratio, wanted $3 $4"
	ktap_note "strata $strata, native $native $2: ratio $ratio +- $error, $runs runs"
}

# the cells asked for, one per line; false: none was
cells_named() {
	[ -n "$CELLS" ] && tr ':,' '\n ' <<< "$CELLS"
}

# --- goodput of one bulk flow ------------------------------------------------------

goodput_cells() {
	local loss rtt queue
	cells_named && return
	if [ "${STRATA_FULL:-0}" = 1 ]; then
		for loss in 0 0.1 1 3 10; do
			for rtt in 1 20 100 300; do
				for queue in 10 100 1000; do
					echo "$loss $rtt $queue"
				done
			done
		done
	else
		printf '%s\n' "0 20 100" "0 100 10" "3 20 100"
	fi
}

run_goodput() {
	local loss rtt queue times name
	ktap_plan "$(goodput_cells | wc -l)"
	while read -r loss rtt queue; do
		name="loss $loss %, RTT $rtt ms, queue $queue"
		times=40
		# a queue that an initial window fills is a matter of chance, too: one packet more
		# or less at the end of slow start is seconds of CUBIC's way up
		[ "$loss" != 0 ] || [ "$queue" -le 10 ] || times=1
		if set_link "$loss" "$rtt" "$queue" && measure time "${STRATA_SECONDS:-30}" "$times"; then
			verdict "$name" Mbit/s '>=' 0.95
		else
			ktap_not_ok "$name" "not measured"
		fi
	done < <(goodput_cells)
}

# Enough to see that neither slow start nor a full queue stands in the way.
run_quick() {
	local rtt
	ktap_plan 2
	for rtt in 20 100; do
		if set_link 0 "$rtt" 100 && measure time 6 1; then
			verdict "6 s, RTT $rtt ms, queue 100" Mbit/s '>=' 0.95
		else
			ktap_not_ok "6 s, RTT $rtt ms, queue 100" "not measured"
		fi
	done
}

# --- short transfers ---------------------------------------------------------------

short_cells() {
	local loss rtt size
	cells_named && return
	if [ "${STRATA_FULL:-0}" = 1 ]; then
		for size in 10 100 1000; do
			for rtt in 1 20 100; do
				for loss in 0 1; do
					echo "$size $rtt $loss"
				done
			done
		done
	else
		printf '%s\n' "10 20 0" "100 20 0" "1000 20 0"
	fi
}

run_short() {
	local size rtt loss times name
	ktap_plan "$(short_cells | wc -l)"
	while read -r size rtt loss; do
		name="$size KB, RTT $rtt ms, loss $loss %"
		times=200
		[ "$loss" != 0 ] || times=1
		if set_link "$loss" "$rtt" 100 && measure size $((size * 1000)) "$times"; then
			verdict "$name" ms '<=' 1.05
		else
			ktap_not_ok "$name" "not measured"
		fi
	done < <(short_cells)
}

# --- a shared bottleneck -----------------------------------------------------------

# Flows of both stacks at once: Jain's index over all, (sum x)^2 / (n sum x^2)
run_share() {
	local each rtt cells=("2 20") flows said index mean notes="" i name
	[ "${STRATA_FULL:-0}" != 1 ] || cells=("1 20" "2 20" "4 20" "2 100" "4 100")
	[ -z "$CELLS" ] || mapfile -t cells < <(cells_named)
	ktap_plan ${#cells[@]}
	for each in "${cells[@]}"; do
		read -r each rtt <<< "$each"
		name="$each + $each flows, RTT $rtt ms, 60 s"
		flows=()
		for ((i = 0; i < each; i++)); do
			flows+=("${server[strata]}" "${client[strata]}")
			flows+=("${server[native]}" "${client[native]}")
		done
		mean=0
		for ((runs = 1; runs <= SHARES && runs <= RUNS; runs++)); do
			if ! set_link 0 "$rtt" 100 || ! said=$("$FLOWS" time 60 "${flows[@]}"); then
				ktap_not_ok "$name" "not measured"
				continue 2
			fi
			index=$(awk '{ for (i = 1; i <= NF; i++) { s += $i; q += $i * $i }
				       printf "%.3f", s * s / (NF * q) }' <<< "$said")
			mean=$(awk "BEGIN { printf \"%.4f\", $mean + ($index - $mean) / $runs }")
			notes+="Jain's index $index; Mbit/s (strata native ...): $said"$'\n'
			settle
		done
		awk "BEGIN { exit !($mean >= 0.95) }"
		ktap_result $? "$name" "Jain's index $mean, wanted >= 0.95"
		ktap_note "${notes}mean $mean"
		notes=""
	done
}

if [ $# = 0 ]; then
	set -- quick short
	[ "${STRATA_FULL:-0}" != 1 ] || set -- goodput short share
fi
insmod "${STRATA_KO:?}" || exit 1
trap cleanup EXIT
for n in a r b; do
	ip netns add strata-vs-$n
done
ip link add va netns strata-vs-a type veth peer name ra netns strata-vs-r
ip link add vb netns strata-vs-b type veth peer name rb netns strata-vs-r
$R sysctl -qw net.ipv4.ip_forward=1
for end in "A va 192.0.2" "B vb 198.51.100"; do
	read -r in dev net <<< "$end"
	in=${!in}
	# one packet at a time: the queue counts packets, and so do losses
	$in ip link set "$dev" up gso_max_segs 1
	$R ip link set "r${dev#v}" up
	$in ip addr add "$net.11/24" dev "$dev"
	$R ip addr add "$net.254/24" dev "r${dev#v}"
	$in ip route add default via "$net.254"
	$in strata addr add "$net.1/24" dev "$dev" || exit 1
	$in strata route add default via "$net.254" || exit 1
	# what the last flow met must not tell the next one
	$in sysctl -qw net.ipv4.tcp_no_metrics_save=1
	for stack in ipv4 strata; do
		$in sysctl -qw net.$stack.tcp_congestion_control="${STRATA_CONG:-cubic}" || exit 1
	done
	# no resolution in the middle of a measurement
	mac=$($in cat "/sys/class/net/$dev/address") gate=$($R cat "/sys/class/net/r${dev#v}/address")
	$in strata neigh add "$net.254" lladdr "$gate" dev "$dev" nud permanent || exit 1
	$in ip neigh add "$net.254" lladdr "$gate" dev "$dev" nud permanent || exit 1
	$R ip neigh add "$net.1" lladdr "$mac" dev "r${dev#v}" nud permanent || exit 1
	$R ip neigh add "$net.11" lladdr "$mac" dev "r${dev#v}" nud permanent || exit 1
done
ktap_plan $#
for part; do
	CELLS=
	[ "$part" = "${part%%:*}" ] || CELLS=${part#*:}
	ktap_begin "${part%%:*}"
	"run_${part%%:*}"
	ktap_finish
done
ktap_end
