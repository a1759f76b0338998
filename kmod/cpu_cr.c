// SPDX-License-Identifier: GPL-2.0
/* Control registers of L1: MOV CR, user space's SREGS, PDPTEs. */
#include <linux/kvm.h>
#include <linux/string.h>
#include "cpu.h"
#include "gmem.h"
#include "irq.h"
#include "nested/nested.h"
#include "vcpu.h"
#include "vlapic.h"
#include "vmx/fpu.h"

u64 cpu_cr4_reserved(struct nv_vcpu *vcpu)
{
	return ~cpu_cr4_allowed(&vcpu->features);
}

u64 cpu_cr0(struct nv_vcpu *vcpu)
{
	return vcpu->l2 ? nested_l2_cr0(vcpu) : vmx_cr0(vcpu);
}

u64 cpu_cr4(struct nv_vcpu *vcpu)
{
	return vcpu->l2 ? nested_l2_cr4(vcpu) : vmx_cr4(vcpu);
}

static struct cpu_mode current_mode(struct nv_vcpu *vcpu)
{
	return (struct cpu_mode) {
		.cr0 = cpu_cr0(vcpu),
		.cr3 = vmx_cr3(vcpu),
		.cr4 = cpu_cr4(vcpu),
		.efer = vmx_efer(vcpu),
		.cs_l = vmcs_read(VMCS_GUEST_CS_AR) & SEG_AR_L,
	};
}

/* The four PDPTEs at L1's @at, into the VMCS. False: one has a reserved bit set. */
static bool load_pdptes(struct nv_vcpu *vcpu, gpa1_t at)
{
	u64 pdpte[4];
	int i;

	for (i = 0; i < 4; i++)
		if (gmem_read64(vcpu->vm, gpa1_add(at, i * sizeof(u64)), &pdpte[i]))
			return false;
	for (i = 0; i < 4; i++)
		if ((pdpte[i] & 1) && !cpu_pdpte_valid(&vcpu->features, pdpte[i]))
			return false;
	for (i = 0; i < 4; i++)
		vmcs_write(VMCS_GUEST_PDPTE0 + 2 * i, pdpte[i]);
	return true;
}

/* SDM 3A "PDPTE Registers": 32-byte aligned, in the low 4 GB. */
#define PDPT_ADDR(cr3)	((cr3) & 0xffffffe0ull)

/*
 * As MOV to a control register does. False: it met #GP, or L2's an EPT12 that does not map
 * CR3, and is not to complete. SDM 3C "Exit Qualification for EPT Violations": there is no
 * linear address then.
 */
static bool mov_loads_pdptes(struct nv_vcpu *vcpu, u64 cr3)
{
	gpa1_t at = gpa1(PDPT_ADDR(cr3));
	struct nv_fault fault = {};
	int ret = 0;

	if (vcpu->l2)
		ret = nested_translate(vcpu, gpa2(PDPT_ADDR(cr3)), GMEM_READ, false, &at, &fault);
	if (ret == -EINTR) {
		fault.nested_qual &= ~(u64)(EPTV_LINEAR_VALID | EPTV_TRANSLATED);
		gmem_raise(vcpu, &fault);
	}
	if (ret)
		return false;
	if (load_pdptes(vcpu, at))
		return true;
	cpu_raise_gp(vcpu);
	return false;
}

static bool uses_pdptes(u64 cr0, u64 cr4, u64 efer)
{
	return (cr0 & CR0_PG) && (cr4 & CR4_PAE) && !(efer & IA32_EFER_LMA);
}

/*
 * While L2 runs, the register is vmcs02's: the bits L1 did not take are L2's
 * own, and the read shadow stays L1's business for the bits it did take.
 */
static void guest_write_cr0(struct nv_vcpu *vcpu, u64 value)
{
	if (vcpu->l2)
		nested_set_cr0(vcpu, value);
	else
		vmx_set_cr0(vcpu, value);
}

static void guest_write_cr4(struct nv_vcpu *vcpu, u64 value)
{
	if (vcpu->l2)
		nested_set_cr4(vcpu, value);
	else
		vmx_set_cr4(vcpu, value);
}

