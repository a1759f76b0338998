// SPDX-License-Identifier: GPL-2.0
/* First contents of vmcs01: controls, host state, reset state, MSR bitmap. */
#include "vmx/setup.h"
#include <linux/slab.h>
#include <asm/desc.h>
#include <asm/mmu_context.h>
#include <asm/msr.h>
#include "cpu.h"
#include "cpuid_bits.h"
#include "ept/ept.h"
#include "irq.h"
#include "vcpu.h"
#include "vlapic.h"
#include "vmx/bitmap.h"
#include "vmx/percpu.h"
#include "vmx/fpu.h"
#include "vmx/host_msrs.h"
#include "vmx/vpid.h"

/*
 * Always intercepted: #DB, because DR6 is kept in software; #AC and #DB, because
 * their endless delivery would hold the CPU (CVE-2015-5307, CVE-2015-8104); #MC is
 * the host's.
 */
#define EXCEPTIONS_ALWAYS	(BIT(VEC_DB) | BIT(VEC_AC) | BIT(VEC_MC))

/*
 * PAUSE-loop exiting, in TSC ticks: PAUSEs no farther apart than the gap are one
 * loop; a loop longer than the window spins for a vCPU that does not run.
 */
#define PAUSE_GAP	128
#define PAUSE_WINDOW	4096

/*
 * MSRs that the guest reads and writes without an exit: the VMCS switches
 * them, or vmx_vcpu_load()/put() do.
 */
static const u32 passed_msrs[] = {
	IA32_SYSENTER_CS, IA32_SYSENTER_ESP, IA32_SYSENTER_EIP, IA32_FS_BASE, IA32_GS_BASE,
	IA32_KERNEL_GS_BASE, IA32_STAR, IA32_LSTAR, IA32_FMASK,
};

void vmx_write_host_state(struct nv_vcpu *vcpu)
{
	struct desc_ptr idt;
	u64 value;

	vmcs_write(VMCS_HOST_CR0, read_cr0());
	vmcs_write(VMCS_HOST_CS_SEL, __KERNEL_CS);
	vmcs_write(VMCS_HOST_SS_SEL, __KERNEL_DS);
	/* User space's data selectors are put back at vmx_vcpu_put(). */
	vmcs_write(VMCS_HOST_DS_SEL, 0);
	vmcs_write(VMCS_HOST_ES_SEL, 0);
	vmcs_write(VMCS_HOST_FS_SEL, 0);
	vmcs_write(VMCS_HOST_GS_SEL, 0);
	vmcs_write(VMCS_HOST_TR_SEL, GDT_ENTRY_TSS * 8);
	store_idt(&idt);
	vmcs_write(VMCS_HOST_IDTR_BASE, idt.address);
	rdmsrl(IA32_SYSENTER_CS, value);
	vmcs_write(VMCS_HOST_SYSENTER_CS, value);
	rdmsrl(IA32_SYSENTER_EIP, value);
	vmcs_write(VMCS_HOST_SYSENTER_EIP, value);
	rdmsrl(IA32_PAT, value);
	vmcs_write(VMCS_HOST_PAT, value);
	rdmsrl(IA32_EFER, value);
	vmcs_write(VMCS_HOST_EFER, value);
	vmcs_write(VMCS_HOST_RIP, (unsigned long)vmx_exit_point);
	vmcs_write(VMCS_HOST_FS_BASE, vcpu->vmx.host_fs_base);
	vmcs_write(VMCS_LINK_POINTER, VMCS_NONE);
	vmcs_write(VMCS_EXIT_MSR_STORE_COUNT, 0);
	vmx_msr_areas_write(vcpu);
	if (vmx_caps.base.proc2 & PROC2_PAUSE_LOOP) {
		vmcs_write(VMCS_PLE_GAP, PAUSE_GAP);
		vmcs_write(VMCS_PLE_WINDOW, PAUSE_WINDOW);
	}
}

