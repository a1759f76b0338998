// SPDX-License-Identifier: GPL-2.0
/*
 * Own VT-x on every CPU of the host: enter VMX operation when the module loads
 * or a CPU comes on line, leave it when one goes, at suspend, reboot and unload;
 * and refuse, with a reason, where VT-x is absent or somebody else's.
 */
#define pr_fmt(fmt) "nestvm: " fmt

#include "vmx/percpu.h"
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/gfp.h>
#include <linux/reboot.h>
#include <linux/smp.h>
#include <asm/msr.h>
#include <asm/perf_event.h>
#include <asm/tlbflush.h>
#include "compat.h"
#include "vmx/caps.h"
#include "vmx/fpu.h"
#include "vmx/speculation.h"
#include "vmx/vmx.h"

struct vmx_caps vmx_caps __ro_after_init;
DEFINE_PER_CPU(struct vmx_cpu, vmx_cpus);

static enum cpuhp_state hotplug_state;
static bool leaving;		/* reboot: nobody enters VMX operation again */

/* What is undone after VMXOFF, or when VMXON failed. */
static void leave_vmx(void)
{
	cr4_clear_bits(X86_CR4_VMXE);
	intel_pt_handle_vmx(0);
}

int vmx_cpu_on(void)
{
	struct vmx_cpu *c = this_cpu_ptr(&vmx_cpus);
	unsigned long flags;
	int ret = 0;

	local_irq_save(flags);
	if (!c->on) {
		if (READ_ONCE(leaving)) {
			ret = -ESHUTDOWN;
		} else {
			/* SDM 3C "Processor Tracing and VMX": not every CPU may have both. */
			intel_pt_handle_vmx(1);
			cr4_set_bits(X86_CR4_VMXE);
			ret = insn_vmxon(__pa(c->vmxon));
			if (ret)
				leave_vmx();
			else
				c->on = true;
		}
		/*
		 * Translations tagged with our VPIDs and EPTPs may have survived from
		 * before; SDM 3C "Operations that Invalidate Cached Mappings" does not
		 * list VMXON.
		 */
		if (!ret)
			insn_invept(INVEPT_ALL, 0);
		if (!ret && vmx_caps.vpid)
			insn_invvpid(INVVPID_ALL, 0, 0);
	}
	local_irq_restore(flags);
	return ret;
}

void vmx_cpu_off(void)
{
	struct vmx_cpu *c = this_cpu_ptr(&vmx_cpus);
	struct nv_vmcs *vmcs, *next;

	if (!c->on)
		return;
	list_for_each_entry_safe(vmcs, next, &c->active, node) {
		insn_vmclear(vmcs->hpa.v);
		if (vmcs->shadow)
			insn_vmclear(vmcs->shadow->hpa.v);
		list_del_init(&vmcs->node);
		vmcs->launched = false;
		/* Seen by vmcs_load() elsewhere only after all of the above. */
		smp_store_release(&vmcs->cpu, -1);
	}
	c->current_vmcs = NULL;
	insn_vmxoff();
	leave_vmx();
	c->on = false;
}

/*
 * Whatever this CPU did is interrupted for good. VMX may be on without c->on, or
 * off with CR4.VMXE, and the list in the middle of a change; but followed forwards
 * it is whole after each instruction (vmcs_load(), clear_here()). What faults here
 * is passed over.
 */
void vmx_cpu_emergency_off(void)
{
	struct vmx_cpu *c = this_cpu_ptr(&vmx_cpus);
	struct nv_vmcs *vmcs;

	WRITE_ONCE(leaving, true);
	if (!(__read_cr4() & X86_CR4_VMXE))
		return;
	/* The dump shows what they hold. */
	list_for_each_entry(vmcs, &c->active, node) {
		struct nv_vmcs *shadow = READ_ONCE(vmcs->shadow);

		insn_vmclear(vmcs->hpa.v);
		if (shadow)
			insn_vmclear(shadow->hpa.v);
	}
	insn_vmxoff();
	cr4_clear_bits(X86_CR4_VMXE);
}

bool vmx_leaving(void)
{
	return READ_ONCE(leaving);
}

void insn_faulted(const char *insn)
{
	/* VMX is on where vCPUs are loaded: only a reboot turns it off under them, and says so. */
	WARN_ONCE(!READ_ONCE(leaving), "nestvm: %s faulted on CPU %d, VMX %s\n", insn,
		  raw_smp_processor_id(), raw_cpu_ptr(&vmx_cpus)->on ? "on" : "off");
}

static void cpu_off_ipi(void *unused)
{
	unsigned long flags;

	local_irq_save(flags);
	vmx_cpu_off();
	local_irq_restore(flags);
}

static int read_feature_control(u64 *value)
{
	return rdmsrl_safe(IA32_FEATURE_CONTROL, value);
}

struct cpu_check {
	spinlock_t lock;
	char text[160];		/* the first complaint, empty if none */
};

__printf(2, 3)
static void complain(struct cpu_check *check, const char *fmt, ...)
{
	va_list args;

	spin_lock(&check->lock);
	if (!check->text[0]) {
		va_start(args, fmt);
		vsnprintf(check->text, sizeof(check->text), fmt, args);
		va_end(args);
	}
	spin_unlock(&check->lock);
}

static void read_caps(struct vmx_cap_msrs *raw)
{
	unsigned int i;

	/* An MSR that the CPU lacks reads as 0: nothing of it is allowed. */
	for (i = 0; i < ARRAY_SIZE(raw->msr); i++)
		if (rdmsrl_safe(IA32_VMX_BASIC + i, &raw->msr[i]))
			raw->msr[i] = 0;
}

