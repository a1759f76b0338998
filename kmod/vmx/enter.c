// SPDX-License-Identifier: GPL-2.0
/*
 * What surrounds one VM entry: the registers that no VMCS switches, and handing the
 * host its NMIs and machine checks. All with IRQs off.
 */
#include <linux/context_tracking.h>
#include <linux/kvm.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>
#include <asm/processor.h>
#include <asm/debugreg.h>
#include <asm/mmu_context.h>
#include <asm/msr.h>
#include <asm/tlbflush.h>
#include "vcpu.h"
#include "vmx/fpu.h"
#include "vmx/host_msrs.h"
#include "vmx/setup.h"
#include "vmx/speculation.h"

static_assert(offsetof(struct nv_regs, gpr) == 0);
static_assert(REG_RDI == 7 && REG_R15 == 15);
static_assert(offsetof(struct nv_regs, spec_ctrl) == 17 * 8);
static_assert(offsetof(struct nv_regs, spec_ctrl_host) == 18 * 8);
static_assert(offsetof(struct nv_regs, spec_ctrl_passed) == 19 * 8);

/* CR3 and CR4 of the host change with the task and the CPU: follow them. */
static void refresh_host_state(struct nv_vmcs *vmcs)
{
	unsigned long cr3 = __get_current_cr3_fast();
	unsigned long cr4 = native_read_cr4();

	if (cr3 != vmcs->host_cr3) {
		vmcs_write(VMCS_HOST_CR3, cr3);
		vmcs->host_cr3 = cr3;
	}
	if (cr4 != vmcs->host_cr4) {
		vmcs_write(VMCS_HOST_CR4, cr4);
		vmcs->host_cr4 = cr4;
	}
}

/* Its numbers change with the CPU, and there when they were all taken. */
static void refresh_vpid(struct nv_vmcs *vmcs, u16 vpid)
{
	if (vpid == vmcs->vpid)
		return;
	vmcs_write(VMCS_VPID, vpid);
	vmcs->vpid = vpid;
}

struct host_debug {
	bool saved;
	unsigned long dr[4], dr7;
};

/* Breakpoint addresses are the CPU's: swap them only if one side uses them. */
static void load_debug(struct nv_vcpu *vcpu, struct host_debug *h)
{
	bool guest_uses = vmcs_read(VMCS_GUEST_DR7) & 0xff;

	h->saved = guest_uses || hw_breakpoint_active();
	if (!h->saved)
		return;
	get_debugreg(h->dr[0], 0);
	get_debugreg(h->dr[1], 1);
	get_debugreg(h->dr[2], 2);
	get_debugreg(h->dr[3], 3);
	get_debugreg(h->dr7, 7);
	set_debugreg(0ul, 7);
	set_debugreg((unsigned long)vcpu->dr[0], 0);
	set_debugreg((unsigned long)vcpu->dr[1], 1);
	set_debugreg((unsigned long)vcpu->dr[2], 2);
	set_debugreg((unsigned long)vcpu->dr[3], 3);
}

static void unload_debug(const struct host_debug *h)
{
	if (!h->saved)
		return;
	set_debugreg(h->dr[0], 0);
	set_debugreg(h->dr[1], 1);
	set_debugreg(h->dr[2], 2);
	set_debugreg(h->dr[3], 3);
	set_debugreg((unsigned long)DR6_FIXED1, 6);
	set_debugreg(h->dr7, 7);
}

/*
 * In the guest the CPU holds nothing of RCU's, as in user space; where context is
 * tracked (nohz_full), nobody need interrupt it to ask. Nothing in here may use RCU.
 */
static noinstr void switch_to_guest(struct nv_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = &vcpu->vmx;

	context_tracking_guest_enter();
	vmx->failed_entry = vmx_switch(&vcpu->regs, vmx->vmcs->launched, &vmx->vmcs->host_rsp);
	context_tracking_guest_exit();
}

void vmx_enter(struct nv_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = &vcpu->vmx;
	struct host_debug debug;
	u64 start;

	refresh_host_state(vmx->vmcs);
	refresh_vpid(vmx->vmcs, vcpu->l2 ? vmx->vpid02 : vmx->vpid01);
	vmx_load_guest_msrs(vcpu);
	vmx->host_saved = true;
	vmx_fpu_load(vcpu);
	load_debug(vcpu, &debug);
	if (vcpu->regs.cr2 != native_read_cr2())
		native_write_cr2(vcpu->regs.cr2);
	vmx_host_msrs_leave(vcpu);
	if (!context_tracking_enabled_this_cpu())
		rcu_note_context_switch(false);
	vmx_speculation_before_entry(vcpu);

	start = rdtsc();
	switch_to_guest(vcpu);
	vmx_speculation_after_exit(vcpu);
	vcpu->stats.value[vcpu->l2 ? STAT_time_l2 : STAT_time_l1] += rdtsc() - start;

	vmx_host_msrs_return(vcpu);
	vcpu->regs.cr2 = native_read_cr2();
	unload_debug(&debug);
	vmx_fpu_save(vcpu);

	if (unlikely(vmx->failed_entry))
		return;
	vmx->exit_reason = vmcs_read(VMCS_EXIT_REASON);
	vmx->idt_vectoring = vmcs_read(VMCS_IDT_VECTORING_INFO);
	if (!(vmx->exit_reason & VMEXIT_ENTRY_FAILURE))
		vmx->vmcs->launched = true;
}

void vmx_after_exit_irqoff(struct nv_vcpu *vcpu)
{
	u32 info;

	if (vcpu->vmx.failed_entry)
		return;
	if (vmx_entry_met_mce(&vcpu->vmx))
		asm volatile("int $18");
	if ((vcpu->vmx.exit_reason & VMEXIT_BASIC_MASK) != VMEXIT_EXCEPTION_NMI)
		return;
	info = vmcs_read(VMCS_EXIT_INTR_INFO);
	/*
	 * The handlers run through the IDT, as if the event came now. The IRET of the
	 * NMI handler also ends the blocking of NMIs that the exit began.
	 */
	if ((info & INTR_INFO_TYPE) == INTR_TYPE_NMI)
		asm volatile("int $2");
	else if ((info & INTR_INFO_VECTOR) == VEC_MC)
		asm volatile("int $18");
}
