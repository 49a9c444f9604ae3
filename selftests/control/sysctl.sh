#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# net.strata.*: the names of net.ipv4.*, each of which takes and refuses what native's does,
# has native's default, is of its namespace alone and belongs to who administers that. Of TCP
# all of native's names are there, but those that are named below with a reason.
#
# shellcheck source=selftests/lib/ktap.sh disable=SC2317 # called through ktap_run
. "$(dirname "$0")/../lib/ktap.sh"

ktap_need_module

A=strata-sysctl-a B=strata-sysctl-b
in_a() { ip netns exec "$A" "$@"; }
in_b() { ip netns exec "$B" "$@"; }
get() { cat "/proc/sys/net/strata/$1"; }
is() { [ "$(get "$1")" = "$2" ]; }				# NAME VALUE
set_to() { echo "$2" > "/proc/sys/net/strata/$1"; }	# NAME VALUE
export -f get is set_to

# where native keeps the same: a path below /proc/sys/net, or nothing
native_of() {
	local p

	for p in "ipv4/$1" "ipv4/route/$1" "ipv4/neigh/default/${1#neigh_}"; do
		[ ! -e "/proc/sys/net/$p" ] || { echo "$p"; return; }
	done
	return 1
}
export -f native_of

# names that came after 6.1
NEWER=' tcp_syn_linear_timeouts tcp_shrink_window tcp_pingpong_thresh tcp_rto_min_us '
NEWER+='tcp_backlog_ack_defer '

strangers() { # names that native has not
	local f

	for f in /proc/sys/net/strata/*; do
		native_of "${f##*/}" > /dev/null || [[ $NEWER == *" ${f##*/} "* ]] || echo "${f##*/}"
	done
}

# Those of TCP that Strata has not, and why not: they would promise what there is not.
left_out() { # NAME
	case $1 in
	# sizes of native's table of connections, a namespace's own; Strata has one for all
	tcp_ehash_entries|tcp_child_ehash_entries) ;;
	# virtual routing domains: Strata's routes know none
	tcp_l3mdev_accept) ;;
	# protocols on top of a socket (TLS, ...): there are none
	tcp_available_ulp) ;;
	# another path by another IPv6 flow label, where there is congestion: no IPv6, one path
	tcp_plb_*) ;;
	*) return 1 ;;
	esac
}

missing() { # native's names that are neither here nor left out for a reason, or both
	local f

	for f in /proc/sys/net/ipv4/tcp_* /proc/sys/net/ipv4/ip_local_reserved_ports; do
		if [ -e "/proc/sys/net/strata/${f##*/}" ]; then
			! left_out "${f##*/}" || echo "${f##*/} is there"
		else
			left_out "${f##*/}" || echo "${f##*/}"
		fi
	done
}

# Natives whose default is not one number:
#   tcp_max_orphans, tcp_max_tw_buckets, tcp_max_syn_backlog: by the size of native's table of
#	connections, which is by the machine's memory; Strata's is that of one with much
#   tcp_mem: by the machine's memory, and in native's table of the first namespace alone
#   tcp_{available,allowed}_congestion_control: what the kernel was built with
#   neigh_unres_qlen_bytes: 256 packets with the kernel's own headers to them, whose size is
#	the configuration's; Strata's is that of Debian's kernels
OTHERWISE=' tcp_max_orphans tcp_max_tw_buckets tcp_max_syn_backlog tcp_mem '
OTHERWISE+='tcp_available_congestion_control tcp_allowed_congestion_control '
OTHERWISE+='neigh_unres_qlen_bytes '
export OTHERWISE

defaults() { # NAME STRATA NATIVE of those that differ
	local f name native mine its

	for f in /proc/sys/net/strata/*; do
		name=${f##*/}
		[[ $OTHERWISE != *" $name "* ]] || continue
		native=$(native_of "$name") || continue
		read -r mine < "$f"
		read -r its < "/proc/sys/net/$native"
		case $name in
		# minimum and default are numbers, the maximum a part of the memory
		tcp_rmem|tcp_wmem) mine=${mine%[[:blank:]]*} its=${its%[[:blank:]]*} ;;
		esac
		[ "$mine" = "$its" ] || echo "$name: $mine, native $its"
	done
}

# VALUE... to the sysctl at $1, each from the value it had: what came of it
try() {
	local file=$1 was now v

	shift
	read -r was < "$file"
	for v; do
		if { echo "$v" > "$file"; } 2>/dev/null; then
			read -r now < "$file"
			echo "$v -> $now"
			echo "$was" > "$file"
		else
			read -r now < "$file"
			[ "$now" = "$was" ] && echo "$v refused" || echo "$v refused, but $now"
		fi
	done
}
export -f try

