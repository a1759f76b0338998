/* SPDX-License-Identifier: GPL-2.0 */
/* Counters of a vCPU or a VM from their binary statistics files. */
#ifndef SELFTESTS_STATS_H
#define SELFTESTS_STATS_H

#include "vm.h"

/* ~0 if there is no such file or counter. */
u64 vcpu_stat(struct vcpu *vcpu, const char *name);
u64 vm_stat(struct vm *vm, const char *name);
/* Of a statistics file that is open. */
u64 stat_in(int fd, const char *name);

/* Exits of L1 and L2 so far. nestvm counts entries: as many, once user space looks. */
u64 vcpu_exits(struct vcpu *vcpu);

#endif