/* Host fields that belong to this physical CPU. Preemption off. */
static void write_cpu_host_state(struct nv_vmcs *vmcs)
{
	int cpu = smp_processor_id();
	u64 value;

	if (vmcs->host_cpu == cpu)
		return;
	vmcs_write(VMCS_HOST_TR_BASE, (unsigned long)&get_cpu_entry_area(cpu)->tss.x86_tss);
	vmcs_write(VMCS_HOST_GDTR_BASE, (unsigned long)get_current_gdt_ro());
	rdmsrl(IA32_GS_BASE, value);
	vmcs_write(VMCS_HOST_GS_BASE, value);
	rdmsrl(IA32_SYSENTER_ESP, value);
	vmcs_write(VMCS_HOST_SYSENTER_ESP, value);
	vmcs->host_cpu = cpu;
}

void vmx_switch_vmcs(struct nv_vcpu *vcpu, struct nv_vmcs *to)
{
	preempt_disable();
	vcpu->vmx.vmcs = to;
	vmcs_load(to);
	write_cpu_host_state(to);
	vmcs_write(VMCS_HOST_FS_BASE, vcpu->vmx.host_fs_base);
	preempt_enable();
}

void vmx_vcpu_load(struct nv_vcpu *vcpu, int cpu)
{
	struct vmx_vcpu *vmx = &vcpu->vmx;
	struct vmx_cpu *c = this_cpu_ptr(&vmx_cpus);

	/* On a CPU that is going off line, see go_offline(). */
	if (unlikely(!c->on))
		vmx_cpu_on();

	savesegment(fs, vmx->host_fs);
	savesegment(gs, vmx->host_gs);
	savesegment(ds, vmx->host_ds);
	savesegment(es, vmx->host_es);
	store_ldt(vmx->host_ldt);
	rdmsrl(IA32_FS_BASE, vmx->host_fs_base);

	/* What it has had one CPU's predictors forget, this one's may still hold. */
	if (vcpu->last_cpu != cpu)
		vmx_forget_history(vcpu);
	vmx_tlb_load(vcpu, cpu);
	vmcs_load(vmx->vmcs);
	write_cpu_host_state(vmx->vmcs);
	vmcs_write(VMCS_HOST_FS_BASE, vmx->host_fs_base);
	vmx->l1d_due = true;
}

static void load_guest_msrs(struct nv_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = &vcpu->vmx;

	rdmsrl(IA32_STAR, vmx->host_star);
	rdmsrl(IA32_LSTAR, vmx->host_lstar);
	rdmsrl(IA32_FMASK, vmx->host_fmask);
	rdmsrl(IA32_KERNEL_GS_BASE, vmx->host_kernel_gs_base);
	wrmsrl(IA32_STAR, vcpu->star);
	wrmsrl(IA32_LSTAR, vcpu->lstar);
	wrmsrl(IA32_FMASK, vcpu->fmask);
	wrmsrl(IA32_KERNEL_GS_BASE, vcpu->kernel_gs_base);
	if (vmx_caps.base.proc2 & PROC2_RDTSCP) {
		rdmsrl(IA32_TSC_AUX, vmx->host_tsc_aux);
		wrmsrl(IA32_TSC_AUX, vcpu->tsc_aux);
	}
	vmx->msrs_loaded = true;
}

static void unload_guest_msrs(struct nv_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = &vcpu->vmx;

	/* The guest writes these without our seeing it. */
	rdmsrl(IA32_STAR, vcpu->star);
	rdmsrl(IA32_LSTAR, vcpu->lstar);
	rdmsrl(IA32_FMASK, vcpu->fmask);
	rdmsrl(IA32_KERNEL_GS_BASE, vcpu->kernel_gs_base);
	wrmsrl(IA32_STAR, vmx->host_star);
	wrmsrl(IA32_LSTAR, vmx->host_lstar);
	wrmsrl(IA32_FMASK, vmx->host_fmask);
	wrmsrl(IA32_KERNEL_GS_BASE, vmx->host_kernel_gs_base);
	if (vmx_caps.base.proc2 & PROC2_RDTSCP)
		wrmsrl(IA32_TSC_AUX, vmx->host_tsc_aux);
	vmx->msrs_loaded = false;
}

