# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# The symbols of the module's objects, as kbuild.sh built them for 6.12.

# symbols: a line each, TYPE FILE LAYER NAME, TYPE as nm(1) says. A file in a folder is of that
# layer, one beside the folders of core; so is report/trace.c, which only gives the trace points
# of trace.h their place.
symbols() {
	local obj sources objects

	obj=$(find "$LINT_CACHE"/kbuild-6.12/* -maxdepth 1 -type d -name kmod 2>/dev/null | head -n 1)
	sources=$(cd kmod && find . -name '*.c' | sed 's/c$/o/' | sort)
	objects=$([ -z "$obj" ] || (cd "$obj" && find . -name '*.o' -not -name '.*' | sort))
	if [ "$sources" != "$objects" ]; then
		echo "objects: not the same as the sources: run the kbuild check first" >&2
		comm -3 <(echo "$sources") <(echo "$objects") >&2
		exit 1
	fi
	(cd "$obj" && find . -name '*.o' -not -name '.*' -exec nm -A {} +) | awk '
		{
			f = $1
			sub(/:.*/, "", f); sub(/^\.\//, "", f); sub(/\.o$/, ".c", f)
			layer = f ~ "/" && f != "report/trace.c" ? f : "core"
			sub(/\/.*/, "", layer)
			print $(NF - 1), "kmod/" f, layer, $NF
		}'
}
