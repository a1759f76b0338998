// SPDX-License-Identifier: GPL-2.0
/* vCPU files: run, registers, events, MSRs, CPUID, local APIC, nested state. */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kvm.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/nestvm.h>
#include "cpu.h"
#include "cpuid_policy.h"
#include "dev.h"
#include "irq.h"
#include "ioctl.h"
#include "nested/nested.h"
#include "vcpu.h"
#include "vcpu_state.h"
#include "vlapic.h"
#include "vmx/fpu.h"

#define MAX_MSRS	256

static long run(void *obj, struct nv_ioctl_arg *arg)
{
	return arg->value ? -EINVAL : nv_run(obj);
}

/* The order of struct kvm_regs, which is not that of the encoding. */
static const u8 reg_order[] = {
	REG_RAX, REG_RBX, REG_RCX, REG_RDX, REG_RSI, REG_RDI, REG_RSP, REG_RBP,
	REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
};

static_assert(offsetof(struct kvm_regs, rip) == sizeof(reg_order) * sizeof(u64));

static long get_regs(void *obj, struct nv_ioctl_arg *arg)
{
	struct kvm_regs *r = arg->buf;
	u64 *out = arg->buf;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(reg_order); i++)
		out[i] = vmx_reg(obj, reg_order[i]);
	r->rip = vmx_rip();
	r->rflags = vmx_rflags();
	return 0;
}

static long set_regs(void *obj, struct nv_ioctl_arg *arg)
{
	const struct kvm_regs *r = arg->buf;
	const u64 *in = arg->buf;
	struct nv_vcpu *vcpu = obj;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(reg_order); i++)
		vmx_set_reg(vcpu, reg_order[i], in[i]);
	vmx_set_rip(r->rip);
	/* Bit 1 is 1 in every processor; bits that do not exist are 0. */
	vmx_set_rflags((r->rflags & 0x3f7fd7ull) | RFLAGS_FIXED1);
	vcpu->ev.exception.info = 0;
	return 0;
}

static long get_sregs(void *obj, struct nv_ioctl_arg *arg)
{
	cpu_get_sregs(obj, arg->buf);
	return 0;
}

/* Of a running L2, whose registers the nested state brings: first these, then that. */
static int refuse_sregs(struct nv_vcpu *vcpu, int ret)
{
	if (ret)
		nv_refuse(&vcpu->refusal, NESTVM_REFUSED_STATE, ret,
			  "the special registers hold values that no CPU with this CPUID can have");
	return ret;
}

static long set_sregs(void *obj, struct nv_ioctl_arg *arg)
{
	return refuse_sregs(obj, cpu_set_sregs(obj, arg->buf));
}

static long get_sregs2(void *obj, struct nv_ioctl_arg *arg)
{
	cpu_get_sregs2(obj, arg->buf);
	return 0;
}

static long set_sregs2(void *obj, struct nv_ioctl_arg *arg)
{
	return refuse_sregs(obj, cpu_set_sregs2(obj, arg->buf));
}

static long get_fpu(void *obj, struct nv_ioctl_arg *arg)
{
	vmx_fpu_get(obj, arg->buf);
	return 0;
}

static long set_fpu(void *obj, struct nv_ioctl_arg *arg)
{
	vmx_fpu_set(obj, arg->buf);
	return 0;
}

static long get_xsave(void *obj, struct nv_ioctl_arg *arg)
{
	vmx_fpu_get_image(obj, arg->buf, sizeof(struct kvm_xsave));
	return 0;
}

static long set_xsave(void *obj, struct nv_ioctl_arg *arg)
{
	return vmx_fpu_set_image(obj, arg->buf, sizeof(struct kvm_xsave));
}

static long get_xcrs(void *obj, struct nv_ioctl_arg *arg)
{
	struct kvm_xcrs *x = arg->buf;
	struct nv_vcpu *vcpu = obj;

	memset(x, 0, sizeof(*x));
	x->nr_xcrs = 1;
	x->xcrs[0].value = vcpu->xcr0;
	return 0;
}

static long set_xcrs(void *obj, struct nv_ioctl_arg *arg)
{
	const struct kvm_xcrs *x = arg->buf;
	struct nv_vcpu *vcpu = obj;
	unsigned int i;

	if (x->nr_xcrs > KVM_MAX_XCRS || x->flags)
		return -EINVAL;
	for (i = 0; i < x->nr_xcrs; i++)
		if (x->xcrs[i].xcr || !cpu_xcr0_valid(&vcpu->features, x->xcrs[i].value))
			return -EINVAL;
	if (x->nr_xcrs)
		vcpu->xcr0 = x->xcrs[x->nr_xcrs - 1].value;
	return 0;
}

