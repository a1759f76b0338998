/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The door of nested/: VT-x as L1 sees it. vCPU loaded in every call; functions
 * without another word may be called with L1 or L2 running.
 */
#ifndef NESTVM_NESTED_H
#define NESTVM_NESTED_H

#include "addr.h"
#include "pure.h"

struct kvm_nested_state;
struct nestvm_entry_failure;
struct nv_fault;
struct nv_vcpu;
enum nv_next;

/* Module load: derive what can be offered from the host's capabilities. */
int nested_module_init(void);
void nested_module_exit(void);

/* The vCPU becomes (ceases to be) one of an exposed VM: vcpu->nested. Loaded or not. */
int nested_create(struct nv_vcpu *vcpu);
void nested_destroy(struct nv_vcpu *vcpu);
/* INIT or reset of the vCPU: VMX operation is left, vmcs01 is current after. */
void nested_reset(struct nv_vcpu *vcpu);
/* What vmcs01's MSR bitmap lets pass has changed: vmcs02's follow at the next entry of L1's. */
void nested_msr_bitmap_changed(struct nv_vcpu *vcpu);
/* The vCPU is between VMXON and VMXOFF: INIT is blocked, CR0/CR4 bits are fixed. */
bool nested_in_vmx_operation(struct nv_vcpu *vcpu);
/* Fixed bits while in VMX operation, for CR0/CR4 of L1 and of L2 as they are to act. */
bool nested_cr0_allowed(struct nv_vcpu *vcpu, u64 cr0);
bool nested_cr4_allowed(struct nv_vcpu *vcpu, u64 cr4);

/* What CR0/CR4 hold after MOV of @value: bits that L1 owns are not written by L2. */
u64 nested_cr0_written(struct nv_vcpu *vcpu, u64 value);
u64 nested_cr4_written(struct nv_vcpu *vcpu, u64 value);
/* MOV to CR0/CR4 by L2 that L0 emulates: into vmcs02, read shadow and masks kept right. */
void nested_set_cr0(struct nv_vcpu *vcpu, u64 cr0);
void nested_set_cr4(struct nv_vcpu *vcpu, u64 cr4);

/* MSRs 480H-493H. -EPERM: #GP. FEATURE_CONTROL is in cpu_msr.c. */
int nested_msr_read(struct nv_vcpu *vcpu, u32 msr, u64 *value);
/* By user space: the value it has, or before the first run one that offers less. */
int nested_msr_write(struct nv_vcpu *vcpu, u32 msr, u64 value);
/* The most that this host offers to any L1: KVM_GET_MSRS on the device file. */
bool nested_host_msr(u32 msr, u64 *value);

/* L1's VMX instructions (exit handlers). Check everything themselves, #UD included. */
enum nv_next nested_vmxon(struct nv_vcpu *vcpu);
enum nv_next nested_vmxoff(struct nv_vcpu *vcpu);
enum nv_next nested_vmclear(struct nv_vcpu *vcpu);
enum nv_next nested_vmptrld(struct nv_vcpu *vcpu);
enum nv_next nested_vmptrst(struct nv_vcpu *vcpu);
enum nv_next nested_vmread(struct nv_vcpu *vcpu);
enum nv_next nested_vmwrite(struct nv_vcpu *vcpu);
enum nv_next nested_vmlaunch(struct nv_vcpu *vcpu);
enum nv_next nested_vmresume(struct nv_vcpu *vcpu);
enum nv_next nested_invept(struct nv_vcpu *vcpu);
enum nv_next nested_invvpid(struct nv_vcpu *vcpu);
enum nv_next nested_vmfunc(struct nv_vcpu *vcpu);
enum nv_next nested_vmcall(struct nv_vcpu *vcpu);

/*
 * An exit of L2 (vcpu->l2). True: it was L1's, and L1 now runs (vmcs01 current)
 * at its host RIP with the exit information in vmcs12. False: L0's to handle.
 * Events that were being delivered (ev.reinject) go into vmcs12's
 * IDT-vectoring information when L1 gets the exit.
 */
bool nested_owns_exit(struct nv_vcpu *vcpu);

/* L2 runs and touches @gpa, where L1 has no memory but its APIC-access page: L1's exit. */
bool nested_apic_access_exit(struct nv_vcpu *vcpu, gpa1_t gpa, u64 qual);

/* EPT violation or misconfiguration while L2 runs with EPT12 (else false is returned). */
bool nested_ept_exit(struct nv_vcpu *vcpu, enum nv_next *next);

/*
 * Before events are chosen, at every turn of the run loop: exits to L1 that are
 * due by themselves (exception or NMI or interrupt that L1 intercepts, preemption
 * timer, MTF, INIT) in the manual's order of priority. Returns true
 * if something had to wait because an entry of L2 must first complete (ask
 * for an immediate exit).
 */
