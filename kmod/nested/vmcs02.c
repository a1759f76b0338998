// SPDX-License-Identifier: GPL-2.0
/*
 * vmcs02: what hardware runs L2 with. Found by vmcs12's address, written from
 * vmcs12 by comparing with what it holds already, read back at the exit.
 */
#include <linux/slab.h>
#include <linux/timex.h>
#include "nested/merge.h"
#include "nested/nested_vcpu.h"

/* Guest-state fields that vmcs12 and vmcs02 have in common, without a condition. */
#define GUEST_STATE(C)								\
	C(GUEST_ES_SEL, guest_es_sel) C(GUEST_CS_SEL, guest_cs_sel)		\
	C(GUEST_SS_SEL, guest_ss_sel) C(GUEST_DS_SEL, guest_ds_sel)		\
	C(GUEST_FS_SEL, guest_fs_sel) C(GUEST_GS_SEL, guest_gs_sel)		\
	C(GUEST_LDTR_SEL, guest_ldtr_sel) C(GUEST_TR_SEL, guest_tr_sel)		\
	C(GUEST_ES_LIMIT, guest_es_limit) C(GUEST_CS_LIMIT, guest_cs_limit)	\
	C(GUEST_SS_LIMIT, guest_ss_limit) C(GUEST_DS_LIMIT, guest_ds_limit)	\
	C(GUEST_FS_LIMIT, guest_fs_limit) C(GUEST_GS_LIMIT, guest_gs_limit)	\
	C(GUEST_LDTR_LIMIT, guest_ldtr_limit) C(GUEST_TR_LIMIT, guest_tr_limit)	\
	C(GUEST_GDTR_LIMIT, guest_gdtr_limit) C(GUEST_IDTR_LIMIT, guest_idtr_limit) \
	C(GUEST_ES_AR, guest_es_ar) C(GUEST_CS_AR, guest_cs_ar)			\
	C(GUEST_SS_AR, guest_ss_ar) C(GUEST_DS_AR, guest_ds_ar)			\
	C(GUEST_FS_AR, guest_fs_ar) C(GUEST_GS_AR, guest_gs_ar)			\
	C(GUEST_LDTR_AR, guest_ldtr_ar) C(GUEST_TR_AR, guest_tr_ar)		\
	C(GUEST_ES_BASE, guest_es_base) C(GUEST_CS_BASE, guest_cs_base)		\
	C(GUEST_SS_BASE, guest_ss_base) C(GUEST_DS_BASE, guest_ds_base)		\
	C(GUEST_FS_BASE, guest_fs_base) C(GUEST_GS_BASE, guest_gs_base)		\
	C(GUEST_LDTR_BASE, guest_ldtr_base) C(GUEST_TR_BASE, guest_tr_base)	\
	C(GUEST_GDTR_BASE, guest_gdtr_base) C(GUEST_IDTR_BASE, guest_idtr_base)	\
	C(GUEST_SYSENTER_CS, guest_sysenter_cs)					\
	C(GUEST_SYSENTER_ESP, guest_sysenter_esp)				\
	C(GUEST_SYSENTER_EIP, guest_sysenter_eip)				\
	C(GUEST_CR3, guest_cr3)							\
	C(GUEST_RSP, guest_rsp) C(GUEST_RIP, guest_rip)				\
	C(GUEST_RFLAGS, guest_rflags)						\
	C(GUEST_INTERRUPTIBILITY, guest_interruptibility)			\
	C(GUEST_PENDING_DBG, guest_pending_dbg)

