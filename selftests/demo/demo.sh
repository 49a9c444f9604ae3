#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
#      namespace native                     namespace ours
#   +--------------------+               +---------------------------+
#   | nginx, curl        |               | strata run curl, nginx    |
#   | the kernel's stack |               | Strata                    |
#   |  10.77.0.1/24      |               |  10.77.0.2/24             |
#   |       v0 ----------+---- veth -----+---- v1                    |
#   +--------------------+               +---------------------------+
#
# A 100 MB file (5 MB on the debug machine, where each segment is checked a hundred ways) goes
# from left to right (curl on Strata), then the other way round (nginx on Strata); its SHA-256
# is compared each time. Shown on the way: the first handshake, the headers of the first data
# segment, and the sockets during a transfer.
# Run as root with STRATA_KO and PATH set by the caller; leaves nothing behind.
set -u

DEMO=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
NATIVE=strata-demo-native OURS=strata-demo-ours
SIZE_MB=100
[ "${STRATA_MACHINE-}" != debug ] || SIZE_MB=5
WORK=$(mktemp -d /tmp/strata-demo.XXXXXX)
FAILED=0
INSERTED=0
PIDS=()
AT='^#1 +[0-9]+\.[0-9]{3} +\|'	# a segment in the ladder: its connection and time

say() { printf '\n== %s\n' "$*"; }
die() { echo "demo: $*" >&2; exit 1; }

