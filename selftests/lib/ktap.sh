# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# KTAP for shell tests. A test sources this file and reads like:
#
#	. "$(dirname "$0")/../lib/ktap.sh"
#	ktap_plan 3
#	ktap_run "module loads" insmod "$STRATA_KO"
#	ktap_result $? "what the last command did"
#	ktap_skip "two CPUs race" "one CPU here"
#	ktap_end
#
# A group of results that is one result above:
#
#	ktap_begin "name"; ktap_plan 2; ...; ktap_finish
#
# A script that ends without ktap_end, or with fewer results than planned, failed.
KTAP_PASS=0 KTAP_FAIL=1 KTAP_SKIP=4	# exit statuses, as kselftest.h's

ktap_indent='' ktap_stack=()
ktap_n=0 ktap_planned=0 ktap_failed=0 ktap_skipped=0 ktap_ended=0

ktap_say() { printf '%s%s\n' "$ktap_indent" "$*"; }

# A line for people.
ktap_note() { printf '%s\n' "$*" | sed "s/^/$ktap_indent# /"; }

ktap_plan() { # COUNT
	ktap_planned=$1
	ktap_say "KTAP version 1"
	ktap_say "1..$1"
}

ktap_ok() { # NAME
	ktap_n=$((ktap_n + 1))
	ktap_say "ok $ktap_n $1"
}

ktap_not_ok() { # NAME [WHY]
	ktap_n=$((ktap_n + 1))
	ktap_failed=$((ktap_failed + 1))
	ktap_say "not ok $ktap_n $1${2:+ # $2}"
}

ktap_skip() { # NAME REASON
	ktap_n=$((ktap_n + 1))
	ktap_skipped=$((ktap_skipped + 1))
	ktap_say "ok $ktap_n $1 # SKIP ${2:?a skip needs its reason}"
}

ktap_result() { # STATUS NAME [WHY]
	case $1 in
	0) ktap_ok "$2" ;;
	"$KTAP_SKIP") ktap_skip "$2" "${3:-see above}" ;;
	*) ktap_not_ok "$2" "${3:-status $1}" ;;
	esac
}

# Run a command; its output shows when it fails.
ktap_run() { # NAME COMMAND...
	local name=$1 said status
	shift
	said=$("$@" 2>&1)
	status=$?
	[ $status = 0 ] || ktap_note "${*%%$'\n'*} -> $status"$'\n'"$said"
	ktap_result $status "$name"
	return $status
}

# The value must be what is expected.
ktap_is() { # NAME GOT EXPECTED
	if [ "$2" = "$3" ]; then
		ktap_ok "$1"
	else
		ktap_note "got:      $2"
		ktap_note "expected: $3"
		ktap_not_ok "$1"
		return 1
	fi
}

ktap_skip_all() { # REASON
	ktap_say "KTAP version 1"
	ktap_say "1..0 # SKIP $1"
	ktap_ended=1
	exit $KTAP_SKIP
}

# The module is loaded, now if not before. In a guest of the harness it must be: no skip there.
ktap_need_module() {
	[ ! -d /sys/module/strata ] || return 0
	[ ! -r "${STRATA_KO-}" ] || ! insmod "$STRATA_KO" || return 0
	case ${STRATA_MACHINE-} in
	''|host) ktap_skip_all "the module is not loaded, and \$STRATA_KO names none that loads" ;;
	esac
	ktap_plan 1
	ktap_not_ok "the module loads"
	ktap_end
}

ktap_begin() { # NAME
	ktap_say "# Subtest: $1"
	ktap_stack+=("$ktap_n $ktap_planned $ktap_failed $ktap_skipped $1")
	ktap_indent+='    '
	ktap_n=0 ktap_planned=0 ktap_failed=0 ktap_skipped=0
}

ktap_finish() {
	local status=0 name
	[ "$ktap_failed" = 0 ] && [ "$ktap_n" = "$ktap_planned" ] || status=1
	[ $status = 1 ] || [ "$ktap_n" -gt "$ktap_skipped" ] || status=$KTAP_SKIP
	ktap_indent=${ktap_indent%    }
	read -r ktap_n ktap_planned ktap_failed ktap_skipped name <<< "${ktap_stack[-1]}"
	unset 'ktap_stack[-1]'
	ktap_result $status "$name"
}

ktap_end() {
	ktap_ended=1
	if [ "$ktap_n" != "$ktap_planned" ]; then
		ktap_note "planned $ktap_planned results, got $ktap_n"
		exit $KTAP_FAIL
	fi
	[ "$ktap_failed" = 0 ] || exit $KTAP_FAIL
	[ "$ktap_n" -gt "$ktap_skipped" ] || exit $KTAP_SKIP
	exit $KTAP_PASS
}

ktap_at_exit() {
	local status=$?
	if [ $ktap_ended = 0 ]; then
		ktap_say "Bail out! ended early with status $status"
		exit $KTAP_FAIL
	fi
	exit $status
}
trap ktap_at_exit EXIT