bool nested_check_events(struct nv_vcpu *vcpu);
/* While L2 runs: does an external interrupt / NMI go to L1 by an exit? */
bool nested_intr_exits(struct nv_vcpu *vcpu);
bool nested_nmi_exits(struct nv_vcpu *vcpu);
/* L2 runs, NMIs exit, and the blocking that L2 shows is not that of real NMIs. */
bool nested_nmis_are_virtual(struct nv_vcpu *vcpu);
/* While L2 runs: does vmcs12 ask for the interrupt or NMI window itself? */
bool nested_intr_window(struct nv_vcpu *vcpu);
bool nested_nmi_window(struct nv_vcpu *vcpu);
/* Anything due for L1 while L2 is in HLT? For nv_vcpu_runnable(). Any CPU. */
bool nested_has_events(struct nv_vcpu *vcpu);

/* mp_state of the running L2 becomes HALTED: its preemption timer must wake it. */
void nested_halt(struct nv_vcpu *vcpu);
/* A halted vCPU has something to do: an exit to L1 that says "HLT", or L2 goes on. */
void nested_wake(struct nv_vcpu *vcpu);
/* cpu_skip_insn() stepped over an instruction that L0 emulated: MTF of L1. */
void nested_insn_done(struct nv_vcpu *vcpu);
/* L2's CR0 and CR4 as they act, whoever owns each bit (vmx_cr0() is what L2 reads). */
u64 nested_l2_cr0(struct nv_vcpu *vcpu);
u64 nested_l2_cr4(struct nv_vcpu *vcpu);

/* Hardware refused vmcs02, which is to be impossible: L1's entry has failed, and goes on. */
void nested_entry_refused(struct nv_vcpu *vcpu);

/* Triple fault of L2: L1's exit. True if L2 ran. */
bool nested_triple_fault(struct nv_vcpu *vcpu);
/* gmem met an EPT12 violation on behalf of L2: the exit to L1. */
void nested_ept12_fault(struct nv_vcpu *vcpu, const struct nv_fault *fault);

/*
 * Just before VM entry, preemptible: shadow VMCS in step, pages of vmcs12 mapped.
 * @immediate: L2 is to exit before its first instruction; true if the CPU cannot, so
 * that the caller must send it an interrupt.
 */
bool nested_before_entry(struct nv_vcpu *vcpu, bool immediate);
/* After an exit of L1 or L2, first of all: the entry is done. */
void nested_after_exit(struct nv_vcpu *vcpu);
/* EPT01 lost mappings or a slot changed: EPT02 and mapped pages of L1 go. */
void nested_ept01_changed(struct nv_vcpu *vcpu);
/* EPT01 lost write access to some pages, for the dirty log: L2's next write comes here. */
void nested_ept01_protected(struct nv_vcpu *vcpu);
/* Flush what the running L2 has cached (REQ_TLB_FLUSH while l2). */
void nested_flush_tlb(struct nv_vcpu *vcpu);

/* gpa2 of the running L2 to gpa1 through EPT12; -EINTR with @fault (see gmem.h). */
int nested_translate(struct nv_vcpu *vcpu, gpa2_t gpa2, unsigned int access, bool table,
		     gpa1_t *gpa1, struct nv_fault *fault);
bool nested_has_ept12(struct nv_vcpu *vcpu);
/* While L2 runs: the EPTP that vmcs02 has to have is another. */
void nested_eptp_changed(struct nv_vcpu *vcpu);

/* TSC that vmcs12 adds for L2 (0 when L1 runs): what L2 reads is L1's + this. */
u64 nested_tsc_offset(struct nv_vcpu *vcpu);
/* L1's TSC offset changed while L2 runs: vmcs02's too. */
void nested_tsc_changed(struct nv_vcpu *vcpu);
/* User space moves L1's TSC by @delta: L2's preemption timer ends at the same value of it. */
void nested_tsc_restored(struct nv_vcpu *vcpu, u64 delta);

/* The IDs of failed entries, for NESTVM_GET_ENTRY_FAILURE. */
void nested_get_entry_failure(struct nv_vcpu *vcpu, struct nestvm_entry_failure *f);

/*
 * KVM_GET_NESTED_STATE and KVM_SET_NESTED_STATE, vCPU loaded, vm->srcu read-held.
 * The format is the KVM API's for VMX; its page "vmcs12" holds pairs of encoding and
 * value (nested/state_page.h). @usize: what user space has room for; -E2BIG puts the
 * size needed into its "size". Setting is -EINVAL, with the reason, for anything that
 * L1 could not have come to by itself, and the vCPU is as it was; after -ENOMEM it may
 * be outside VMX operation.
 */
#define NESTED_STATE_SIZE	(128 + 4096)	/* the most it can be: header and page */
int nested_get_state(struct nv_vcpu *vcpu, void __user *ustate, u32 usize);
int nested_set_state(struct nv_vcpu *vcpu, const void __user *ustate);

#endif