VALUES=(-2147483649 -2147483648 -1 0 1 2 3 4 5 31 32 47 48 67 68 127 128 255 256 1000 1001 65535
	65536 86400 86401 2147483647 2147483648 99999999999 x 1x '' '1 2' '7 x' '0x10' ' 1 ')
PAIRS=('1 2' '2 1' '1 1' '0 0' '1024 65535' '1024 65536' '1023 2000' '2000 1999' '2000' '-1 5'
	'5 -1' '2000 x' 'x' '2000 3000 4000' '32768 60999' '0 2147483647' '0 2147483648' '1 0')
PORTS=(0 1 '1-5' '5-1' '1-' '-5' 65535 65536 '1,2,7-9' '1-5,3-9' '1,,2' '1, 2' '1 2' x 99999999999)
TRIPLES=('1 2 3' '4096 131072 6291456' '0 1 1' '1 0 1' '-1 1 1' '3 2 1' '4096' '1 x 2'
	'1 1 2147483647' '1 1 2147483648')

# What one takes and the other does not, and why that is right.
differs_rightly() { # NAME VALUE
	case "$1 $2" in
	# native has a low threshold too, and refuses to go below it; and counts in a long
	"ipfrag_high_thresh "*) ;;
	# a time or a number that is negative means nothing, and native takes it
	"mtu_expires 0") ;;
	"mtu_expires -"*|"tcp_fin_timeout -"*|"tcp_keepalive_"*" -"*|"tcp_base_mss -"*|\
	"tcp_challenge_ack_limit -"*|"tcp_limit_output_bytes -"*|\
	"tcp_max_syn_backlog -"*|"tcp_max_tw_buckets -"*|"tcp_max_orphans -"*) ;;
	# 6.1 knows groups to 2^31, 6.12 to 2^32
	"ping_group_range 0 2147483648") ;;
	# a shift: later kernels know that more than 31 is none
	"tcp_tso_rtt_log "[3-9]?|"tcp_tso_rtt_log "[12]??)
		[ "$2" -gt 31 ] && [[ $(uname -r) == 6.1.* ]] ;;
	*) return 1 ;;
	esac
}

bounds() { # NAME: the same values are taken and refused as native's
	local name=$1 native line other values
	local -a mine its

	native=$(native_of "$name") || return 0
	case $name in
	ip_local_port_range|ping_group_range) values=("${PAIRS[@]}") ;;
	ip_local_reserved_ports) values=("${PORTS[@]}") ;;
	tcp_rmem|tcp_wmem|tcp_mem) values=("${TRIPLES[@]}") ;;
	*) values=("${VALUES[@]}") ;;
	esac
	mapfile -t mine < <(try "/proc/sys/net/strata/$name" "${values[@]}")
	mapfile -t its < <(try "/proc/sys/net/$native" "${values[@]}")
	for i in "${!values[@]}"; do
		line=${mine[i]}
		other=${its[i]}
		[ "$line" = "$other" ] || differs_rightly "$name" "${values[i]}" ||
			echo "$name: $line; native: $other"
	done
}
all_bounds() {
	local f

	for f in /proc/sys/net/strata/*; do
		bounds "${f##*/}"
	done
}
machine_bounds() { # of those that native has in the first namespace alone
	local was

	was=$(get tcp_mem)
	set_to tcp_mem "$(cat /proc/sys/net/ipv4/tcp_mem)"	# what is not written stays
	bounds tcp_mem
	set_to tcp_mem "$was"
	bounds tcp_max_orphans
}
nothing() { local out; out=$("$@"); echo "$out"; [ -z "$out" ]; }
in_ns_function() { # FUNCTION: run it in namespace a
	local decl

	decl=$(declare -f try bounds native_of strangers defaults all_bounds differs_rightly
		declare -p VALUES PAIRS PORTS TRIPLES)
	ip netns exec "$A" bash -c "$decl"$'\n'"$1"
}

