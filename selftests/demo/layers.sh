#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# layers.sh CAPTURE ADDRESS: the first TCP segment with data that ADDRESS sent, taken
# apart: the octets that each layer added, and what they say.
set -u

CAPTURE=$1 ADDRESS=$2

# the frame as one string of hexadecimal digits
frame() {
	tcpdump -n -r "$CAPTURE" -c 1 -xx \
		"src host $ADDRESS and tcp and ip[2:2] - ((ip[0] & 15) << 2) - ((tcp[12] & 240) >> 2) > 0" \
		2>/dev/null | sed -n 's/^[[:space:]]*0x[0-9a-f]*://p' | tr -d ' \n'
}

HEX=$(frame)
[ -n "$HEX" ] || { echo "layers: no segment with data from $ADDRESS in the capture" >&2; exit 1; }

octets() { echo "${HEX:$((2 * $1)):$((2 * $2))}"; }	# OFFSET COUNT
number() { echo $((16#$(octets "$1" "$2"))); }
address() { printf '%d.%d.%d.%d' "$(number "$1" 1)" "$(number $(($1 + 1)) 1)" \
	"$(number $(($1 + 2)) 1)" "$(number $(($1 + 3)) 1)"; }
mac() { octets "$1" 6 | sed 's/../&:/g; s/:$//'; }

layer() { # NAME OFFSET COUNT MEANING
	printf '%-10s %3d octets  %s\n' "$1" "$3" "$4"
	octets "$2" "$3" | fold -w 32 | sed 's/../& /g; s/^/           /'
}

flags() { # BITS
	local out='' i names=(FIN SYN RST PSH ACK URG ECE CWR)
	for i in 0 1 2 3 4 5 6 7; do
		[ $(($1 >> i & 1)) = 1 ] && out+=" ${names[i]}"
	done
	echo "${out# }"
}

ip=14
ihl=$((($(number $ip 1) & 15) * 4))
total=$(number $((ip + 2)) 2)
tcp=$((ip + ihl))
doff=$((($(number $((tcp + 12)) 1) >> 4) * 4))
data=$((tcp + doff))
len=$((total - ihl - doff))
have=$((${#HEX} / 2 - data))
[ $have -lt $len ] || have=$len

layer dev/arp 0 14 "to $(mac 0) from $(mac 6), type 0x$(octets 12 2) (IPv4)"
layer ip $ip $ihl "$(address $((ip + 12))) -> $(address $((ip + 16))), ttl $(number $((ip + 8)) 1), protocol $(number $((ip + 9)) 1) (TCP), length $total"
layer tcp $tcp $doff "port $(number $tcp 2) -> $(number $((tcp + 2)) 2), seq $(number $((tcp + 4)) 4), ack $(number $((tcp + 8)) 4), $(flags "$(number $((tcp + 13)) 1)"), window $(number $((tcp + 14)) 2)"
printf '%-10s %3d octets  as the program wrote them\n' data $len
printf '%b' "$(octets $data $have | sed 's/../\\x&/g')" | head -n 6 | sed 's/[^[:print:]]//g; s/^/           | /'
