# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Two hosts on one cable, each with both stacks on its card; the server runs in
# namespace b, the client in namespace a, each on the stack that the way names:
#
#	namespace a: client                      namespace b: server
#	  native 10.7.0.1/24  va <-------> vb  native 10.7.0.2/24
#	  Strata 10.7.0.11/24                    Strata 10.7.0.12/24
#
# While the client is on Strata, namespace a has no native address that leads to the server:
# what strata run did not move would not connect. (One that leads nowhere stays: the C library
# asks for no IPv4 address where it sees none.)
#
# A test sources this file, plans its results and calls every_way FUNCTION. The
# function starts the server by `serve`, runs clients by `client`, and finds the
# server's address in $ADDR, the client's in $PEER and the way's name in $WAY.
#
# shellcheck source=selftests/lib/ktap.sh
# shellcheck disable=SC2034 # ADDR and PEER are for the tests
. "$(dirname "$0")/../lib/ktap.sh"

PATH=$PATH:/usr/sbin:/sbin
WORK=$(mktemp -d /tmp/strata-interop.XXXXXX)
A=strata-interop-a B=strata-interop-b
# Emulated machines are slow, and slower while kernels are built beside them.
# Seconds for one client, and for the server of one way.
LIMIT=120 SERVER_LIMIT=600

# The long form, of make test-all? The debug machine, which checks every memory
# access, has no time for it.
full() { [ -n "${STRATA_FULL-}" ] && [ "${STRATA_MACHINE-}" != debug ]; }

# MB in a file that is sent
MB=2
[ "${STRATA_MACHINE-}" != debug ] || MB=1
full && MB=100 LIMIT=600 SERVER_LIMIT=1800

on_stack() { # NAMESPACE native|strata COMMAND...
	local ns=$1 stack=$2
	shift 2
	if [ "$stack" = strata ]; then
		ip netns exec "$ns" strata run -- "$@"
	else
		ip netns exec "$ns" "$@"
	fi
}

# Everything that runs in a namespace of ours was started by us.
stop_in() { # NAMESPACE
	local pids i

	for i in $(seq 100); do
		pids=$(ip netns pids "$1")
		[ -n "$pids" ] || return 0
		# shellcheck disable=SC2086 # a list of words
		if [ "$i" -lt 50 ]; then kill $pids; else kill -KILL $pids; fi 2>/dev/null
		sleep 0.1
	done
	return 1
}

# shellcheck disable=SC2317 # called by the trap
env_exit() {
	local status=$?

	stop_in $A
	stop_in $B
	ip netns del $A
	ip netns del $B
	rm -rf "$WORK"
	rmmod strata || { ktap_note "the module does not leave"; status=1; }
	(exit $status)
	ktap_at_exit
}

env_init() {
	insmod "${STRATA_KO:?}" || exit 1
	trap env_exit EXIT
	ip netns add $A
	ip netns add $B
	ip link add va netns $A type veth peer name vb netns $B
	ip -n $A addr add 10.7.0.1/24 dev va
	ip -n $A link add nowhere type dummy
	ip -n $A addr add 203.0.113.1/32 dev nowhere
	ip -n $A link set nowhere up
	ip -n $B addr add 10.7.0.2/24 dev vb
	for ns in $A $B; do
		ip -n "$ns" link set lo up
		ip -n "$ns" link set "v${ns##*-}" up
		ip netns exec "$ns" sysctl -qw net.ipv4.ping_group_range='0 0'
	done
	ip netns exec $A strata addr add 10.7.0.11/24 dev va
	ip netns exec $B strata addr add 10.7.0.12/24 dev vb
	mkdir "$WORK/www"
	head -c ${MB}M /dev/urandom > "$WORK/www/file"
	head -c 100 /dev/urandom > "$WORK/www/small"
	SUM=$(sum_of "$WORK/www/file")
}

sum_of() { sha256sum < "$1"; }

# The server's program; it is killed by the next way or the end.
serve() { # PROGRAM...
	on_stack $B "$SERVER" timeout $SERVER_LIMIT "$@" > "$WORK/server.log" 2>&1 &
}

client() { # PROGRAM...
	on_stack $A "$CLIENT" timeout $LIMIT "$@"
}

# Wait until the server listens.
ready() { # PORT [udp]
	local proto=${2:-tcp} state=0A dir=/proc/net hex start=$SECONDS

	[ "$proto" = tcp ] || state=07
	[ "$SERVER" = native ] || dir=/proc/net/strata
	hex=$(printf ':%04X' "$1")
	while [ $((SECONDS - start)) -lt 60 ]; do
		# slot, local address, remote address, state
		ip netns exec $B cat "$dir/$proto" |
			awk -v p="$hex" -v s=$state '$2 ~ p "$" && $4 == s { f = 1 } END { exit !f }' &&
			return 0
		sleep 0.1
	done
	echo "nothing listens on $proto port $1:"
	cat "$WORK/server.log"
	return 1
}

# Run a client that writes to $WORK/got; it must be the served file.
fetched() { # PROGRAM...
	rm -f "$WORK/got"
	client "$@" || return
	[ "$(sum_of "$WORK/got")" = "$SUM" ] || { echo "SHA-256 differs"; return 1; }
}

# One result of this way.
check() { # NAME COMMAND...
	local name=$1
	shift
	if ! ktap_run "$WAY: $name" "$@"; then
		ktap_note "server: $(tail -n 20 "$WORK/server.log")"
		ktap_note "$(ip netns exec $A cat /proc/net/strata/sockets 2>&1 | head -n 20)"
		ktap_note "$(ip netns exec $B cat /proc/net/strata/sockets 2>&1 | head -n 20)"
	fi
}

every_way() { # FUNCTION
	for WAY in ${WAYS:-native-strata strata-native strata-strata}; do
		SERVER=${WAY%-*} CLIENT=${WAY#*-}
		WAY="$SERVER to $CLIENT"
		ADDR=10.7.0.2 PEER=10.7.0.1
		[ "$SERVER" = native ] || ADDR=10.7.0.12
		# A client that must use Strata has nothing else that leads to the server.
		ip -n $A addr replace 10.7.0.1/24 dev va
		if [ "$CLIENT" = strata ]; then
			PEER=10.7.0.11
			ip -n $A addr del 10.7.0.1/24 dev va
		fi
		"$1"
		stop_in $B || ktap_note "$WAY: the server does not end"
		stop_in $A || ktap_note "$WAY: a client does not end"
	done
}

# An nginx that serves the files on $1:80 in the foreground: its arguments
nginx_conf() { # ADDRESS
	cat > "$WORK/nginx.conf" <<-END
	daemon off;
	pid $WORK/nginx.pid;
	error_log $WORK/nginx.log;
	worker_processes 2;
	user root;
	events { worker_connections 512; }
	http {
		access_log off;
		sendfile on;
		client_body_temp_path $WORK;
		proxy_temp_path $WORK;
		fastcgi_temp_path $WORK;
		uwsgi_temp_path $WORK;
		scgi_temp_path $WORK;
		server { listen $1:80; root $WORK/www; }
	}
	END
}
export LC_ALL=C
