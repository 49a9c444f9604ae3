#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# kselftest.sh DIR: put lib.mk, the C harness and the runner of the kernel's own
# selftests into DIR, from Debian's linux-source-6.12.
set -eu

dir=$1
tar=/usr/src/linux-source-6.12.tar.xz
[ ! -e "$dir/lib.mk" ] || exit 0
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
# Another one may have been faster.
mv -T "$tmp" "$dir" 2>/dev/null || [ -e "$dir/lib.mk" ]
