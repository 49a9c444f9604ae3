# SPDX-License-Identifier: GPL-2.0-only
#
# Read one part's KTAP, nested by four spaces or by kselftest's "# ", and count
# its innermost results. Writes the results again, nested under the part's own,
# and with -v all=1 the lines between them. The last line goes to the file
# -v counts=FILE: passed failed skipped.
function level(d,	i) {
	while (deepest > d) {
		close_block(deepest)
		deepest--
	}
	if (d > deepest)
		deepest = d
}

# A group of results ends: was all there that was planned?
function close_block(d) {
	if (d in planned && planned[d] != seen[d] && !bailed[d]) {
		failed++
		bad[d]++
		say(d, "# planned " planned[d] " results, got " seen[d] + 0)
	}
	inner_seen[d] += seen[d]
	inner_bad[d] += bad[d]
	delete planned[d]
	delete bailed[d]
	seen[d] = 0
	bad[d] = 0
}

function say(d, text) { printf "%*s%s\n", 4 * (d + 1), "", text }

{
	line = $0
	gsub(/\r/, "", line)
	d = 0
	for (;;) {
		if (line ~ /^    /)
			line = substr(line, 5)
		else if (line ~ /^# (# |    |(not )?ok [0-9]|1\.\.[0-9]|TAP version|KTAP version|Bail out!)/)
			line = substr(line, 3)
		else
			break
		d++
	}
}

line ~ /^1\.\.[0-9]+/ {
	level(d)
	split(substr(line, 4), part, /[^0-9]/)
	planned[d] = part[1] + 0
	seen[d] = 0
	say(d, line)
	next
}

line ~ /^Bail out!/ {
	level(d)
	failed++
	bad[d]++
	bailed[d] = 1
	say(d, "# " line)
	next
}

line ~ /^(not )?ok [0-9]+/ {
	level(d)
	close_inner = d + 1
	inside = inner_seen[close_inner] + 0
	inside_bad = inner_bad[close_inner] + 0
	inner_seen[close_inner] = inner_bad[close_inner] = 0
	seen[d]++
	if (line ~ /^not ok/) {
		bad[d]++
		if (!inside_bad)
			failed++
	} else if (!inside && line ~ /# *SKIP/) {
		skipped++
	} else if (!inside) {
		passed++
	}
	say(d, line)
	next
}

line ~ /^(# Subtest|K?TAP version)/ { say(d, line); next }
all { say(d, (line ~ /^#/ ? "" : "# ") line) }

END {
	while (deepest >= 0) {
		close_block(deepest)
		deepest--
	}
	print passed + 0, failed + 0, skipped + 0 > counts
}
