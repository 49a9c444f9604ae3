#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The words of addr, route, neigh and link on the loaded module. Strata and the native stack
# have the same addresses on the same devices; the same words are given to strata and to
# ip(8), and must end and leave what is shown the same way. (What the tool shows of the native stack:
# tool_native.sh; the rest of the tool: tool_strata.sh.)
#
#	ns ta: va 10.77.0.1/24, 10.78.0.1/16 ---- vb 10.77.0.2/24 :ns tb
#	       vc 10.79.0.1/24 ---- vd, down at first
#
# shellcheck source=selftests/lib/ktap.sh disable=SC2317 # called through ktap_run
. "$(dirname "$0")/../lib/ktap.sh"
shopt -s extglob

[ "$(id -u)" = 0 ] || ktap_skip_all "needs root"
ktap_need_module

# --- helpers: each prints what it saw when it fails. A process costs much on sim: few of them ---
both() { # WORDS...: both stacks do it
	strata -n ta "$@" && ip -4 -n ta "$@"
}
neither() { # WORDS...: both kernels refuse, Strata's with one line that says why
	local out status
	out=$(strata -n ta "$@" 2>&1)
	status=$?
	echo "$* -> $status: $out"
	[ "$status" = 2 ] && [[ $out = "Error: "* && $out != *$'\n'* ]] || return 1
	out=$(ip -4 -n ta "$@" 2>&1)
	status=$?
	echo "ip $* -> $status: $out"
	[ "$status" = 2 ]
}

# ip(8)'s line and ours differ by blanks at the end, and by times of life.
plain() { # OUTPUT: into $plain
	local line
	plain=''
	while IFS= read -r line; do
		line=${line%%\\*}
		plain+=${line%"${line##*[! ]}"}$'\n'
	done <<< "$1"
}
# Of each line what it is about, for ip(8) leaves out the words that were asked for.
heads() { # OUTPUT: into $plain
	local line
	plain=''
	while IFS= read -r line; do
		line=${line%% @(tos|via|dev|proto|scope|src|metric) *}
		plain+=${line% }$'\n'
	done <<< "$1"
}
# The order of addresses and neighbours is nobody's promise.
sorted() { # OUTPUT: into $plain
	plain "${1// dev v[ac]/}"
	plain=$(sort <<< "$plain")
}
as_ip() { # FUNCTION WORDS...: what ip(8) shows, after that function; something
	local form=$1 theirs
	shift
	theirs=$(ip -4 -n ta "$@" 2>&1)
	ours=$(strata -n ta "$@" 2>&1)
	echo "ip $*:"$'\n'"$theirs"$'\n'"strata $*:"$'\n'"$ours"
	"$form" "$theirs"
	theirs=$plain
	"$form" "$ours"
	[ -n "${theirs//[[:space:]]/}" ] && [ "$plain" = "$theirs" ]
}
same() { as_ip plain "$@"; }
takes() { as_ip heads "$@"; }
same_set() { as_ip sorted "$@"; }
same_json() { # MEMBERS WORDS...: of one object or more
	local theirs ours members=$1
	shift
	theirs=$(ip -4 -n ta -j "$@")
	ours=$(strata -n ta -j "$@")
	echo "ip $*: $theirs"$'\n'"strata $*: $ours"
	jq -ne --argjson a "$theirs" --argjson b "$ours" "[\$a, \$b] | map(map({$members})) |
		.[0] != [] and .[0] == .[1]"
}
none() { # WORDS...: nothing is shown, by both
	local out status
	out=$(strata -n ta "$@" 2>&1) || return 1
	out+=$(ip -4 -n ta "$@" 2>&1) || return 1
	echo "$out"
	[ -z "$out" ]
}
# Of words that take nothing of what there is.
keeps() { strata -n ta "$@" && same_set -o addr show && same route show; }
link_is() { # PATTERN DEVICE: what ip(8) says of it
	local out
	out=$(ip -n ta -o link show "$2")
	echo "$out"
	[[ $out =~ $1 ]]
}
down() { strata -n ta link set "$1" down && ! link_is '[<,]UP[,>]' "$1"; }
up() { strata -n ta link set "$1" up && link_is '[<,]UP[,>]' "$1"; }
last_set() { # PATTERN WORDS...
	strata -n ta link set "${@:2}" dev va && link_is "$1" va
}
down_and_mtu() {
	strata -n ta link set dev "$1" mtu 1400 down && link_is ' mtu 1400 ' "$1" &&
		! link_is '[<,]UP[,>]' "$1"
}

