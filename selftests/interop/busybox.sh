#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# busybox, a static program: httpd serves wget.
#
# shellcheck source=selftests/interop/env.sh
. "$(dirname "$0")/env.sh"

# shellcheck disable=SC2317 # called through check
static() { ! ldd /bin/busybox; }

# shellcheck disable=SC2317 # called through every_way
one_way() {
	serve busybox httpd -f -p "$ADDR:8080" -h "$WORK/www"
	check "httpd listens" ready 8080
	check "wget, $MB MB" fetched busybox wget -q -O "$WORK/got" "http://$ADDR:8080/file"
}

ktap_plan 7
env_init
ktap_run "busybox is static" static
every_way one_way
ktap_end