# Only processes of ours: by the pids they wrote or we noted.
# shellcheck disable=SC2317	# called by the trap
clean_up() {
	trap - EXIT INT TERM
	for f in "$WORK"/*/nginx.pid; do
		[ -s "$f" ] && kill "$(cat "$f")" 2>/dev/null
	done
	[ ${#PIDS[@]} -gt 0 ] && kill "${PIDS[@]}" 2>/dev/null
	wait 2>/dev/null
	ip netns del "$NATIVE" 2>/dev/null
	ip netns del "$OURS" 2>/dev/null
	if [ "$INSERTED" = 1 ]; then
		for _ in $(seq 50); do
			rmmod strata 2>/dev/null && break
			sleep 0.1
		done
	fi
	rm -rf "$WORK"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

in_native() { ip netns exec "$NATIVE" "$@"; }
in_ours() { ip netns exec "$OURS" "$@"; }

set_up() {
	if ! [ -d /sys/module/strata ]; then
		insmod "$STRATA_KO" || die "cannot insert $STRATA_KO"
		INSERTED=1
	fi
	ip netns add "$NATIVE" || die "cannot make a namespace"
	ip netns add "$OURS" || die "cannot make a namespace"
	ip link add v0 netns "$NATIVE" type veth peer name v1 netns "$OURS" || die "no veth"
	ip -n "$NATIVE" link set lo up
	ip -n "$NATIVE" link set v0 up
	ip -n "$OURS" link set v1 up
	ip -n "$NATIVE" addr add 10.77.0.1/24 dev v0
	in_ours strata addr add 10.77.0.2/24 dev v1 || die "Strata takes no address"
	mkdir -p "$WORK/www" "$WORK/a" "$WORK/b"
	head -c ${SIZE_MB}M /dev/urandom > "$WORK/www/file"
	SUM=$(sha256sum < "$WORK/www/file")
}

nginx_conf() { # FOLDER ADDRESS
	cat > "$1/nginx.conf" <<-END
	pid $1/nginx.pid;
	error_log $1/error.log;
	worker_processes 1;
	user root;
	events { worker_connections 256; }
	http {
		access_log off;
		sendfile on;
		client_body_temp_path $1;
		proxy_temp_path $1;
		fastcgi_temp_path $1;
		uwsgi_temp_path $1;
		scgi_temp_path $1;
		server { listen $2:80; root $WORK/www; }
	}
	END
}

# wait for a line in a file
wait_for() { # FILE PATTERN
	for _ in $(seq 100); do
		grep -qs "$2" "$1" && return 0
		sleep 0.05
	done
	return 1
}

verdict() { # WHAT FILE
	if [ "$(sha256sum < "$2")" = "$SUM" ]; then
		echo "$1: $SIZE_MB MB, SHA-256 equal"
	else
		echo "$1: SHA-256 DIFFERS" >&2
		FAILED=1
	fi
}

# What was printed must have lines of these forms.
shows() { # FILE PATTERN...
	local file=$1 pattern
	shift
	for pattern; do
		grep -qE -e "$pattern" "$file" && continue
		echo "demo: no line like this is above: $pattern" >&2
		FAILED=1
	done
}

curl_rate() { # the curl to run...
	"$@" --max-time 120 -sS -w 'curl: %{size_download} bytes in %{time_total} s\n'
}

watch_first_connection() {
	# not by in_ours: the pid would be that of the subshell that runs the function
	ip netns exec "$OURS" strata trace -c 8 > "$WORK/ladder" 2> "$WORK/ladder.err" &
	TRACER=$!
	ip netns exec "$OURS" tcpdump -i v1 -n -s 200 -w "$WORK/pcap" -c 12 tcp port 80 2> "$WORK/tcpdump.err" &
	DUMPER=$!
	PIDS+=("$TRACER" "$DUMPER")
	wait_for "$WORK/tcpdump.err" listening || echo "demo: tcpdump does not listen" >&2
	wait_for "$WORK/ladder.err" Tracing || echo "demo: strata trace does not start" >&2
}

show_first_connection() {
	for _ in $(seq 50); do
		kill -0 "$TRACER" 2>/dev/null || kill -0 "$DUMPER" 2>/dev/null || break
		sleep 0.1
	done
	kill "$TRACER" "$DUMPER" 2>/dev/null
	wait "$TRACER" "$DUMPER" 2>/dev/null
	say "The first connection as Strata saw it (strata trace)"
	cat "$WORK/ladder" "$WORK/ladder.err"
	shows "$WORK/ladder" '^#1 +10\.77\.0\.2:[0-9]+ +10\.77\.0\.1:80$' \
		'^#1 +[0-9]+\.[0-9]{3} SYN-SENT ' '^#1 +[0-9]+\.[0-9]{3} ESTAB ' \
		"$AT"'-- SYN seq 0 win [0-9]+ mss 1460 sack ts wscale [0-9]+ -*>\|' \
		"$AT"'<- SYN ACK seq 0 ack 1 win [0-9]+ mss 1460 sack ts wscale [0-9]+ -*\|' \
		"$AT"'-- ACK seq 1 ack 1 win [0-9]+ -*>\|' \
		"$AT"'-- PSH ACK seq 1 ack 1 len [0-9]+ win [0-9]+ -*>\|'
	say "Its first data segment: what each layer put in front of curl's words"
	"$DEMO/layers.sh" "$WORK/pcap" 10.77.0.2 > "$WORK/layers" || FAILED=1
	cat "$WORK/layers"
	shows "$WORK/layers" '^dev/arp +14 octets  to ([0-9a-f]{2}:?){6} from ([0-9a-f]{2}:?){6}, type 0x0800' \
		'^ip +20 octets  10\.77\.0\.2 -> 10\.77\.0\.1, ttl 64, protocol 6 ' \
		'^tcp +32 octets  port [0-9]+ -> 80, seq [0-9]+, ack [0-9]+, PSH ACK, window ' \
		'^data +[0-9]+ octets ' '^ +\| GET /file HTTP/1\.1' '^ +\| Host: 10\.77\.0\.1'
}

# has a connection sent something?
transfer_runs() {
	for _ in $(seq 100); do
		in_ours strata -j ss -t -i state established |
			jq -e 'any(.[]; .info.bytes_sent > 0)' >/dev/null 2>&1 && return 0
		sleep 0.2
	done
	return 1
}

show_sockets() {
	say "The sockets while the transfer runs (strata ss -t -i -p)"
	in_ours strata ss -t -i -p > "$WORK/ss" || FAILED=1
	cat "$WORK/ss"
	shows "$WORK/ss" '^ESTAB +[0-9]+ +[0-9]+ +10\.77\.0\.2:http +10\.77\.0\.1:[0-9]+ .*\(\("nginx",pid=[0-9]+' \
		' cubic .* rtt:[0-9./]+ .*mss:1448 .* cwnd:[0-9]+ .*bytes_sent:[1-9]'
	say "/proc/net/strata/sockets"
	in_ours cat /proc/net/strata/sockets > "$WORK/sockets" || FAILED=1
	cat "$WORK/sockets"
	shows "$WORK/sockets" '^proto +state +local +remote +pid +command ' \
		'^tcp +LISTEN +10\.77\.0\.2:80 .* nginx ' \
		'^tcp +ESTABLISHED +10\.77\.0\.2:80 +10\.77\.0\.1:[0-9]+ +[0-9]+ nginx +([0-9]+ +){10}[0-9]+$'
}

# nginx on the native stack, curl on Strata
left_to_right() {
	say "nginx on the native stack, curl on Strata"
	nginx_conf "$WORK/a" 10.77.0.1
	in_native nginx -c "$WORK/a/nginx.conf" || die "nginx does not start"
	watch_first_connection
	curl_rate in_ours strata run curl -o "$WORK/got" http://10.77.0.1/file || FAILED=1
	verdict "native -> Strata" "$WORK/got"
	show_first_connection
}

# nginx on Strata, curl on the native stack; once more slowed, so that there is time to look
right_to_left() {
	say "nginx on Strata, curl on the native stack"
	nginx_conf "$WORK/b" 10.77.0.2
	in_ours strata run nginx -c "$WORK/b/nginx.conf" || die "nginx does not start on Strata"
	curl_rate in_native curl -o "$WORK/got" http://10.77.0.2/file || FAILED=1
	verdict "Strata -> native" "$WORK/got"

	# slow enough for the slowest machine: it would take 50 s
	ip netns exec "$NATIVE" curl -s --limit-rate $((SIZE_MB * 20))K --max-time 60 -o /dev/null \
		http://10.77.0.2/file &
	PIDS=($!)
	if transfer_runs; then
		show_sockets
	else
		echo "demo: no connection of a third transfer was seen within 20 s" >&2
		FAILED=1
	fi
	kill $! 2>/dev/null	# seen; not of interest how it ends
	wait $! 2>/dev/null
	PIDS=()
}

[ -n "${STRATA_KO-}" ] || die "STRATA_KO is not set: use make demo"
set_up
[ $SIZE_MB = 100 ] || echo "demo: on the debug machine the file has $SIZE_MB MB, not 100"
left_to_right
right_to_left
exit $FAILED