says() { # TEXT COMMAND...
	local out text=$1
	shift
	out=$("$@" 2>&1)
	echo "$out"
	[[ $out = *"$text"* ]]
}
silent() { local out; out=$("$@") && [ -z "$out" ]; }

ktap_plan 256
ip netns add ta && ip netns add tb
ip link add va netns ta type veth peer name vb netns tb
ip -n ta link add vc type veth peer name vd
ip -n ta link set va up && ip -n tb link set vb up && ip -n ta link set vd up
ip -n tb addr add 10.77.0.2/24 dev vb

# --- addresses ---
ktap_run "addr add" both addr add 10.77.0.1/24 broadcast + dev va
ktap_run "addr add, scope" both addr add 10.78.0.1/16 dev va scope link
ktap_run "addr add on a device that is down" both addr add 10.79.0.1/24 dev vc
ktap_run "addr show" same_set -o addr show
ktap_run "addr show DEVICE" same_set -o addr show va
ktap_run "addr show dev" same_set -o addr show dev vc
ktap_run "addr show to" same_set -o addr show to 10.78.0.0/15
ktap_run "addr show to, wider" same_set -o addr show to 10.77.0.0/16
ktap_run "addr show scope" same_set -o addr show scope link
ktap_run "addr show up" same_set -o addr show up
ktap_run "addr show, all of them" same_set -o addr show dev va to 10.77.0.1 scope global up
ktap_run "addr show: none" none -o addr show dev vc to 10.77.0.0/16
ktap_run "addr flush, a keyword cut short" keeps addr flush dev vc sc link
ktap_run "addr replace of one that is there" both addr replace 10.78.0.1/16 dev va
ktap_run "addr replace of one that is not" both addr replace 10.77.5.1/24 dev va
ktap_run "addr show after replace" same_set -o addr show
ktap_run "addr flush to" both addr flush to 10.77.5.0/24
ktap_run "addr show after flush" same_set -o addr show
ktap_run "addr add /31, broadcast +" both addr add 10.80.0.0/31 brd + dev va
ktap_run "addr add /31, broadcast -" both addr add 10.80.1.1/31 brd - dev va
ktap_run "addr add peer" both addr add 10.81.0.1 peer 10.81.0.2 dev va
ktap_run "addr add peer, lengths" both addr add 10.81.1.1/24 peer 10.81.2.2 dev va
ktap_run "addr add peer, broadcast" both addr add 10.82.0.1 peer 10.82.1.2/24 brd + dev va
ktap_run "addr add, a short prefix" both addr add 10.83.1/24 dev va
ktap_run "addr add, the address last" both addr add dev va local 10.83.2.1/24
ktap_run "addr add, local in between" both addr add brd + local 10.83.3.1/24 dev va
ktap_run "addr show after these" same_set -o addr show
ktap_run "addr del, the address last" both addr del dev va local 10.83.2.1/24
ktap_run "addr del without a length" both addr del 10.83.1.0 dev va
ktap_run "addr flush to, these" both addr flush to 10.80/14
ktap_run "addr show without these" same_set -o addr show

# --- addresses: their metric, and those without a route ---
ktap_run "addr add metric" both addr add 10.84.0.1/24 dev va metric 100
ktap_run "addr add priority" both addr add 10.84.1.1/24 brd + priority 0x20 dev va
ktap_run "addr add preference" both addr add 10.84.2.1 peer 10.84.2.2 preference 4294967295 dev va
ktap_run "addr add metric 0" both addr add 10.84.3.1/24 metric 0 dev va
ktap_run "addr add noprefixroute" both addr add 10.84.4.1/24 noprefixroute dev va
ktap_run "addr add noprefixroute, metric" both addr add 10.84.5.1/24 dev va metric 7 noprefixroute brd +
ktap_run "addr show of these" same_set -o addr show
ktap_run "addr show -j of these" same_json \
	'a:(.addr_info|map({local,address,prefixlen,metric,broadcast,scope,noprefixroute})|sort)' addr show va
