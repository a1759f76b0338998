// SPDX-License-Identifier: GPL-2.0
/* VM files: settings, memory, vCPUs, chips. */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kvm.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/nestvm.h>
#include "dev.h"
#include "ept/ept.h"
#include "ioctl.h"
#include "irq.h"
#include "irqchip.h"
#include "module.h"
#include "vcpu.h"
#include "vm.h"

static long check_extension(void *obj, struct nv_ioctl_arg *arg)
{
	return dev_check_extension(arg->value);
}

static long set_expose(void *obj, struct nv_ioctl_arg *arg)
{
	const struct nestvm_expose *e = arg->buf;
	struct nv_vm *vm = obj;

	if (e->enable > 1)
		return -EINVAL;
	if (e->enable && !nv_nested_allowed)
		return nv_refuse(&vm->refusal, NESTVM_REFUSED_NESTED_OFF, -EPERM,
				 "VT-x cannot be exposed: the administrator loaded nestvm with nested=0");
	if (e->enable && vm->dynamic)
		return nv_refuse(&vm->refusal, NESTVM_REFUSED_DYNAMIC_MEMORY, -EOPNOTSUPP,
				 "VT-x cannot be exposed to a VM with dynamic memory; make its memory static first");
	if (vm->has_run)
		return nv_refuse(&vm->refusal, NESTVM_REFUSED_HAS_RUN, -EBUSY,
				 "ExposeVirtualizationExtensions can only be changed before the VM has run; stop it and start it anew");
	vm->expose = e->enable;
	return 0;
}

static long set_memory_mode(void *obj, struct nv_ioctl_arg *arg)
{
	const struct nestvm_memory_mode *m = arg->buf;
	struct nv_vm *vm = obj;

	if (m->mode != NESTVM_MEMORY_STATIC && m->mode != NESTVM_MEMORY_DYNAMIC)
		return -EINVAL;
	if (m->mode == NESTVM_MEMORY_DYNAMIC && vm->expose)
		return nv_refuse(&vm->refusal, NESTVM_REFUSED_DYNAMIC_MEMORY, -EOPNOTSUPP,
				 "memory cannot be dynamic while VT-x is exposed to the VM; switch ExposeVirtualizationExtensions off first");
	if (rcu_dereference_protected(vm->slots, lockdep_is_held(&vm->lock))->count)
		return nv_refuse(&vm->refusal, NESTVM_REFUSED_HAS_MEMORY, -EBUSY,
				 "the memory mode can only be changed before the VM has a memory slot");
	if (m->mode == NESTVM_MEMORY_DYNAMIC) {
		long ret = notifier_register(vm);

		if (ret)
			return ret;
	} else {
		notifier_unregister(vm);
	}
	vm->dynamic = m->mode == NESTVM_MEMORY_DYNAMIC;
	return 0;
}

static long get_vm_info(void *obj, struct nv_ioctl_arg *arg)
{
	struct nestvm_vm_info *info = arg->buf;
	struct nv_vm *vm = obj;

	info->exposed = vm->expose;
	info->memory_mode = vm->dynamic ? NESTVM_MEMORY_DYNAMIC : NESTVM_MEMORY_STATIC;
	info->has_run = vm->has_run;
	info->pinned_pages = vm->pinned_pages;
	info->table_pages = vm->ept.table_pages;
	info->resident_pages = vm->dynamic ? READ_ONCE(vm->ept.mapped) : vm->pinned_pages;
	return 0;
}

static long get_refusal(void *obj, struct nv_ioctl_arg *arg)
{
	struct nv_vm *vm = obj;

	return nv_refusal_get(&vm->refusal, arg->buf);
}

static long create_vcpu(void *obj, struct nv_ioctl_arg *arg)
{
	struct nv_vm *vm = obj;
	unsigned long id = arg->value;
	struct dev_new_file f;
	struct nv_vcpu *vcpu;
	int ret;

	if (id >= NV_MAX_VCPUS)
		return nv_refuse(&vm->refusal, NESTVM_REFUSED_VCPU_LIMIT, -EINVAL,
				 "vCPU id %lu: ids go from 0 to %u", id, NV_MAX_VCPUS - 1);
	id = array_index_nospec(id, NV_MAX_VCPUS);
	if (vm->vcpus[id])
		return nv_refuse(&vm->refusal, NESTVM_REFUSED_VCPU_LIMIT, -EEXIST,
				 "vCPU id %lu is taken", id);
	vcpu = nv_vcpu_create(vm, id);
	if (IS_ERR(vcpu))
		return PTR_ERR(vcpu);
	nv_vm_get(vm);
	ret = dev_vcpu_file(vcpu, &f);
	if (ret) {
		nv_vm_put(vm);
		nv_vcpu_destroy(vcpu);
		return ret;
	}
	/* From here on interrupts may be sent to it, and whoever takes pages away waits for it. */
	vm->vcpu_count++;
	smp_store_release(&vm->vcpus[id], vcpu);
	/* Last: it may run, which nobody must be able to ask of a vCPU that others do not see. */
	fd_install(f.fd, f.file);
	return f.fd;
}

