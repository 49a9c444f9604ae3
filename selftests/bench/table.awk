# SPDX-License-Identifier: GPL-2.0-only
# Lines of bench.c to a table: medians, their ratio, the spread where measured more than once,
# and the ratio that is wanted at most, where one is: is it met? -v strict=1: the exit status is
# 1 if one is missed.

NF == 5 {
	if (!($1 in seen)) {
		seen[$1] = 1
		order[++tests] = $1
	}
	n = ++count[$1, $2]
	value[$1, $2, n] = $5
}

# median of the values of a test on a stack; sets lo and hi
function median(test, stack,    n, i, j, v, t) {
	n = count[test, stack]
	for (i = 1; i <= n; i++)
		v[i] = value[test, stack, i] + 0
	for (i = 2; i <= n; i++)
		for (j = i; j > 1 && v[j - 1] > v[j]; j--) {
			t = v[j]; v[j] = v[j - 1]; v[j - 1] = t
		}
	lo = v[1]; hi = v[n]
	return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
}

function spread(m) {
	return count[test, "native"] > 1 ? sprintf(" +-%.1f%%", 100 * (hi - lo) / 2 / m) : ""
}

BEGIN {
	if (what == "")
		what = "instructions"
	unit["tcp_stream"] = "byte"; unit["tcp_streams"] = "byte, 8 flows"; unit["tcp_rr"] = "1-byte round trip"
	unit["tcp_crr"] = "connect+echo+close"; unit["udp_rr"] = "64-byte round trip"
	unit["udp_one_way"] = "64-byte datagram"; unit["tcp_message"] = "64 KB there and back"
	unit["tcp_epoll"] = "1 of 1000 in epoll"
	if (what == "instructions") {
		wanted["tcp_rr"] = 0.85; wanted["tcp_crr"] = 0.75; wanted["tcp_stream"] = 0.95
		wanted["tcp_message"] = 0.95; wanted["tcp_epoll"] = 0.85
		# the same over the host's own address
		for (test in wanted)
			own[test "@own"] = wanted[test]
		for (test in own)
			wanted[test] = own[test]
	} else {
		wanted["tcp_stream"] = wanted["tcp_streams"] = 1
	}
}

END {
	printf "%-14s %-20s %18s %18s %7s %7s\n", "test", what " per", "native", "Strata", "ratio",
		"wanted"
	for (i = 1; i <= tests; i++) {
		test = order[i]
		a = median(test, "native"); sa = spread(a)
		b = median(test, "strata"); sb = spread(b)
		verdict = ""
		if (test in wanted) {
			met = b <= a * wanted[test]
			verdict = sprintf(" %7.2f %s", wanted[test], met ? "met" : "missed")
			missed += !met
		}
		printf "%-14s %-20s %18s %18s %7.3f%s\n", test,
			unit[substr(test, 1, index(test "@", "@") - 1)],
			sprintf(a < 100 ? "%.2f%s" : "%.0f%s", a, sa),
			sprintf(b < 100 ? "%.2f%s" : "%.0f%s", b, sb), b / a, verdict
	}
	if (strict && missed)
		exit 1
}