apart() { # one namespace's value is not another's
	local before

	before=$(get tcp_syn_retries)
	in_a bash -c 'set_to tcp_syn_retries 9' && [ "$(in_a bash -c 'get tcp_syn_retries')" = 9 ] &&
		[ "$(in_b bash -c 'get tcp_syn_retries')" = 6 ] && [ "$(get tcp_syn_retries)" = "$before" ]
}
user() { setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all "$@"; }
refused() { ! "$@"; }
readable() { [ "$(user bash -c 'get tcp_sack')" = 1 ]; }
# root of a user namespace, in a network namespace of its own and in one that is not
owner() {
	user unshare -Urn bash -c 'set_to tcp_sack 0 && is tcp_sack 0'
}
# in a route of his
in_route() { # NAME
	user unshare -Urn bash -c 'ip link add v0 type veth peer name v1 && ip link set v0 up &&
		strata addr add 10.9.0.1/24 dev v0 &&
		strata route add 10.10.0.0/16 via 10.9.0.2 congctl '"$1"
}
refused_in_route() {
	local said
	said=$(in_route "$1" 2>&1) && return 1
	[[ $said == *"only root of the machine may give this congestion control"* ]]
}
# but how many neighbours fit into the machine's memory is not for him to say
neighbours() {
	user unshare -Urn bash -c 'is neigh_gc_thresh3 1024 && ! set_to neigh_gc_thresh3 100000 &&
		is neigh_gc_thresh3 1024' && in_a bash -c 'set_to neigh_gc_thresh3 2048'
}
# ping sockets: who may open one
pings() { # GID COMMAND-PREFIX...
	local gid=$1

	shift
	in_a setpriv --reuid=65534 --regid="$gid" "${@:---clear-groups}" --inh-caps=-all python3 -c '
import socket, sys
try:
    socket.socket(18, socket.SOCK_DGRAM, 1)
except OSError as e:
    print(e.errno)
    sys.exit(0)
print("ok")'
}
low_port() { # what a user gets who binds port 80
	in_a setpriv --reuid=65534 --regid=65534 --clear-groups --inh-caps=-all python3 -c '
import socket
k = socket.socket(18, socket.SOCK_STREAM)
s = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, k.detach())
try:
    s.bind(("127.0.0.1", 80))
    print("ok")
except OSError as e:
    print(e.errno)'
}
ephemeral() { # the port of an unbound socket lies in the range
	in_a python3 -c '
import socket
for i in range(50):
    k = socket.socket(18, socket.SOCK_DGRAM)
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 0, k.detach())
    s.bind(("127.0.0.1", 0))
    assert 40000 <= s.getsockname()[1] <= 40063, s.getsockname()'
}

reserved() { # 40062 and 40063 are left to sockets without a port; who asks gets any
	in_a python3 -c '
import socket
def strata(kind):
    k = socket.socket(18, kind)
    return socket.socket(socket.AF_INET, kind, 0, k.detach())
one = strata(socket.SOCK_STREAM)
one.bind(("127.0.0.1", 40000))
one.listen()
seen = set()
for kind in socket.SOCK_DGRAM, socket.SOCK_STREAM:
    s = [strata(kind), strata(kind)]
    for i in s:
        i.bind(("127.0.0.1", 0))
        seen.add(i.getsockname()[1])
    try:
        strata(kind).bind(("127.0.0.1", 0))
        seen.add(-1)
    except OSError as e:
        seen.add(e.strerror)
    for i in s:
        i.close()
for i in range(2):
    s = strata(socket.SOCK_STREAM)
    s.connect(("127.0.0.1", 40000))
    seen.add(s.getsockname()[1])
print(sorted(map(str, seen)))'
}
choose() { # NAME COMMAND-PREFIX...: TCP_CONGESTION
	local name=$1

	shift
	"$@" python3 -c '
import socket, sys
k = socket.socket(18, socket.SOCK_STREAM)
try:
    k.setsockopt(6, 13, sys.argv[1].encode())
    print("ok")
except OSError as e:
    print(e.errno)' "$name"
}
pressures() { # how often TCP came to want memory
	awk '/^TcpExt:/ { if (!n) n = split($0, name); else split($0, is) }
		END { for (i = 1; i <= n; i++) if (name[i] == "TCPMemoryPressures") print is[i] }' \
		/proc/net/strata/netstat
}
fill() { # megabytes that nobody reads; a CPU keeps up to one to itself
	python3 -c '
import socket
def strata():
    k = socket.socket(18, socket.SOCK_STREAM)
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM, 0, k.detach())
l = strata()
l.bind(("127.0.0.1", 0))
l.listen(100)
keep = []
for i in range(100):
    c = strata()
    c.connect(l.getsockname())
    keep += [c, l.accept()]
    c.setblocking(False)
    try:
        for n in range(30):
            c.send(b"x" * 10000)
    except BlockingIOError:
        pass'
}
wants_memory() { # MEM: does TCP come under pressure with this tcp_mem
	local was before

	was=$(get tcp_mem)
	before=$(pressures)
	set_to tcp_mem "$1"
	fill
	set_to tcp_mem "$was"
	[ "$(pressures)" -gt "$before" ]
}