/* On each CPU: may we take VT-x here? */
static void check_cpu(void *arg)
{
	struct cpu_check *check = arg;
	int cpu = smp_processor_id();
	struct vmx_cap_msrs raw;
	u64 fc;

	if (!(cpuid_ecx(1) & BIT(5))) {
		complain(check, "CPU %d has no VT-x (CPUID.1:ECX bit 5 is 0)", cpu);
		return;
	}
	if (__read_cr4() & X86_CR4_VMXE) {
		complain(check,
			 "CPU %d: VMX is in use by another hypervisor (CR4.VMXE is set); unload it first",
			 cpu);
		return;
	}
	/* NMIs and machine checks are handed to the host through the IDT, which is not there. */
	if (__read_cr4() & CR4_FRED) {
		complain(check,
			 "CPU %d delivers events by FRED; start the kernel with fred=off", cpu);
		return;
	}
	if (read_feature_control(&fc)) {
		complain(check, "CPU %d has no IA32_FEATURE_CONTROL", cpu);
		return;
	}
	if ((fc & FEATURE_CONTROL_LOCKED) && !(fc & FEATURE_CONTROL_VMX)) {
		complain(check,
			 "CPU %d: firmware locked VT-x off (IA32_FEATURE_CONTROL bit 2 is 0); enable VT-x in the firmware setup",
			 cpu);
		return;
	}
	if (!(fc & FEATURE_CONTROL_LOCKED))
		wrmsrl(IA32_FEATURE_CONTROL, fc | FEATURE_CONTROL_LOCKED | FEATURE_CONTROL_VMX);

	read_caps(&raw);
	if (memcmp(&raw, &vmx_caps.raw, sizeof(raw)))
		complain(check, "CPU %d differs from the others in its VT-x capabilities", cpu);
}

static int check_host(void)
{
	struct cpu_check check = { .lock = __SPIN_LOCK_UNLOCKED(check.lock) };
	struct vmx_cap_msrs raw;
	const char *missing;

	if (!(cpuid_ecx(1) & BIT(5))) {
		pr_err("not loaded: CPU %d has no VT-x (CPUID.1:ECX bit 5 is 0)\n",
		       raw_smp_processor_id());
		return -EOPNOTSUPP;
	}
	read_caps(&raw);
	missing = vmx_caps_choose(&vmx_caps, &raw);
	if (missing) {
		pr_err("not loaded: the CPU's VT-x lacks %s, which nestvm needs\n", missing);
		return -EOPNOTSUPP;
	}
	on_each_cpu(check_cpu, &check, 1);
	if (check.text[0]) {
		pr_err("not loaded: %s\n", check.text);
		return strstr(check.text, "in use") ? -EBUSY : -EOPNOTSUPP;
	}
	return 0;
}

static int come_online(unsigned int cpu)
{
	struct cpu_check check = { .lock = __SPIN_LOCK_UNLOCKED(check.lock) };
	int ret;

	check_cpu(&check);
	if (check.text[0]) {
		pr_err("%s\n", check.text);
		return -EIO;
	}
	ret = vmx_cpu_on();
	if (ret)
		pr_err("VMXON failed on CPU %u\n", cpu);
	return ret;
}

/*
 * Tasks may still run here for a moment after this; should a vCPU be one of them,
 * its load turns VMX on again and its put, finding the CPU inactive, off.
 */
static int go_offline(unsigned int cpu)
{
	cpu_off_ipi(NULL);
	return 0;
}

static int vmx_suspend(void)
{
	cpu_off_ipi(NULL);
	return 0;
}

static void vmx_resume(void)
{
	if (vmx_cpu_on())
		pr_err("VMXON failed after resume\n");
}

NV_SYSCORE(vmx_syscore, vmx_suspend, vmx_resume);

static int vmx_reboot(struct notifier_block *nb, unsigned long action, void *data)
{
	WRITE_ONCE(leaving, true);
	on_each_cpu(cpu_off_ipi, NULL, 1);
	return NOTIFY_OK;
}

static struct notifier_block reboot_nb = { .notifier_call = vmx_reboot };

static void free_regions(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		free_page((unsigned long)per_cpu(vmx_cpus, cpu).vmxon);
		per_cpu(vmx_cpus, cpu).vmxon = NULL;
	}
}

static int alloc_regions(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct vmx_cpu *c = &per_cpu(vmx_cpus, cpu);

		INIT_LIST_HEAD(&c->active);
		c->vmxon = (void *)get_zeroed_page(GFP_KERNEL);
		if (!c->vmxon) {
			free_regions();
			return -ENOMEM;
		}
		*(u32 *)c->vmxon = vmx_caps.revision;
	}
	return 0;
}

int vmx_hardware_init(void)
{
	int ret;

	ret = check_host();
	if (ret)
		return ret;
	ret = vmx_fpu_init();
	if (ret)
		return ret;
	ret = vmx_speculation_init();
	if (ret)
		return ret;
	ret = alloc_regions();
	if (ret)
		goto speculation_exit;
	ret = vmx_crash_init();
	if (ret)
		goto free;
	ret = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "x86/nestvm:online", come_online, go_offline);
	if (ret < 0)
		goto crash_exit;
	hotplug_state = ret;
	register_syscore(&vmx_syscore);
	register_reboot_notifier(&reboot_nb);
	return 0;

crash_exit:
	vmx_crash_exit();
free:
	free_regions();
speculation_exit:
	vmx_speculation_exit();
	return ret;
}

void vmx_hardware_exit(void)
{
	unregister_reboot_notifier(&reboot_nb);
	unregister_syscore(&vmx_syscore);
	cpuhp_remove_state(hotplug_state);	/* runs go_offline() on every CPU */
	vmx_crash_exit();
	free_regions();
	vmx_speculation_exit();
}
