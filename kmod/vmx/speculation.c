// SPDX-License-Identifier: GPL-2.0
#define pr_fmt(fmt) "nestvm: " fmt

#include "vmx/speculation.h"
#include <linux/cpu.h>
#include <linux/gfp.h>
#include <linux/moduleparam.h>
#include <linux/sched/smt.h>
#include <asm/hardirq.h>
#include <asm/msr.h>
#include <asm/nospec-branch.h>
#include <asm/sync_core.h>
#include "compat.h"
#include "vcpu.h"
#include "vmx/mitigations.h"
#include "vmx/percpu.h"

/* Read through: twice the largest L1 data cache that has L1TF. */
#define L1D_ORDER	4
#define L1D_BYTES	(PAGE_SIZE << L1D_ORDER)
#define CACHE_LINE	64

static const char * const l1d_names[L1D_MODES] = { "auto", "never", "cond", "always" };
static char *l1d_param = "auto";
module_param_named(vmentry_l1d_flush, l1d_param, charp, 0444);
MODULE_PARM_DESC(vmentry_l1d_flush,
		 "Flush the L1 data cache before an entry: never, cond, always, or as l1tf= says (auto)");

static char *nx_param = "auto";
module_param_named(nx_huge_pages, nx_param, charp, 0444);
MODULE_PARM_DESC(nx_huge_pages,
		 "Large pages of guests are not executable: off, force, or where the CPU has iTLB multihit (auto)");

static struct mitigation_facts facts __ro_after_init;
static enum l1d_mode l1d __ro_after_init;
static u8 *l1d_buffer __ro_after_init;
/* Each number names the history of one guest, of L1 or L2 for one stay; none comes again. */
static atomic64_t histories;

void vmx_forget_history(struct nv_vcpu *vcpu)
{
	vcpu->vmx.history = atomic64_inc_return(&histories);
}

static enum l1tf_wish l1tf_wish(void)
{
	switch (l1tf_mitigation) {
	case L1TF_MITIGATION_OFF:
		return L1TF_WISH_OFF;
	case L1TF_MITIGATION_FULL:
		return L1TF_WISH_FULL;
	case L1TF_MITIGATION_FULL_FORCE:
		return L1TF_WISH_FULL_FORCE;
	default:
		return L1TF_WISH_FLUSH;
	}
}

static u64 arch_caps(void)
{
	u64 caps;

	if (!boot_cpu_has(X86_FEATURE_ARCH_CAPABILITIES) ||
	    rdmsrl_safe(IA32_ARCH_CAPABILITIES, &caps))
		return 0;
	return caps;
}

/* The features below are those that the kernel decides by, after its command line. */
static void find_facts(enum l1d_mode param)
{
	bool ibrs_set = boot_cpu_has(X86_FEATURE_MSR_SPEC_CTRL) &&
			(spec_ctrl_current() & SPEC_CTRL_IBRS);

	facts = (struct mitigation_facts){
		.l1tf = boot_cpu_has_bug(X86_BUG_L1TF),
		.buffers = boot_cpu_has_bug(X86_BUG_MDS) || boot_cpu_has_bug(X86_BUG_TAA) ||
			   boot_cpu_has_bug(X86_BUG_RFDS) ||
			   boot_cpu_has_bug(X86_BUG_MMIO_STALE_DATA),
		.spectre_v2 = boot_cpu_has_bug(X86_BUG_SPECTRE_V2),
		.bhi = boot_cpu_has_bug(X86_BUG_BHI),
		.meltdown = boot_cpu_has_bug(X86_BUG_CPU_MELTDOWN),
		.ssb = boot_cpu_has_bug(X86_BUG_SPEC_STORE_BYPASS),
		.mds = boot_cpu_has_bug(X86_BUG_MDS),
		.gds = boot_cpu_has_bug(X86_BUG_GDS) && !gds_ucode_mitigated(),
		.rfds = boot_cpu_has_bug(X86_BUG_RFDS),
		.its = boot_cpu_has_bug(X86_BUG_ITS),
		.vmscape = boot_cpu_has_bug(X86_BUG_VMSCAPE),
		.verw = boot_cpu_has(X86_FEATURE_CLEAR_CPU_BUF) ||
			boot_cpu_has(X86_FEATURE_CLEAR_CPU_BUF_VM),
		.verw_mmio = static_key_enabled(&mmio_stale_data_clear),
		.rsb_fill = boot_cpu_has(X86_FEATURE_RSB_VMEXIT),
		.rsb_one = boot_cpu_has(X86_FEATURE_RSB_VMEXIT_LITE),
		.eibrs = boot_cpu_has(X86_FEATURE_IBRS_ENHANCED) && ibrs_set,
		.retpoline = boot_cpu_has(X86_FEATURE_RETPOLINE),
		.bhb_loop = boot_cpu_has(X86_FEATURE_CLEAR_BHB_LOOP_ON_VMEXIT),
		.bhi_dis_s = boot_cpu_has(X86_FEATURE_CLEAR_BHB_HW),
		.ibpb = boot_cpu_has(X86_FEATURE_USE_IBPB),
		.ibpb_to_user = boot_cpu_has(X86_FEATURE_IBPB_EXIT_TO_USER),
		.spec_ctrl = boot_cpu_has(X86_FEATURE_MSR_SPEC_CTRL),
		.l1tf_wish = l1tf_wish(),
		.l1d_param = param,
		.arch_caps = arch_caps(),
	};
}

