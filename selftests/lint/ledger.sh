#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# CONFORMANCE.md follows from its tables and the tests, each row names a test that exists or a
# reason; and each fault of selftests/mutate still finds its place and its test.
set -u

selftests/conformance/generate --check
selftests/mutate/run --check
exit 0
