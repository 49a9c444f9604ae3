#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# make install, into a folder and into this (guest's) system: modprobe finds the module,
# socket(AF_STRATA) loads it, the tool runs; make uninstall leaves nothing. Outside of a guest
# the folder alone, for 6.12. make dkms-install: dkms.sh.
#
# shellcheck source=selftests/lib/ktap.sh disable=SC2317 # called through ktap_run
. "$(dirname "$0")/../lib/ktap.sh"

TOP=$(dirname "$(readlink -f "$0")")/../..
[ "${STRATA_MACHINE:-host}" = host ] || guest=1
if [ -n "${guest-}" ]; then
	RELEASE=$(uname -r)
else
	RELEASE=$("$TOP/selftests/vm/run" -k 6.12 --kernel)
fi
UPDATES=lib/modules/$RELEASE/updates
BASHCOMP=share/bash-completion/completions/strata

[ "$(id -u)" = 0 ] || ktap_skip_all "needs root"
[ -e "/lib/modules/$RELEASE/build/Makefile" ] || ktap_skip_all "no headers of $RELEASE"
PATH=$(tr ':' '\n' <<< "$PATH" | grep -v /build | paste -sd:)
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:$PATH

mk() { make -s -C "$TOP" K="$RELEASE" "$@"; }
files() { (cd "$1" && find . -not -type d | sort); }
# what is installed of the system, and what depmod said of it
system() {
	find /usr/local "/lib/modules/$RELEASE" -xdev 2>/dev/null | sort
	cat "/lib/modules/$RELEASE/modules.dep" "/lib/modules/$RELEASE/modules.alias"
}
expected() {
	printf './%s\n' "$UPDATES"/strata{,_bbr,_dctcp}.ko "${1#/}/bin/strata" \
		"${1#/}/include/linux/strata.h" "${1#/}/$BASHCOMP" | sort
}
as_built() {
	local m
	for m in strata strata_bbr strata_dctcp; do
		cmp "$1/$UPDATES/$m.ko" "$TOP/build/$RELEASE/$m.ko" || return 1
	done
}
# depmod reads every module, for minutes on an emulated machine: ours need none of them
few_modules() {
	local dir
	dir=$(mktemp -d)
	cp -a "/lib/modules/$RELEASE"/{build,source,modules.order,modules.builtin*} "$dir" &&
		mkdir "$dir/kernel" && mount --bind "$dir" "/lib/modules/$RELEASE" && depmod -a
}
loaded() { [ -d /sys/module/strata ]; }
unloaded() { ! loaded; }
opens_socket() { python3 -c 'import socket; socket.socket(18, socket.SOCK_STREAM)'; }
no_socket() { ! opens_socket 2>/dev/null; }
no_module() { ! modprobe strata 2>/dev/null; }
tool_runs() { [ "$(command -v strata)" = /usr/local/bin/strata ] && strata -V; }
ordinary_user() {
	setpriv --reuid=1000 --clear-groups env -i PATH=/usr/local/bin:/usr/bin:/bin strata -V
}
example_compiles() {
	cp "$TOP/userspace/examples/udp_echo.c" "$dest.c" && cc -D_GNU_SOURCE -o "$dest" "$dest.c"
}
run_runs() { strata run -- true; }

if [ -n "${guest-}" ]; then ktap_plan 22; else ktap_plan 9; fi
dest=$(mktemp -d)
ktap_run "install into a folder" mk install DESTDIR="$dest"
ktap_is "what is there" "$(files "$dest")" "$(expected /usr/local)"
ktap_run "the modules are those that were built" as_built "$dest"
ktap_run "uninstall from the folder" mk uninstall DESTDIR="$dest"
ktap_is "nothing is left" "$(files "$dest")" ""
ktap_run "install with a prefix" mk install DESTDIR="$dest" PREFIX=/opt/strata
ktap_is "what is there, by the prefix" "$(files "$dest")" "$(expected /opt/strata)"
ktap_run "uninstall with the prefix" mk uninstall DESTDIR="$dest" PREFIX=/opt/strata
ktap_is "nothing is left, by the prefix" "$(files "$dest")" ""
rm -rf "$dest"
# the rest changes the system
[ -n "${guest-}" ] || { ktap_end; exit; }

few_modules || exit 1
before=$(system)
ktap_run "no module before" no_module
ktap_run "install" mk install
ktap_run "modprobe" modprobe strata
ktap_run "it is loaded" loaded
ktap_run "the tool" tool_runs
ktap_run "strata run" run_runs
ktap_run "the tool, for who has no sbin in PATH" ordinary_user
ktap_run "an example, copied, compiles" example_compiles
rmmod strata
ktap_run "socket(AF_STRATA) loads it" opens_socket
rmmod strata
ktap_run "uninstall" mk uninstall
ktap_run "no module afterwards" no_module
ktap_run "no socket afterwards" no_socket
ktap_is "the system is as before" "$(diff <(echo "$before") <(system))" ""

ktap_end