void vmx_load_guest_msrs(struct nv_vcpu *vcpu)
{
	unsigned long flags;

	local_irq_save(flags);
	if (!vcpu->vmx.msrs_loaded)
		load_guest_msrs(vcpu);
	local_irq_restore(flags);
}

void vmx_sync_guest_msrs(struct nv_vcpu *vcpu)
{
	unsigned long flags;

	local_irq_save(flags);
	if (vcpu->vmx.msrs_loaded)
		unload_guest_msrs(vcpu);
	local_irq_restore(flags);
}

void vmx_vcpu_put(struct nv_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = &vcpu->vmx;
	unsigned long flags;

	vmx_sync_guest_msrs(vcpu);
	if (!vmx->host_saved)
		goto out;
	vmx->host_saved = false;
	/*
	 * A VM exit loads null into these and LDTR, and limits of FFFFH into GDTR
	 * and 67H into TR (SDM 3C "Loading Host Segment and Descriptor-Table
	 * Registers").
	 */
	if (vmx->host_ldt)
		asm volatile("lldt %0" : : "m" (vmx->host_ldt));
	if (vmx->host_gs) {
		local_irq_save(flags);
		load_gs_index(vmx->host_gs);
		wrmsrl(IA32_KERNEL_GS_BASE, vmx->host_kernel_gs_base);
		local_irq_restore(flags);
	}
	if (vmx->host_fs) {
		loadsegment(fs, vmx->host_fs);
		wrmsrl(IA32_FS_BASE, vmx->host_fs_base);
	}
	if (vmx->host_ds || vmx->host_es) {
		loadsegment(ds, vmx->host_ds);
		loadsegment(es, vmx->host_es);
	}
	invalidate_tss_limit();
	load_fixmap_gdt(raw_smp_processor_id());
out:
	if (unlikely(!cpu_active(raw_smp_processor_id()))) {
		local_irq_save(flags);
		vmx_cpu_off();
		local_irq_restore(flags);
	}
}

static void pass_if(struct nv_vcpu *vcpu, u32 msr, u32 access, bool pass)
{
	if (pass)
		msr_bitmap_pass(vcpu->vmx.msr_bitmap, msr, access);
	else
		msr_bitmap_intercept(vcpu->vmx.msr_bitmap, msr, access);
}

void vmx_pass_spec_ctrl(struct nv_vcpu *vcpu)
{
	vcpu->regs.spec_ctrl_passed = true;
	pass_if(vcpu, IA32_SPEC_CTRL, MSR_READ_WRITE, true);
}

