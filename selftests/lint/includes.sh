#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# A source file includes headers of its own folder, root headers of lower layers and core.
set -u

declare -A rank=([dev]=1 [arp]=2 [ip]=3 [port]=4 [icmp]=5 [udp]=6 [tcp]=6 [sock]=7 [control]=7 [report]=7)
core=' strata stats trace endpoint owner sockmem socklist conf compat '

for dir in dev arp ip icmp port udp tcp sock control report; do
	[ -d "kmod/$dir" ] || continue
	for f in kmod/"$dir"/*.[ch]; do
		grep -nE '^#include "' "$f" | while IFS=: read -r line text; do
			inc=${text#*\"}; inc=${inc%%\"*}
			base=${inc##*/}
			[ -e "kmod/$dir/$base" ] && [ "${inc%/*}" != .. ] && continue
			name=${base%.h}
			[ "$name" = route ] && name=ip	# the interface of ip has two headers
			[[ $core == *" $name "* ]] && continue
			r=${rank[$name]-}
			if [ -z "$r" ]; then
				# headers of uapi/ are for everybody
				[ -e "uapi/$inc" ] && continue
				echo "$f:$line: includes $inc: neither its own folder's nor a root header"
			elif [ "$r" -ge "${rank[$dir]}" ] && [ "$name" != "$dir" ]; then
				echo "$f:$line: $dir includes $inc, which is not below it"
			fi
		done
	done
done
exit 0