bool cpu_mov_to_cr0(struct nv_vcpu *vcpu, u64 value)
{
	struct cpu_mode m = current_mode(vcpu);
	u64 efer = m.efer;

	value = nested_cr0_written(vcpu, value) | CR0_ET;
	if (!cpu_cr0_write_ok(&m, value) || !nested_cr0_allowed(vcpu, value))
		goto gp;
	/* Paging is being turned on with PAE outside IA-32e mode. */
	if ((efer & IA32_EFER_LME) && (value & CR0_PG))
		efer |= IA32_EFER_LMA;
	if (!(m.cr0 & CR0_PG) && uses_pdptes(value, m.cr4, efer) &&
	    !mov_loads_pdptes(vcpu, m.cr3))
		return false;
	guest_write_cr0(vcpu, value);
	if ((m.cr0 ^ value) & CR0_PG)
		nv_vcpu_set_request(vcpu, REQ_TLB_FLUSH);
	return true;
gp:
	cpu_raise_gp(vcpu);
	return false;
}

/* SDM 3A "Operations that Invalidate TLBs": a change of these in CR4. */
#define CR4_FLUSHES	(CR4_PGE | CR4_PAE | CR4_PSE | CR4_SMEP | CR4_PCIDE | CR4_LA57)

bool cpu_mov_to_cr4(struct nv_vcpu *vcpu, u64 value)
{
	struct cpu_mode m = current_mode(vcpu);

	value = nested_cr4_written(vcpu, value);
	if (!cpu_cr4_write_ok(&vcpu->features, &m, value) || !nested_cr4_allowed(vcpu, value))
		goto gp;
	if (uses_pdptes(m.cr0, value, m.efer) &&
	    ((m.cr4 ^ value) & (CR4_PAE | CR4_PSE | CR4_PGE | CR4_SMEP)) &&
	    !mov_loads_pdptes(vcpu, m.cr3))
		return false;
	guest_write_cr4(vcpu, value);
	if ((m.cr4 ^ value) & CR4_FLUSHES)
		nv_vcpu_set_request(vcpu, REQ_TLB_FLUSH);
	return true;
gp:
	cpu_raise_gp(vcpu);
	return false;
}

static void segment_to_user(enum nv_seg seg, struct kvm_segment *out)
{
	struct nv_segment s;

	vmx_get_segment(seg, &s);
	*out = (struct kvm_segment) {
		.base = s.base,
		.limit = s.limit,
		.selector = s.sel,
		.type = s.ar & SEG_AR_TYPE,
		.s = !!(s.ar & SEG_AR_S),
		.dpl = (s.ar & SEG_AR_DPL) >> SEG_AR_DPL_SHIFT,
		.present = !!(s.ar & SEG_AR_P) && !(s.ar & SEG_AR_UNUSABLE),
		.avl = !!(s.ar & SEG_AR_AVL),
		.l = !!(s.ar & SEG_AR_L),
		.db = !!(s.ar & SEG_AR_DB),
		.g = !!(s.ar & SEG_AR_G),
		.unusable = !!(s.ar & SEG_AR_UNUSABLE),
	};
}

static void segment_from_user(enum nv_seg seg, const struct kvm_segment *in)
{
	struct nv_segment s = {
		.base = in->base,
		.limit = in->limit,
		.sel = in->selector,
	};

	if (in->unusable || !in->present)
		s.ar = SEG_AR_UNUSABLE;
	else
		s.ar = (in->type & 15) | (in->s & 1) << 4 | (in->dpl & 3) << 5 | BIT(7) |
		       (in->avl & 1) << 12 | (in->l & 1) << 13 | (in->db & 1) << 14 |
		       (in->g & 1) << 15;
	vmx_set_segment(seg, &s);
}

/* L2's as it acts, not as L1 lets it read: that is a value which an entry has checked. */
static u64 user_cr0(struct nv_vcpu *vcpu)
{
	u64 cr0 = cpu_cr0(vcpu);

	/* VM entry takes no notice of the cache controls. */
	return !vcpu->l2 || (cr0 & CR0_CD) ? cr0 : cr0 & ~CR0_NW;
}

