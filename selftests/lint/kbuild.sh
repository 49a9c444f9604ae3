#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The compiler's (W=1, which checks kernel-doc too) and sparse's warnings on both stock kernels.
# Objects are kept; one that gave a warning is removed, so that it gives it again.
set -u

status=0
for series in 6.1 6.12; do
	release=$(selftests/vm/run -k $series --kernel) || { echo "kbuild: no kernel $series"; exit 1; }
	dir=$LINT_CACHE/kbuild-$series/$release
	mkdir -p "$dir"
	find "$dir" -xtype l -delete
	find "$dir" -name '*.o' -path '*/kmod/*' -not -name '.*' | while read -r o; do
		[ -e "${o%.o}.c" ] || rm -f "$o"
	done
	cp -rsn "$TOP/Kbuild" "$TOP/kmod" "$TOP/uapi" "$dir"/ 2>/dev/null
	out=$(make -s -j "$(nproc)" -O -C "/lib/modules/$release/build" M="$dir" \
		W=1 C=1 CF=-D__CHECK_ENDIAN__ modules 2>&1) || status=1
	# BTF of modules needs the kernel's vmlinux, which Debian's headers do not have
	out=$(printf '%s\n' "$out" | grep -v 'Skipping BTF generation' | sed "s|$dir/||g")
	[ -n "$out" ] || continue
	printf '%s\n' "$out" | sed "s|^|$series: |"
	printf '%s\n' "$out" | grep -oE '\<kmod/[a-z0-9_/]+\.[ch]' | sort -u | while read -r f; do
		case $f in
		*.c) rm -f "$dir/${f%.c}.o" ;;
		*.h) find "$dir" -name '*.o' -delete ;;
		esac
	done
done
exit $status
