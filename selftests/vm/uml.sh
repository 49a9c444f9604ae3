# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154
#
# The sim machine: User Mode Linux whose time moves only when all is idle.

# Start the guest in the background: sets guest (a process group's id) and HOW.
uml_start() {
	: "${mem:=2048}"
	HOW='virtual time'
	mkdir "$TMP/uml" || return 1
	set -- "$KIMAGE" "mem=${mem}M" "uml_dir=$TMP/uml" umid=guest time-travel=inf-cpu \
		rootfstype=hostfs ro root=/dev/root rootflags=/ "init=$VM/init-uml" \
		con=null con0=null,fd:1 stderr=1 panic=-1 oops=panic loglevel=6 \
		VM_SHARE=hostfs "VM_CTL=$CTL" "VM_RESULTS=$out" "VM_INIT=$VM/guest-init"
	if [ "$shell" = 1 ]; then
		# No virtual time: nothing is idle that waits for a person.
		local saved=''
		[ ! -t 0 ] || { saved=$(stty -g); stty raw -echo; }
		"${@/time-travel=inf-cpu/}" con1=fd:0,fd:3 3>&1 >"$console" 2>&1
		[ -z "$saved" ] || stty "$saved"
		guest=$!
		return 0
	fi
	setsid "$@" </dev/null >"$console" 2>&1 &
	guest=$!
	disown "$guest"
}