static long set_memory(void *obj, struct nv_ioctl_arg *arg)
{
	return slots_set(obj, arg->buf);
}

static long get_dirty_log(void *obj, struct nv_ioctl_arg *arg)
{
	return dirty_get(obj, arg->buf);
}

static long clear_dirty_log(void *obj, struct nv_ioctl_arg *arg)
{
	return dirty_clear(obj, arg->buf);
}

/*
 * KVM needs pages for real mode without unrestricted guest at these addresses. We
 * require unrestricted guest: the address is checked and never used.
 */
static long set_tss_addr(void *obj, struct nv_ioctl_arg *arg)
{
	return arg->value > 0xffffffffull - 3 * PAGE_SIZE ? -EINVAL : 0;
}

static long set_identity_map_addr(void *obj, struct nv_ioctl_arg *arg)
{
	struct nv_vm *vm = obj;

	return vm->vcpu_count ? -EINVAL : 0;
}

static long set_boot_cpu_id(void *obj, struct nv_ioctl_arg *arg)
{
	struct nv_vm *vm = obj;

	if (vm->vcpu_count)
		return -EBUSY;
	if (arg->value >= NV_MAX_VCPUS)
		return -EINVAL;
	vm->bsp_id = arg->value;
	return 0;
}

static long create_irqchip(void *obj, struct nv_ioctl_arg *arg)
{
	return irq_create_chips(obj);
}

static long create_pit(void *obj, struct nv_ioctl_arg *arg)
{
	return irq_create_pit(obj, arg->buf);
}

static long get_irqchip(void *obj, struct nv_ioctl_arg *arg)
{
	return irq_get_chip(obj, arg->buf);
}

static long set_irqchip(void *obj, struct nv_ioctl_arg *arg)
{
	return irq_set_chip(obj, arg->buf);
}

static long get_pit(void *obj, struct nv_ioctl_arg *arg)
{
	return irq_get_pit(obj, arg->buf);
}

static long set_pit(void *obj, struct nv_ioctl_arg *arg)
{
	return irq_set_pit(obj, arg->buf);
}

static long irq_line(void *obj, struct nv_ioctl_arg *arg)
{
	struct kvm_irq_level *l = arg->buf;
	int ret = irq_set_line(obj, l->irq, l->level);

	/* IRQ_IGNORED (masked, no route) is a status, not an error. */
	if (ret < IRQ_IGNORED)
		return ret;
	l->status = ret;
	return 0;
}

static long signal_msi(void *obj, struct nv_ioctl_arg *arg)
{
	return irq_signal_msi(obj, arg->buf);
}

static long set_routing(void *obj, struct nv_ioctl_arg *arg)
{
	struct kvm_irq_routing __user *user = (void __user *)arg->value;
	struct kvm_irq_routing_entry *entries;
	struct kvm_irq_routing head;
	long ret;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (head.flags || head.nr > IRQ_MAX_ROUTES)
		return -EINVAL;
	entries = vmemdup_user(user->entries, array_size(head.nr, sizeof(*entries)));
	if (IS_ERR(entries))
		return PTR_ERR(entries);
	ret = irq_set_routing(obj, entries, head.nr);
	kvfree(entries);
	return ret;
}

static long irqfd(void *obj, struct nv_ioctl_arg *arg)
{
	return irqfd_ioctl(obj, arg->buf);
}

static long ioeventfd(void *obj, struct nv_ioctl_arg *arg)
{
	return ioeventfd_ioctl(obj, arg->buf);
}

static long enable_cap(void *obj, struct nv_ioctl_arg *arg)
{
	const struct kvm_enable_cap *cap = arg->buf;
	struct nv_vm *vm = obj;
	unsigned int i;

	for (i = 1; i < ARRAY_SIZE(cap->args); i++)
		if (cap->args[i])
			return -EINVAL;
	if (cap->flags)
		return -EINVAL;
	if (cap->cap == KVM_CAP_SPLIT_IRQCHIP) {
		if (cap->args[0] > UINT_MAX)
			return -EINVAL;
		return irq_create_split(vm, cap->args[0]);
	}
	if (cap->cap == KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2) {
		if (cap->args[0] & ~(u64)KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE)
			return -EINVAL;
		vm->manual_dirty_log = cap->args[0];
		return 0;
	}
	if (cap->cap == KVM_CAP_EXCEPTION_PAYLOAD || cap->cap == KVM_CAP_X86_TRIPLE_FAULT_EVENT) {
		if (cap->args[0] > 1)
			return -EINVAL;
		if (cap->cap == KVM_CAP_EXCEPTION_PAYLOAD)
			vm->exception_payload = cap->args[0];
		else
			vm->triple_fault_event = cap->args[0];
		return 0;
	}
	return nv_refuse(&vm->refusal, NESTVM_REFUSED_CAPABILITY, -EINVAL,
			 "capability %u cannot be enabled on a VM", cap->cap);
}

