#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
# The host after its crash: it has the memory of the kernel that died, and every CPU
# starts, which none does that was left in VMX operation.
fail() { echo "e2e: crash kernel FAIL: $*"; exit 1; }

[ -s /proc/vmcore ] || fail "there is no /proc/vmcore"
[ "$(nproc)" = 2 ] || fail "of two CPUs $(nproc) started"
echo "e2e: crash kernel up"
