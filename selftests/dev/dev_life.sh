#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Not for the sim machine: ping waits by looking at the clock, which stands still there.
#
# A card shared by two stacks, and what becomes of it: down, renamed, moved, removed,
# its namespace deleted, the module unloaded; all while packets come in.
#
#	ns da: va 10.0.0.1/24 native ---- vb :ns db
#	          10.0.0.2/24 Strata         10.0.0.9/24 native
#	       ta 10.8.0.2/24 Strata ==== tb 10.8.0.9/24 native
#
# ta and tb are TUN devices, without link addresses: socat carries their packets over the pair.
# shellcheck source=selftests/lib/ktap.sh disable=SC2317 # called through ktap_run
. "$(dirname "$0")/../lib/ktap.sh"

[ "$(id -u)" = 0 ] || ktap_skip_all "needs root"

# A namespace takes the debug machine ten seconds to make and to remove
ROUNDS=5
[ "${STRATA_MACHINE-}" != debug ] || [ -n "${STRATA_FULL-}" ] || ROUNDS=2

a() { timeout 60 strata -n da "$@"; }
in_b() { ip netns exec db "$@"; }
up() {
	ip netns add da && ip netns add db &&
		ip link add va netns da type veth peer name vb netns db &&
		ip -n da link set lo up && ip -n da link set va up && ip -n db link set vb up &&
		ip -n da addr add 10.0.0.1/24 dev va && ip -n db addr add 10.0.0.9/24 dev vb
}
down() {
	ip netns del da
	ip netns del db
} 2>/dev/null
addresses() { a -j addr | jq '[.[].addr_info[]] | length'; }
has() { [ "$(addresses)" = "$1" ]; }
# does the other end learn the link address of Strata's address?
answers() {
	in_b ip neigh flush to 10.0.0.2
	in_b ping -c 1 -W 1 10.0.0.2 >/dev/null 2>&1
	in_b ip neigh show 10.0.0.2 | grep -q lladdr
}
silent() { ! answers; }
# native's own traffic on the card, to the end of COMMAND: none lost
undisturbed() { # COMMAND...
	local pinger out status
	out=$(mktemp)
	ip netns exec db ping -q -i 0.02 10.0.0.1 > "$out" & pinger=$!
	sleep 0.5
	"$@"
	status=$?
	sleep 0.5
	kill -INT "$pinger"	# ping takes it, though started in the background
	wait "$pinger"
	cat "$out"
	grep -q ' 0% packet loss' "$out" && [ "$status" = 0 ]
}
bind_unbind() {
	local round
	for round in 1 2 3 4 5 6 7 8; do
		echo "round $round"
		a addr add 10.0.0.2/24 dev va && a addr del 10.0.0.2/24 dev va || return 1
	done
}
target=10.0.0.2
# unicast to the Strata address; that of a device with link addresses is resolved by hand, so
# that no answer is needed
fire() { # DEVICE, where Strata's address is
	local mac
	if [ "$target" = 10.0.0.2 ]; then
		mac=$(ip -n da -j link show "$1" | jq -er '.[0].address') &&
			in_b ip neigh replace 10.0.0.2 lladdr "$mac" dev vb nud permanent || return
	fi
	in_b ping -q -i 0.002 -w 30 "$target" >/dev/null 2>&1
}
received() { ip netns exec da cat "/sys/class/net/$1/statistics/rx_packets"; }
while_fired_at() { # DEVICE COMMAND...
	local shooter status before tries=100 dev=$1
	shift
	before=$(received "$dev")
	fire "$dev" & shooter=$!
	until [ "$(received "$dev")" -gt $((before + 50)) ] || [ $((tries--)) = 0 ]; do sleep 0.1; done
	if [ "$tries" -lt 0 ]; then
		echo "no traffic: $(received "$dev") packets at $dev, $before before"
		status=1
	else
		"$@"
		status=$?
	fi
	pkill -x ping
	wait "$shooter"
	return "$status"
}

# a bond takes the type of the first device put into it, here one without link addresses
type_changes() {
	modprobe -q tun
	ip -n da link add bond9 type bond mode active-backup || return "$KTAP_SKIP"
	ip -n da tuntap add tun9 mode tun &&
		a addr add 10.7.0.2/24 dev bond9 && has 1 &&
		ip -n da link set tun9 master bond9 &&
		ip -n da link show bond9 | grep link/none && has 0 &&
		a addr add 10.7.0.2/24 dev bond9 && has 1 && a addr del 10.7.0.2/24 dev bond9
}