ktap_run "addr show noprefixroute" same_set -o addr show noprefixroute
ktap_run "addr show -noprefixroute" same_set -o addr show dev va -noprefixroute
ktap_run "route show: those of these" same route show
ktap_run "addr replace, another metric" both addr replace 10.84.0.1/24 dev va metric 50
ktap_run "addr replace, noprefixroute stays" both addr replace 10.84.4.1/24 dev va metric 3
ktap_run "addr change, no metric" both addr change 10.84.1.1/24 dev va
ktap_run "addr show after these" same_set -o addr show
ktap_run "route show: with the new metrics" same route show
ktap_run "addr del, metric and noprefixroute said" both addr del 10.84.0.1/24 dev va metric 9 noprefixroute
ktap_run "addr flush noprefixroute" both addr flush dev va noprefixroute
ktap_run "addr show without these" same_set -o addr show
ktap_run "addr flush to, the rest of these" both addr flush to 10.84/16

# --- neighbours ---
ktap_run "neigh add" both neigh add 10.77.0.9 lladdr 02:00:00:00:00:09 dev va
ktap_run "neigh add, stale" both neigh add 10.77.0.10 lladdr 02:00:00:00:00:10 dev va nud stale
ktap_run "neigh add twice is refused" neither neigh add 10.77.0.9 lladdr 02:00:00:00:00:0a dev va
ktap_run "neigh change" both neigh change 10.77.0.9 lladdr 02:00:00:00:00:0a dev va
ktap_run "neigh change of none is refused" \
	neither neigh change 10.77.0.11 lladdr 02:00:00:00:00:0b dev va
ktap_run "neigh replace of one that is there" \
	both neigh replace 10.77.0.10 lladdr 02:00:00:00:00:11 dev va nud permanent
ktap_run "neigh replace of one that is not" \
	both neigh replace 10.77.0.12 lladdr 02:00:00:00:00:0c dev va nud stale
ktap_run "neigh add, without ARP" both neigh add 10.77.0.13 lladdr 02:00:00:00:00:0d dev va nud noarp
ktap_run "neigh add, no state" both neigh add 10.78.0.14 lladdr 02:00:00:00:00:0e dev va nud none
ktap_run "neigh add, the address last" both neigh add lladdr 02:00:00:00:00:10 dev va to 10.77.0.16
ktap_run "neigh add, other device" both neigh add 10.79.0.15 lladdr 02:00:00:00:00:0f dev vc
for words in "" "dev va" "dev vc" "10.77.0.9" "to 10.77.0.8/30" "nud stale" "nud permanent" "nud noarp" \
	"dev va to 10.77.0.16/28" "nud all" "nud none" "nud stale nud permanent" "dev va nud permanent to 10.77.0.10/31"; do
	# shellcheck disable=SC2086	# words
	ktap_run "neigh show $words" same_set neigh show $words
done
ktap_run "neigh show -j" same_json dst,dev,lladdr,state neigh show 10.77.0.9
ktap_run "neigh get" same_set neigh get 10.77.0.9 dev va
ktap_run "neigh get, the address last" same_set neigh get dev va to 10.77.0.9
ktap_run "neigh del, the address last" both neigh del dev va to 10.77.0.16
# (ip(8) of Debian 12 has no JSON here)
ktap_is "neigh get -j" "$(strata -n ta -j neigh get 10.77.0.12 dev va)" \
	'[{"dst":"10.77.0.12","dev":"va","lladdr":"02:00:00:00:00:0c","state":["STALE"]}]'
ktap_run "neigh get of none is refused" neither neigh get 10.77.0.99 dev va
ktap_run "neigh flush nud none" both neigh flush nud none
ktap_run "neigh show after flush nud none" same_set neigh show nud all
ktap_run "neigh flush dev" both neigh flush dev va
ktap_run "neigh show after flush dev" same_set neigh show nud all
ktap_run "neigh flush to, permanent" both neigh flush to 10.77.0.8/31 nud permanent
ktap_run "neigh show after flush to" same_set neigh show nud all
ktap_run "neigh flush nud all" both neigh flush nud all
ktap_run "neigh show after flush nud all" same_set neigh show nud all

