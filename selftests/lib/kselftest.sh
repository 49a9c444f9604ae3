#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# kselftest.sh DIR: put lib.mk, the C harness and the runner of the kernel's own
# selftests into DIR, from Debian's linux-source-6.12.
set -eu

dir=$1
tar=/usr/src/linux-source-6.12.tar.xz

# An emulated machine on a busy host takes several times as long as a real one: a test that
# names no limit of its own has two minutes.
patient() { # DIR
	! grep -q '^#define TEST_TIMEOUT_DEFAULT 30$' "$1/kselftest_harness.h" ||
		sed -i 's/^\(#define TEST_TIMEOUT_DEFAULT\) 30$/\1 120/' "$1/kselftest_harness.h"
}

if [ -e "$dir/lib.mk" ]; then
	patient "$dir"
	exit 0
fi
if [ ! -r $tar ]; then
	echo "kselftest: $tar is missing (make deps installs linux-source-6.12)" >&2
	exit 1
fi
mkdir -p "$(dirname "$dir")"
tmp=$(mktemp -d "$dir.XXXXXX")
trap 'rm -rf "$tmp"' EXIT
from=linux-source-6.12/tools/testing/selftests
tar -C "$tmp" --strip-components=4 -xf $tar $from/lib.mk $from/kselftest.h \
	$from/kselftest_harness.h $from/kselftest
chmod 755 "$tmp"
patient "$tmp"
# Another one may have been faster.
mv -T "$tmp" "$dir" 2>/dev/null || [ -e "$dir/lib.mk" ]
