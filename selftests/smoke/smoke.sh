#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The module loads into this kernel, twice, and leaves.
# shellcheck source=selftests/lib/ktap.sh
. "$(dirname "$0")/../lib/ktap.sh"

# shellcheck disable=SC2317
loaded() { [ -d /sys/module/strata ]; }

ktap_plan 7
ktap_run "the module is there" test -r "$STRATA_KO"
for round in first second; do
	ktap_run "insmod, $round time" insmod "$STRATA_KO"
	ktap_run "it is loaded, $round time" loaded
	ktap_run "rmmod, $round time" rmmod strata
done
ktap_end
