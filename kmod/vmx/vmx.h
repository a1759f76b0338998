/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The door of vmx/: our use of VT-x. "Current" below means the current VMCS,
 * which is vmcs02 while vcpu->l2 and vmcs01 otherwise.
 */
#ifndef NESTVM_VMX_H
#define NESTVM_VMX_H

#include "addr.h"
#include "vmx/caps.h"
#include "vmx/vmcs.h"
#include "vmx/vmx_defs.h"
#include "x86.h"

struct nv_vcpu;
struct nv_vm;
enum nv_next;

/* vmx/percpu.c */
int vmx_hardware_init(void);		/* refuses, with the reason in the log */
void vmx_hardware_exit(void);

/* Part of struct nv_vcpu that vmx/ owns; nested/ reads it. */
struct vmx_vcpu {
	struct nv_vmcs *vmcs01;
	struct nv_vmcs *vmcs;		/* the current one: vmcs01 or a vmcs02 */
	struct vmx_ctls ctls;		/* of vmcs01: pin, proc, proc2, exit, entry */
	unsigned long *msr_bitmap;	/* vmcs01's, one page */
	u64 eptp01;			/* EPT01's, without flags once a walk met ROM */
	u16 vpid01, vpid02;		/* here, in this round; 0: VPID not used */
	u64 vpid_round;			/* struct vmx_cpu's when they were taken */
	u32 exit_reason;		/* of the last exit, with bit 31 */
	u32 idt_vectoring;		/* IDT-vectoring information of that exit */
	bool failed_entry;		/* VMLAUNCH/VMRESUME itself failed (VMfail) */
	u64 history;			/* whose branch history is its guest's: new after L2 */
	bool l1d_due;			/* the host did more since the exit than the L1D may show */
	/* Host values taken at load, put back at put. */
	bool host_saved;
	u16 host_fs, host_gs, host_ds, host_es, host_ldt;
	u64 host_kernel_gs_base, host_fs_base;
	u64 host_star, host_lstar, host_cstar, host_fmask, host_tsc_aux;
	u64 host_debugctl;		/* as of the last entry */
	struct vmx_msr_areas *msr_areas;
	bool msrs_loaded;		/* the guest's syscall MSRs are in the CPU */
};

/* Creation and reset of a vCPU's VMX part. */
int vmx_vcpu_create(struct nv_vcpu *vcpu);
void vmx_vcpu_destroy(struct nv_vcpu *vcpu);
void vmx_vcpu_reset(struct nv_vcpu *vcpu, bool init);	/* vmcs01 current */
void vmx_vcpu_load(struct nv_vcpu *vcpu, int cpu);	/* preemption off */
void vmx_vcpu_put(struct nv_vcpu *vcpu);		/* preemption off */

/*
 * Make @to current in place of the current VMCS; its host fields are brought
 * up to date for this CPU. vcpu loaded.
 */
void vmx_switch_vmcs(struct nv_vcpu *vcpu, struct nv_vmcs *to);

/*
 * Fields that never change: host state, MSR areas (none), PAUSE-loop limits, the entry
 * point, into the current VMCS; once for every new vmcs01 and vmcs02.
 */
void vmx_write_host_state(struct nv_vcpu *vcpu);

/* The guest's syscall MSRs, if the CPU holds them, back into struct nv_vcpu. */
void vmx_sync_guest_msrs(struct nv_vcpu *vcpu);

/*
 * The mitigations of the CPU's bugs, 0 to VMX_MITIGATIONS - 1: a name, and "Not affected",
 * "Mitigation" or "Vulnerable" with the reason, a line. vmx/mitigations.c
 */
#define VMX_MITIGATIONS	12
const char *vmx_mitigation_name(unsigned int i);
int vmx_mitigation_text(unsigned int i, char *buf, size_t len);

/* IA32_ARCH_CAPABILITIES as guests can have it here. */
u64 vmx_arch_capabilities(void);
/* From now on the guest reads and writes IA32_SPEC_CTRL without an exit. */
void vmx_pass_spec_ctrl(struct nv_vcpu *vcpu);

/* The next entry, on whichever CPU, begins without this guest's branch history. */
void vmx_forget_history(struct nv_vcpu *vcpu);

/* CPUID or exposure changed: refresh controls that depend on them (vmcs01 current). */
void vmx_update_controls(struct nv_vcpu *vcpu);

/*
 * The last entry met a machine check: SDM 3C "Machine-Check Events During VM Entry". It is
 * the host's; nothing was entered, and what was to be injected still is.
 */
static inline bool vmx_entry_met_mce(const struct vmx_vcpu *vmx)
{
	return !vmx->failed_entry &&
	       vmx->exit_reason == (VMEXIT_MCE_DURING_ENTRY | VMEXIT_ENTRY_FAILURE);
}

/* One entry and exit. IRQs off; leaves them off. vmx/enter.c */
void vmx_enter(struct nv_vcpu *vcpu);
/* Right after vmx_enter(), IRQs still off: NMIs and machine checks of the host. */
void vmx_after_exit_irqoff(struct nv_vcpu *vcpu);

/* Is the exception of interruption information @info the host's split-lock detection? */
bool vmx_is_split_lock(struct nv_vcpu *vcpu, u32 info);