# --- routes ---
ktap_run "route: those of the addresses" same route show
ktap_run "route add" both route add 10.1.0.0/16 via 10.77.0.2
ktap_run "route append" both route append 10.1.0.0/16 via 10.77.0.3
ktap_run "route append of the first" both route append 10.2.0.0/16 via 10.77.0.2 metric 5
ktap_run "route append: behind the first" same route show 10.1.0.0/16
ktap_run "route append twice is refused" neither route append 10.1.0.0/16 via 10.77.0.3
ktap_run "route change" both route change 10.2.0.0/16 via 10.77.0.4 metric 5
ktap_run "route show after change" same route show 10.2.0.0/16
ktap_run "route change of none is refused" neither route change 10.2.0.0/16 via 10.77.0.4 metric 6
ktap_run "route add via nowhere is refused" neither route add 10.3.0.0/16 via 192.0.2.1 dev va
ktap_run "route add onlink" both route add 10.3.0.0/16 via 192.0.2.1 dev va onlink
ktap_run "route add features" both route add 10.1.2.0/24 via 10.77.0.2 mtu 1300 features ecn
ktap_run "route add proto, scope, src" \
	both route add 10.5.0.0/16 dev va proto static scope link src 10.78.0.1
for type in unreachable blackhole prohibit; do
	ktap_run "route add $type" both route add $type 10.6.${#type}.0/24 proto 77
done
ktap_run "route add table" both route add 10.7.0.0/16 via 10.77.0.2 table main
ktap_run "route add default" both route add default via 10.77.0.2 metric 9
ktap_run "route add, the prefix last" both route add via 10.77.0.2 to 10.12.0.0/16
ktap_run "route add, the type in between" both route add metric 3 unreachable 10.12.1.0/24
ktap_run "route add, to TYPE last" both route add proto 77 to blackhole 10.12.2.0/24
ktap_run "route show" same route show
# (ip(8) leaves out what is usual)
ktap_run "route show -j" same_json 'type,dst,gateway,dev,prefsrc,metric,flags,protocol:(.protocol//"boot"),
	scope:(.scope//"global"),mtu:.metrics[0]?.mtu' route show
for words in "via 10.77.0.2" "via 10.77.0.0/30" "src 10.78.0.1" "src 10.76.0.0/14" "proto static" \
	"proto kernel" "proto 77" "scope link" "type prohibit" "table main" "table all type prohibit" \
	"dev va" "metric 9" "10.1.0.0/16" "to 10.1.0.0/16" "default" "exact 10.1.0.0/16" \
	"to exact 10.1.0.0/16" "root 10.0.0.0/14" "to root 10.0.0.0/14" "root default" "match 10.1.2.3" \
	"match 10.1.0.0/16" "match default" "root 10.0.0.0/8 match 10.1.2.0/24" \
	"via 10.77.0.2 to 10.12.0.0/16" "via 10.77.0.2 to exact 10.12.0.0/16" "proto 77 to root 10.12.0.0/16" \
	"dev va to match 10.12.3.4" "dev va root 10.1.0.0/16 via 10.77.0.3" "proto boot scope global match 10.1.2.3"; do
	# shellcheck disable=SC2086	# words
	ktap_run "route show $words" takes route show $words
done
ktap_run "route show: none" none route show exact 10.0.0.0/8
ktap_run "route show: no device's" none route show dev vc
for words in "10.1.2.3" "10.5.0.9" "10.77.0.1" "10.77.0.9 dev va" "to 10.3.1.1" "dev va to 10.77.0.9"; do
	# shellcheck disable=SC2086	# words
	ktap_run "route get $words" same_json type,dst,gateway,dev,prefsrc route get $words
done
ktap_run "route get from" says "10.9.9.9 via 10.77.0.2 dev va src 10.78.0.1" \
	strata -n ta route get 10.9.9.9 from 10.78.0.1
ktap_run "route get from, to" says "10.9.9.9 via 10.77.0.2 dev va src 10.78.0.1" \
	strata -n ta route get from 10.78.0.1 to 10.9.9.9
ktap_run "route del, the prefix last" both route del via 10.77.0.2 to 10.12.0.0/16
ktap_run "route get: to no one" neither route get 10.6.11.1
ktap_run "route flush, a keyword cut short" keeps route flush to 10.99.0.0/16 prot boot
ktap_run "route flush, a device and one cut short" keeps route flush dev vc to 10.0.0.0/8 prot boot
ktap_run "route flush via" both route flush via 10.77.0.2
ktap_run "route show after flush via" same route show
ktap_run "route flush proto" both route flush proto 77
ktap_run "route flush root" both route flush root 10.1.0.0/16
ktap_run "route flush match" both route flush match 10.5.0.0/24
ktap_run "route show after flush" same route show

# --- routes: TOS and a locked MTU ---
ktap_run "route add tos" both route add 10.8.0.0/16 via 10.77.0.2 tos 4
ktap_run "route add dsfield" both route add 10.8.0.0/16 dsfield 0x10 via 10.77.0.3
ktap_run "route add tos, hexadecimal as by ip(8)" both route add 10.8.0.0/16 tos 18 via 10.77.0.4
ktap_run "route add without a TOS" both route add 10.8.0.0/16 via 10.77.0.5
ktap_run "route add tos default" both route add 10.8.1.0/24 via 10.77.0.5 tos default
ktap_run "route add blackhole tos" both route add blackhole 10.9.0.0/16 tos 8
ktap_run "route add mtu lock" both route add 10.9.0.0/16 via 10.77.0.2 mtu lock 1400
ktap_run "route add all of them" \
	both route add 10.9.0.0/16 via 10.77.0.2 tos 4 priority 4 mtu lock 1300 features ecn
ktap_run "route add default tos" both route add default via 10.77.0.6 tos 0x8
ktap_run "route add tos twice is refused" neither route add 10.8.0.0/16 via 10.77.0.9 tos 4
ktap_run "route add tos with ECN bits is refused" neither route add 10.8.0.0/16 via 10.77.0.9 tos 3
ktap_run "route show of these" same route show
ktap_run "route show -j of these" same_json type,dst,tos,gateway,dev,prefsrc,metric,metrics route show
for words in "tos 4" "dsfield 0x10" "tos 0" "tos 8" "10.8.0.0/16 tos 18" "root 10.0.0.0/8 tos 4 via 10.77.0.2" \
	"match 10.8.1.1 tos default"; do
	# shellcheck disable=SC2086	# words
	ktap_run "route show $words" takes route show $words
done
ktap_run "route show tos: none" none route show tos CS1
for words in "10.8.2.1 tos 4" "10.8.2.1 dsfield 0x10" "10.8.2.1" "10.10.1.1 tos 8"; do
	# shellcheck disable=SC2086	# words
	ktap_run "route get $words" same_json type,dst,tos,gateway,dev,prefsrc route get $words
done
# (what is answered as TOS where the route has none: native the route's, Strata what was asked)
ktap_run "route get, a TOS of no route" same_json type,dst,gateway,dev,prefsrc route get 10.8.2.1 tos 1c
ktap_run "route get: a locked MTU" says " mtu lock 1400" strata -n ta route get 10.9.1.1
ktap_run "route replace tos" both route replace 10.8.0.0/16 tos 4 via 10.77.0.9
ktap_run "route append tos" both route append 10.8.0.0/16 tos 4 via 10.77.0.10
ktap_run "route change tos" both route change 10.8.0.0/16 tos 0x10 via 10.77.0.11 mtu lock 1200
ktap_run "route change, the lock gone" both route change 10.9.0.0/16 via 10.77.0.2 mtu 1400
ktap_run "route show after these changes" same route show
ktap_run "route del of another TOS is refused" neither route del 10.8.0.0/16 tos 1c
ktap_run "route del without its TOS is refused" neither route del 10.8.0.0/16 via 10.77.0.9
ktap_run "route del tos" both route del 10.8.0.0/16 tos 4 via 10.77.0.10
ktap_run "route del tos, mtu lock" both route del 10.9.0.0/16 tos 4 mtu lock 1300
ktap_run "route show after del" same route show
ktap_run "route flush tos" both route flush tos 18
ktap_run "route show after flush tos" same route show
# (of two that differ in nothing else, the right one goes)
ktap_run "route add src" both route add 10.10.0.0/16 dev va src 10.77.0.1
ktap_run "route append src" both route append 10.10.0.0/16 dev va src 10.78.0.1
ktap_run "route flush src" both route flush src 10.78.0.1 to 10.10.0.0/16
ktap_run "route show after flush src" same route show
ktap_run "route flush: those with a TOS, too" both route flush root 10.8.0.0/15
ktap_run "route flush default: with a TOS, too" both route flush default
ktap_run "route show after these" same route show

# --- routes: the other metrics ---
n=0
for words in "advmss 1000" "advmss 70000" "hoplimit 9" "hoplimit lock 0" "window lock 5000" "cwnd 7" \
	"cwnd lock 7" "initcwnd 4 initrwnd 5 ssthresh lock 6 reordering 7" \
	"rtt 100ms rttvar 1.2ms rto_min 0.3s" "rtt lock 100 rttvar lock 50 rto_min 70" \
	"quickack 1 fastopen_no_cookie 1" "quickack 0 fastopen_no_cookie 0 cwnd 0 rtt 0 rto_min 0" \
	"congctl reno" "congctl lock reno" \
	"mtu lock 1400 advmss lock 900 hoplimit lock 10 window 0x1000 cwnd lock 8 initcwnd lock 9
	initrwnd lock 11 ssthresh 12 reordering lock 13 rtt 2s rttvar lock 1.5sec rto_min 20msec
	features ecn congctl lock reno quickack 1 fastopen_no_cookie 1"; do
	n=$((n + 1))
	# shellcheck disable=SC2086	# words
	ktap_run "route add ${words//[$'\n\t']/ }" both route add 10.11.$n.0/24 via 10.77.0.2 $words
done
ktap_run "route show of these" same route show
ktap_run "route show -j of these" same_json dst,metrics route show
ktap_run "route get of these, all metrics" same_json dst,gateway,metrics route get 10.11.15.1
ktap_run "route get of these: what is locked" says " mtu lock 1400 window 4096 rtt 2s rttvar lock 1.5s" \
	strata -n ta route get 10.11.15.1
ktap_run "route add congctl, an unknown one, is refused" \
	neither route add 10.11.99.0/24 via 10.77.0.2 congctl nosuch
# (not all natives refuse it)
ktap_run "route add cwnd lock 0 is refused" says "Error: strata: a locked cwnd must not be 0." \
	strata -n ta route add 10.11.99.0/24 via 10.77.0.2 cwnd lock 0
ktap_run "route change, other metrics" both route change 10.11.1.0/24 via 10.77.0.2 window 7 rtt 5ms
ktap_run "route replace, the metrics gone" both route replace 10.11.3.0/24 via 10.77.0.2
ktap_run "route append, other metrics" both route append 10.11.6.0/24 via 10.77.0.3 cwnd 9
ktap_run "route show after these changes" same route show
ktap_run "route del of another value is refused" neither route del 10.11.6.0/24 cwnd 8
ktap_run "route del of another metric is refused" neither route del 10.11.7.0/24 initcwnd 7
ktap_run "route del, locked where it is not, is refused" neither route del 10.11.6.0/24 cwnd lock 7
ktap_run "route del of another congctl is refused" neither route del 10.11.13.0/24 congctl cubic
ktap_run "route del, the second by its metric" both route del 10.11.6.0/24 cwnd 9
ktap_run "route del of a locked one, the lock not said" both route del 10.11.7.0/24 cwnd 7
ktap_run "route del times" both route del 10.11.9.0/24 rttvar 1.2ms rto_min 0.3s
ktap_run "route del congctl lock" both route del 10.11.14.0/24 congctl lock reno
ktap_run "route show after del by metrics" same route show
ktap_run "route flush, whatever metrics" both route flush root 10.11.0.0/16
ktap_run "route show after that flush" same route show

# --- devices ---
ktap_run "link set down" down va
ktap_run "link show up: none" silent strata -n ta link show va up
ktap_run "route show: gone with the device" none route show dev va
ktap_run "link set up" up va
ktap_run "route show: those of the addresses are back" same route show
ktap_run "link show up" says ": va" strata -n ta link show up
ktap_run "link set mtu, the device last" last_set ' mtu 1450 ' mtu 1450
ktap_run "link set down, the device last" last_set 'state DOWN' down
ktap_run "link set up, the device last" last_set '[<,]UP[,>]' up
ktap_run "link set mtu and down" down_and_mtu va
ip -n ta link set vc down && ip -n ta link set vc name $'v\xff'
ktap_run "link show -j: a name that is no UTF-8" says '"ifname":"v?"' strata -n ta -j link show
ip -n ta link set $'v\xff' name vc
both addr flush dev va
both addr flush dev vc
ip netns del ta
ip netns del tb
ktap_end