static_assert(VMX_MITIGATIONS == MITIGATION_COUNT);

const char *vmx_mitigation_name(unsigned int i)
{
	return mitigation_name(i);
}

int vmx_mitigation_text(unsigned int i, char *buf, size_t len)
{
	/* The words of /sys/devices/system/cpu/vulnerabilities. */
	static const char * const states[] = {
		[MITIGATION_NOT_NEEDED] = "Not affected",
		[MITIGATION_ON] = "Mitigation",
		[MITIGATION_OFF] = "Vulnerable",
	};
	struct mitigation_facts f = facts;
	struct mitigation m;

	/* Of what was found at load this alone comes and goes. */
	f.smt = sched_smt_active();
	m = mitigation_decide(i, &f);
	return scnprintf(buf, len, "%s: %s\n", states[m.state], m.reason);
}

u64 vmx_arch_capabilities(void)
{
	return mitigation_arch_caps(&facts);
}

static int decide_nx_large(void)
{
	facts.itlb_multihit = boot_cpu_has_bug(X86_BUG_ITLB_MULTIHIT);
	if (sysfs_streq(nx_param, "force"))
		facts.nx_large = true;
	else if (sysfs_streq(nx_param, "auto"))
		facts.nx_large = facts.itlb_multihit && !cpu_mitigations_off();
	else if (!sysfs_streq(nx_param, "off"))
		return -EINVAL;
	ept_nx_large = facts.nx_large;
	return 0;
}

int vmx_speculation_init(void)
{
	unsigned int i;
	int param;

	param = match_string(l1d_names, L1D_MODES, l1d_param);
	if (param < 0) {
		pr_err("not loaded: vmentry_l1d_flush=%s is none of auto, never, cond, always\n",
		       l1d_param);
		return -EINVAL;
	}
	find_facts(param);
	if (decide_nx_large()) {
		pr_err("not loaded: nx_huge_pages=%s is none of auto, off, force\n", nx_param);
		return -EINVAL;
	}
	l1d = mitigation_l1d(&facts);
	if (l1d == L1D_NEVER || boot_cpu_has(X86_FEATURE_FLUSH_L1D))
		return 0;
	l1d_buffer = (u8 *)__get_free_pages(GFP_KERNEL, L1D_ORDER);
	if (!l1d_buffer)
		return -ENOMEM;
	/* No two pages alike, or a hypervisor below could make them one. */
	for (i = 0; i < 1 << L1D_ORDER; i++)
		memset(l1d_buffer + i * PAGE_SIZE, i + 1, PAGE_SIZE);
	return 0;
}

void vmx_speculation_exit(void)
{
	free_pages((unsigned long)l1d_buffer, L1D_ORDER);
}

/* Without the microcode's command: other lines take the place of every line there. */
static void flush_l1d_by_reading(void)
{
	unsigned long i;

	/* The translations first, so that no page walk comes between the lines. */
	for (i = 0; i < L1D_BYTES; i += PAGE_SIZE)
		READ_ONCE(l1d_buffer[i]);
	sync_core();
	for (i = 0; i < L1D_BYTES; i += CACHE_LINE)
		READ_ONCE(l1d_buffer[i]);
	barrier_nospec();
}

static bool l1d_due(struct nv_vcpu *vcpu)
{
	bool due = vcpu->vmx.l1d_due || l1d == L1D_ALWAYS;

	/* Interrupt handlers, whatever they touched, leave a mark for KVM: it is ours too. */
	due |= kvm_get_cpu_l1tf_flush_l1d();
	vcpu->vmx.l1d_due = false;
	kvm_clear_cpu_l1tf_flush_l1d();
	return due;
}

static void flush_l1d(void)
{
	if (l1d_buffer)
		flush_l1d_by_reading();
	else
		wrmsrl(IA32_FLUSH_CMD, L1D_FLUSH);
}

void vmx_speculation_before_entry(struct nv_vcpu *vcpu)
{
	struct vmx_cpu *c = this_cpu_ptr(&vmx_cpus);

	if (c->history != vcpu->vmx.history) {
		/* Another guest's branch history must not steer this one, nor L2's L1. */
		indirect_branch_prediction_barrier();
		c->history = vcpu->vmx.history;
	}
	if (l1d != L1D_NEVER && l1d_due(vcpu))
		flush_l1d();
	/*
	 * VERW for the other bugs is the last thing before the entry, in enter_asm.S. KVM does
	 * this one for guests that have a device; which memory is a device's we do not tell.
	 */
	if (static_branch_unlikely(&mmio_stale_data_clear))
		x86_clear_cpu_buffers();
	if (boot_cpu_has(X86_FEATURE_MSR_SPEC_CTRL))
		vcpu->regs.spec_ctrl_host = spec_ctrl_current();
}

void vmx_speculation_after_exit(struct nv_vcpu *vcpu)
{
	/* The kernel issues an IBPB before the first return to user space: VMSCAPE. */
	if (cpu_feature_enabled(X86_FEATURE_IBPB_EXIT_TO_USER))
		this_cpu_write(x86_ibpb_exit_to_user, true);
}