/* KVM_GET_MSRS and KVM_SET_MSRS: how many went well is the result. */
static long msrs(struct nv_vcpu *vcpu, struct kvm_msrs __user *user, bool write)
{
	struct kvm_msr_entry *e;
	struct kvm_msrs head;
	long ret;
	u32 i;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (head.nmsrs > MAX_MSRS)
		return -E2BIG;
	e = memdup_user(user->entries, array_size(head.nmsrs, sizeof(*e)));
	if (IS_ERR(e))
		return PTR_ERR(e);
	for (i = 0; i < head.nmsrs; i++)
		if (write ? cpu_msr_write(vcpu, e[i].index, e[i].data, true) :
			    cpu_msr_read(vcpu, e[i].index, &e[i].data, true))
			break;
	ret = i;
	if (!write && copy_to_user(user->entries, e, i * sizeof(*e)))
		ret = -EFAULT;
	kfree(e);
	return ret;
}

static long get_msrs(void *obj, struct nv_ioctl_arg *arg)
{
	return msrs(obj, (void __user *)arg->value, false);
}

static long set_msrs(void *obj, struct nv_ioctl_arg *arg)
{
	return msrs(obj, (void __user *)arg->value, true);
}

static long set_cpuid(void *obj, struct nv_ioctl_arg *arg)
{
	struct kvm_cpuid2 __user *user = (void __user *)arg->value;
	struct kvm_cpuid_entry2 *entries;
	struct nv_vcpu *vcpu = obj;
	struct kvm_cpuid2 head;
	long ret;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (head.nent > CPUID_MAX_ENTRIES)
		return nv_refuse(&vcpu->refusal, NESTVM_REFUSED_CPUID, -E2BIG,
				 "%u CPUID entries are more than the %u a vCPU can have",
				 head.nent, CPUID_MAX_ENTRIES);
	entries = memdup_user(user->entries, array_size(head.nent, sizeof(*entries)));
	if (IS_ERR(entries))
		return PTR_ERR(entries);
	ret = cpu_cpuid_set(vcpu, entries, head.nent);
	kfree(entries);
	return ret;
}

static long get_cpuid(void *obj, struct nv_ioctl_arg *arg)
{
	struct kvm_cpuid2 __user *user = (void __user *)arg->value;
	struct kvm_cpuid_entry2 *entries;
	struct kvm_cpuid2 head;
	long ret;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	entries = kvcalloc(CPUID_MAX_ENTRIES, sizeof(*entries), GFP_KERNEL);
	if (!entries)
		return -ENOMEM;
	ret = cpu_cpuid_get(obj, entries, min_t(u32, head.nent, CPUID_MAX_ENTRIES));
	if (ret >= 0) {
		head.nent = ret;
		ret = 0;
		if (copy_to_user(user, &head, sizeof(head)) ||
		    copy_to_user(user->entries, entries, head.nent * sizeof(*entries)))
			ret = -EFAULT;
	}
	kvfree(entries);
	return ret;
}

static long get_lapic(void *obj, struct nv_ioctl_arg *arg)
{
	return vlapic_get_state(obj, arg->buf);
}

static long set_lapic(void *obj, struct nv_ioctl_arg *arg)
{
	return vlapic_set_state(obj, arg->buf);
}

static long interrupt(void *obj, struct nv_ioctl_arg *arg)
{
	const struct kvm_interrupt *i = arg->buf;
	struct nv_vcpu *vcpu = obj;

	if (i->irq > 255)
		return -EINVAL;
	/* With the split irqchip it is what the PIC puts on LINT0. */
	if (irq_has_chips(vcpu->vm))
		return -ENXIO;
	if (vcpu->ev.user_intr >= 0)
		return -EEXIST;
	vcpu->ev.user_intr = i->irq;
	return 0;
}

static long nmi(void *obj, struct nv_ioctl_arg *arg)
{
	vmx_add_nmis(obj, 1);
	return 0;
}

static long set_signal_mask(void *obj, struct nv_ioctl_arg *arg)
{
	struct kvm_signal_mask __user *user = (void __user *)arg->value;
	struct kvm_signal_mask head;
	struct nv_vcpu *vcpu = obj;
	sigset_t set;

	if (!user) {
		vcpu->sigset_active = false;
		return 0;
	}
	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (head.len != sizeof(set))
		return -EINVAL;
	if (copy_from_user(&set, user->sigset, sizeof(set)))
		return -EFAULT;
	sigdelsetmask(&set, sigmask(SIGKILL) | sigmask(SIGSTOP));
	vcpu->sigset = set;
	vcpu->sigset_active = true;
	return 0;
}

