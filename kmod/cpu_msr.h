/* SPDX-License-Identifier: GPL-2.0 */
/* The list of MSRs to save; access is in cpu.h. */
#ifndef NESTVM_CPU_MSR_H
#define NESTVM_CPU_MSR_H

#include "pure.h"

/* KVM_GET_MSR_INDEX_LIST: write up to @max numbers, return how many there are. */
u32 cpu_msr_list(u32 *out, u32 max);

#endif
