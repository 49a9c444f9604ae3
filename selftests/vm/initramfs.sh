# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154
#
# The first file system of a qemu guest: busybox, the modules that reach the
# root file system, init-qemu. Kept in the cache, keyed by what goes into it.

initramfs_modules() {
	local m
	[ -d "/lib/modules/$KREL" ] || return 0
	for m in virtio_pci 9pnet_virtio 9p overlay; do
		PATH=$PATH:/sbin:/usr/sbin modprobe -S "$KREL" --show-depends "$m" ||
			return 1
	done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }'
}

# Set INITRAMFS.
initramfs_find() {
	local busybox list key dir m n=100
	busybox=$(command -v busybox) || { echo "vm: busybox is not installed (busybox-static)" >&2; return 1; }
	list=$(initramfs_modules) || { echo "vm: $KREL lacks modules for 9p" >&2; return 1; }
	# shellcheck disable=SC2086
	key=$(cat "$busybox" "$VM/init-qemu" $list | sha256sum | cut -c1-16)
	INITRAMFS=$CACHE/initramfs/$KREL-$key.cpio
	[ ! -e "$INITRAMFS" ] || return 0
	mkdir -p "$CACHE/initramfs"
	dir=$TMP/initramfs
	mkdir -p "$dir"/{bin,dev,proc,lower,rw,root,modules} || return 1
	cp "$busybox" "$dir/bin/busybox" && cp "$VM/init-qemu" "$dir/init" || return 1
	for m in $list; do
		n=$((n + 1))
		case $m in
		*.xz) xz -dc "$m" ;;
		*.zst) zstd -dc "$m" ;;
		*.gz) gzip -dc "$m" ;;
		*) cat "$m" ;;
		esac > "$dir/modules/$n-$(basename "${m%%.ko*}").ko" || return 1
	done
	chmod 755 "$dir/init" "$dir/bin/busybox"
	(cd "$dir" && find . | cpio --quiet -o -H newc) > "$TMP/initramfs.cpio" || return 1
	rm -rf "$dir"
	# Other runs may make the same file: a rename in the cache is atomic.
	cp "$TMP/initramfs.cpio" "$INITRAMFS.$$" && mv "$INITRAMFS.$$" "$INITRAMFS"
}
