// SPDX-License-Identifier: GPL-2.0
/* /dev/nestvm: the device file. */
#include "dev.h"
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/kvm.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <uapi/nestvm.h>
#include "cpu.h"
#include "cpu_mce.h"
#include "cpu_msr.h"
#include "cpuid_policy.h"
#include "ept/ept.h"
#include "ioctl.h"
#include "irq.h"
#include "module.h"
#include "nested/nested.h"
#include "vm.h"
#include "vmx/vmx.h"

struct dev_file {
	struct nv_refusal refusal;
};

/* One row per capability of the KVM API that is there; all others are 0. */
static const struct {
	unsigned int cap;
	int value;
} capabilities[] = {
	{ KVM_CAP_IRQCHIP, 1 },
	{ KVM_CAP_HLT, 1 },
	{ KVM_CAP_USER_MEMORY, 1 },
	{ KVM_CAP_SET_TSS_ADDR, 1 },
	{ KVM_CAP_EXT_CPUID, 1 },
	{ KVM_CAP_NR_VCPUS, NV_MAX_VCPUS },
	{ KVM_CAP_MAX_VCPUS, NV_MAX_VCPUS },
	{ KVM_CAP_MAX_VCPU_ID, NV_MAX_VCPUS },
	{ KVM_CAP_NR_MEMSLOTS, NV_MAX_SLOTS },
	{ KVM_CAP_MP_STATE, 1 },
	{ KVM_CAP_DESTROY_MEMORY_REGION_WORKS, 1 },
	{ KVM_CAP_JOIN_MEMORY_REGIONS_WORKS, 1 },
	{ KVM_CAP_USER_NMI, 1 },
	{ KVM_CAP_SET_IDENTITY_MAP_ADDR, 1 },
	{ KVM_CAP_SET_BOOT_CPU_ID, 1 },
	{ KVM_CAP_IRQ_ROUTING, IRQ_MAX_ROUTES },
	{ KVM_CAP_IRQ_INJECT_STATUS, 1 },
	{ KVM_CAP_PIT2, 1 },
	{ KVM_CAP_PIT_STATE2, 1 },
	{ KVM_CAP_IOEVENTFD, 1 },
	{ KVM_CAP_IOEVENTFD_ANY_LENGTH, 1 },
	{ KVM_CAP_IRQFD, 1 },
	{ KVM_CAP_IRQFD_RESAMPLE, 1 },
	{ KVM_CAP_SIGNAL_MSI, 1 },
	{ KVM_CAP_SPLIT_IRQCHIP, 1 },
	{ KVM_CAP_MCE, MCE_MAX_BANKS },
	{ KVM_CAP_VCPU_EVENTS, 1 },
	{ KVM_CAP_DEBUGREGS, 1 },
	{ KVM_CAP_XSAVE, 1 },
	{ KVM_CAP_XCRS, 1 },
	{ KVM_CAP_GET_TSC_KHZ, 1 },
	{ KVM_CAP_TSC_DEADLINE_TIMER, 1 },
	{ KVM_CAP_READONLY_MEM, 1 },
	{ KVM_CAP_MANUAL_DIRTY_LOG_PROTECT2, KVM_DIRTY_LOG_MANUAL_PROTECT_ENABLE },
	{ KVM_CAP_IMMEDIATE_EXIT, 1 },
	{ KVM_CAP_CHECK_EXTENSION_VM, 1 },
	{ KVM_CAP_ENABLE_CAP_VM, 1 },
	{ KVM_CAP_BINARY_STATS_FD, 1 },
	{ KVM_CAP_INTERNAL_ERROR_DATA, 1 },
	{ KVM_CAP_SREGS2, 1 },
	{ KVM_CAP_VCPU_ATTRIBUTES, 1 },
	{ KVM_CAP_GET_MSR_FEATURES, 1 },
	{ KVM_CAP_EXCEPTION_PAYLOAD, 1 },
	{ KVM_CAP_X86_TRIPLE_FAULT_EVENT, 1 },
	{ KVM_CAP_NESTED_STATE, NESTED_STATE_SIZE },
};

int dev_new_file(struct dev_new_file *f, const char *name, const struct file_operations *ops,
		 void *data, int flags)
{
	f->fd = get_unused_fd_flags(O_CLOEXEC);
	if (f->fd < 0)
		return f->fd;
	f->file = anon_inode_getfile(name, ops, data, flags);
	if (!IS_ERR(f->file))
		return 0;
	put_unused_fd(f->fd);
	return PTR_ERR(f->file);
}

