/* SPDX-License-Identifier: GPL-2.0 */
/* One counter of a vCPU from its binary statistics file. */
#ifndef SELFTESTS_STATS_H
#define SELFTESTS_STATS_H

#include "vm.h"

/* ~0 if there is no such file or counter. */
u64 vcpu_stat(struct vcpu *vcpu, const char *name);

/* Exits of L1 and L2 so far. nestvm counts entries: as many, once user space looks. */
u64 vcpu_exits(struct vcpu *vcpu);

#endif
