# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# bash completion for strata. The words of a command stand in one place each;
# devices, namespaces and counters are looked up when they are asked for. Installed
# as one file with strata-run.bash, which completes "strata run".

_strata_devices() {
	local d
	for d in /sys/class/net/*; do
		[ -e "$d" ] && echo "${d##*/}"
	done
}

_strata_netns() {
	local n
	for n in /run/netns/*; do
		[ -e "$n" ] && echo "${n##*/}"
	done
}

_strata_counters() {
	awk '{ t = $1; sub(":", "", t); for (i = 2; i <= NF; i++) print t $i; getline }' \
		/proc/net/strata/snmp /proc/net/strata/netstat 2>/dev/null
}

# The words that may follow COMMAND VERB.
_strata_words() { # COMMAND VERB
	case $1-$2 in
	addr-show|addr-list) echo dev to scope up noprefixroute -noprefixroute ;;
	addr-flush) echo dev to scope noprefixroute -noprefixroute ;;
	addr-add|addr-replace|addr-change|addr-del*) echo dev peer broadcast scope metric \
		noprefixroute ;;
	route-show|route-list|route-flush) echo dev via src metric tos proto scope type table \
		root match exact default ;;
	route-get) echo from tos dev ;;
	*-monitor|monitor-*) echo addr route neigh link all ;;
	route-*) echo default via dev src metric tos proto scope table onlink mtu advmss hoplimit \
		window cwnd initcwnd initrwnd ssthresh reordering rtt rttvar rto_min congctl \
		features quickack fastopen_no_cookie unreachable blackhole prohibit ;;
	neigh-show|neigh-list|neigh-flush) echo dev nud to ;;
	neigh-get) echo dev ;;
	neigh-*) echo lladdr dev nud ;;
	link-show|link-list) echo dev up ;;
	link-set) echo up down mtu ;;
	esac
}

_strata_verbs() { # COMMAND
	case $1 in
	addr) echo show add replace del flush monitor help ;;
	route) echo show add append replace change del get flush monitor help ;;
	neigh) echo show add replace change del get flush monitor help ;;
	link) echo show set monitor help ;;
	monitor) echo addr route neigh link all help ;;
	esac
}

_strata_states="established syn-sent syn-recv fin-wait-1 fin-wait-2 time-wait \
closed close-wait last-ack listening closing all connected synchronized bucket big"

# What may stand for a value of the keyword before the cursor; 1: not a keyword.
_strata_value() { # PREVIOUS COMMAND
	case $1 in
	dev|oif) _strata_devices ;;
	nud) echo permanent reachable stale delay probe incomplete failed noarp none all ;;
	scope) echo global link host ;;
	proto) echo kernel boot static dhcp ;;
	table) echo main local all ;;
	tos|dsfield) echo default CS1 CS2 CS3 CS4 CS5 CS6 CS7 EF AF11 AF12 AF13 AF21 AF22 \
		AF23 AF31 AF32 AF33 AF41 AF42 AF43 ;;
	mtu|advmss|hoplimit|window|cwnd|initcwnd|initrwnd|ssthresh|reordering|rtt|rttvar)
		[ "$2" != route ] || echo lock ;;
	congctl) echo lock cubic dctcp reno ;;
	features) echo ecn ;;
	quickack|fastopen_no_cookie) echo 0 1 ;;
	type) echo unicast local broadcast unreachable blackhole prohibit ;;
	broadcast|brd) echo + - ;;
	state|exclude) echo "$_strata_states" ;;
	-n|--netns) _strata_netns ;;
	-I) _strata_devices ;;
	via|src|metric|lock|lladdr|peer|from|-c|-i|-s|-W|-w|-t)
		[ "$2" != ss ] && [ "$2" != stat ] ;;
	*) return 1 ;;
	esac
}

_strata() {
	local cur prev command='' verb='' at words
	cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	COMPREPLY=()

	for ((at = 1; at < COMP_CWORD; at++)); do
		case ${COMP_WORDS[at]} in
		-n|--netns) at=$((at + 1)) ;;
		-*) ;;
		*) command=${COMP_WORDS[at]}; break ;;
		esac
	done
	if [ "$command" = run ]; then
		_strata_run "$at"
		return
	fi
	[ -n "$command" ] && [ $((at + 1)) -lt "$COMP_CWORD" ] && verb=${COMP_WORDS[at + 1]}

	if ! words=$(_strata_value "$prev" "$command"); then
		case $command in
		'') words="addr route neigh link monitor ss stat ping trace run help
			-j -p -n -o -br -V -h" ;;
		ss) words="-t -u -w -l -a -n -p -o -e -m -i -O -K -s -H -j -h state exclude
			sport dport src dst and or not" ;;
		stat) words="-a -w -j $(_strata_counters)" ;;
		ping) words="-c -i -s -W -w -t -I -q -j" ;;
		trace) words="-c -d -j --color sport dport src dst and or not" ;;
		*)
			if [ -z "$verb" ]; then
				words=$(_strata_verbs "$command")
			else
				words=$(_strata_words "$command" "$verb")
			fi ;;
		esac
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}

complete -F _strata strata