long dev_check_extension(unsigned long cap)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(capabilities); i++)
		if (capabilities[i].cap == cap)
			return capabilities[i].value;
	return 0;
}

static long check_extension(void *obj, struct nv_ioctl_arg *arg)
{
	return dev_check_extension(arg->value);
}

static long get_api_version(void *obj, struct nv_ioctl_arg *arg)
{
	return arg->value ? -EINVAL : KVM_API_VERSION;
}

static long get_vcpu_mmap_size(void *obj, struct nv_ioctl_arg *arg)
{
	return arg->value ? -EINVAL : 2 * PAGE_SIZE;
}

static long create_vm(void *obj, struct nv_ioctl_arg *arg)
{
	struct dev_file *df = obj;
	struct dev_new_file f;
	struct nv_vm *vm;
	int ret;

	if (arg->value)
		return nv_refuse(&df->refusal, NESTVM_REFUSED_CAPABILITY, -EINVAL,
				 "VM type %lu does not exist; 0 is the only one", arg->value);
	vm = nv_vm_create();
	if (IS_ERR(vm))
		return PTR_ERR(vm);
	ret = dev_vm_file(vm, &f);
	if (ret) {
		nv_vm_put(vm);
		return ret;
	}
	fd_install(f.fd, f.file);
	return f.fd;
}

