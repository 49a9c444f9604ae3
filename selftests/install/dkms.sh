#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make dkms-install: DKMS builds the modules for a stock kernel, a guest of that kernel loads
# them and opens a socket, and `dkms remove` leaves nothing. On the host, which compiles in a
# minute what takes an emulated guest half an hour; in a mount namespace of its own, where all
# that is written under /usr/src, /var/lib/dkms and /lib/modules goes to memory.
#
#	selftests/install/dkms.sh [6.12|6.1]
#
# shellcheck source=selftests/lib/ktap.sh disable=SC2317 # called through ktap_run
. "$(dirname "$0")/../lib/ktap.sh"

TOP=$(cd "$(dirname "$(readlink -f "$0")")/../.." && pwd)
KERNEL=${1:-6.12}

ns=$(readlink /proc/self/ns/mnt)
# set by the caller below, and another than ours: these mounts are our own
if [ "${STRATA_DKMS_OF:-$ns}" = "$ns" ]; then
	[ "$(id -u)" = 0 ] || ktap_skip_all "needs root"
	[ -x /usr/sbin/dkms ] || ktap_skip_all "dkms is not installed"
	STRATA_DKMS_OF=$ns exec unshare -m --propagation slave "$0" "$@"
fi
cd "$TOP" || exit 1
release=$(selftests/vm/run -k "$KERNEL" --kernel) || exit 1
kept=$(mktemp -d)	# on the disk, where the guest sees it
memory=$(mktemp -d)
version=$(sed -n 's/^VERSION	:= //p' Makefile)
trap 'status=$?; umount -l "$memory"; rm -rf "$kept" "$memory"; (exit $status); ktap_at_exit' EXIT

# DIR: what is written below it stays in memory
cover() {
	local dir
	dir=$(readlink -f "$1")
	mkdir -p "$memory$dir"/{new,work} &&
		mount -t overlay strata -o "lowerdir=$dir,upperdir=$memory$dir/new,workdir=$memory$dir/work" \
			"$dir"
}
covered() {
	mount -t tmpfs strata "$memory" && cover /usr/src && cover /lib/modules && cover /var/lib/dkms
}
modules() { find "/lib/modules/$release/updates" /usr/src/strata* /var/lib/dkms/strata 2>/dev/null; }
dkms_install() { timeout --foreground 600 make -s dkms-install K="$release"; }
# the modules depmod would load are these; decompressed, as insmod(8) of older kmod cannot
placed() {
	local m path
	for m in strata strata_bbr strata_dctcp; do
		path=$(modinfo -k "$release" -n "$m") || return 1
		[[ $path = */updates/dkms/$m.ko* ]] || { echo "$path"; return 1; }
		case $path in
		*.xz) xz -dc "$path" ;;
		*.ko) cat "$path" ;;
		*) echo "$path: compressed by what?"; return 1 ;;
		esac > "$kept/$m.ko" || return 1
	done
}
loads() {
	local script="insmod $kept/strata.ko && insmod $kept/strata_bbr.ko &&
		insmod $kept/strata_dctcp.ko &&
		python3 -c 'import socket; socket.socket(18, socket.SOCK_STREAM)' &&
		rmmod strata_bbr strata_dctcp strata"
	selftests/vm/run -k "$KERNEL" --timeout 200 -q -- bash -c "$script"
}
dkms_remove() { dkms remove "strata/$version" --all && rm -r "/usr/src/strata-$version"; }

ktap_plan 7
ktap_run "what is written stays in memory" covered || exit 1
before=$(modules)
ktap_run "make dkms-install" dkms_install
ktap_run "modprobe would find them" placed
ktap_run "a guest loads them, and opens a socket" loads
ktap_run "a second time, over the first" dkms_install
ktap_run "dkms remove" dkms_remove
ktap_is "nothing is left" "$(modules)" "$before"
ktap_end