/* Rows marked below run without vm->lock: they have locks of their own. */
static const struct nv_ioctl ioctls[] = {
	IOC_VALUE(KVM_CHECK_EXTENSION, check_extension),
	IOC_VALUE(KVM_CREATE_VCPU, create_vcpu),
	IOC_FIXED(KVM_SET_USER_MEMORY_REGION, set_memory),
	IOC_FIXED(KVM_GET_DIRTY_LOG, get_dirty_log),
	IOC_FIXED(KVM_CLEAR_DIRTY_LOG, clear_dirty_log),
	IOC_VALUE(KVM_SET_TSS_ADDR, set_tss_addr),
	IOC_FIXED(KVM_SET_IDENTITY_MAP_ADDR, set_identity_map_addr),
	IOC_VALUE(KVM_SET_BOOT_CPU_ID, set_boot_cpu_id),
	IOC_VALUE(KVM_CREATE_IRQCHIP, create_irqchip),
	IOC_FIXED(KVM_CREATE_PIT2, create_pit),
	IOC_FIXED(KVM_GET_IRQCHIP, get_irqchip),
	IOC_FIXED(KVM_GET_PIT2, get_pit),
	IOC_FIXED(KVM_SET_PIT2, set_pit),
	IOC_POINTER(KVM_SET_GSI_ROUTING, set_routing),
	IOC_FIXED(KVM_IRQFD, irqfd),
	IOC_FIXED(KVM_IOEVENTFD, ioeventfd),
	IOC_FIXED(KVM_ENABLE_CAP, enable_cap),
	IOC_SIZED(NESTVM_SET_EXPOSE, struct nestvm_expose, enable, set_expose),
	IOC_SIZED(NESTVM_SET_MEMORY_MODE, struct nestvm_memory_mode, mode, set_memory_mode),
	IOC_SIZED(NESTVM_GET_VM_INFO, struct nestvm_vm_info, table_pages, get_vm_info),
};

/* KVM_SET_IRQCHIP is declared read-only in <linux/kvm.h>, by an old mistake. */
static long set_irqchip_pointer(void *obj, struct nv_ioctl_arg *arg)
{
	struct nv_ioctl_arg inner;
	struct kvm_irqchip *chip = memdup_user((void __user *)arg->value, sizeof(*chip));
	struct nv_vm *vm = obj;
	long ret;

	if (IS_ERR(chip))
		return PTR_ERR(chip);
	inner.buf = chip;
	mutex_lock(&vm->lock);
	ret = set_irqchip(obj, &inner);
	mutex_unlock(&vm->lock);
	kfree(chip);
	return ret;
}

static const struct nv_ioctl unlocked_ioctls[] = {
	IOC_FIXED(KVM_IRQ_LINE, irq_line),
	IOC_FIXED(KVM_IRQ_LINE_STATUS, irq_line),
	IOC_FIXED(KVM_SIGNAL_MSI, signal_msi),
	IOC_POINTER(KVM_SET_IRQCHIP, set_irqchip_pointer),
	IOC_SIZED(NESTVM_GET_REFUSAL, struct nestvm_refusal, text, get_refusal),
};

static long vm_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct nv_vm *vm = file->private_data;
	const struct nv_ioctl *row;
	long ret;

	if (vm->mm != current->mm || READ_ONCE(vm->dead))
		return -EIO;
	if (cmd == KVM_GET_STATS_FD)
		return stats_fd(vm, NULL, file);
	row = nv_ioctl_find(unlocked_ioctls, ARRAY_SIZE(unlocked_ioctls), cmd);
	if (row)
		return nv_ioctl_call(row, vm, arg);
	row = nv_ioctl_find(ioctls, ARRAY_SIZE(ioctls), cmd);
	if (!row)
		return -ENOTTY;
	if (mutex_lock_killable(&vm->lock))
		return -EINTR;
	ret = nv_ioctl_call(row, vm, arg);
	mutex_unlock(&vm->lock);
	return ret;
}

static int vm_release(struct inode *inode, struct file *file)
{
	nv_vm_put(file->private_data);
	return 0;
}

static const struct file_operations vm_fops = {
	.owner = THIS_MODULE,
	.release = vm_release,
	.unlocked_ioctl = vm_ioctl,
	.llseek = noop_llseek,
};

int dev_vm_file(struct nv_vm *vm, struct dev_new_file *f)
{
	return dev_new_file(f, "nestvm-vm", &vm_fops, vm, O_RDWR);
}