static long get_entry_failure(void *obj, struct nv_ioctl_arg *arg)
{
	struct nestvm_entry_failure *f = arg->buf;
	struct nv_vcpu *vcpu = obj;
	u32 size = f->size;

	memset(f, 0, sizeof(*f));
	f->size = size;
	if (vcpu->nested)
		nested_get_entry_failure(vcpu, f);
	return 0;
}

static long get_nested_state(void *obj, struct nv_ioctl_arg *arg)
{
	void __user *user = (void __user *)arg->value;
	struct kvm_nested_state head;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	return nested_get_state(obj, user, head.size);
}

static long set_nested_state(void *obj, struct nv_ioctl_arg *arg)
{
	return nested_set_state(obj, (void __user *)arg->value);
}

static long get_refusal(void *obj, struct nv_ioctl_arg *arg)
{
	struct nv_vcpu *vcpu = obj;

	return nv_refusal_get(&vcpu->refusal, arg->buf);
}

/*
 * The page in which a guest's TPR is kept for the VMM's old Windows patches: there is
 * none, which is what a VMM says at each reset.
 */
static long set_vapic_addr(void *obj, struct nv_ioctl_arg *arg)
{
	const struct kvm_vapic_addr *va = arg->buf;
	struct nv_vcpu *vcpu = obj;

	if (!vcpu->lapic)
		return -EINVAL;
	if (va->vapic_addr)
		return nv_refuse(&vcpu->refusal, NESTVM_REFUSED_CAPABILITY, -EOPNOTSUPP,
				 "a page for the TPR is not supported: %#llx; only 0, none",
				 va->vapic_addr);
	return 0;
}

static const struct nv_ioctl ioctls[] = {
	IOC_VALUE(KVM_RUN, run),
	IOC_FIXED(KVM_GET_REGS, get_regs),
	IOC_FIXED(KVM_SET_REGS, set_regs),
	IOC_FIXED(KVM_GET_SREGS, get_sregs),
	IOC_FIXED(KVM_SET_SREGS, set_sregs),
	IOC_FIXED(KVM_GET_SREGS2, get_sregs2),
	IOC_FIXED(KVM_SET_SREGS2, set_sregs2),
	IOC_FIXED(KVM_GET_FPU, get_fpu),
	IOC_FIXED(KVM_SET_FPU, set_fpu),
	IOC_FIXED(KVM_GET_XSAVE, get_xsave),
	IOC_FIXED(KVM_SET_XSAVE, set_xsave),
	IOC_FIXED(KVM_GET_XCRS, get_xcrs),
	IOC_FIXED(KVM_SET_XCRS, set_xcrs),
	IOC_POINTER(KVM_GET_MSRS, get_msrs),
	IOC_POINTER(KVM_SET_MSRS, set_msrs),
	IOC_POINTER(KVM_SET_CPUID2, set_cpuid),
	IOC_POINTER(KVM_GET_CPUID2, get_cpuid),
	IOC_FIXED(KVM_GET_LAPIC, get_lapic),
	IOC_FIXED(KVM_SET_LAPIC, set_lapic),
	IOC_FIXED(KVM_SET_VAPIC_ADDR, set_vapic_addr),
	IOC_FIXED(KVM_GET_MP_STATE, vcpu_get_mp_state),
	IOC_FIXED(KVM_SET_MP_STATE, vcpu_set_mp_state),
	IOC_FIXED(KVM_GET_VCPU_EVENTS, vcpu_get_events),
	IOC_FIXED(KVM_SET_VCPU_EVENTS, vcpu_set_events),
	IOC_FIXED(KVM_GET_DEBUGREGS, vcpu_get_debugregs),
	IOC_FIXED(KVM_SET_DEBUGREGS, vcpu_set_debugregs),
	IOC_FIXED(KVM_X86_SETUP_MCE, vcpu_setup_mce),
	IOC_FIXED(KVM_X86_SET_MCE, vcpu_set_mce),
	IOC_FIXED(KVM_INTERRUPT, interrupt),
	IOC_VALUE(KVM_NMI, nmi),
	IOC_POINTER(KVM_SET_SIGNAL_MASK, set_signal_mask),
	IOC_VALUE(KVM_GET_TSC_KHZ, vcpu_get_tsc_khz),
	IOC_VALUE(KVM_SET_TSC_KHZ, vcpu_set_tsc_khz),
	IOC_FIXED(KVM_HAS_DEVICE_ATTR, vcpu_has_attr),
	IOC_FIXED(KVM_GET_DEVICE_ATTR, vcpu_get_attr),
	IOC_FIXED(KVM_SET_DEVICE_ATTR, vcpu_set_attr),
	IOC_POINTER(KVM_GET_NESTED_STATE, get_nested_state),
	IOC_POINTER(KVM_SET_NESTED_STATE, set_nested_state),
	IOC_SIZED(NESTVM_GET_ENTRY_FAILURE, struct nestvm_entry_failure, rule, get_entry_failure),
	IOC_SIZED(NESTVM_GET_REFUSAL, struct nestvm_refusal, text, get_refusal),
};