/* Write a field unless it is known to hold the value. */
#define PUT(s, NAME, member, val)						\
	do {									\
		typeof((s)->hw->member) put_value = (val);			\
										\
		if ((s)->fresh || (s)->hw->member != put_value) {		\
			vmcs_write(VMCS_##NAME, put_value);			\
			(s)->hw->member = put_value;				\
		}								\
	} while (0)

static int alloc_vmcs02(struct vmcs02 *s)
{
	s->hw = (struct vmcs12 *)get_zeroed_page(GFP_KERNEL_ACCOUNT);
	s->msr_bitmap = (void *)__get_free_page(GFP_KERNEL_ACCOUNT);
	s->vmcs = vmcs_alloc(false);
	if (s->hw && s->msr_bitmap && s->vmcs) {
		memset(s->msr_bitmap, 0xff, VMX_BITMAP_SIZE);
		s->fresh = true;
		return 0;
	}
	free_page((unsigned long)s->hw);
	free_page((unsigned long)s->msr_bitmap);
	vmcs_free(s->vmcs);
	memset(s, 0, sizeof(*s));
	s->owner = GPA1_INVALID;
	return -ENOMEM;
}

/*
 * The one that ran this vmcs12 before, else an unused one, else the one used
 * longest ago: whatever it holds, PUT() sees the difference.
 */
struct vmcs02 *vmcs02_get(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;
	struct vmcs02 *best = &n->vmcs02s[0];
	unsigned int i;

	for (i = 0; i < NESTED_VMCS02S; i++) {
		struct vmcs02 *s = &n->vmcs02s[i];

		if (s->owner.v == n->vmcs12_ptr.v) {
			best = s;
			break;
		}
		if (s->used < best->used)
			best = s;
	}
	if (!best->vmcs && alloc_vmcs02(best))
		return NULL;
	best->owner = n->vmcs12_ptr;
	best->used = ++n->clock;
	return best;
}

static void unmap_pages(struct nv_vcpu *vcpu, struct vmcs02 *s)
{
	gmem_unmap(vcpu->vm, &s->l1_msr_bitmap, false);
	gmem_unmap(vcpu->vm, &s->vapic, true);
	gmem_unmap(vcpu->vm, &s->apic_access, false);
}

void vmcs02_unmap_pages(struct nv_vcpu *vcpu)
{
	unsigned int i;

	for (i = 0; i < NESTED_VMCS02S; i++)
		unmap_pages(vcpu, &vcpu->nested->vmcs02s[i]);
}

void vmcs02_destroy(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;
	unsigned int i;

	n->cur = NULL;
	for (i = 0; i < NESTED_VMCS02S; i++) {
		struct vmcs02 *s = &n->vmcs02s[i];

		if (!s->vmcs)
			continue;
		unmap_pages(vcpu, s);
		vmcs_free(s->vmcs);
		free_page((unsigned long)s->hw);
		free_page((unsigned long)s->msr_bitmap);
		memset(s, 0, sizeof(*s));
		s->owner = GPA1_INVALID;
	}
}

/* Words of L0's bitmap with a bit clear; all others merge to all ones. */
void vmcs02_find_open_words(struct nv_vcpu *vcpu)
{
	const u64 *l0 = (const u64 *)vcpu->vmx.msr_bitmap;
	struct nv_nested *n = vcpu->nested;
	unsigned int i;

	/* What was open before may not be now. */
	for (i = 0; i < NESTED_VMCS02S; i++)
		if (n->vmcs02s[i].msr_bitmap)
			memset(n->vmcs02s[i].msr_bitmap, 0xff, VMX_BITMAP_SIZE);
	n->open_count = 0;
	for (i = 0; i < ARRAY_SIZE(n->open_words); i++)
		if (l0[i] != U64_MAX)
			n->open_words[n->open_count++] = i;
}

/*
 * L1 may write its page at any time, so it is looked at on every entry; but what
 * L0 intercepts stays intercepted, which leaves a dozen words.
 */
static void merge_msr_bitmap(struct nv_vcpu *vcpu, struct vmcs02 *s)
{
	/* Words of TPR, 808H: its read and its write bit. */
	static const u16 tpr_words[] = { 32, 2 * 128 + 32 };
	const u64 *l0 = (const u64 *)vcpu->vmx.msr_bitmap;
	const u64 *l1 = s->l1_msr_bitmap.va;
	struct nv_nested *n = vcpu->nested;
	const struct vmcs12 *v = n->v;
	u64 *to = s->msr_bitmap;
	bool vtpr = vmcs12_has_proc2(v, PROC2_X2APIC) && vmcs12_has_proc(v, PROC_TPR_SHADOW);
	unsigned int i, w;

	for (i = 0; i < n->open_count; i++) {
		w = n->open_words[i];
		to[w] = nested_merge_msr_word(w, l0[w], l1 ? READ_ONCE(l1[w]) : U64_MAX, vtpr);
	}
	for (i = 0; i < ARRAY_SIZE(tpr_words); i++) {
		w = tpr_words[i];
		to[w] = nested_merge_msr_word(w, l0[w], l1 ? READ_ONCE(l1[w]) : U64_MAX, vtpr);
	}
}

/* Have L1's page at @gpa mapped in @p. False: there is no memory, or none to @write. */
static bool map_page(struct nv_vcpu *vcpu, struct nv_gpage *p, u64 gpa, bool write)
{
	if (p->page && p->gpa.v == gpa)
		return true;
	gmem_unmap(vcpu->vm, p, write);
	if (gmem_map(vcpu->vm, gpa1(gpa), write, p)) {
		memset(p, 0, sizeof(*p));
		return false;
	}
	return true;
}

/* The pages of L1 that hardware or the merge uses. Returns whether APIC-access is memory. */
static bool put_pages(struct nv_vcpu *vcpu, struct vmcs02 *s)
{
	struct nv_nested *n = vcpu->nested;
	const struct vmcs12 *v = n->v;

	n->pages_stale = false;
	if (vmcs12_has_proc(v, PROC_MSR_BITMAPS)) {
		map_page(vcpu, &s->l1_msr_bitmap, v->msr_bitmap, false);
		merge_msr_bitmap(vcpu, s);
		PUT(s, MSR_BITMAP, msr_bitmap, __pa(s->msr_bitmap));
	}
	if (vmcs12_has_proc(v, PROC_TPR_SHADOW)) {
		/* L2's task priority has to be somewhere, if only for itself. */
		u64 page = __pa(n->scratch);

		if (map_page(vcpu, &s->vapic, v->virtual_apic, true))
			page = s->vapic.hpa.v;
		PUT(s, VIRTUAL_APIC, virtual_apic, page);
	}
	if (!vmcs12_has_proc2(v, PROC2_APIC_ACCESS) ||
	    !map_page(vcpu, &s->apic_access, v->apic_access, false))
		return false;
	PUT(s, APIC_ACCESS, apic_access, s->apic_access.hpa.v);
	return true;
}

static void merge(struct nv_vcpu *vcpu, struct vmcs02 *s, bool apic_access,
		  struct merge_out *out)
{
	struct nv_nested *n = vcpu->nested;
	const struct merge_in in = {
		.v = n->v,
		.l0 = &vcpu->vmx.ctls,
		.l0_exceptions = s->l0_exceptions,
		.cr0_host_mask = vmx_cr0_host_mask(vcpu),
		.cr4_host_mask = vmx_cr4_host_mask(vcpu),
		.timer = vmx_caps.preempt_timer,
		.apic_access = apic_access,
	};

	nested_merge(out, &in);
}

/*
 * SDM 3C "VM Exits Induced by the TPR Threshold": with an APIC-access page the threshold is
 * no condition of the entry but an exit behind it. Where the page is no memory, vmcs02 has
 * none, and hardware would take it for a condition: then the exit is ours to make.
 */
bool vmcs02_tpr_below(struct nv_vcpu *vcpu)
{
	const struct vmcs02 *s = vcpu->nested->cur;
	const struct vmcs12 *v = vcpu->nested->v;
	const u8 *vapic = s->vapic.page ? s->vapic.va : vcpu->nested->scratch;

	return vmcs12_has_proc(v, PROC_TPR_SHADOW) && vmcs12_has_proc2(v, PROC2_APIC_ACCESS) &&
	       !vmcs12_has_proc2(v, PROC2_VIRT_INTR) && !(s->hw->proc2_ctls & PROC2_APIC_ACCESS) &&
	       (v->tpr_threshold & 0xf) > READ_ONCE(vapic[VAPIC_TPR]) >> 4;
}

static void put_controls(struct nv_vcpu *vcpu, struct vmcs02 *s, const struct merge_out *m)
{
	struct nv_nested *n = vcpu->nested;
	const struct vmcs12 *v = n->v;

	PUT(s, PIN_CTLS, pin_ctls, m->ctls.pin);
	PUT(s, PROC2_CTLS, proc2_ctls, m->ctls.proc2);
	PUT(s, EXIT_CTLS, exit_ctls, m->ctls.exit);
	PUT(s, EXCEPTION_BITMAP, exception_bitmap, m->exceptions);
	PUT(s, PF_EC_MASK, pf_ec_mask, m->pf_mask);
	PUT(s, PF_EC_MATCH, pf_ec_match, m->pf_match);
	/* Windows and IA-32e mode change while L2 runs, by L0's hand and by hardware. */
	vmcs_write(VMCS_PROC_CTLS, m->ctls.proc);
	vmcs_write(VMCS_ENTRY_CTLS, m->ctls.entry);
	vmcs_write(VMCS_ENTRY_INTR_INFO, 0);
	vmcs_write(VMCS_TSC_OFFSET, vcpu->tsc_offset + nested_tsc_offset(vcpu));

	PUT(s, CR3_TARGET_COUNT, cr3_target_count, v->cr3_target_count);
	if (v->cr3_target_count > 0)
		PUT(s, CR3_TARGET0, cr3_target0, v->cr3_target0);
	if (v->cr3_target_count > 1)
		PUT(s, CR3_TARGET1, cr3_target1, v->cr3_target1);
	if (v->cr3_target_count > 2)
		PUT(s, CR3_TARGET2, cr3_target2, v->cr3_target2);
	if (v->cr3_target_count > 3)
		PUT(s, CR3_TARGET3, cr3_target3, v->cr3_target3);

	/* At more than VTPR the entry would fail: vmcs02_tpr_below() has seen to it. */
	if (m->ctls.proc & PROC_TPR_SHADOW)
		PUT(s, TPR_THRESHOLD, tpr_threshold,
		    vmcs02_tpr_below(vcpu) ? 0 : v->tpr_threshold);
	PUT(s, EPTP, eptp, n->ept02 ? n->ept02->eptp02 : vcpu->vmx.eptp01);
}

static void put_control_registers(struct vmcs02 *s, const struct vmcs12 *v,
				  const struct merge_out *m)
{
	PUT(s, CR0_MASK, cr0_mask, m->cr0_mask);
	PUT(s, CR4_MASK, cr4_mask, m->cr4_mask);
	vmcs_write(VMCS_CR0_SHADOW, m->cr0_shadow);
	vmcs_write(VMCS_CR4_SHADOW, m->cr4_shadow);
	vmcs_write(VMCS_GUEST_CR0, vmx_cr0_for_hardware(v->guest_cr0));
	vmcs_write(VMCS_GUEST_CR4, vmx_cr4_for_hardware(v->guest_cr4));
}

/* SDM 3C "Loading Guest Control Registers, Debug Registers, and MSRs". */
static u64 entry_efer(const struct vmcs12 *v, u64 kept)
{
	u64 efer = kept & ~IA32_EFER_LMA;

	if (vmcs12_has_entry(v, ENTRY_LOAD_EFER))
		return v->guest_efer;
	if (vmcs12_has_entry(v, ENTRY_IA32E))
		efer |= IA32_EFER_LMA;
	if (v->guest_cr0 & CR0_PG) {
		efer &= ~IA32_EFER_LME;
		if (vmcs12_has_entry(v, ENTRY_IA32E))
			efer |= IA32_EFER_LME;
	}
	return efer;
}

static void put_guest_state(struct vmcs02 *s, const struct entry_ctx *c,
			    const struct l1_kept *kept)
{
	const struct vmcs12 *v = c->v;
	bool debug = vmcs12_has_entry(v, ENTRY_LOAD_DEBUG);
	u32 blocked = v->guest_interruptibility;

#define C(NAME, member) PUT(s, NAME, member, v->member);
	GUEST_STATE(C)
#undef C
	/*
	 * L1 without virtual NMIs may inject an NMI with NMIs blocked; vmcs02 has them
	 * always, and with them that is no legal entry. The injection blocks anyway.
	 */
	if ((v->entry_intr_info & INTR_INFO_VALID) &&
	    (v->entry_intr_info & INTR_INFO_TYPE) == INTR_TYPE_NMI)
		PUT(s, GUEST_INTERRUPTIBILITY, guest_interruptibility, blocked & ~INTR_STATE_NMI);

	/* HLT is L0's: the vCPU waits in mp_state, never in hardware. */
	PUT(s, GUEST_ACTIVITY, guest_activity, ACTIVITY_ACTIVE);
	vmcs_write(VMCS_GUEST_DR7, debug ? v->guest_dr7 : kept->dr7);
	vmcs_write(VMCS_GUEST_DEBUGCTL, debug ? v->guest_debugctl : kept->debugctl);
	vmcs_write(VMCS_GUEST_PAT, vmcs12_has_entry(v, ENTRY_LOAD_PAT) ? v->guest_pat : kept->pat);
	vmcs_write(VMCS_GUEST_EFER, entry_efer(v, kept->efer));
	if (nested_entry_uses_pdptes(v)) {
		vmcs_write(VMCS_GUEST_PDPTE0, c->pdpte[0]);
		vmcs_write(VMCS_GUEST_PDPTE1, c->pdpte[1]);
		vmcs_write(VMCS_GUEST_PDPTE2, c->pdpte[2]);
		vmcs_write(VMCS_GUEST_PDPTE3, c->pdpte[3]);
	}
}

/* vmcs02 current, vcpu->l2 set. */
void vmcs02_load(struct nv_vcpu *vcpu, const struct entry_ctx *c, const struct l1_kept *kept)
{
	struct nv_nested *n = vcpu->nested;
	struct vmcs02 *s = n->cur;
	struct merge_out m;

	if (s->fresh)
		vmx_write_host_state(vcpu);
	s->l0_exceptions = kept->exceptions;
	merge(vcpu, s, put_pages(vcpu, s), &m);
	put_controls(vcpu, s, &m);
	put_control_registers(s, n->v, &m);
	put_guest_state(s, c, kept);
	s->fresh = false;
}

/* Slots changed while L2 runs: the pages of L1 are elsewhere, or nowhere. */
void vmcs02_refresh_pages(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;
	struct vmcs02 *s = n->cur;
	struct merge_out m;

	merge(vcpu, s, put_pages(vcpu, s), &m);
	PUT(s, PROC2_CTLS, proc2_ctls, m.ctls.proc2);
	if (n->ept02)
		PUT(s, EPTP, eptp, n->ept02->eptp02);
}

void nested_eptp_changed(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;
	struct vmcs02 *s = n->cur;

	PUT(s, EPTP, eptp, n->ept02 ? n->ept02->eptp02 : vcpu->vmx.eptp01);
}

/* A bit that L0 owns is what L0 keeps for L2, unless it is L1's: then L2 cannot change it. */
static u64 effective(u64 hw, u64 shadow, u64 l0_mask, u64 l1_mask, u64 vmcs12)
{
	return (hw & ~l0_mask) | (shadow & l0_mask & ~l1_mask) | (vmcs12 & l0_mask & l1_mask);
}

u64 nested_l2_cr0(struct nv_vcpu *vcpu)
{
	const struct vmcs12 *v = vcpu->nested->v;

	return effective(vmcs_read(VMCS_GUEST_CR0), vmcs_read(VMCS_CR0_SHADOW),
			 vmx_cr0_host_mask(vcpu), v->cr0_mask, v->guest_cr0);
}

u64 nested_l2_cr4(struct nv_vcpu *vcpu)
{
	const struct vmcs12 *v = vcpu->nested->v;

	return effective(vmcs_read(VMCS_GUEST_CR4), vmcs_read(VMCS_CR4_SHADOW),
			 vmx_cr4_host_mask(vcpu), v->cr4_mask, v->guest_cr4);
}

/*
 * L2 writes a register of which L0 keeps a bit, and L1 has let it pass: then the
 * bits L1 owns are as L1 believes them, and stay what L1 made them.
 */
u64 nested_cr0_written(struct nv_vcpu *vcpu, u64 value)
{
	u64 mask = vcpu->l2 ? vcpu->nested->v->cr0_mask : 0;

	return mask ? (value & ~mask) | (nested_l2_cr0(vcpu) & mask) : value;
}

u64 nested_cr4_written(struct nv_vcpu *vcpu, u64 value)
{
	u64 mask = vcpu->l2 ? vcpu->nested->v->cr4_mask : 0;

	return mask ? (value & ~mask) | (nested_l2_cr4(vcpu) & mask) : value;
}

void nested_set_cr0(struct nv_vcpu *vcpu, u64 cr0)
{
	const struct vmcs12 *v = vcpu->nested->v;
	u64 now = nested_cr0_written(vcpu, cr0);
	u64 efer = vmx_efer(vcpu) & ~IA32_EFER_LMA;

	/* SDM 3A "Initializing IA-32e Mode": LMA = LME and PG. */
	if ((efer & IA32_EFER_LME) && (now & CR0_PG))
		efer |= IA32_EFER_LMA;
	vmx_set_efer(vcpu, efer);
	vmcs_write(VMCS_CR0_SHADOW, (v->cr0_shadow & v->cr0_mask) | (now & ~v->cr0_mask));
	vmcs_write(VMCS_GUEST_CR0, vmx_cr0_for_hardware(now));
}

void nested_set_cr4(struct nv_vcpu *vcpu, u64 cr4)
{
	const struct vmcs12 *v = vcpu->nested->v;
	u64 now = nested_cr4_written(vcpu, cr4);

	vmcs_write(VMCS_CR4_SHADOW, (v->cr4_shadow & v->cr4_mask) | (now & ~v->cr4_mask));
	vmcs_write(VMCS_GUEST_CR4, vmx_cr4_for_hardware(now));
}

static void save_pdptes(struct vmcs12 *v)
{
	v->guest_pdpte0 = vmcs_read(VMCS_GUEST_PDPTE0);
	v->guest_pdpte1 = vmcs_read(VMCS_GUEST_PDPTE1);
	v->guest_pdpte2 = vmcs_read(VMCS_GUEST_PDPTE2);
	v->guest_pdpte3 = vmcs_read(VMCS_GUEST_PDPTE3);
}

/* SDM 3C "Saving Guest State". */
void vmcs02_save(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;
	struct vmcs02 *s = n->cur;
	struct vmcs12 *v = n->v;
	u64 efer = vmcs_read(VMCS_GUEST_EFER);

	v->guest_cr0 = nested_l2_cr0(vcpu);
	v->guest_cr4 = nested_l2_cr4(vcpu);
#define C(NAME, member) v->member = s->hw->member = vmcs_read(VMCS_##NAME);
	GUEST_STATE(C)
#undef C
	switch (vcpu->mp_state) {
	case KVM_MP_STATE_HALTED:
		v->guest_activity = ACTIVITY_HLT;
		break;
	case KVM_MP_STATE_INIT_RECEIVED:
		v->guest_activity = ACTIVITY_WAIT_SIPI;
		break;
	default:
		v->guest_activity = ACTIVITY_ACTIVE;
	}
	if (vmcs12_has_exit(v, EXIT_SAVE_DEBUG)) {
		v->guest_dr7 = vmcs_read(VMCS_GUEST_DR7);
		v->guest_debugctl = vmcs_read(VMCS_GUEST_DEBUGCTL);
	}
	if (vmcs12_has_exit(v, EXIT_SAVE_PAT))
		v->guest_pat = vmcs_read(VMCS_GUEST_PAT);
	if (vmcs12_has_exit(v, EXIT_SAVE_EFER))
		v->guest_efer = efer;
	/* IA32_VMX_MISC bit 5: the exit stores LMA into "IA-32e mode guest". */
	v->entry_ctls &= ~ENTRY_IA32E;
	if (efer & IA32_EFER_LMA)
		v->entry_ctls |= ENTRY_IA32E;
	if (vmcs12_has_proc2(v, PROC2_EPT) && nested_entry_uses_pdptes(v))
		save_pdptes(v);
	if (n->timer_on && vmcs12_has_exit(v, EXIT_SAVE_PREEMPT_TIMER))
		v->guest_preempt_timer = vmcs02_timer_left(vcpu);
}

/* What the VMX-preemption timer would read now; 0: expired. */
u32 vmcs02_timer_left(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;
	u64 now = rdtsc();

	if (now >= n->timer_deadline)
		return 0;
	return min_t(u64, (n->timer_deadline - now) >> (n->msrs.misc & VMX_MISC_PREEMPT_RATE),
		     U32_MAX);
}

/*
 * The timer counts while L0 handles an exit of L2 too, so hardware's is set to
 * what is left of it, rounded up: L1 must not find that it fired early. A timer of 0
 * exits before the first instruction (SDM 3C "VMX-Preemption Timer").
 */
void vmcs02_write_timer(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;
	unsigned int rate = vmx_caps.misc & VMX_MISC_PREEMPT_RATE;
	u32 pin = n->cur->hw->pin_ctls & ~PIN_PREEMPT_TIMER;
	u64 now = rdtsc(), left = 0;

	if (vmx_caps.preempt_timer && (n->timer_on || n->exit_at_once))
		pin |= PIN_PREEMPT_TIMER;
	PUT(n->cur, PIN_CTLS, pin_ctls, pin);
	if (!(pin & PIN_PREEMPT_TIMER))
		return;
	if (!n->exit_at_once && now < n->timer_deadline)
		left = (n->timer_deadline - now + BIT_ULL(rate) - 1) >> rate;
	vmcs_write(VMCS_GUEST_PREEMPT_TIMER, min_t(u64, left, U32_MAX));
}
