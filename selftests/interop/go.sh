#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# rclone, a program in Go: its runtime makes system calls itself, without the C library,
# from many threads, and waits by edge-triggered epoll. It serves files and fetches them.
#
# shellcheck source=selftests/interop/env.sh
. "$(dirname "$0")/env.sh"

export HOME=$WORK RCLONE_CONFIG=/dev/null

# shellcheck disable=SC2317 # called through check
in_go() { rclone version | grep 'go/version'; }

# shellcheck disable=SC2317 # called through every_way
one_way() {
	serve rclone serve http --addr "$ADDR:8080" "$WORK/www"
	check "rclone listens" ready 8080
	check "rclone fetches $MB MB" fetched rclone copyurl "http://$ADDR:8080/file" "$WORK/got"
	check "rclone copies the folder, requests at once" fetched_folder
}

# shellcheck disable=SC2317 # called through check
fetched_folder() {
	rm -rf "$WORK/copy"
	client rclone copy --http-url "http://$ADDR:8080" :http: "$WORK/copy" || return
	diff -r "$WORK/www" "$WORK/copy"
}

ktap_plan 10
env_init
ktap_run "rclone is written in Go" in_go
every_way one_way
ktap_end