# a new namespace takes these over from the first
inherited() {
	local f ours_at=/proc/sys/net/strata native_at=/proc/sys/net/ipv4 bad=0
	local -A was

	for f in "$ours_at"/tcp_{r,w}mem "$native_at"/tcp_{r,w}mem; do
		was[$f]=$(< "$f")
		echo "5000 70000 900000" > "$f"
	done
	unshare -n bash -c "diff <(cat $ours_at/tcp_{r,w}mem) <(cat $native_at/tcp_{r,w}mem) &&
		grep -q 70000 $ours_at/tcp_rmem" || bad=1
	for f in "${!was[@]}"; do
		echo "${was[$f]}" > "$f"
	done
	return "$bad"
}

ip netns add "$A" && ip netns add "$B"
cleanup() { ip netns del "$A" && ip netns del "$B"; }

ktap_plan 37
ktap_run "every name is one of native's" nothing strangers
ktap_run "every name of native's TCP is here, or left out for a reason" nothing missing
ktap_run "there are as many in every namespace" test \
	"$(find /proc/sys/net/strata -type f | wc -l)" = "$(in_a find /proc/sys/net/strata -type f | wc -l)"
ktap_run "defaults are native's" nothing in_ns_function defaults
ktap_run "what is taken and what refused is native's" nothing in_ns_function all_bounds
ktap_run "and so where native has one for the machine" nothing machine_bounds
ktap_run "each namespace has its own" apart
ktap_run "a new namespace begins with the defaults" in_b bash -c 'is tcp_sack 1'
ktap_run "but for the memory of connections, as native" inherited
ktap_run "everybody reads" readable
ktap_run "a user does not write" refused user bash -c 'set_to tcp_sack 0'
ktap_run "the owner of a namespace writes there" owner
ktap_run "but not the machine's limit of neighbours" neighbours
ktap_run "and nowhere else" refused user unshare -Ur bash -c 'set_to tcp_sack 0'

in_a bash -c 'set_to ping_group_range "100 200"'
ktap_is "ping socket: a group of ping_group_range" "$(pings 150)" ok
ktap_is "ping socket: the first" "$(pings 100)" ok
ktap_is "ping socket: behind the last" "$(pings 201)" 13
ktap_is "ping socket: a supplementary group" "$(pings 65534 --groups 7,200)" ok
ktap_is "ping socket: none of the groups" "$(pings 65534 --groups 7,99)" 13
in_a bash -c 'set_to ping_group_range "1 0"'
ktap_is "ping socket: nobody" "$(pings 1)" 13

ktap_is "a port below ip_unprivileged_port_start" "$(low_port)" 13
in_a bash -c 'set_to ip_unprivileged_port_start 80'
ktap_is "ip_unprivileged_port_start lowered" "$(low_port)" ok
in_a bash -c 'set_to ip_local_port_range "40000 40063"'
ktap_run "ip_local_port_range" ephemeral
ktap_run "it does not reach below ip_unprivileged_port_start" refused \
	in_a bash -c 'set_to ip_local_port_range "79 40063"'
in_a bash -c 'set_to ip_local_reserved_ports 40000-40059,40060,40061'
ktap_is "ip_local_reserved_ports" "$(in_a bash -c 'get ip_local_reserved_ports')" 40000-40061
ktap_is "reserved ports are not given away by chance" "$(reserved)" \
	"['40062', '40063', 'Address already in use']"

allowed=$(get tcp_allowed_congestion_control)
ktap_run "tcp_allowed_congestion_control: unknown names change nothing" refused \
	set_to tcp_allowed_congestion_control "cubic such-is-not-there"
ktap_is "and all that was allowed is" "$(get tcp_allowed_congestion_control)" "$allowed"
ktap_is "a user chooses what is allowed" "$(choose reno user)" ok
set_to tcp_allowed_congestion_control cubic
ktap_is "and not what is not" "$(choose reno user)" 1
ktap_is "who administers the network does" "$(choose reno)" ok
ktap_run "a namespace's root may give a route what is allowed" in_route cubic
ktap_run "and not what is not" refused_in_route reno
set_to tcp_allowed_congestion_control "$allowed"
ktap_run "it is the machine's" refused in_a bash -c 'set_to tcp_allowed_congestion_control cubic'

ktap_run "tcp_mem: there is enough" refused wants_memory "$(get tcp_mem)"
ktap_run "tcp_mem: there is not" wants_memory "0 1 100000000"
ktap_run "namespaces go, and their sysctls" cleanup
ktap_end