/* Of an external interrupt whose delivery has begun; KVM_GET_VCPU_EVENTS tells it as well. */
static int begun_vector(const struct nv_vcpu *vcpu)
{
	const struct nv_event *e = &vcpu->ev.reinject;

	if (nv_event_valid(e) && (e->info & INTR_INFO_TYPE) == INTR_TYPE_EXT)
		return nv_event_vector(e);
	return -1;
}

/* "Acknowledged by the APIC but not yet injected": the API's words. */
static int pending_vector(struct nv_vcpu *vcpu)
{
	if (vcpu->ev.user_intr >= 0)
		return vcpu->ev.user_intr;
	return begun_vector(vcpu);
}

/* User space's PIC has no other place for it: it waits until the guest can take it. */
static void set_pending_vector(struct nv_vcpu *vcpu, u8 vector)
{
	if (irq_has_chips(vcpu->vm))
		vcpu->ev.reinject.info = INTR_INFO_VALID | INTR_TYPE_EXT | vector;
	else if (begun_vector(vcpu) != vector)
		vcpu->ev.user_intr = vector;
}

void cpu_get_sregs(struct nv_vcpu *vcpu, struct kvm_sregs *s)
{
	int vector;

	memset(s, 0, sizeof(*s));
	segment_to_user(SEG_CS, &s->cs);
	segment_to_user(SEG_DS, &s->ds);
	segment_to_user(SEG_ES, &s->es);
	segment_to_user(SEG_FS, &s->fs);
	segment_to_user(SEG_GS, &s->gs);
	segment_to_user(SEG_SS, &s->ss);
	segment_to_user(SEG_TR, &s->tr);
	segment_to_user(SEG_LDTR, &s->ldt);
	s->gdt.base = vmcs_read(VMCS_GUEST_GDTR_BASE);
	s->gdt.limit = vmcs_read(VMCS_GUEST_GDTR_LIMIT);
	s->idt.base = vmcs_read(VMCS_GUEST_IDTR_BASE);
	s->idt.limit = vmcs_read(VMCS_GUEST_IDTR_LIMIT);
	s->cr0 = user_cr0(vcpu);
	s->cr2 = vcpu->regs.cr2;
	s->cr3 = vmx_cr3(vcpu);
	s->cr4 = cpu_cr4(vcpu);
	s->cr8 = vcpu->lapic ? vlapic_cr8(vcpu) : vcpu->run->cr8;
	s->efer = vmx_efer(vcpu);
	s->apic_base = vcpu->apic_base;
	vector = pending_vector(vcpu);
	if (vector >= 0)
		s->interrupt_bitmap[vector / 64] |= BIT_ULL(vector % 64);
}

/* What the two forms have in common is laid out alike. */
static_assert(offsetof(struct kvm_sregs, apic_base) == offsetof(struct kvm_sregs2, apic_base));

#define SREGS_COMMON	offsetofend(struct kvm_sregs, apic_base)

void cpu_get_sregs2(struct nv_vcpu *vcpu, struct kvm_sregs2 *s)
{
	struct kvm_sregs old;
	int i;

	cpu_get_sregs(vcpu, &old);
	memset(s, 0, sizeof(*s));
	memcpy(s, &old, SREGS_COMMON);
	if (!uses_pdptes(s->cr0, s->cr4, s->efer))
		return;
	s->flags = KVM_SREGS2_FLAGS_PDPTRS_VALID;
	for (i = 0; i < 4; i++)
		s->pdptrs[i] = vmcs_read(VMCS_GUEST_PDPTE0 + 2 * i);
}

static bool set_apic_base(struct nv_vcpu *vcpu, u64 base)
{
	if (base == vcpu->apic_base)
		return true;
	if (vcpu->lapic)
		return !vlapic_msr_write(vcpu, IA32_APIC_BASE, base, true);
	if (!cpu_apic_base_valid(&vcpu->features, base))
		return false;
	vcpu->apic_base = base;
	return true;
}

