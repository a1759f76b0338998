// SPDX-License-Identifier: GPL-2.0
/* Life of the nested part of a vCPU, and the capability MSRs that L1 reads. */
#include <linux/slab.h>
#include "nested/nested_vcpu.h"
#include "uapi/nestvm.h"

/* Everything this host can offer; constant after load. */
static struct nested_vmx_msrs host_msrs;

int nested_module_init(void)
{
	struct vmx_host_caps_input in = {};

	static_assert(sizeof(in.msr) <= sizeof(vmx_caps.raw.msr));
	memcpy(in.msr, vmx_caps.raw.msr, sizeof(in.msr));
	nested_vmx_msrs_init(&host_msrs, &in);
	return shadow_vmcs_init();
}

void nested_module_exit(void)
{
	shadow_vmcs_exit();
}

/* The pure part reads L1's memory through this. */
static bool mem_read(struct l1_mem *mem, gpa1_t gpa, void *buf, u32 len)
{
	struct nested_mem *m = container_of(mem, struct nested_mem, mem);

	return !gmem_read(m->vm, gpa, buf, len);
}

int nested_create(struct nv_vcpu *vcpu)
{
	struct nv_nested *n;
	unsigned int i;

	static_assert(sizeof(struct vmcs12) <= PAGE_SIZE);
	n = kzalloc(sizeof(*n), GFP_KERNEL_ACCOUNT);
	if (!n)
		return -ENOMEM;
	n->vcpu = vcpu;
	n->msrs = host_msrs;
	n->max = host_msrs;
	n->shadow_allowed = true;
	n->mem.mem.read = mem_read;
	n->mem.vm = vcpu->vm;
	n->vmxon_ptr = GPA1_INVALID;
	n->vmcs12_ptr = GPA1_INVALID;
	n->tlb_cpu = -1;
	for (i = 0; i < NESTED_VMCS02S; i++)
		n->vmcs02s[i].owner = GPA1_INVALID;
	hrtimer_init(&n->timer, CLOCK_MONOTONIC, HRTIMER_MODE_ABS);
	n->timer.function = nested_timer_fn;
	vcpu->nested = n;

	n->v = (struct vmcs12 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	n->scratch = (void *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	if (!n->v || !n->scratch || shadow_vmcs_create(vcpu)) {
		nested_destroy(vcpu);
		return -ENOMEM;
	}
	n->vpid02_flush = true;
	return 0;
}

/* vCPU loaded or not; vmcs01 still exists. Any state: user space may be gone with L2 running. */
void nested_destroy(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;
	int idx;

	if (!n)
		return;
	hrtimer_cancel(&n->timer);
	vcpu->l2 = false;
	vcpu->vmx.vmcs = vcpu->vmx.vmcs01;

	idx = srcu_read_lock(&vcpu->vm->srcu);
	vmcs02_destroy(vcpu);
	srcu_read_unlock(&vcpu->vm->srcu, idx);
	/* Clears the shadow VMCS on the CPU where both are active (CVE-2026-64562). */
	vmcs_clear(vcpu->vmx.vmcs01);
	shadow_vmcs_destroy(vcpu);
	if (vcpu->cpu >= 0)
		vmx_switch_vmcs(vcpu, vcpu->vmx.vmcs01);
	ept02_destroy(vcpu);
	free_page((unsigned long)n->scratch);
	free_page((unsigned long)n->v);
	vcpu->nested = NULL;
	kfree(n);
}

void nested_enter_vmx(struct nv_vcpu *vcpu, gpa1_t vmxon_ptr)
{
	struct nv_nested *n = vcpu->nested;

	n->vmxon_ptr = vmxon_ptr;
	n->vmcs12_ptr = GPA1_INVALID;
	n->vmxon = true;
	vmx_update_cr0_mask(vcpu);
	vmcs02_find_open_words(vcpu);
}

void nested_leave_vmx(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;

	n->vmxon = false;
	vmx_update_cr0_mask(vcpu);
	n->vmxon_ptr = GPA1_INVALID;
	n->last_vpid12 = 0;
	n->vpid02_flush = true;
	vmcs02_unmap_pages(vcpu);
	ept02_destroy(vcpu);
}

void nested_reset(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;

	if (!n)
		return;
	nested_leave_l2(vcpu);
	if (!n->vmxon)
		return;
	if (nested_has_current(n))
		vmcs12_forget(vcpu);
	nested_leave_vmx(vcpu);
}

void nested_msr_bitmap_changed(struct nv_vcpu *vcpu)
{
	if (nested_in_vmx_operation(vcpu))
		vmcs02_find_open_words(vcpu);
}

bool nested_in_vmx_operation(struct nv_vcpu *vcpu)
{
	return vcpu->nested && vcpu->nested->vmxon;
}

/* "Unrestricted guest" frees PE and PG. */
bool nested_cr0_allowed(struct nv_vcpu *vcpu, u64 cr0)
{
	struct nv_nested *n = vcpu->nested;
	u64 fixed0;

	if (!n || !n->vmxon)
		return true;
	fixed0 = n->msrs.cr0_fixed0;
	if (vcpu->l2 && vmcs12_has_proc2(n->v, PROC2_UNRESTRICTED))
		fixed0 &= ~(CR0_PE | CR0_PG);
	return cpu_fixed_ok(cr0, fixed0, n->msrs.cr0_fixed1);
}

bool nested_cr4_allowed(struct nv_vcpu *vcpu, u64 cr4)
{
	struct nv_nested *n = vcpu->nested;

	if (!n || !n->vmxon)
		return true;
	return cpu_fixed_ok(cr4, n->msrs.cr4_fixed0, n->msrs.cr4_fixed1);
}

/* CR4_FIXED1 follows CPUID, which user space may set at any time before the first run. */
void nested_refresh_cpu(struct nv_vcpu *vcpu)
{
	nested_vmx_msrs_set_cr4(&vcpu->nested->msrs, cpu_cr4_allowed(&vcpu->features));
}

int nested_msr_read(struct nv_vcpu *vcpu, u32 msr, u64 *value)
{
	struct nv_nested *n = vcpu->nested;

	if (!n)
		return -EPERM;
	nested_refresh_cpu(vcpu);
	return nested_vmx_msr_get(&n->msrs, msr, value) ? 0 : -EPERM;
}

/*
 * By user space only: the MSRs are read-only to every guest. What a processor offers
 * does not change while it runs.
 */
int nested_msr_write(struct nv_vcpu *vcpu, u32 msr, u64 value)
{
	struct nv_nested *n = vcpu->nested;
	u64 now, most = 0;

	if (!n)
		return -EPERM;
	if (!nested_msr_read(vcpu, msr, &now) && now == value)
		return 0;
	if (n->vmxon || vcpu->has_run)
		return nv_refuse(&vcpu->refusal, NESTVM_REFUSED_HAS_RUN, -EPERM,
				 "VMX capability MSR %#x can only be changed before the vCPU has run or is in VMX operation",
				 msr);
	if (nested_vmx_msr_set(&n->msrs, &n->max, msr, value)) {
		nested_vmx_msr_get(&n->max, msr, &most);
		return nv_refuse(&vcpu->refusal, NESTVM_REFUSED_STATE, -EPERM,
				 "VMX capability MSR %#x cannot be %#llx: it may offer what %#llx, this host's, does and no more, and its must-be-1 bits stay",
				 msr, value, most);
	}
	n->shadow_allowed = shadow_vmcs_fits(&n->msrs);
	return 0;
}

bool nested_host_msr(u32 msr, u64 *value)
{
	return nested_vmx_msr_get(&host_msrs, msr, value);
}

void nested_ept01_changed(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;

	if (!n)
		return;
	ept02_drop_all(vcpu);
	vmcs02_unmap_pages(vcpu);
	n->pages_stale = true;
}

void nested_ept01_protected(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;

	if (!n)
		return;
	ept02_protect_all(vcpu);
	/* What hardware writes without EPT is marked as it is unmapped. */
	vmcs02_unmap_pages(vcpu);
	n->pages_stale = true;
}

/* The order matters: pages first, they may change a control; what is flushed last. */
bool nested_before_entry(struct nv_vcpu *vcpu, bool immediate)
{
	struct nv_nested *n = vcpu->nested;

	if (!n || !n->vmxon)
		return false;
	if (!vcpu->l2) {
		if (n->shadow_on && n->shadow_stale)
			shadow_vmcs_from_vmcs12(vcpu);
		return false;
	}
	if (n->pages_stale)
		vmcs02_refresh_pages(vcpu);
	n->exit_at_once = immediate && vmx_caps.preempt_timer;
	vmcs02_write_timer(vcpu);
	nested_flush_due(vcpu);
	return immediate && !n->exit_at_once;
}

void nested_after_exit(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;

	if (vcpu->vmx.failed_entry || (vcpu->vmx.exit_reason & VMEXIT_ENTRY_FAILURE))
		return;
	/* Hardware has completed the entry, and delivered what it injected or said so. */
	n->entry_pending = false;
	vcpu->state_set = false;
}

bool nested_has_ept12(struct nv_vcpu *vcpu)
{
	return vcpu->l2 && vmcs12_has_proc2(vcpu->nested->v, PROC2_EPT);
}

u64 nested_tsc_offset(struct nv_vcpu *vcpu)
{
	const struct nv_nested *n = vcpu->nested;

	if (!vcpu->l2 || !vmcs12_has_proc(n->v, PROC_TSC_OFFSET))
		return 0;
	return n->v->tsc_offset;
}

void nested_tsc_changed(struct nv_vcpu *vcpu)
{
	if (!vcpu->l2)
		return;
	vmcs_write(VMCS_TSC_OFFSET, vcpu->tsc_offset + nested_tsc_offset(vcpu));
	vcpu->nested->tsc01_stale = true;
}

void nested_tsc_restored(struct nv_vcpu *vcpu, u64 delta)
{
	struct nv_nested *n = vcpu->nested;

	if (!vcpu->l2 || !n->timer_on)
		return;
	n->timer_deadline -= delta;
	if (vcpu->mp_state == KVM_MP_STATE_HALTED)
		nested_halt(vcpu);
}

void nested_insn_done(struct nv_vcpu *vcpu)
{
	if (vcpu->l2 && vmcs12_has_proc(vcpu->nested->v, PROC_MTF))
		vcpu->nested->mtf_pending = true;
}

void nested_get_entry_failure(struct nv_vcpu *vcpu, struct nestvm_entry_failure *f)
{
	const struct nv_nested *n = vcpu->nested;

	if (!n)
		return;
	f->count = n->failure.count;
	f->insn_error = n->failure.insn_error;
	f->exit_reason = n->failure.exit_reason;
	f->qualification = n->failure.qual;
	static_assert(sizeof(f->rule) >= sizeof(n->failure.rule));
	memcpy(f->rule, n->failure.rule, sizeof(n->failure.rule));
}