static long get_supported_cpuid(void *obj, struct nv_ioctl_arg *arg)
{
	struct kvm_cpuid2 __user *user = (void __user *)arg->value;
	struct kvm_cpuid_entry2 *entries;
	struct kvm_cpuid2 head;
	long ret;
	u32 max;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	max = min_t(u32, head.nent, CPUID_MAX_ENTRIES);
	entries = kvcalloc(CPUID_MAX_ENTRIES, sizeof(*entries), GFP_KERNEL);
	if (!entries)
		return -ENOMEM;
	/* VMX is for who knows the KVM API alone: there when such a VM would have it. */
	ret = cpu_cpuid_supported(entries, max, nv_expose_default && nv_nested_allowed);
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

#define MAX_MSRS	256

static long list_to_user(unsigned long arg, const u32 *list, u32 n)
{
	struct kvm_msr_list __user *user = (void __user *)arg;
	struct kvm_msr_list head;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (put_user(n, &user->nmsrs))
		return -EFAULT;
	if (head.nmsrs < n)
		return -E2BIG;
	return copy_to_user(user->indices, list, n * sizeof(u32)) ? -EFAULT : 0;
}

static long get_msr_index_list(void *obj, struct nv_ioctl_arg *arg)
{
	u32 list[192];
	u32 n = cpu_msr_list(list, ARRAY_SIZE(list));

	/* As many as cpu_msr.c has rows, whoever asks. */
	if (WARN_ON_ONCE(n > ARRAY_SIZE(list)))
		return -EIO;
	return list_to_user(arg->value, list, n);
}

/* Features told by MSRs: what a VM can be offered here, of VT-x and of immunities. */
static bool feature_msr(u32 msr, u64 *value)
{
	if (msr == IA32_ARCH_CAPABILITIES) {
		*value = vmx_arch_capabilities();
		return true;
	}
	return nv_nested_allowed && nested_host_msr(msr, value);
}

static long get_msr_feature_list(void *obj, struct nv_ioctl_arg *arg)
{
	u32 list[1 + IA32_VMX_LAST - IA32_VMX_FIRST + 1], n = 0, msr;
	u64 value;

	list[n++] = IA32_ARCH_CAPABILITIES;
	for (msr = IA32_VMX_FIRST; msr <= IA32_VMX_LAST; msr++)
		if (feature_msr(msr, &value))
			list[n++] = msr;
	return list_to_user(arg->value, list, n);
}

static long get_feature_msrs(void *obj, struct nv_ioctl_arg *arg)
{
	struct kvm_msrs __user *user = (void __user *)arg->value;
	struct kvm_msr_entry e;
	struct kvm_msrs head;
	u64 value;
	u32 i;

	if (copy_from_user(&head, user, sizeof(head)))
		return -EFAULT;
	if (head.nmsrs > MAX_MSRS)
		return -E2BIG;
	for (i = 0; i < head.nmsrs; i++) {
		if (copy_from_user(&e, &user->entries[i], sizeof(e)))
			return -EFAULT;
		if (!feature_msr(e.index, &value))
			break;
		if (put_user(value, &user->entries[i].data))
			return -EFAULT;
	}
	return i;
}

static long get_mce_cap(void *obj, struct nv_ioctl_arg *arg)
{
	*(u64 *)arg->buf = MCE_CAP_SUPPORTED;
	return 0;
}

static const struct {
	u64 feature;
	const bool *present;
} features[] = {
	{ NESTVM_FEATURE_EPT_2M,	&vmx_caps.ept_2m },
	{ NESTVM_FEATURE_EPT_1G,	&vmx_caps.ept_1g },
	{ NESTVM_FEATURE_EPT_AD,	&vmx_caps.ept_ad },
	{ NESTVM_FEATURE_VPID,		&vmx_caps.vpid },
	{ NESTVM_FEATURE_SHADOW_VMCS,	&vmx_caps.shadow_vmcs },
	{ NESTVM_FEATURE_PREEMPT_TIMER,	&vmx_caps.preempt_timer },
	{ NESTVM_FEATURE_TSC_SCALING,	&vmx_caps.tsc_scaling },
	{ NESTVM_FEATURE_NESTED,	&nv_nested_allowed },
};

static long get_device_info(void *obj, struct nv_ioctl_arg *arg)
{
	struct nestvm_device_info *info = arg->buf;
	u32 size = info->size;
	unsigned int i;

	*info = (struct nestvm_device_info) {
		.size = size,
		.api_version = NESTVM_API_VERSION,
		.vms = nv_vm_total(),
		.vcpus = nv_vcpu_total(),
		.vmcs_regions = vmcs_regions(),
		.pinned_pages = ept_total_pinned(),
		.table_pages = ept_total_tables(),
		.expose_default = nv_expose_default && nv_nested_allowed,
		.nested_allowed = nv_nested_allowed,
		.max_vcpus = NV_MAX_VCPUS,
		.version = NV_VERSION,
	};
	for (i = 0; i < ARRAY_SIZE(features); i++)
		if (*features[i].present)
			info->features |= features[i].feature;
	return 0;
}

static long get_refusal(void *obj, struct nv_ioctl_arg *arg)
{
	struct dev_file *df = obj;

	return nv_refusal_get(&df->refusal, arg->buf);
}

static const struct nv_ioctl ioctls[] = {
	IOC_VALUE(KVM_GET_API_VERSION, get_api_version),
	IOC_VALUE(KVM_CREATE_VM, create_vm),
	IOC_VALUE(KVM_CHECK_EXTENSION, check_extension),
	IOC_VALUE(KVM_GET_VCPU_MMAP_SIZE, get_vcpu_mmap_size),
	IOC_POINTER(KVM_GET_SUPPORTED_CPUID, get_supported_cpuid),
	IOC_POINTER(KVM_GET_MSR_INDEX_LIST, get_msr_index_list),
	IOC_POINTER(KVM_GET_MSR_FEATURE_INDEX_LIST, get_msr_feature_list),
	IOC_POINTER(KVM_GET_MSRS, get_feature_msrs),
	IOC_FIXED(KVM_X86_GET_MCE_CAP_SUPPORTED, get_mce_cap),
	IOC_SIZED(NESTVM_GET_DEVICE_INFO, struct nestvm_device_info, version, get_device_info),
	IOC_SIZED(NESTVM_GET_REFUSAL, struct nestvm_refusal, text, get_refusal),
};

static long dev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	const struct nv_ioctl *row = nv_ioctl_find(ioctls, ARRAY_SIZE(ioctls), cmd);

	return row ? nv_ioctl_call(row, file->private_data, arg) : -ENOTTY;
}

static int dev_open(struct inode *inode, struct file *file)
{
	struct dev_file *df = kzalloc(sizeof(*df), GFP_KERNEL_ACCOUNT);

	if (!df)
		return -ENOMEM;
	nv_refusal_init(&df->refusal);
	file->private_data = df;
	return 0;
}

static int dev_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

static const struct file_operations dev_fops = {
	.owner = THIS_MODULE,
	.open = dev_open,
	.release = dev_release,
	.unlocked_ioctl = dev_ioctl,
	.llseek = noop_llseek,
};

/* Mode 0660; the group is the udev rule's (group "nestvm"). */
static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "nestvm",
	.mode = 0660,
	.fops = &dev_fops,
};

int nv_dev_init(void)
{
	device.groups = dev_sysfs_groups();
	return misc_register(&device);
}

void nv_dev_exit(void)
{
	misc_deregister(&device);
}
