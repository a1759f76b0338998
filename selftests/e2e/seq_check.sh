#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# Reads what a VM's console said in all of its lives, one after the other: every line
# of the innermost guest's checksum follows from the one before it, and its clock
# never goes back. After a line "e2e: seq back" it continues from any earlier one.
tr -d '\r' | sed -n 's/.*e2e: seq //p' | awk '
	$1 == "back" { back = 1; next }
	back && ($1 in was) { n = $1 - step; sum = was[n]; up = 0 }
	{ back = 0 }
	NF != 3 { print "a broken line: " $0; bad = 1; exit 1 }
	{
		for (i = n + 1; i <= $1; i++)
			sum = (sum * 31 + i) % 1000003
		if ($1 != n + step && n || $2 != sum) {
			print "after " n " came: " $0
			bad = 1
			exit 1
		}
		if ($3 < up) { print "the clock went back from " up " to " $3; bad = 1; exit 1 }
		if (!step)
			step = $1
		n = $1
		was[n] = sum
		up = $3
	}
	END { if (!bad) print "e2e: state: " NR " lines up to " n ", up for " up " s"
	      exit bad || !NR }'
