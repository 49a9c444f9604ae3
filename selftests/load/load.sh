#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Many connections, one after another and at once, ended in every way, and what is left
# behind afterwards.
#
#	ns la: va 10.9.0.1/24 native -------- vb 10.9.0.2/24 native :ns lb
#	          10.9.0.11/24 Strata            10.9.0.12/24 Strata
#
# shellcheck source=selftests/lib/ktap.sh disable=SC2317 # called through ktap_run
. "$(dirname "$0")/../lib/ktap.sh"
# shellcheck source=selftests/load/load_env.sh
. "$(dirname "$0")/load_env.sh"

# how many: a connection takes far longer under KASAN and lockdep
case ${STRATA_FULL:-0}$STRATA_MACHINE in
1debug) row=1000 once=500 ends=8 ;;
1*) row=10000 once=2000 ends=100 ;;
0debug) row=20 once=30 ends=2 ;;
*) row=300 once=300 ends=4 ;;
esac

ends() { timeout 600 "$DIR/load_ends" "$@"; }
conns() { timeout 1200 "$DIR/load_conns" "$@"; }

pairs=(
	"strata@la native@lb 10.9.0.11"
	"native@la strata@lb 10.9.0.1"
	"strata@la strata@lb 10.9.0.11"
	"strata@la strata@la 127.0.0.1"
)

ktap_plan $((3 + 3 * ${#pairs[@]} + 3))
ktap_run "module" load_module
ktap_run "namespaces, addresses" up
start=$(sockets)
ktap_is "no socket yet" "$start" 0
for pair in "${pairs[@]}"; do
	# shellcheck disable=SC2086 # words
	ktap_run "$row in a row: $pair" conns $pair "$row" 1
	# shellcheck disable=SC2086
	ktap_run "$once at once: $pair" conns $pair "$once" "$once"
	# shellcheck disable=SC2086
	ktap_run "every end: $pair" ends $pair "$ends"
done
down
ktap_run "all sockets are gone" within 60 no_sockets
ktap_run "the module leaves" within 20 rmmod strata
ktap_run "nothing of it stays in the slabs" no_slabs
ktap_end
