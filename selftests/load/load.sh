#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Many connections, one after another and at once, ended in every way, and what is left
# behind afterwards: nothing.
#
#	ns la: va 10.9.0.1/24 native -------- vb 10.9.0.2/24 native :ns lb
#	          10.9.0.11/24 Strata            10.9.0.12/24 Strata
#
# shellcheck source=selftests/lib/ktap.sh disable=SC2317 # called through ktap_run
. "$(dirname "$0")/../lib/ktap.sh"
# shellcheck source=selftests/load/load_env.sh
. "$(dirname "$0")/load_env.sh"

# how many: a connection takes far longer under KASAN and lockdep
case ${STRATA_FULL:-0}$STRATA_MACHINE in
1debug) row=10000 once=2000 ends=8 ;;
1*) row=10000 once=2000 ends=100 ;;
0debug) row=20 once=40 ends=2 ;;
*) row=300 once=300 ends=4 ;;
esac

ends() { timeout 1200 "$DIR/load_ends" "$@"; }
conns() { timeout 1200 "$DIR/load_conns" "$@"; }
account() { timeout 120 "$DIR/load_mem" "$@"; }

pairs=(
	"strata@la native@lb 10.9.0.11"
	"native@la strata@lb 10.9.0.1"
	"strata@la strata@lb 10.9.0.11"
	"strata@la strata@la 127.0.0.1"
)

# one of everything, so that what is made once is there; TIME-WAIT must not count
warm_up() {
	local pair
	for pair in "${pairs[@]}"; do
		# shellcheck disable=SC2086 # words
		conns $pair 4 2 || return 1
	done
	within 30 no_sockets && reset_all la lb
}

# the comparison must be able to fail: TIME-WAIT is something
time_wait_shows() {
	# shellcheck disable=SC2086 # words
	conns ${pairs[0]} 4 2 && ! memory_same "$before"
}

# 2 MSL; in virtual time and in the long form they are waited for
time_waits_end() {
	case ${STRATA_FULL:-0}$STRATA_MACHINE in
	1* | *sim) within 100 no_time_waits ;;
	*) reset_all la lb && no_time_waits ;;
	esac
}
no_time_waits() {
	local ns
	for ns in la lb; do
		ip netns exec "$ns" grep '^TCP:' /proc/net/strata/sockstat
	done | awk '$7 != 0 { print; bad = 1 } END { exit bad }'
}

# the account of memory of the native stack too: the test itself must be right
ktap_plan $((6 + 4 * ${#pairs[@]} + 5))
ktap_run "module" load_module
ktap_run "namespaces, addresses" up
ktap_is "no socket yet" "$(sockets)" 0
ktap_run "the account of memory: native" account native@la native@lb 10.9.0.1
ktap_run "one of everything" warm_up
before=$(memory_take)
ktap_run "what is left shows in the comparison" time_wait_shows
for pair in "${pairs[@]}"; do
	# shellcheck disable=SC2086
	ktap_run "the account of memory: $pair" account $pair
	# shellcheck disable=SC2086
	ktap_run "$row in a row: $pair" conns $pair "$row" 1
	# shellcheck disable=SC2086
	ktap_run "$once at once: $pair" conns $pair "$once" "$once"
	# shellcheck disable=SC2086
	ktap_run "every end: $pair" ends $pair "$ends"
done
ktap_run "all sockets are gone" within 60 no_sockets
ktap_run "TIME-WAIT ends" time_waits_end
ktap_run "memory is back to the start" within 20 memory_same "$before"
down
ktap_run "the module leaves" within 5 rmmod strata
ktap_run "nothing of it stays in the slabs" no_slabs
ktap_end