void vmx_update_controls(struct nv_vcpu *vcpu)
{
	struct vmx_ctls *c = &vcpu->vmx.ctls;

	*c = vmx_caps.base;
	/* Without an in-kernel local APIC CR8 is user space's. */
	if (!vcpu->lapic)
		c->proc = (c->proc & ~PROC_TPR_SHADOW) | PROC_CR8_LOAD | PROC_CR8_STORE;
	/* An instruction whose CPUID bit is off must fault as on a CPU without it. */
	if (!(vcpu->features.f80000001_edx & CPUID_80000001_EDX_RDTSCP))
		c->proc2 &= ~PROC2_RDTSCP;
	if (!(vcpu->features.f7_ebx & CPUID_7_EBX_INVPCID))
		c->proc2 &= ~PROC2_INVPCID;

	vmcs_write(VMCS_PIN_CTLS, c->pin);
	vmcs_write(VMCS_PROC_CTLS, c->proc);
	vmcs_write(VMCS_PROC2_CTLS, c->proc2);
	vmcs_write(VMCS_EXIT_CTLS, c->exit);
	/* The IA-32e bit follows EFER.LMA. */
	vmcs_write(VMCS_ENTRY_CTLS, c->entry | (vmcs_read(VMCS_ENTRY_CTLS) & ENTRY_IA32E));
	vmcs_write(VMCS_CR0_MASK, vmx_cr0_host_mask(vcpu));
	vmcs_write(VMCS_CR4_MASK, vmx_cr4_host_mask(vcpu));
	if (c->proc & PROC_TPR_SHADOW) {
		vmcs_write(VMCS_VIRTUAL_APIC, vlapic_page(vcpu).v);
		vmcs_write(VMCS_TPR_THRESHOLD, 0);
	}
	if (c->proc2 & PROC2_RDTSCP)
		msr_bitmap_pass(vcpu->vmx.msr_bitmap, IA32_TSC_AUX, MSR_READ_WRITE);
	/* Commands to the CPU, which they concern alone. */
	pass_if(vcpu, IA32_PRED_CMD, MSR_WRITE, vcpu->features.f7_edx & CPUID_7_EDX_SPEC_CTRL);
	pass_if(vcpu, IA32_FLUSH_CMD, MSR_WRITE, vcpu->features.f7_edx & CPUID_7_EDX_FLUSH_L1D);
}

static void setup_vmcs01(struct nv_vcpu *vcpu)
{
	vmx_write_host_state(vcpu);
	vmcs_write(VMCS_EXCEPTION_BITMAP, EXCEPTIONS_ALWAYS);
	vmcs_write(VMCS_PF_EC_MASK, 0);
	vmcs_write(VMCS_PF_EC_MATCH, 0);
	vmcs_write(VMCS_CR3_TARGET_COUNT, 0);
	vmcs_write(VMCS_ENTRY_INTR_INFO, 0);
	vmcs_write(VMCS_ENTRY_CTLS, vmx_caps.base.entry);
	vmcs_write(VMCS_MSR_BITMAP, __pa(vcpu->vmx.msr_bitmap));
	vmcs_write(VMCS_TSC_OFFSET, vcpu->tsc_offset);
	vcpu->vmx.eptp01 = vcpu->vm->ept.eptp;
	vmcs_write(VMCS_EPTP, vcpu->vmx.eptp01);
	vmcs_write(VMCS_GUEST_DEBUGCTL, 0);
	vmx_update_controls(vcpu);
}

int vmx_vcpu_create(struct nv_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = &vcpu->vmx;
	unsigned int i;
	int ret;

	vmx->vmcs01 = vmcs_alloc(false);
	if (!vmx->vmcs01)
		return -ENOMEM;
	vmx->vmcs = vmx->vmcs01;
	ret = -ENOMEM;
	vmx->msr_bitmap = (unsigned long *)__get_free_page(GFP_KERNEL_ACCOUNT);
	if (!vmx->msr_bitmap)
		goto free_vmcs;
	msr_bitmap_intercept_all(vmx->msr_bitmap);
	for (i = 0; i < ARRAY_SIZE(passed_msrs); i++)
		msr_bitmap_pass(vmx->msr_bitmap, passed_msrs[i], MSR_READ_WRITE);
	/* Reading gives the VMCS's values; writing has rules of its own. */
	msr_bitmap_pass(vmx->msr_bitmap, IA32_TSC, MSR_READ);
	msr_bitmap_pass(vmx->msr_bitmap, IA32_EFER, MSR_READ);
	msr_bitmap_pass(vmx->msr_bitmap, IA32_PAT, MSR_READ);
	/* A KVM that runs as L1 reads it before every entry. */
	msr_bitmap_pass(vmx->msr_bitmap, IA32_DEBUGCTL, MSR_READ);
	vmx->msr_areas = kzalloc(sizeof(*vmx->msr_areas), GFP_KERNEL_ACCOUNT);
	if (!vmx->msr_areas)
		goto free_bitmap;
	ret = vmx_fpu_create(vcpu);
	if (ret)
		goto free_areas;
	vmx->ctls = vmx_caps.base;
	vmx_forget_history(vcpu);

	nv_vcpu_load(vcpu);
	setup_vmcs01(vcpu);
	nv_vcpu_put(vcpu);
	return 0;

free_areas:
	kfree(vmx->msr_areas);
free_bitmap:
	free_page((unsigned long)vmx->msr_bitmap);
free_vmcs:
	vmcs_free(vmx->vmcs01);
	vmx->vmcs01 = NULL;
	return ret;
}

