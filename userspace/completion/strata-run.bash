# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Completion of "strata run": its options, then the program and the program's
# own completion. Called by strata's completion with the word "run" at $1 of
# COMP_WORDS.
_strata_run() {
	local cur=${COMP_WORDS[COMP_CWORD]} i=$(($1 + 1))

	# readline may have cut --ipv6=native into three words
	while ((i < COMP_CWORD)); do
		case ${COMP_WORDS[i]} in
		--) ((i++)); break ;;
		-*|=|native|off) ((i++)) ;;
		*) break ;;
		esac
	done

	if [[ ${COMP_WORDS[i - 1]} = -- && $i = "$COMP_CWORD" ]]; then
		mapfile -t COMPREPLY < <(compgen -c -- "$cur")
		return
	fi
	if ((i < COMP_CWORD)); then
		if declare -F _command_offset >/dev/null; then
			_command_offset "$i"
		else
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		fi
		return
	fi
	case $cur in
	=|--ipv6=*)
		mapfile -t COMPREPLY < <(compgen -W "off native" -- "${cur#*=}") ;;
	-*)
		mapfile -t COMPREPLY < <(compgen -W "--report --ipv6= --help" -- "$cur") ;;
	*)
		if [[ ${COMP_WORDS[COMP_CWORD - 1]} = = ]]; then
			mapfile -t COMPREPLY < <(compgen -W "off native" -- "$cur")
		else
			mapfile -t COMPREPLY < <(compgen -c -- "$cur")
		fi ;;
	esac
}
