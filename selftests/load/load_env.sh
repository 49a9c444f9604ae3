# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Two namespaces, la and lb, joined by a pair, each end with an address of each stack.
# shellcheck disable=SC2034 # for who sources this
DIR=$(dirname "$(realpath -s "$0")")

load_module() { [ -d /sys/module/strata ] || insmod "${STRATA_KO:?}"; }

up() {
	ip netns add la && ip netns add lb &&
		ip link add va netns la type veth peer name vb netns lb &&
		ip -n la link set lo up && ip -n lb link set lo up &&
		ip -n la link set va up && ip -n lb link set vb up &&
		ip -n la addr add 10.9.0.1/24 dev va && ip -n lb addr add 10.9.0.2/24 dev vb &&
		strata -n la addr add 10.9.0.11/24 dev va &&
		strata -n lb addr add 10.9.0.12/24 dev vb
}

down() {
	ip netns del la
	ip netns del lb
} 2>/dev/null

# sockets of Strata in all namespaces, orphans too: each holds the module
sockets() { cat /sys/module/strata/refcnt; }
no_sockets() { [ "$(sockets)" = 0 ]; }

no_slabs() { ! grep -i strata /proc/slabinfo; }

# what holds the module, for whoever must find out
left() {
	local ns
	echo "references: $(sockets)"
	for ns in la lb; do
		ip netns exec "$ns" cat /proc/net/strata/sockets /proc/net/strata/sockstat
	done
} 2>/dev/null

# COMMAND must succeed within so many seconds; its last output shows why not
within() { # SECONDS COMMAND...
	local n=$(($1 * 2)) out
	shift
	while ! out=$("$@" 2>&1); do
		n=$((n - 1))
		[ $n -gt 0 ] || { echo "$out"; left; return 1; }
		sleep 0.5
	done
}

# what `strata ss` still shows, TIME-WAIT and orphans too
reset_all() { # NAMESPACE...
	local ns
	for ns; do
		strata -n "$ns" ss -K -a >/dev/null || return 1
	done
}

# ---- memory: what was there before must be what is there after ----

# Objects in use of a slab cache. Shrinking first takes back what the CPUs keep for
# themselves and what KASAN keeps in quarantine, so that the number is exact.
slab_count() { # CACHE
	echo 1 > "/sys/kernel/slab/$1/shrink"
	awk -v cache="$1" '$1 == cache { print $2 }' /proc/slabinfo
} 2>/dev/null

# What one CPU freed of another's skbs waits there for its next packet
# (net.core.skb_defer_max) and counts as in use meanwhile.
deferred_skbs_go() {
	local cpu
	for cpu in $(seq 0 $(($(nproc) - 1))); do
		taskset -c "$cpu" ip netns exec la ping -q -c 1 -W 1 127.0.0.1 || return 1
	done
} >/dev/null

# The stack's own caches and those every packet and socket comes from; those that this
# kernel has merged with others do not show (the test machines boot with slab_nomerge).
memory_take() {
	local cache ns
	deferred_skbs_go || echo "no packet on every CPU"
	for cache in STRATA-TCP STRATA-UDP STRATA-PING strata_tcp_tw strata_tcp_req \
		skbuff_head_cache skbuff_fclone_cache skbuff_small_head skbuff_ext_cache \
		sock_inode_cache; do
		echo "$cache $(slab_count $cache)"
	done
	for ns in la lb; do
		ip netns exec "$ns" grep -E '^(TCP|UDP|FRAG):' /proc/net/strata/sockstat |
			sed "s/^/$ns /"
	done
}

# Equal, but for what counts as in use and is kept on each CPU for its next packets: NAPI's
# skbs (64 at most), and two entries of Strata's write queues with their heads (ENTRY_SLOTS of
# kmod/tcp/tcp_entry.c).
memory_same() { # BEFORE
	memory_take | awk -v cpus="$(nproc)" '
		BEGIN {
			keep["skbuff_head_cache"] = 64 * cpus
			keep["skbuff_fclone_cache"] = 2 * cpus
			keep["skbuff_small_head"] = 2 * cpus
		}
		NR == FNR { before[FNR] = $0; next }
		$0 == before[FNR] { next }
		$1 in keep {
			split(before[FNR], b)
			if ($2 - b[2] <= keep[$1])
				next
		}
		{ print "before: " before[FNR]; print "now:    " $0; bad = 1 }
		END { exit bad }' <(echo "$1") -
}
