#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# What udhcpc runs: $1 says what happened, the environment what the lease is.
[ "$1" = bound ] || exit 0
# shellcheck disable=SC2154  # set by udhcpc
ip addr add "$ip/$mask" dev "$interface"
[ -n "$NO_ROUTE" ] || ip route add default via "$router"
echo "$ip $router $dns" > "/tmp/lease.$interface"