/* The expose switch may have changed since this vCPU's last ioctl, until it first runs. */
static int follow_expose(struct nv_vcpu *vcpu)
{
	bool expose = READ_ONCE(vcpu->vm->expose);
	int ret;

	if (expose == !!vcpu->nested)
		return 0;
	if (expose) {
		ret = nested_create(vcpu);
		if (ret)
			return ret;
	} else {
		nested_destroy(vcpu);
	}
	cpu_cpuid_refresh(vcpu);
	return 0;
}

static long call_loaded(const struct nv_ioctl *row, struct nv_vcpu *vcpu, unsigned long arg)
{
	long ret = follow_expose(vcpu);

	return ret ? ret : nv_ioctl_call(row, vcpu, arg);
}

static long call_with_vcpu(const struct nv_ioctl *row, struct nv_vcpu *vcpu, unsigned long arg)
{
	long ret;
	int srcu;

	nv_vcpu_load(vcpu);
	if (row->cmd != KVM_RUN)
		vcpu->state_set = true;
	if (row->cmd == KVM_RUN) {
		/* nv_run() takes it by itself, to let go of it in the guest. */
		ret = call_loaded(row, vcpu, arg);
	} else {
		srcu = srcu_read_lock(&vcpu->vm->srcu);
		ret = call_loaded(row, vcpu, arg);
		srcu_read_unlock(&vcpu->vm->srcu, srcu);
	}
	nv_vcpu_put(vcpu);
	return ret;
}

/* The first run of a VM fixes its settings; vm->lock is taken before vcpu->lock. */
static int note_run(struct nv_vcpu *vcpu)
{
	struct nv_vm *vm = vcpu->vm;

	if (READ_ONCE(vm->has_run))
		return 0;
	if (mutex_lock_killable(&vm->lock))
		return -EINTR;
	vm->has_run = true;
	mutex_unlock(&vm->lock);
	return 0;
}

static long vcpu_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct nv_vcpu *vcpu = file->private_data;
	const struct nv_ioctl *row;
	long ret;

	if (vcpu->vm->mm != current->mm || READ_ONCE(vcpu->vm->dead))
		return -EIO;
	if (cmd == KVM_GET_STATS_FD)
		return stats_fd(vcpu->vm, vcpu, file);
	row = nv_ioctl_find(ioctls, ARRAY_SIZE(ioctls), cmd);
	if (!row)
		return -ENOTTY;
	if (cmd == KVM_RUN) {
		ret = note_run(vcpu);
		if (ret)
			return ret;
	}
	if (mutex_lock_killable(&vcpu->lock))
		return -EINTR;
	if (cmd == KVM_RUN)
		vcpu->has_run = true;
	ret = call_with_vcpu(row, vcpu, arg);
	mutex_unlock(&vcpu->lock);
	return ret;
}

static vm_fault_t run_fault(struct vm_fault *vmf)
{
	struct nv_vcpu *vcpu = vmf->vma->vm_file->private_data;

	if (vmf->pgoff >= ARRAY_SIZE(vcpu->run_pages))
		return VM_FAULT_SIGBUS;
	get_page(vcpu->run_pages[vmf->pgoff]);
	vmf->page = vcpu->run_pages[vmf->pgoff];
	return 0;
}

static const struct vm_operations_struct run_ops = { .fault = run_fault };

static int vcpu_mmap(struct file *file, struct vm_area_struct *vma)
{
	vma->vm_ops = &run_ops;
	return 0;
}

static int vcpu_release(struct inode *inode, struct file *file)
{
	struct nv_vcpu *vcpu = file->private_data;

	nv_vm_put(vcpu->vm);
	return 0;
}

static const struct file_operations vcpu_fops = {
	.owner = THIS_MODULE,
	.release = vcpu_release,
	.unlocked_ioctl = vcpu_ioctl,
	.mmap = vcpu_mmap,
	.llseek = noop_llseek,
};

int dev_vcpu_file(struct nv_vcpu *vcpu, struct dev_new_file *f)
{
	char name[24];

	snprintf(name, sizeof(name), "nestvm-vcpu:%u", vcpu->id);
	return dev_new_file(f, name, &vcpu_fops, vcpu, O_RDWR);
}
