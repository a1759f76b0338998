#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The innermost guest. Lines "demo:" are for the picture.
echo "demo: up $(uname -sr) reached user space, $(nproc) CPU"
a=$(cut -d' ' -f1 /proc/uptime)
sleep 1
b=$(cut -d' ' -f1 /proc/uptime)
echo "demo: say slept 1 s by its own timer: uptime $a -> $b"
echo "demo: say switches itself off"
