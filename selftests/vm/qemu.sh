# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154
#
# qemu guests: stock, counting and debug machines.

# The part of the command line that every guest and the KVM probe share.
QEMU_BASE=(qemu-system-x86_64 -nodefaults -no-user-config -display none -no-reboot)
QEMU_CMDLINE='console=ttyS0,115200 panic=-1 oops=panic nokaslr mitigations=off audit=0 no_timer_check'
QEMU_CMDLINE+=' random.trust_cpu=on net.ifnames=0 8250.nr_uarts=4 nmi_watchdog=0'

# qemu 7.2 keeps translated code by virtual address: where a program lies at the same
# addresses each time it is not translated anew (forks and short programs: 2 to 3 times faster).
QEMU_CMDLINE+=' norandmaps'

QEMU_KVM=/dev/kvm

# Does a guest really get to its first program under KVM here? The answer is kept.
qemu_kvm() {
	local memo
	[ -w "$QEMU_KVM" ] || return 1
	# One host kernel and CPU, one answer.
	memo=$CACHE/kvm-$({ uname -r; grep -m1 'model name' /proc/cpuinfo; } | sha256sum | cut -c1-12)
	if [ ! -e "$memo" ]; then
		(timeout -k 1 15 "${QEMU_BASE[@]}" -machine q35 -accel kvm -cpu host -m 512 \
			-kernel "$KIMAGE" -initrd "$INITRAMFS" -serial "file:$TMP/probe" \
			-append "$QEMU_CMDLINE quiet VM_PROBE=1"; :) &>/dev/null
		if grep -qa 'vm: alive' "$TMP/probe" 2>/dev/null; then
			echo yes > "$memo.$$"
		else
			echo no > "$memo.$$"
		fi
		mv "$memo.$$" "$memo"
	fi
	[ "$(cat "$memo")" = yes ]
}

# Start the guest in the background: sets guest (a process group's id) and HOW.
qemu_start() {
	local accel=() cmdline log=6

	command -v qemu-system-x86_64 >/dev/null || die "qemu-system-x86 is not installed (make deps)"
	initramfs_find || return 1
	: "${smp:=2}" "${mem:=2048}"
	if [ "$count" = 1 ]; then
		smp=1
		accel=(-accel "tcg,thread=single" -cpu max -icount "shift=0,sleep=off")
		HOW="counting"
	elif [ -z "$plugin" ] && qemu_kvm; then
		accel=(-accel kvm -cpu host)
		HOW="kvm, $smp CPUs"
	else
		accel=(-accel "tcg,thread=multi" -cpu max)
		HOW="tcg, $smp CPUs"
	fi
	cmdline="$QEMU_CMDLINE loglevel=$log VM_SHARE=9p VM_CTL=control VM_RESULTS=results VM_INIT=$VM/guest-init"
	# Emulated CPUs share real ones: no false alarms from a busy host.
	cmdline+=" watchdog_thresh=30"
	# Each slab cache counts its own objects, and its end tells what was not given back.
	[ "$count" = 1 ] || cmdline+=" slab_nomerge"

	local serial=(-serial "file:$console")
	[ "$shell" = 0 ] || serial+=(-serial stdio)
	[ -z "$plugin" ] || accel+=(-plugin "$plugin")
	set -- "${QEMU_BASE[@]}" -machine q35 "${accel[@]}" -smp "$smp" -m "$mem" \
		-kernel "$KIMAGE" -initrd "$INITRAMFS" -append "$cmdline" "${serial[@]}" \
		-virtfs local,id=root,path=/,mount_tag=root,security_model=none,readonly=on,multidevs=remap \
		-virtfs "local,id=control,path=$CTL,mount_tag=control,security_model=none" \
		-virtfs "local,id=results,path=$out,mount_tag=results,security_model=none"
	if [ "$shell" = 1 ]; then
		[ ! -t 0 ] || { saved=$(stty -g); stty raw -echo; }
		"$@"
		[ -z "${saved-}" ] || stty "$saved"
		guest=$!
		return 0
	fi
	setsid "$@" </dev/null >"$TMP/qemu.log" 2>&1 &
	guest=$!
	disown "$guest"
}