void vmx_vcpu_destroy(struct nv_vcpu *vcpu)
{
	struct vmx_vcpu *vmx = &vcpu->vmx;

	if (!vmx->vmcs01)
		return;
	vmcs_free(vmx->vmcs01);
	free_page((unsigned long)vmx->msr_bitmap);
	kfree(vmx->msr_areas);
	vmx_fpu_destroy(vcpu);
}

/* SDM 3A "Processor State After Reset", table of register values. */
void vmx_vcpu_reset(struct nv_vcpu *vcpu, bool init)
{
	static const struct nv_segment data = { .limit = 0xffff, .ar = 0x93 };
	static const struct nv_segment code = {
		.sel = 0xf000, .base = 0xffff0000, .limit = 0xffff, .ar = 0x9b,
	};
	static const struct nv_segment ldtr = { .limit = 0xffff, .ar = 0x82 };
	static const struct nv_segment tr = { .limit = 0xffff, .ar = 0x8b };
	u64 cr0 = CR0_ET;
	int seg;

	/* INIT leaves CD and NW as they are. */
	if (init)
		cr0 |= vmx_cr0(vcpu) & (CR0_CD | CR0_NW);
	else
		cr0 |= CR0_CD | CR0_NW;

	memset(vcpu->regs.gpr, 0, sizeof(vcpu->regs.gpr));
	vcpu->regs.cr2 = 0;
	vcpu->regs.spec_ctrl = 0;
	vcpu->regs.gpr[REG_RDX] = 0x600;

	vmx_set_efer(vcpu, 0);
	vmx_set_cr0(vcpu, cr0);
	vmx_set_cr3(vcpu, 0);
	vmx_set_cr4(vcpu, 0);

	for (seg = SEG_ES; seg <= SEG_GS; seg++)
		vmx_set_segment(seg, seg == SEG_CS ? &code : &data);
	vmx_set_segment(SEG_LDTR, &ldtr);
	vmx_set_segment(SEG_TR, &tr);
	vmcs_write(VMCS_GUEST_GDTR_BASE, 0);
	vmcs_write(VMCS_GUEST_GDTR_LIMIT, 0xffff);
	vmcs_write(VMCS_GUEST_IDTR_BASE, 0);
	vmcs_write(VMCS_GUEST_IDTR_LIMIT, 0xffff);
	vmcs_write(VMCS_GUEST_RIP, 0xfff0);
	vmcs_write(VMCS_GUEST_RSP, 0);
	vmcs_write(VMCS_GUEST_RFLAGS, RFLAGS_FIXED1);
	vmcs_write(VMCS_GUEST_DR7, DR7_FIXED1);
	vmcs_write(VMCS_GUEST_PENDING_DBG, 0);
	vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, 0);
	vmcs_write(VMCS_GUEST_ACTIVITY, ACTIVITY_ACTIVE);
	if (!init) {
		vmcs_write(VMCS_GUEST_SYSENTER_CS, 0);
		vmcs_write(VMCS_GUEST_SYSENTER_ESP, 0);
		vmcs_write(VMCS_GUEST_SYSENTER_EIP, 0);
		vmcs_write(VMCS_GUEST_PAT, IA32_PAT_RESET);
		vmcs_write(VMCS_GUEST_DEBUGCTL, 0);
		vmx_fpu_reset(vcpu);
	}
	vmcs_write(VMCS_ENTRY_INTR_INFO, 0);
	vmx_flush_tlb(vcpu);
}
