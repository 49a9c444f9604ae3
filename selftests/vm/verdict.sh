# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# The end of a run: what the kernel said decides before what the command said.

# A line of the kernel's log that means a bug, whoever caused it.
VERDICT_BAD='BUG:|kernel BUG at|BUG [^ ]+ \((Not t|T)ainted|WARNING: '
VERDICT_BAD+='|INFO: (task|possible|suspicious|rcu|inconsistent|trying)'
VERDICT_BAD+='|suspicious RCU usage|KASAN:|UBSAN:|KCSAN:|KFENCE:|Oops:|Oops - |Kernel panic'
VERDICT_BAD+='|general protection fault|Internal error|unable to handle (kernel|page)'
VERDICT_BAD+='|soft lockup|hard LOCKUP|blocked for more than|rcu_(preempt|sched).* (self-)?detected'
VERDICT_BAD+='|refcount_t:|unregister_netdevice: waiting'
VERDICT_BAD+='|ODEBUG:|ref_tracker:|list_(add|del) corruption|scheduling while atomic'
VERDICT_BAD+='|sleeping function called|Bad page state|bad: scheduling|DEBUG_LOCKS_WARN'
VERDICT_BAD+='|lock held when returning|nested too deep|Call Trace:|------------\[ cut here'
VERDICT_BAD+='|watchdog: BUG|stack guard page|leaked (lock|percpu)|invalid opcode|double fault'
# What a healthy guest says that looks like it.
VERDICT_GOOD='Spectre|Speculative|eBPF is enabled|MDS:|TAA:|MMIO Stale'

verdict_scan() {
	local log

	for log in "$console" "$CTL/dmesg"; do
		# The backtraces that sysrq prints when time is nearly up are no reports.
		[ ! -e "$log" ] || sed "/vm: sysrq: time/,/vm: sysrq: done/{/Call Trace:/d}" "$log"
	done | tr -d "\r" |
		grep -aE "$VERDICT_BAD" | grep -avE "$VERDICT_GOOD" | awk '!seen[$0]++' | head -n 20
}

verdict_ms() { printf '%d.%d' $(($1 / 1000000000)) $(($1 / 100000000 % 10)); }

verdict() {
	local why='' bad='' boot='' status=''

	[ ! -s "$CTL/started" ] || boot=$(verdict_ms $(($(date -r "$CTL/started" +%s%N) - began)))
	[ ! -s "$CTL/status" ] || status=$(cat "$CTL/status")
	bad=$(verdict_scan)
	if [ "$hung" = 1 ] && [ -z "$boot" ]; then
		why="did not boot within $timeout s"
	elif [ "$hung" = 1 ]; then
		why="still running after $timeout s, stopped"
	elif [ -n "$bad" ]; then
		why='kernel reported a bug'
	elif [ -z "$boot" ]; then
		why='guest died before the command started'
	elif [ -z "$status" ]; then
		why='guest died while the command ran'
	elif [ -s "$CTL/kmemleak" ]; then
		why='kernel memory leaked'
	fi
	if [ -n "$why" ]; then
		{
			echo "vm: FAILED on $machine: $why"
			[ -z "$bad" ] || printf '%s\n' "--- reports:" "$bad"
			[ ! -s "$CTL/kmemleak" ] || { echo '--- kmemleak:'; head -n 60 "$CTL/kmemleak"; }
			echo "--- last lines of the console:"
			tail -n 60 "$console" | tr -d '\r'
			echo "---"
		} >&2
		cp "$CTL/kmemleak" "$out/kmemleak.log" 2>/dev/null
		status=$VM_FAILED
	fi
	[ "$quiet" = 1 ] || echo "vm: $machine ($KREL, $HOW): boot ${boot:-?} s," \
		"all $(verdict_ms $((ended - began))) s, exit $status" >&2
	return "$status"
}
