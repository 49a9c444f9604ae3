#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What the tool says to wrong words: one line on stderr that tells what was
# expected, nothing on stdout, exit status 1. No module is needed; what it says
# where there is none: one line too, exit status 2.
# shellcheck source=selftests/lib/ktap.sh disable=SC2317 # called through ktap_run
. "$(dirname "$0")/../lib/ktap.sh"

PATH=$(dirname "$(readlink -f "$0")")/../../build:$(dirname "$0")/../..:$PATH

refused=(
	"bogus|a command"
	"--bogus addr|an option"
	"-n|the name of a network namespace is expected after"
	"-n nosuch addr|cannot open network namespace"
	"addr bogus|unknown, expected one of: show"
	"addr add|an address with prefix length like 192.0.2.1/24 is needed"
	"addr add 192.0.2.1/24|\"dev\" is needed"
	"addr add 192.0.2.1/24 dev|the name of a device that exists is expected after \"dev\""
	"addr add 192.0.2.1/24 dev nosuch0|rather than \"nosuch0\""
	"addr add 192.0.2.1/33 dev lo|rather than \"192.0.2.1/33\""
	"addr add 192.0.2.1/24 dev lo brd x|a broadcast address, \"+\" or \"-\" is expected rather than \"x\""
	"addr add 192.0.2.1/24 dev lo scope 256|a scope"
	"addr add 192.0.2.1/24 dev lo dev lo|\"dev\" is given twice"
	"addr add 192.0.2.1/24 dev lo more|rather than \"more\""
	"addr add 192.0.2.1/24 dev lo metric -1|a number from 0 to 4294967295 is expected rather than \"-1\""
	"addr add 192.0.2.1/24 dev lo metric|is expected after \"metric\""
	"addr add 192.0.2.1/24 dev lo metric 1 priority 2|\"metric\" is given twice"
	"addr show metric 1|rather than \"metric\""
	"addr show noprefixroute -noprefixroute|not both"
	"addr show nosuch0|rather than \"nosuch0\""
	"addr flush|is expected after \"flush\""
	"addr flush up|is expected rather than \"up\""
	"addr add 192.0/33 dev lo|rather than \"192.0/33\""
	"addr add 192.0.2.1.5/24 dev lo|rather than \"192.0.2.1.5/24\""
	"addr add 010.0.0.1/24 dev lo|rather than \"010.0.0.1/24\""
	"addr add 192..2/24 dev lo|rather than \"192..2/24\""
	"route add|a prefix like 192.0.2.0/24 or \"default\" is needed"
	"route add default|\"via\" or \"dev\" is needed"
	"route add default via 192.0.2.300|an IPv4 address like 192.0.2.1 is expected rather than"
	"route add default via 192.0.2.1 metric -1|a number from 0 to 4294967295"
	"route add default via 192.0.2.1 mtu 20|an MTU from 68 to 65535"
	"route add default via 192.0.2.1 mtu lock|an MTU from 68 to 65535 is expected after \"mtu\""
	"route add default via 192.0.2.1 mtu lock 20|an MTU from 68 to 65535"
	"route add default via 192.0.2.1 mtu locked 1300|rather than \"locked\""
	"route add default via 192.0.2.1 advmss|a number from 0 to 4294967295 is expected after \"advmss\""
	"route add default via 192.0.2.1 window lock|is expected after \"window\""
	"route add default via 192.0.2.1 window -1|a number from 0 to 4294967295 is expected rather than \"-1\""
	"route add default via 192.0.2.1 initcwnd 4294967296|rather than \"4294967296\""
	"route add default via 192.0.2.1 cwnd lock x|a number from 0 to 4294967295"
	"route add default via 192.0.2.1 cwnd 5 cwnd lock 6|\"cwnd\" is given twice"
	"route add default via 192.0.2.1 lock cwnd 5|rather than \"lock\""
	"route add default via 192.0.2.1 hoplimit 256|a number of hops from 0 to 255 is expected rather than \"256\""
	"route add default via 192.0.2.1 rtt|a time like 100ms or 1.5s is expected after \"rtt\""
	"route add default via 192.0.2.1 rtt 10us|a time like 100ms or 1.5s is expected rather than \"10us\""
	"route add default via 192.0.2.1 rtt 1e3ms|rather than \"1e3ms\""
	"route add default via 192.0.2.1 rtt .|rather than \".\""
	"route add default via 192.0.2.1 rtt 536870912ms|rather than \"536870912ms\""
	"route add default via 192.0.2.1 rttvar lock s|rather than \"s\""
	"route add default via 192.0.2.1 rttvar 99999999999999999999|rather than \"99999999999999999999\""
	"route add default via 192.0.2.1 rto_min -1ms|rather than \"-1ms\""
	"route add default via 192.0.2.1 rto_min lock 30ms|a time like 100ms or 1.5s is expected rather than \"lock\""
	"route add default via 192.0.2.1 features|\"ecn\" is expected after \"features\""
	"route add default via 192.0.2.1 features sack|\"ecn\" is expected rather than \"sack\""
	"route add default via 192.0.2.1 quickack 2|0 or 1 is expected rather than \"2\""
	"route add default via 192.0.2.1 quickack lock 1|0 or 1 is expected rather than \"lock\""
	"route add default via 192.0.2.1 fastopen_no_cookie on|0 or 1 is expected rather than \"on\""
	"route add default via 192.0.2.1 congctl lock|a congestion control like cubic is expected after \"congctl\""
	"route add default via 192.0.2.1 congctl sixteen-letters-|rather than \"sixteen-letters-\""
	"route del default ssthresh x|a number from 0 to 4294967295"
	"route add default via 192.0.2.1 tos|is expected after \"tos\""
	"route add default via 192.0.2.1 tos 100|a TOS in hexadecimal"
	"route add default via 192.0.2.1 tos -1|rather than \"-1\""
	"route add default via 192.0.2.1 dsfield lowdelay|rather than \"lowdelay\""
	"route show tos 4 dsfield 8|\"tos\" is given twice"
	"route get 192.0.2.1 tos x|a TOS in hexadecimal"
	"route add default via 192.0.2.1 proto x|a protocol"
	"route get|an IPv4 address like 192.0.2.1 is needed"
	"route get 192.0.2.0/24|an IPv4 address"
	"route flush|is expected after \"flush\""
	"route flush to dev lo|a prefix like 192.0.2.0/24 or \"default\" is expected rather than \"dev\""
	"route flush to|is expected after \"to\""
	"route show to to|is expected after \"to\""
	"route add to dev lo|rather than \"dev\""
	"route add dev lo 5 10.0.0.0/8 6|rather than \"10.0.0.0/8\""
	"route get to dev lo|an IPv4 address like 192.0.2.1 is expected rather than \"dev\""
	"neigh flush to dev lo|rather than \"dev\""
	"neigh del 192.0.2.1 to 192.0.2.2 dev lo|\"to\" is given twice"
	"addr add 192.0.2.1/24 local 192.0.2.2/24 dev lo|\"local\" is given twice"
	"addr flush lo dev lo|\"dev\" is given twice"
	"link set lo dev lo up|\"dev\" is given twice"
	"link set up dev|is expected after \"dev\""
	"route flush onlink|is expected rather than \"onlink\""
	"route show mtu 1300|is expected rather than \"mtu\""
	"route show cwnd 5|is expected rather than \"cwnd\""
	"route get 192.0.2.1 rtt 5ms|is expected rather than \"rtt\""
	"route show match 192.0.2.300|a prefix like"
	"route show root 10.0.0.0/8 root 11.0.0.0/8|\"root\" is given twice"
	"route add root 10.0.0.0/8 dev lo|rather than \"root\""
	"route get exact 192.0.2.1|rather than \"exact\""
	"route show table x|a table"
	"neigh add 192.0.2.1 dev lo|\"lladdr\" is needed"
	"neigh add 192.0.2.1 lladdr 02:x dev lo|a link address like"
	"neigh add 192.0.2.1 lladdr 02:00:00:00:00:01 dev lo nud x|a state"
	"neigh del 192.0.2.1|\"dev\" is needed"
	"neigh add 192.0.2.1 lladdr 02:00:00:00:00:01 dev lo nud stale nud stale|\"nud\" is given twice"
	"neigh flush|is expected after \"flush\""
	"link add lo|a device is bound by its first address"
	"link set lo mtu x|an MTU from 68 to 65535"
	"link set lo up down|not both"
	"monitor x|\"addr\", \"route\", \"neigh\", \"link\" or \"all\" is expected"
	"ss -Z|an option"
	"ss -xt|rather than \"-x\""
	"ss -tx|rather than \"-x\""
	"ss --json -xt|rather than \"-x\""
	"ss --bogus|an option"
	"ss bogus|one of \"sport\""
	"ss state bogus|a state"
	"ss sport = :bogus|a port like :80"
	"stat -Z|an option"
	"stat -w|a number of seconds is expected after"
	"stat -w x|a number of seconds"
	"ping|one host is expected"
	"ping -c 0 192.0.2.1|a count from 1"
	"ping -c|a value is expected after \"-c\""
	"ping -s 65508 192.0.2.1|a size from 0 to 65507"
	"ping -Z 192.0.2.1|an option"
	"trace -Z|an option"
	"trace -dZ|rather than \"-Z\""
	"stat -aZ|rather than \"-Z\""
	"trace -c x|a count from 1"
	"trace sport = :x|a port like :80"
	"trace dev lo|one of \"sport\", \"dport\", \"src\", \"dst\", \"not\", \"(\" is expected rather than \"dev\""
	"trace state established|is expected rather than \"state\""
	"trace exclude listening sport = :80|is expected rather than \"exclude\""
	"trace sport = :80 dev lo|is expected rather than \"dev\""
)
# (not "run": run_strata.sh)
unserved=("addr" "addr add 192.0.2.1/24 dev lo" "addr flush dev lo" "route" "route add default dev lo"
	"route get 192.0.2.1" "neigh" "neigh del 192.0.2.1 dev lo" "neigh get 192.0.2.1 dev lo" "link"
	"link set lo mtu 1500" "monitor" "-j monitor link" "ss" "ss -s" "stat" "ping -c 1 127.0.0.1" "trace")
