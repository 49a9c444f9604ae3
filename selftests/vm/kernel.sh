# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154
#
# Which kernel a machine boots: sets KIMAGE and KREL.

# shellcheck source=selftests/vm/kernel-build.sh
. "$VM/kernel-build.sh"

kernel_find() { # MACHINE
	local image
	case $1 in
	debug|sim)
		kernel_build "$1" || return 1
		KIMAGE=$(kernel_dir "$1")/$(kernel_image "$1")
		KREL=$(cat "$(kernel_dir "$1")/include/config/kernel.release")
		return
		;;
	esac
	# The generic flavour (the cloud flavour lacks 9p); the newest that modules
	# can be built for, else the newest.
	image=$(find /boot -maxdepth 1 -name "vmlinuz-$1.*-amd64" ! -name '*cloud*' ! -name '*-rt-*' |
		sort -V | while read -r image; do
			[ -e "/lib/modules/${image#/boot/vmlinuz-}/build/Makefile" ]
			echo "$? $image"
		done | sort -s -k1,1nr | tail -n 1)
	image=${image#* }
	if [ -z "$image" ]; then
		echo "vm: no Debian kernel $1 in /boot (make deps installs it)" >&2
		return 1
	fi
	KIMAGE=$image
	KREL=${image#/boot/vmlinuz-}
}
