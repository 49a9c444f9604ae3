# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2154
#
# The kernels of the debug and sim machines: built once from Debian's
# linux-source-6.12 with debug.config or sim.config, kept in the cache folder:
#   src/linux-source-6.12   the source, src/linux-source-6.12.stamp its key
#   k/MACHINE               the build, k/MACHINE.stamp its key, k/MACHINE.log
# A stamp is written last and removed first, so a broken-off build never passes
# for a whole one. Its key covers the configuration, the source package and
# this recipe; when it changes, the build is brought up to date in place.

KERNEL_TAR=/usr/src/linux-source-6.12.tar.xz
KERNEL_SRC=$CACHE/src/linux-source-6.12

kernel_dir() { echo "$CACHE/k/$1"; }

kernel_image() {
	case $1 in
	sim) echo linux ;;
	debug) echo arch/x86/boot/bzImage ;;
	esac
}

kernel_source_key() {
	dpkg-query -W -f '${Package} ${Version}\n' linux-source-6.12 2>/dev/null
	declare -f kernel_source_edit
}

# What must differ from Debian's source, for User Mode Linux alone.
kernel_source_edit() { # DIR
	# Register sets with AMX are larger than the room ptrace gets.
	sed -i 's/(HOST_FP_SIZE, 2696)/(HOST_FP_SIZE, 16384)/' "$1/arch/x86/um/user-offsets.c" &&
	grep -q 'HOST_FP_SIZE, 16384' "$1/arch/x86/um/user-offsets.c" &&
	# The tick of Debian's kernels, so that timers are as fine as theirs.
	sed -i '/^config HZ$/,/default/s/default 100/default 250/' "$1/arch/um/Kconfig"
}

kernel_source() {
	local key tmp=$CACHE/src/.unpack
	if [ ! -r "$KERNEL_TAR" ]; then
		echo "vm: $KERNEL_TAR is missing (linux-source-6.12; make deps installs it)" >&2
		return 1
	fi
	key=$(kernel_source_key)
	[ "$key" != "$(cat "$KERNEL_SRC.stamp" 2>/dev/null)" ] || return 0
	echo "vm: unpacking $KERNEL_TAR" >&2
	rm -rf "$KERNEL_SRC.stamp" "$tmp"
	mkdir -p "$tmp" && tar -C "$tmp" -xf "$KERNEL_TAR" || return 1
	kernel_source_edit "$tmp/linux-source-6.12" || return 1
	rm -rf "$KERNEL_SRC" && mv "$tmp/linux-source-6.12" "$KERNEL_SRC" || return 1
	rm -rf "$tmp"
	echo "$key" > "$KERNEL_SRC.stamp"
}

kernel_key() { # MACHINE
	{
		kernel_source_key
		declare -f kernel_make
		cat "$VM/$1.config"
	} | sha256sum | cut -d' ' -f1
}

kernel_ready() { [ "$(cat "$(kernel_dir "$1").stamp" 2>/dev/null)" = "$(kernel_key "$1")" ]; }

kernel_make() { # MACHINE
	local dir goal arch missing
	dir=$(kernel_dir "$1")
	case $1 in
	sim) arch=um goal=all ;;
	debug) arch=x86_64 goal='bzImage modules' ;;
	esac
	mkdir -p "$dir"
	make -C "$KERNEL_SRC" ARCH=$arch O="$dir" KCONFIG_ALLCONFIG="$VM/$1.config" allnoconfig || return 1
	# An option that another one switched off must not go unseen.
	missing=$(grep '^CONFIG_' "$VM/$1.config" | grep -vxFf "$dir/.config")
	[ -z "$missing" ] || { echo "not taken: $missing"; return 1; }
	# shellcheck disable=SC2086
	nice make -C "$KERNEL_SRC" ARCH=$arch O="$dir" -j"$(nproc)" $goal
}

kernel_build() ( # MACHINE; a subshell, so that the lock ends with it
	dir=$(kernel_dir "$1")
	! kernel_ready "$1" || exit 0
	mkdir -p "$CACHE/k" "$CACHE/src"
	exec 9>"$CACHE/kernel.lock"
	if ! flock -n 9; then
		echo "vm: waiting for another kernel build" >&2
		flock 9
	fi
	! kernel_ready "$1" || exit 0
	kernel_source || exit 1
	echo "vm: building the $1 kernel, once (about 10 minutes; log: $dir.log)" >&2
	rm -f "$dir.stamp"
	if ! kernel_make "$1" >"$dir.log" 2>&1; then
		tail -n 30 "$dir.log" >&2
		exit 1
	fi
	kernel_key "$1" > "$dir.stamp.new" && mv "$dir.stamp.new" "$dir.stamp"
)
