#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# sshd with ssh and scp: keys and configuration of their own. Of the key exchanges
# the one that costs an emulated processor least.
#
# shellcheck source=selftests/interop/env.sh
. "$(dirname "$0")/env.sh"

ssh_setup() {
	mkdir -p /run/sshd
	ssh-keygen -q -t ed25519 -N '' -f "$WORK/host"
	ssh-keygen -q -t ed25519 -N '' -f "$WORK/user"
	cat > "$WORK/sshd.conf" <<-END
	HostKey $WORK/host
	KexAlgorithms curve25519-sha256
	AuthorizedKeysFile $WORK/user.pub
	PidFile none
	UsePAM no
	UseDNS no
	StrictModes no
	PermitRootLogin yes
	PasswordAuthentication no
	Subsystem sftp internal-sftp
	END
	cat > "$WORK/ssh.conf" <<-END
	Host *
		IdentityFile $WORK/user
		IdentitiesOnly yes
		BatchMode yes
		StrictHostKeyChecking no
		UserKnownHostsFile /dev/null
		LogLevel ERROR
		ConnectTimeout 60
	END
}

# shellcheck disable=SC2317 # called through check
remote() {
	[ "$(client ssh -F "$WORK/ssh.conf" -p 2222 "root@$ADDR" "$@")" = 42 ]
}

# shellcheck disable=SC2317
piped() { # through a remote cat, both directions at once
	client ssh -F "$WORK/ssh.conf" -p 2222 "root@$ADDR" cat \
		< "$WORK/www/file" > "$WORK/got" && [ "$(sum_of "$WORK/got")" = "$SUM" ]
}

# shellcheck disable=SC2317
copied() { fetched scp -q -F "$WORK/ssh.conf" -P 2222 "$@"; }

# shellcheck disable=SC2317 # called through every_way
one_way() {
	serve /usr/sbin/sshd -D -e -f "$WORK/sshd.conf" -o "ListenAddress=$ADDR" -p 2222
	check "sshd listens" ready 2222
	check "ssh carries $MB MB there and back" piped
	check "scp to the server, $MB MB" copied "$WORK/www/file" "root@$ADDR:$WORK/got"
	full || return
	# shellcheck disable=SC2016 # for the shell there
	check "ssh runs a command" remote 'echo $((6 * 7))'
	check "scp from the server, $MB MB" copied "root@$ADDR:$WORK/www/file" "$WORK/got"
}

if full; then ktap_plan 15; else ktap_plan 9; fi
ssh_setup
env_init
every_way one_way
ktap_end
