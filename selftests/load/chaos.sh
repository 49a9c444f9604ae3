#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# What is pulled away under running connections: the module (refused), the device, the
# address, the namespace; and threads that get into each other's way.
#
# shellcheck source=selftests/lib/ktap.sh disable=SC2317 # called through ktap_run
. "$(dirname "$0")/../lib/ktap.sh"
# shellcheck source=selftests/load/load_env.sh
. "$(dirname "$0")/load_env.sh"

case ${STRATA_FULL:-0}$STRATA_MACHINE in
1debug) cycles=10 seconds=300 ;;
1*) cycles=50 seconds=120 ;;
0debug) cycles=1 seconds=10 ;;
*) cycles=3 seconds=5 ;;
esac

up_all() { load_module && up; }
ended() { within 60 no_sockets && within 20 rmmod strata; }
race() { timeout $((seconds + 90)) "$DIR/load_race" "$@" "$seconds"; }

# connections one after another, until they fail or are killed
traffic() {
	"$DIR/load_conns" strata@la native@lb 10.9.0.11 1000000 20 >/dev/null 2>&1 &
	pid=$!
	sleep 1
	kill -0 "$pid"
}
traffic_ends() {
	kill -KILL "$pid"
	wait "$pid"
	return 0
} 2>/dev/null

under_traffic() { # COMMAND...
	local status
	up_all || return 1
	traffic || { echo "no traffic"; return 1; }
	"$@"
	status=$?
	sleep 0.5
	traffic_ends
	down
	ended || return 1
	return "$status"
}

refused() { ! rmmod strata 2>/dev/null && [ -d /sys/module/strata ]; }
unbind_rebind() {
	local i
	for i in 1 2 3; do
		strata -n la addr del 10.9.0.11/24 dev va || return 1
		sleep 0.2
		strata -n la addr add 10.9.0.11/24 dev va || return 1
		sleep 0.2
	done
}
cycle() {
	local i
	for ((i = 0; i < cycles; i++)); do
		up_all || return 1
		timeout 300 "$DIR/load_conns" strata@la strata@lb 10.9.0.11 10 5 || return 1
		down
		ended || return 1
	done
}

ktap_plan 8
ktap_run "rmmod is refused while sockets are open" under_traffic refused
ktap_run "addresses go and come back" under_traffic unbind_rebind
ktap_run "the device goes" under_traffic ip -n la link del va
ktap_run "a namespace goes" under_traffic ip netns del lb
ktap_run "load, traffic, unload: $cycles times" cycle
up_all
if [ "$STRATA_MACHINE" = sim ]; then
	ktap_skip "threads race over the device" "one CPU, and time that waits for the idle"
	ktap_skip "threads race over loopback" "one CPU, and time that waits for the idle"
else
	ktap_run "threads race over the device" race strata@la strata@lb 10.9.0.11
	ktap_run "threads race over loopback" race strata@la strata@la 127.0.0.1
fi
down
ktap_run "nothing is left" ended
ktap_end
