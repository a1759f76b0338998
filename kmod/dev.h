/* SPDX-License-Identifier: GPL-2.0 */
/* What the three kinds of files share. Private to dev*.c. */
#ifndef NESTVM_DEV_H
#define NESTVM_DEV_H

#include <linux/types.h>

struct nv_vcpu;
struct nv_vm;

int dev_vm_fd(struct nv_vm *vm);	/* takes the caller's reference on success */
int dev_vcpu_fd(struct nv_vcpu *vcpu);	/* likewise of vcpu->vm */

/* KVM_CHECK_EXTENSION: the same answer on the device and on a VM. */
long dev_check_extension(unsigned long cap);

/* KVM_GET_STATS_FD on a vCPU or (@vcpu NULL) a VM; stats.c. @owner keeps it alive. */
struct file;
int stats_fd(struct nv_vm *vm, struct nv_vcpu *vcpu, struct file *owner);

#endif
