/* SPDX-License-Identifier: GPL-2.0 */
/* What the three kinds of files share. Private to dev*.c. */
#ifndef NESTVM_DEV_H
#define NESTVM_DEV_H

#include <linux/types.h>

struct file;
struct file_operations;
struct nv_vcpu;
struct nv_vm;

/*
 * A file that nobody can use yet, and a number reserved for it. fd_install() is the
 * last thing that is done with it: another thread may have guessed the number.
 */
struct dev_new_file {
	int fd;
	struct file *file;
};

int dev_new_file(struct dev_new_file *f, const char *name, const struct file_operations *ops,
		 void *data, int flags);

/* On success the file has the caller's reference to the VM, vcpu->vm. */
int dev_vm_file(struct nv_vm *vm, struct dev_new_file *f);
int dev_vcpu_file(struct nv_vcpu *vcpu, struct dev_new_file *f);

/* KVM_CHECK_EXTENSION: the same answer on the device and on a VM. */
long dev_check_extension(unsigned long cap);

/* KVM_GET_STATS_FD on a vCPU or (@vcpu NULL) a VM; stats.c. @owner keeps it alive. */
int stats_fd(struct nv_vm *vm, struct nv_vcpu *vcpu, struct file *owner);

/* Of the device in sysfs. dev_sysfs.c */
struct attribute_group;
const struct attribute_group **dev_sysfs_groups(void);

#endif