tun_end() { # NAMESPACE OTHER-END'S-ADDRESS NAME
	ip netns exec "$1" socat "UDP4-DATAGRAM:$2:7000,bind=:7000" \
		"TUN,tun-name=$3,tun-type=tun,iff-no-pi,iff-up" >/dev/null 2>&1 &
}
tun_up() {
	modprobe -q tun
	up && tun_end da 10.0.0.9 ta && tun_end db 10.0.0.1 tb || return 1
	until ip -n da link show ta up && in_b ip link show tb up; do sleep 0.2; done
	in_b ip addr add 10.8.0.9/24 dev tb && a addr add 10.8.0.2/24 dev ta
}
tun_down() {
	pkill -x socat
	down
}
over_tun() { in_b ping -c 1 -w 10 10.8.0.2; }
tun_changes() { # (down, socat would end: it cannot write any more)
	local round
	for round in 1 2 3 4 5; do
		echo "round $round"
		ip -n da link set ta mtu 900 && ip -n da link set ta mtu 1500 &&
			a addr del 10.8.0.2/24 dev ta && a addr add 10.8.0.2/24 dev ta || return 1
	done
}

ktap_plan 29
if [ ! -d /sys/module/strata ]; then
	ktap_run "insmod" insmod "$STRATA_KO"
else
	ktap_ok "insmod"
fi
ktap_run "two namespaces and a pair" up
ktap_run "an address binds the card" a addr add 10.0.0.2/24 dev va
ktap_run "Strata answers for it" answers
a addr del 10.0.0.2/24 dev va
ktap_run "native is undisturbed by binding and unbinding" undisturbed bind_unbind
a addr add 10.0.0.2/24 dev va 2>/dev/null

ip -n da link set va down
ktap_run "down: the address stays" has 1
ip -n da link set va up
ktap_run "up again: Strata answers" answers
ip -n da link set va down
ip -n da link set va name vx
ip -n da link set vx up
ktap_run "a new name changes nothing" answers
ip -n da link set vx mtu 900
ktap_run "nor does another MTU" answers

in_b ip link set vb down
in_b ip link set vb up
ktap_run "the carrier went and came" answers

ip netns add dc
ktap_run "moves to another namespace under traffic" while_fired_at vx ip -n da link set vx netns dc
ktap_run "its addresses did not" has 0
ktap_is "and are not in the other one" "$(strata -n dc -j addr | jq length)" 0
ktap_run "it can be bound there" strata -n dc addr add 10.0.0.2/24 dev vx
ip netns del dc
down

up
a addr add 10.0.0.2/24 dev va
ktap_run "the device is removed under traffic" while_fired_at va ip -n da link del va
ktap_run "no address is left" has 0
down

up
a addr add 10.0.0.2/24 dev va
ktap_run "the namespace is deleted under traffic" while_fired_at va ip netns del da
down

churn() {
	local round
	for ((round = 1; round <= ROUNDS; round++)); do
		echo "round $round"
		up || return 1
		a addr add 10.0.0.2/24 dev va || return 1
		down
	done
}
ktap_run "$ROUNDS pairs of namespaces come and go" churn

reload() {
	local round
	for ((round = 1; round <= ROUNDS; round++)); do
		echo "round $round"
		rmmod strata || return 1
		insmod "$STRATA_KO" || return 1
		a addr add 10.0.0.2/24 dev va || return 1
	done
}
up
a addr add 10.0.0.2/24 dev va
ktap_run "the module is reloaded $ROUNDS times under traffic" while_fired_at va reload
ktap_run "Strata answers after that" answers
ktap_run "rmmod with a card bound" rmmod strata

down
insmod "$STRATA_KO"
target=10.8.0.2
ktap_run "a device without link addresses is bound" tun_up
ktap_run "Strata answers over it" over_tun
ktap_run "its MTU and address change under traffic" while_fired_at ta tun_changes
ktap_run "Strata answers after that" over_tun
ip netns add dc
ktap_run "it moves to another namespace under traffic" while_fired_at ta ip -n da link set ta netns dc
ktap_run "no address is left" has 0
ip netns del dc
tun_down
tun_up
ktap_run "its namespace is deleted under traffic" while_fired_at ta ip netns del da
tun_down
up
ktap_run "a bond that changes its type is unbound" type_changes
down
ktap_end
