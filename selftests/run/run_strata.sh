#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# strata run and the examples, the real thing: the module, sockets of AF_STRATA,
# unmodified programs, two namespaces joined by a veth pair.
#
#   namespace A                          namespace B
#   native stack                         Strata
#   10.77.0.1/24 --- va ======= vb --- 10.77.0.2/24
#
# Needs the module ($STRATA_KO or already loaded), the tool and the examples
# (build/strata, build/examples); skips where the module cannot be loaded.
# shellcheck source=selftests/lib/ktap.sh
. "$(dirname "$0")/../lib/ktap.sh"

here=$(cd "$(dirname "$0")" && pwd)
build=${BUILD:-$(cd "$here/../.." && pwd)}
strata=$build/strata examples=$build/examples probe=$here/run_probe
A=run-a-$$ B=run-b-$$
tmp=$(mktemp -d)
servers=()

limit=20	# seconds
[ "${STRATA_MACHINE-}" != debug ] || limit=60
in_a() { ip netns exec "$A" timeout $limit "$@"; }
in_b() { ip netns exec "$B" timeout $limit "$@"; }
run_b() { in_b "$strata" run "$@"; }

clean_up() {
	[ ${#servers[@]} = 0 ] || kill "${servers[@]}" 2>/dev/null
	ip netns del "$A" 2>/dev/null
	ip netns del "$B" 2>/dev/null
	rm -rf "$tmp"
}
trap 'status=$?; clean_up; (exit $status); ktap_at_exit' EXIT

# A server that keeps running; returns when its port is bound.
serve() { # NAMESPACE PORT COMMAND...
	local ns=$1 port
	port=$(printf ':%04X' "$2")
	shift 2
	ip netns exec "$ns" "$@" >"$tmp/server.log" 2>&1 &
	servers+=($!)
	for _ in $(seq 300); do
		# slot, local address, remote address, state: listening or bound
		ip netns exec "$ns" cat /proc/net/tcp /proc/net/strata/tcp /proc/net/strata/udp |
			awk -v p="$port" '$2 ~ p "$" && $4 ~ /^0[A7]$/ { f = 1 } END { exit !f }' &&
			return
		sleep 0.1
	done
	ktap_note "nothing is bound to port $port: $(cat "$tmp/server.log")"
}

[ "$(id -u)" = 0 ] || ktap_skip_all "needs root"
[ -x "$strata" ] || ktap_skip_all "$strata is not built"
[ -r "${STRATA_KO-}" ] || ktap_need_module

ktap_plan 26

# ---- without the module: a clear word, and the program is not begun ----------
if [ -d /sys/module/strata ] || modinfo strata >/dev/null 2>&1; then
	ktap_skip "without the module: exit status 125" "it is loaded or loads by itself"
	ktap_skip "without the module: one line" "it is loaded or loads by itself"
	ktap_skip "without the module: program not begun" "it is loaded or loads by itself"
else
	"$strata" run touch "$tmp/begun" 2>"$tmp/err"
	ktap_is "without the module: exit status 125" $? 125
	ktap_is "without the module: one line" "$(wc -l <"$tmp/err")" 1
	[ ! -e "$tmp/begun" ]
	ktap_result $? "without the module: program not begun"
fi
if [ -d /sys/module/strata ]; then
	loaded=before
elif ! insmod "${STRATA_KO-}"; then
	case ${STRATA_MACHINE-} in
	''|host)
		ktap_skip "all the rest" "this kernel refuses modules"
		ktap_planned=4
		ktap_end ;;
	esac
	ktap_not_ok "the module loads"
	ktap_end
fi
family=$(cat /sys/module/strata/parameters/family)

# ---- the sockets -------------------------------------------------------------
moved="domain $family cloexec 0 nonblock 0"
ktap_is "TCP socket moves" "$("$strata" run "$probe" socket 2 1 6)" "$moved"
ktap_is "UDP socket moves" "$("$strata" run "$probe" socket 2 2 17)" "$moved"
ktap_is "ping socket moves" "$("$strata" run "$probe" socket 2 2 1)" "$moved"
many=2000
[ -z "${STRATA_FULL-}" ] || [ "${STRATA_MACHINE-}" = debug ] || many=10000
ktap_is "many sockets" "$("$strata" run "$probe" many $many "$family")" "moved $many"
# before Linux 6.2 the core has them for families it knows, and the launcher steps in
set_option='
import socket, sys
for kind in socket.SOCK_STREAM, socket.SOCK_DGRAM:
    s = socket.socket(socket.AF_INET, kind)
    for value in 1, 0, 1:
        s.setsockopt(socket.SOL_SOCKET, int(sys.argv[1]), value)
        if s.getsockopt(socket.SOL_SOCKET, int(sys.argv[1])) != value:
            sys.exit("the option is not " + str(value))
'
ktap_run "SO_REUSEPORT can be set" "$strata" run python3 -c "$set_option" 15
ktap_run "SO_ZEROCOPY can be set" "$strata" run python3 -c "$set_option" 60
"$strata" run --report "$probe" socket 2 1 0 >/dev/null 2>"$tmp/report"
ktap_run "the report counts it" grep -q "1 on Strata, 0 refused, 0 native" "$tmp/report"

# ---- two namespaces ----------------------------------------------------------
ip netns add "$A" && ip netns add "$B" &&
	ip link add va netns "$A" type veth peer name vb netns "$B" &&
	in_a ip addr add 10.77.0.1/24 dev va && in_a ip link set va up &&
	in_b ip link set vb up && in_b ip link set lo up &&
	in_b "$strata" addr add 10.77.0.2/24 dev vb
ktap_result $? "a veth pair, native and Strata"

mkdir "$tmp/www"
head -c 3000000 /dev/urandom >"$tmp/www/file"
sum=$(sha256sum <"$tmp/www/file")

ktap_run "ping from Strata" run_b ping -c 2 -W 5 10.77.0.1

serve "$A" 8000 python3 -m http.server -d "$tmp/www" --bind 10.77.0.1 8000
ktap_is "curl on Strata" "$(run_b curl -s http://10.77.0.1:8000/file | sha256sum)" "$sum"

# The launcher in one namespace, the program's sockets in another.
ktap_is "strata run ip netns exec" \
	"$(timeout $limit "$strata" run ip netns exec "$B" curl -s http://10.77.0.1:8000/file | sha256sum)" "$sum"

ktap_run "busybox wget, a static program" run_b busybox wget -q -O "$tmp/got" http://10.77.0.1:8000/file
ktap_is "... brought the file" "$(sha256sum <"$tmp/got")" "$sum"

serve "$B" 8001 "$strata" run python3 -m http.server -d "$tmp/www" --bind 10.77.0.2 8001
ktap_is "a server under strata run" "$(in_a curl -s http://10.77.0.2:8001/file | sha256sum)" "$sum"

# ... and is the one that the list of sockets names: its process became the program.
# shellcheck disable=SC2016 # for awk
ktap_is "the socket's owner is the program" \
	"$(in_b awk '$3 == "10.77.0.2:8001" && $2 == "LISTEN" { print $5, $6 }' /proc/net/strata/sockets)" \
	"${servers[-1]} python3"

# A daemon: "strata run" is over when it has gone into the background, its helper
# when it ends. Its program and its helper are what is in the namespace then.
daemon_pids() { ip netns pids "$B" | grep -vx -F -f "$tmp/before"; }

# shellcheck disable=SC2317 # called through ktap_run
daemon_gone() {
	for _ in $(seq 100); do
		[ -n "$(daemon_pids)" ] || return 0
		sleep 0.1
	done
	daemon_pids | xargs ps -fp
	return 1
}

ip netns pids "$B" >"$tmp/before"
echo 0 >>"$tmp/before"	# at least one line
run_b busybox httpd -p 10.77.0.2:8005 -h "$tmp/www"
ktap_result $? "a daemon's launcher ends"
ktap_is "... and the daemon serves" "$(in_a curl -s http://10.77.0.2:8005/file | sha256sum)" "$sum"
daemon_pids | xargs kill
ktap_run "... and leaves no helper" daemon_gone

# ---- the examples ------------------------------------------------------------
serve "$B" 8002 "$examples/http_server" -a 10.77.0.2 -p 8002 "$tmp/www"
ktap_is "http_server" "$(in_a curl -s http://10.77.0.2:8002/file | sha256sum)" "$sum"
ktap_is "http_server refuses .." \
	"$(in_a curl -s -o /dev/null -w '%{http_code}' --path-as-is http://10.77.0.2:8002/../report)" 404

serve "$B" 8003 "$examples/tcp_echo_server" -a 10.77.0.2 -p 8003
ktap_is "tcp_echo_client and server, both on Strata" \
	"$(in_b "$examples/tcp_echo_client" -p 8003 10.77.0.2 <"$tmp/www/file" | sha256sum)" "$sum"

serve "$B" 8004 "$examples/udp_echo" -l -a 10.77.0.2 -p 8004
ktap_run "udp_echo" in_b "$examples/udp_echo" -c 20 -p 8004 -a 10.77.0.2

# ---- nothing is left ---------------------------------------------------------
clean_up
servers=()
sleep 2		# TIME-WAIT is gone with its namespace, processes are reaped
if [ "${loaded:-}" = before ]; then
	ktap_skip "rmmod afterwards" "the module was loaded before"
else
	ktap_run "rmmod afterwards" rmmod strata
fi
ktap_end
