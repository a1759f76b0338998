#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Reads what a VM's console said in all of its lives, one after the other: every line of
# the innermost guest follows from the one before it, by number, checksum, time and the
# checksum of its file. After "e2e: seq back NAME" it goes on from an earlier line, always
# the same one for a name. A line that has no end yet is left out; what was computed is
# kept in /tmp/known for the next time.
touch /tmp/known
tr '\r' '#' | sed -n 's/.*e2e: seq \([^#]*\)#.*/\1/p' | awk '
	function sums_up_to(last,  s, f, i) {
		s = sum[top]; f = file[top]
		for (i = top + 1; i <= last; i++) {
			s = (s * 31 + i) % 1000003
			if (i % step)
				continue
			f = (f * 31 + s) % 1000003
			sum[i] = s; file[i] = f; top = i
			print i, s, f >> "/tmp/known"
		}
	}
	function no(text) { print text; bad = 1; exit 1 }
	BEGIN {
		step = 1000
		while ((getline line < "/tmp/known") > 0) {
			split(line, word, " ")
			top = word[1]; sum[top] = word[2]; file[top] = word[3]
		}
	}
	$1 == "back" { back = $2; next }
	NF != 4 || $1 % step { no("a broken line: " $0) }
	back {
		if ($1 > n + step || (back in first && first[back] != $1))
			no("after going back to " back ", which began with " first[back] ", came: " $0)
		first[back] = n = $1
		n -= step; up = 0; back = ""
	}
	{
		if ($1 != n + step)
			no("after " n " came: " $0)
		sums_up_to($1)
		if ($2 != sum[$1])
			no("the checksum should be " sum[$1] ": " $0)
		if ($4 != file[$1])
			no("the checksum of its file should be " file[$1] ": " $0)
		if ($3 < up)
			no("the clock went back from " up ": " $0)
		n = $1; up = $3
	}
	END { if (!bad) print "e2e: state: " NR " lines up to " n ", up for " up " s"
	      exit bad || !NR }'
