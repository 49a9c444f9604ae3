#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Not for the sim machine: one CPU, and time that waits for the idle.
#
# Threads that connect, accept, send, receive, shut down and close each other's sockets, alone;
# while sockets are destroyed, addresses go and the module is asked to leave; and while one
# allocation of Strata's in fifty fails, too. Whatever the calls say, no checker may complain,
# nothing may be left, and connections must work as before.
#
#	ns la: va 10.9.0.11/24 Strata -------- vb 10.9.0.12/24 Strata :ns lb
#
# STRATA_FULL=1: 24 seconds of each race, 72 in all where there is no failslab; on the debug
# machine, which is the one for this, 2 minutes of each: 10 in all.
#
# shellcheck source=selftests/lib/ktap.sh disable=SC2317 # called through ktap_run
. "$(dirname "$0")/../lib/ktap.sh"
# shellcheck source=selftests/load/load_env.sh
. "$(dirname "$0")/load_env.sh"

case ${STRATA_FULL:-0}$STRATA_MACHINE in
1debug) seconds=120 ;;
1*) seconds=24 ;;
*) seconds=6 ;;
esac
CREWS=3
FAULTS=/sys/kernel/debug/failslab

# Kernel memory that the stack takes from the slabs: its own caches and what skbs and small
# things come from. Not those of the kernel's checkers, which give up when they get none.
faulty_caches() {
	local cache

	for cache in /sys/kernel/slab/{STRATA-*,strata_*,skbuff_*,kmalloc-*}; do
		[ ! -w "$cache/failslab" ] || echo "$cache/failslab"
	done
}

# NAME VALUE...: settings of the fault injection
faults() {
	while [ $# -gt 0 ]; do
		echo "$2" > "$FAULTS/$1" || return 1
		shift 2
	done
}

# Allocations below a function of the module fail, 2 of 100; but not those by which the
# kernel's checker of device references keeps its own books: it says so when one fails.
faults_on() {
	local cache range checker

	# the kernel's symbols are in order, a module's are not
	range=$(awk '$NF == "[strata]" && tolower($2) == "t" { print $1 }' /proc/kallsyms |
		sort | sed -n '1p;$p')
	checker=$(grep -A 1 ' ref_tracker_alloc$' /proc/kallsyms | cut -d' ' -f1)
	for cache in $(faulty_caches); do
		echo 1 > "$cache" || return 1
	done
	faults stacktrace-depth 32 require-start "0x${range%%$'\n'*}" \
		require-end "0x${range##*$'\n'}" cache-filter Y ignore-gfp-wait N verbose 0 \
		reject-start "0x${checker%%$'\n'*}" reject-end "0x${checker##*$'\n'}" \
		interval 1 times 1000000 probability 2
}

# how often one failed
faults_off() {
	local left

	faults probability 0
	left=$(cat "$FAULTS/times")
	echo "# $((1000000 - left)) allocations failed"
	[ "$left" -lt 1000000 ]
}

# the result, and what was done in any case
told() { # NAME COMMAND...
	local name=$1 said status

	shift
	said=$("$@" 2>&1)
	status=$?
	ktap_result "$status" "$name"
	ktap_note "$said"
}

race() { timeout $((seconds + 90)) "$DIR/load_race" "$@"; }
break_in() { timeout $((seconds + 90)) "$DIR/load_break" "$@"; }

# SERVER CLIENT ADDRESS OPTION...: with what they stand on taken away from both
broken_race() {
	local pid pids=() status=0

	break_in la va 10.9.0.11 "$seconds" & pids+=($!)
	break_in lb vb 10.9.0.12 "$seconds" & pids+=($!)
	race strata@la strata@lb 10.9.0.11 "$seconds" "$CREWS" gone "$@" || status=1
	for pid in "${pids[@]}"; do
		wait "$pid" || status=1
	done
	return "$status"
}

without_memory() {
	local status

	faults_on || { faults_off; return 1; }
	"$@"
	status=$?
	faults_off || status=1
	# what there was no memory to add again
	strata -n la addr replace 10.9.0.11/24 dev va || status=1
	strata -n lb addr replace 10.9.0.12/24 dev vb || status=1
	return "$status"
}

works() { timeout 300 "$DIR/load_conns" strata@la strata@lb 10.9.0.11 10 5; }
all_gone() { reset_all la lb && within 60 no_sockets && reset_all la lb; }

migrated() { strata -n la stat | grep TCPMigrateReqSuccess; }

ktap_plan 14
ktap_run "module" load_module
ktap_run "namespaces, addresses" up
# listeners that end have heirs
echo 1 | ip netns exec la tee /proc/sys/net/strata/tcp_migrate_req > /dev/null
ktap_run "connections" works
ktap_run "their end" all_gone
before=$(memory_take)
told "threads race over the device" race strata@la strata@lb 10.9.0.11 "$seconds" "$CREWS"
told "threads race over loopback" race strata@la strata@la 127.0.0.1 "$seconds" "$CREWS"
told "while sockets are destroyed, addresses go, rmmod" broken_race
if [ -d "$FAULTS" ]; then
	told "while allocations fail" \
		without_memory race strata@la strata@lb 10.9.0.11 "$seconds" "$CREWS" memory
	told "while all of that happens" without_memory broken_race memory
else
	ktap_skip "while allocations fail" "a kernel without CONFIG_FAILSLAB"
	ktap_skip "while all of that happens" "a kernel without CONFIG_FAILSLAB"
fi
told "listeners that ended had heirs" migrated
ktap_run "connections as before" works
ktap_run "all sockets are gone" all_gone
ktap_run "memory is back to the start" within 20 memory_same "$before"
down
ktap_run "the module leaves" within 20 rmmod strata
ktap_end
