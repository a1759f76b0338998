#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The guest's part of named.suite: what VT-x is there, and then a heartbeat.
echo "named: VT-x:$(sed -n 's/^vmx flags[^:]*://p' /proc/cpuinfo | head -n 1) ."
echo "named: cpus $(nproc)"
n=0
while [ $n -lt 1000 ]; do
	n=$((n + 1))
	echo "named: tick $n"
	sleep 1
done
