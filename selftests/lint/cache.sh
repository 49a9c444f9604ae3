# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# For checks that look at one file at a time: what was found clean once, by the same check,
# is not looked at again until its content changes. What has findings always is.

# each_changed FUNCTION: run FUNCTION FILE for every file named on stdin, several at a time;
# what it prints are its findings, its status does not count
each_changed() {
	local fn=$1 name seen salt

	name=$(basename "$0" .sh)
	seen=$LINT_CACHE/$name.clean
	salt=$(cat "$0" "$LINT/cache.sh" | sha256sum | cut -c 1-16)
	touch "$seen"
	tail -n 4000 "$seen" > "$seen.old"
	mv "$seen.old" "$seen"
	export -f "${fn?}" each_one
	export each_seen=$seen each_fn=$fn
	xargs -r sha256sum | sed "s/^/$salt /" | grep -vxFf "$seen" |
		xargs -r -d '\n' -n 1 -P "$(nproc)" bash -c 'each_one "$@"' _
}

# each_one "SALT HASH  FILE"
each_one() {
	local out

	out=$("$each_fn" "${1#*  }")
	if [ -n "$out" ]; then
		printf '%s\n' "$out"
	else
		echo "$1" >> "$each_seen"
	fi
}

# kernel_script NAME: where this script of the kernel's sources (scripts/NAME) is: in a tree
# that is unpacked already, or out of Debian's package
kernel_script() {
	local dir want='checkpatch.pl spelling.txt const_structs.checkpatch kernel-doc' p list=()

	for dir in "${STRATA_CACHE:-$HOME/.cache/strata}/src/linux-source-6.12" "$LINT_CACHE"; do
		[ -e "$dir/scripts/$1" ] && echo "$dir/scripts/$1" && return
	done
	for p in $want; do
		list+=("linux-source-6.12/scripts/$p")
	done
	tar -C "$LINT_CACHE" --strip-components=1 -xf /usr/src/linux-source-6.12.tar.xz "${list[@]}" ||
		return
	echo "$LINT_CACHE/scripts/$1"
}