helped=("" addr route neigh link monitor ss stat ping trace)

# One line, the words in it, that status, nothing on stdout.
is_refused() { # WORDS EXPECTED [STATUS]
	local words out err status
	read -ra words <<< "$1"
	err=$(timeout 10 strata "${words[@]}" 2>&1 >"$tmp")
	status=$?
	out=$(cat "$tmp")
	echo "strata $1 -> $status: $err"
	[ "$status" = "${3-1}" ] && [ -z "$out" ] && [ "$(wc -l <<< "$err")" = 1 ] &&
		[[ $err = "Error: "*"$2"* ]]
}

is_helped() { # COMMAND
	local out
	out=$(timeout 10 strata ${1:+"$1"} --help </dev/null) || return 1
	[[ $out = "Usage: strata"* ]]
}

tmp=$(mktemp)
ktap_plan $((${#refused[@]} + ${#helped[@]} + ${#unserved[@]} + 2))
for case in "${refused[@]}"; do
	ktap_run "refused: strata ${case%%|*}" is_refused "${case%%|*}" "${case#*|}"
done
loads=''
if [ -d /sys/module/strata ] || modprobe -nq net-pf-18; then
	loads="the module is loaded, or would be"
fi
for case in "${unserved[@]}"; do
	if [ -n "$loads" ]; then
		ktap_skip "no module: strata $case" "$loads"
	else
		ktap_run "no module: strata $case" is_refused "$case" \
			"the kernel has no address family strata: load the module (modprobe strata)." 2
	fi
done
for command in "${helped[@]}"; do
	ktap_run "help: strata $command" is_helped "$command"
done
ktap_run "version" strata -V
timeout 10 strata --help >/dev/full 2>&1
ktap_result $((! $?)) "no success where the output cannot be written"
rm -f "$tmp"
ktap_end