/* vmx/exit.c: handle the exit of the last entry. Preemptible, IRQs on. */
enum nv_next vmx_handle_exit(struct nv_vcpu *vcpu);

/*
 * Take back, after an exit, an event whose delivery the exit interrupted
 * (IDT-vectoring information to ev.reinject). vmx/inject.c
 */
void vmx_take_unfinished_event(struct nv_vcpu *vcpu);

/* Choose an event and write it into the current VMCS, or open a window. vmx/inject.c */
void vmx_inject_events(struct nv_vcpu *vcpu);
/* The delivery of an exception that waits begins, unless another event's has: CR2, DR6. */
void vmx_begin_exception(struct nv_vcpu *vcpu);
/* An event was written for an entry that will not be: back to ev. vmx/inject.c */
void vmx_cancel_injection(struct nv_vcpu *vcpu);
void vmx_request_intr_window(struct nv_vcpu *vcpu);
void vmx_request_nmi_window(struct nv_vcpu *vcpu);
bool vmx_intr_allowed(struct nv_vcpu *vcpu);	/* RFLAGS.IF, STI, MOV SS of the current VMCS */
bool vmx_nmi_allowed(struct nv_vcpu *vcpu);
/* An external interrupt waits: in the local APIC, the PIC, or user space's KVM_INTERRUPT. */
bool vmx_intr_pending(struct nv_vcpu *vcpu);
int vmx_intr_ack(struct nv_vcpu *vcpu);		/* its vector; -1: withdrawn meanwhile */
bool vmx_nmi_masked(struct nv_vcpu *vcpu);
/*
 * So many NMIs have come. SDM 3A "Handling Multiple NMIs": while one is handled at most
 * one is latched; else two are kept, for the first would have been delivered by now.
 */
void vmx_add_nmis(struct nv_vcpu *vcpu, unsigned int count);
void vmx_set_nmi_masked(struct nv_vcpu *vcpu, bool masked);

/* Flush what this vCPU's L1 has cached: INVEPT of EPT01, INVVPID of vpid01. */
void vmx_flush_tlb(struct nv_vcpu *vcpu);
void vmx_invept(u64 eptp);		/* single-context */
void vmx_invvpid(u16 vpid);		/* single-context; 0 is ignored */

/* Registers kept in the current VMCS. */
static inline u64 vmx_rip(void)
{
	return vmcs_read(VMCS_GUEST_RIP);
}

static inline void vmx_set_rip(u64 rip)
{
	vmcs_write(VMCS_GUEST_RIP, rip);
}

static inline u64 vmx_rflags(void)
{
	return vmcs_read(VMCS_GUEST_RFLAGS);
}

static inline void vmx_set_rflags(u64 rflags)
{
	vmcs_write(VMCS_GUEST_RFLAGS, rflags);
}

u64 vmx_reg(struct nv_vcpu *vcpu, unsigned int reg);
void vmx_set_reg(struct nv_vcpu *vcpu, unsigned int reg, u64 value);

/* Control registers as the running guest (L1 or L2) sees them. */
u64 vmx_cr0(struct nv_vcpu *vcpu);
/* Who owns a bit of CR0 has changed, its value has not. */
void vmx_update_cr0_mask(struct nv_vcpu *vcpu);
u64 vmx_cr3(struct nv_vcpu *vcpu);
u64 vmx_cr4(struct nv_vcpu *vcpu);
u64 vmx_efer(struct nv_vcpu *vcpu);
bool vmx_long_mode(struct nv_vcpu *vcpu);	/* EFER.LMA */
bool vmx_cs_64(struct nv_vcpu *vcpu);		/* 64-bit mode: LMA and CS.L */
unsigned int vmx_cpl(struct nv_vcpu *vcpu);	/* DPL of SS */

/*
 * Set them for L1 (vmcs01 current): value, read shadow, fixed bits, and what
 * hangs on them (IA-32e entry control, PDPTEs). No validity check: the caller
 * has made it (cpu_valid.h). PDPTEs are read from memory by vmx_load_pdptes().
 */
void vmx_set_cr0(struct nv_vcpu *vcpu, u64 cr0);
void vmx_set_cr3(struct nv_vcpu *vcpu, u64 cr3);
void vmx_set_cr4(struct nv_vcpu *vcpu, u64 cr4);
void vmx_set_efer(struct nv_vcpu *vcpu, u64 efer);

/* The bits of CR0 and CR4 that L0 keeps from the running guest (host masks of vmcs01). */
u64 vmx_cr0_host_mask(struct nv_vcpu *vcpu);
u64 vmx_cr4_host_mask(struct nv_vcpu *vcpu);
/* The hardware value for a guest value: fixed bits forced, host's MCE and VMXE added. */
u64 vmx_cr0_for_hardware(u64 guest_cr0);
u64 vmx_cr4_for_hardware(u64 guest_cr4);

struct nv_segment {
	u16 sel;
	u32 limit;
	u32 ar;		/* VMCS layout, SEG_AR_* */
	u64 base;
};

void vmx_get_segment(enum nv_seg seg, struct nv_segment *s);
void vmx_set_segment(enum nv_seg seg, const struct nv_segment *s);

#endif