static void set_pdptes(struct nv_vcpu *vcpu, const struct kvm_sregs *s, const u64 *pdptes)
{
	int i;

	if (!uses_pdptes(s->cr0, s->cr4, s->efer))
		return;
	/* Those of L2 are the nested state's; its CR3 may be no address of L1. */
	if (!pdptes && (vcpu->l2 || load_pdptes(vcpu, gpa1(PDPT_ADDR(s->cr3)))))
		return;
	for (i = 0; i < 4; i++)
		vmcs_write(VMCS_GUEST_PDPTE0 + 2 * i, pdptes ? pdptes[i] : 0);
}

static void set_segments(const struct kvm_sregs *s)
{
	segment_from_user(SEG_CS, &s->cs);
	segment_from_user(SEG_DS, &s->ds);
	segment_from_user(SEG_ES, &s->es);
	segment_from_user(SEG_FS, &s->fs);
	segment_from_user(SEG_GS, &s->gs);
	segment_from_user(SEG_SS, &s->ss);
	segment_from_user(SEG_TR, &s->tr);
	segment_from_user(SEG_LDTR, &s->ldt);
	vmcs_write(VMCS_GUEST_GDTR_BASE, s->gdt.base);
	vmcs_write(VMCS_GUEST_GDTR_LIMIT, s->gdt.limit);
	vmcs_write(VMCS_GUEST_IDTR_BASE, s->idt.base);
	vmcs_write(VMCS_GUEST_IDTR_LIMIT, s->idt.limit);
}

/* @pdptes: NULL: from memory. */
static int set_sregs(struct nv_vcpu *vcpu, const struct kvm_sregs *s, const u64 *pdptes)
{
	struct cpu_mode m = {
		.cr0 = s->cr0, .cr3 = s->cr3, .cr4 = s->cr4, .efer = s->efer, .cs_l = s->cs.l,
	};

	if (!cpu_mode_valid(&vcpu->features, &m) || !cpu_cr8_valid(s->cr8))
		return -EINVAL;
	if (!x86_canonical(s->gdt.base, 48) || !x86_canonical(s->idt.base, 48) ||
	    !x86_canonical(s->fs.base, 48) || !x86_canonical(s->gs.base, 48) ||
	    !x86_canonical(s->tr.base, 48))
		return -EINVAL;
	if (!set_apic_base(vcpu, s->apic_base))
		return -EINVAL;
	vcpu->regs.cr2 = s->cr2;
	vmx_set_efer(vcpu, s->efer);
	vmx_set_cr3(vcpu, s->cr3);
	guest_write_cr0(vcpu, s->cr0 | CR0_ET);
	guest_write_cr4(vcpu, s->cr4);
	set_pdptes(vcpu, s, pdptes);
	if (vcpu->lapic)
		vlapic_set_cr8(vcpu, s->cr8);
	else
		vcpu->run->cr8 = s->cr8;
	set_segments(s);
	nv_vcpu_set_request(vcpu, REQ_TLB_FLUSH);
	return 0;
}

int cpu_set_sregs(struct nv_vcpu *vcpu, const struct kvm_sregs *s)
{
	int ret = set_sregs(vcpu, s, NULL);
	int i;

	for (i = 0; !ret && i < 256; i++) {
		if (!(s->interrupt_bitmap[i / 64] & BIT_ULL(i % 64)))
			continue;
		set_pending_vector(vcpu, i);
		break;
	}
	return ret;
}

int cpu_set_sregs2(struct nv_vcpu *vcpu, const struct kvm_sregs2 *s)
{
	bool given = s->flags & KVM_SREGS2_FLAGS_PDPTRS_VALID;
	struct kvm_sregs old = {};
	int i;

	if (s->flags & ~KVM_SREGS2_FLAGS_PDPTRS_VALID)
		return -EINVAL;
	for (i = 0; given && i < 4; i++)
		if (!cpu_pdpte_valid(&vcpu->features, s->pdptrs[i]))
			return -EINVAL;
	memcpy(&old, s, SREGS_COMMON);
	return set_sregs(vcpu, &old, given ? s->pdptrs : NULL);
}
