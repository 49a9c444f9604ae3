# SPDX-License-Identifier: GPL-2.0-only
# Instructions by layer. First file: FOLDER FUNCTION of the module; second: TEST STACK UNITS
# INSTRUCTIONS FUNCTION [MODULE]. A function of the module belongs to its folder's layer, one of
# the kernel to the first line below that matches its name. -v symbols=N: the N dearest, too.

function layer(name, pattern) {
	layers[++nlayers] = name
	patterns[nlayers] = pattern
}

BEGIN {
	layer("programs", "^\\[user\\]$")
	layer("TCP", "^_*(tcp_|tcpv?4?_|cubictcp|bictcp|inet_csk|reqsk|inet_twsk|inet_tw|inet_e?hash|inet_lhash|inet_lookup|inet_unhash|inet_put_port|bpf_skops|secure_tcp|cookie_|inet_reqsk|inet_rtx)|_tcp(_|$)|inet_(lookup|ehash|bind_|bhash|bucket)")
	layer("UDP", "^_*(udp)")
	layer("sockets, their memory", "^_*(inet_|sk_|sock_|lock_sock|release_sock|skb_set_owner|stream_|proto_|lock_sock|bh_lock)|^__?release_sock|sock_inuse")
	layer("IP, routes", "^_*(ip_|ipv4_|ip4_|fib_|dst_|nf_|raw_|rt_|rt4_|icmp|xfrm|inetpeer|l3mdev)|_dst|route")
	layer("neighbours", "^_*(neigh|arp|eth_header)")
	layer("devices, softirq", "^_*(dev_|netif|netdev|veth|napi|net_rx|net_tx|process_backlog|enqueue_to_backlog|validate_xmit|eth_type|is_skb_forward|handle_softirqs|do_softirq|raise_softirq|irq_|local_bh|__local_bh|qdisc|harmonize|skb_network_protocol|skb_csum_hwoffload|skb_mac_gso|inet_gso|loopback|rps|xmit_one|skb_scrub|skb_clone_tx_timestamp|____napi|net_enable|get_rps|__dev_)|gso|gro_|softirq")
	layer("packets (skb)", "skb|csum|page_frag|frag_ref|consume_|__alloc_frag|page_pool")
	layer("copies", "copy_(to|from|iter)|_copy_|^copy|rep_movs|csum_and_copy|iov_iter|import_|check_object_size|virt_addr_valid|check_stack_object|is_vmalloc|check_heap|clear_user")
	layer("memory", "kmem|kmalloc|kfree|kvm?alloc|slab|memset|memcpy|memmove|___cache|alloc_pages|free_page|page|folio|rmqueue|obj_cgroup|memcg|mem_cgroup|percpu|vm_|zone|lru|pcpu|objcg|drain_obj|refill_obj|mod_objcg|_charge_skmem")
	layer("locks, RCU", "spin_|rcu|mutex|_lock|lockref|bh_(lock|unlock)|rwsem|refcount|preempt_count|list_(add|del)")
	layer("timers, clocks", "timer|ktime|jiffies|clock|tsc|hrtimer|timekeeping|clockevents|tick_")
	layer("files, epoll, system calls", "^_*(sys_|do_sys|x64_sys|se_sys|entry_|syscall|fdget|fput|fget|fd_|ep_|epoll|do_epoll|security|apparmor|aa_|tomoyo|alloc_file|alloc_fd|d_|iput|new_inode|inode|__x64|sockfd|move_addr|do_accept|dput|file|init_file|anon|arch_exit|exit_to|fpregs|vfs|path|close|audit|lookup|bpf_lsm|cap_|task_work|get_user|put_user|do_sock|make_|seccomp|may_|ktype|ext|locks_|fs|__fput|filp|get_unused|destroy_inode|clear_inode|evict|__d|dentry|poll|evm|landlock|hook_socket|current_check|epi_|dnotify|get_next_ino|lock_for_kill)|syscall|_user_|file|inode|dentry|apparmor|tomoyo")
	layer("scheduler, wake-ups", "sched|task|wake|wait|psi|enqueue|dequeue|entity|eevdf|vruntime|runq|load_avg|clear_delayed|cpuacct|kthread|account|calc_global|kcompactd|blkcg|arch_scale|update_(curr|rq|deadline|min)|switch|fair|idle|cpuacct|rseq|_rq|avg_|context|fpu|xfd|cfs|resched|dl_|mm_cid|preempt|record_times|cr4|native_load|deadline|set_next")
	layer("the rest", ".")
	folder["sock"] = "sockets, their memory"; folder["tcp"] = "TCP"; folder["udp"] = "UDP"
	folder["port"] = "TCP"; folder["ip"] = "IP, routes"; folder["icmp"] = "IP, routes"
	folder["arp"] = "neighbours"; folder["dev"] = "devices, softirq"
}

function layer_of(name,    i) {
	if (name in known)
		return known[name]
	for (i = 1; name !~ patterns[i]; i++)
		;
	return known[name] = layers[i]
}

NR == FNR {
	if (!($2 in of))
		of[$2] = folder[$1]
	next
}

{
	name = $5
	sub(/\.(isra|part|constprop|cold)\..*/, "", name)
	where = $6 == "[strata]" && of[$5] != "" ? of[$5] : layer_of(name)
	if (!($1 in seen)) {
		seen[$1] = 1
		order[++tests] = $1
	}
	cost[$1, $2, where] += $4 / $3
	total[$1, $2] += $4 / $3
	single[$1, $2, name] += $4 / $3
	functions[name] = where
}

function number(x) { return sprintf(x < 100 ? "%.2f" : "%.0f", x) }

function dearest(test, stack,    sort, name) {
	printf "\n%s %s: the dearest functions\n\n", test, stack
	sort = "sort -k1,1nr | head -n " symbols
	for (name in functions)
		if ((test, stack, name) in single)
			printf "%12.2f %s (%s)\n", single[test, stack, name], name, functions[name] | sort
	close(sort)
}

END {
	printf "| layer |"
	for (t = 1; t <= tests; t++)
		printf " %s native | Strata |", order[t]
	printf "\n|---|"
	for (t = 1; t <= tests; t++)
		printf "--:|--:|"
	printf "\n"
	for (i = 1; i <= nlayers; i++) {
		line = "| " layers[i] " |"
		any = 0
		for (t = 1; t <= tests; t++) {
			a = cost[order[t], "native", layers[i]]
			b = cost[order[t], "strata", layers[i]]
			any += a + b
			line = line " " number(a) " | " number(b) " |"
		}
		if (any)
			print line
	}
	printf "| all |"
	for (t = 1; t <= tests; t++)
		printf " %s | %s |", number(total[order[t], "native"]), number(total[order[t], "strata"])
	printf "\n"
	for (t = 1; symbols && t <= tests; t++) {
		dearest(order[t], "native")
		dearest(order[t], "strata")
	}
}
