#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The module loads into this kernel, twice, and leaves; its family can have another number.
# shellcheck source=selftests/lib/ktap.sh
. "$(dirname "$0")/../lib/ktap.sh"

# shellcheck disable=SC2317
loaded() { [ -d /sys/module/strata ]; }

# shellcheck disable=SC2317
moved() {
	insmod "$STRATA_KO" family=19 || return 1
	ip netns add smoke && ip -n smoke link set lo up &&
		[ "$(cat /sys/module/strata/parameters/family)" = 19 ] &&
		ip netns exec smoke strata ping -c 1 127.0.0.1 &&
		ip netns exec smoke strata run -- busybox ping -c 1 127.0.0.1 &&
		ip netns exec smoke strata addr show
	status=$?
	ip netns del smoke
	# sockets and namespaces end a moment after those who had them
	for _ in 1 2 3 4 5 6 7 8 9; do
		rmmod strata 2>/dev/null && return "$status"
		sleep 0.5
	done
	return 1
}
# FAMILY WORDS: insmod fails, and the kernel's log says why
# shellcheck disable=SC2317
refused() {
	! insmod "$STRATA_KO" family="$1" && dmesg | tail -n 5 | grep "$2" && ! loaded
}

# What the kernel asks modprobe for, in which module it is found (af_strata.c, diag.c, tcp_cong.c)
# shellcheck disable=SC2317
aliases() { # MODULE ALIAS...: these, and no other
	local module
	module=$(dirname "$STRATA_KO")/$1.ko
	shift
	modinfo -F alias "$module" && diff <(modinfo -F alias "$module" | sort) <(printf '%s\n' "$@" | sort)
}

ktap_plan 13
ktap_run "the module is there" test -r "$STRATA_KO"
ktap_run "socket() and ss load it" aliases strata net-pf-18 net-pf-18-proto-6 net-pf-18-proto-17 \
	net-pf-16-proto-4-type-18
for cc in bbr dctcp; do
	ktap_run "asking for $cc loads it" aliases strata_$cc strata-cong-$cc
done
for round in first second; do
	ktap_run "insmod, $round time" insmod "$STRATA_KO"
	ktap_run "it is loaded, $round time" loaded
	ktap_run "rmmod, $round time" rmmod strata
done
ktap_run "family=19: its tools and strata run follow" moved
ktap_run "a family that is taken is refused" refused 2 'family 2 belongs to another module'
ktap_run "no number of a family" refused 99 'family=99 is no family number'
ktap_end
