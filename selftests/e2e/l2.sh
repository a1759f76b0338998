#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The innermost guest: say so, sleep a second on the timer, and end.
word() { tr ' ' '\n' < /proc/cmdline | sed -n "s/^$1=//p" | tail -n 1; }

echo "e2e: L2 up $(uname -r)"
a=$(cut -d' ' -f1 /proc/uptime)
sleep 1
b=$(cut -d' ' -f1 /proc/uptime)
echo "$a $b" | awk '{ d = $2 - $1; exit !(d >= 0.99 && d < 1.5) }' || {
	echo "e2e: L2 FAIL: a sleep of 1 s took from $a to $b"
	exit 1
}
if [ "$(word e2e.l2)" = stay ]; then
	echo "e2e: L2 stays"
	while :; do :; done
fi
# A running checksum: a line for every so many steps, each of which follows from the last,
# and a file of them, of which each line says what it holds from its beginning.
if [ "$(word e2e.l2)" = busy ]; then
	n=0 sum=0
	while :; do
		n=$((n + 1))
		sum=$(((sum * 31 + n) % 1000003))
		[ $((n % 1000)) = 0 ] || continue
		read -r up _ < /proc/uptime
		echo "$n $sum" >> /tmp/sums
		echo "e2e: seq $n $sum $up $(awk '
			$1 != NR * 1000 { bad = 1 }
			{ all = (all * 31 + $2) % 1000003 }
			END { if (bad || !NR) print "broken"; else print all }' /tmp/sums)"
	done
fi
echo "e2e: L2 done"
