// SPDX-License-Identifier: GPL-2.0
/* Guest registers that live in the current VMCS. */
#include "cpu.h"
#include "nested/nested.h"
#include "vcpu.h"

u64 vmx_reg(struct nv_vcpu *vcpu, unsigned int reg)
{
	return reg == REG_RSP ? vmcs_read(VMCS_GUEST_RSP) : vcpu->regs.gpr[reg];
}

void vmx_set_reg(struct nv_vcpu *vcpu, unsigned int reg, u64 value)
{
	if (reg == REG_RSP)
		vmcs_write(VMCS_GUEST_RSP, value);
	else
		vcpu->regs.gpr[reg] = value;
}

u64 vmx_cr0(struct nv_vcpu *vcpu)
{
	u64 mask = vmcs_read(VMCS_CR0_MASK);

	return (vmcs_read(VMCS_GUEST_CR0) & ~mask) | (vmcs_read(VMCS_CR0_SHADOW) & mask);
}

u64 vmx_cr3(struct nv_vcpu *vcpu)
{
	return vmcs_read(VMCS_GUEST_CR3);
}

u64 vmx_cr4(struct nv_vcpu *vcpu)
{
	u64 mask = vmcs_read(VMCS_CR4_MASK);

	return (vmcs_read(VMCS_GUEST_CR4) & ~mask) | (vmcs_read(VMCS_CR4_SHADOW) & mask);
}

u64 vmx_efer(struct nv_vcpu *vcpu)
{
	return vmcs_read(VMCS_GUEST_EFER);
}

bool vmx_long_mode(struct nv_vcpu *vcpu)
{
	return vmx_efer(vcpu) & IA32_EFER_LMA;
}

bool vmx_cs_64(struct nv_vcpu *vcpu)
{
	return vmx_long_mode(vcpu) && (vmcs_read(VMCS_GUEST_CS_AR) & SEG_AR_L);
}

unsigned int vmx_cpl(struct nv_vcpu *vcpu)
{
	return (vmcs_read(VMCS_GUEST_SS_AR) & SEG_AR_DPL) >> SEG_AR_DPL_SHIFT;
}

/*
 * With unrestricted guest and EPT the guest may own everything of CR0 but NE,
 * which VMX fixes, and the cache controls, which VM entry does not load. ET and
 * undefined bits are constant in the CPU as well.
 */
u64 vmx_cr0_host_mask(struct nv_vcpu *vcpu)
{
	u64 mask = ~(CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_WP | CR0_AM | CR0_PG);

	/* SDM 3C "Restrictions on VMX Operation". For L2 hardware knows. */
	if (!vcpu->l2 && nested_in_vmx_operation(vcpu))
		mask |= CR0_PE | CR0_PG;
	return mask;
}

void vmx_update_cr0_mask(struct nv_vcpu *vcpu)
{
	u64 cr0 = vmx_cr0(vcpu);

	vmcs_write(VMCS_CR0_MASK, vmx_cr0_host_mask(vcpu));
	vmcs_write(VMCS_CR0_SHADOW, cr0);
}

/*
 * Bits that act only on the guest's own paging and instructions. OSXSAVE is not one:
 * it opens XCR0, which vmx_fpu_load() must have loaded before. So it changes with an
 * exit only, of L1 and of L2, whose vmcs02 keeps what L0 keeps.
 */
#define CR4_GUEST_MAY_OWN	(CR4_VME | CR4_PVI | CR4_TSD | CR4_DE | CR4_PSE | CR4_PAE | \
				 CR4_PGE | CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_UMIP |	\
				 CR4_FSGSBASE | CR4_PCIDE | CR4_SMEP | CR4_SMAP)

u64 vmx_cr4_host_mask(struct nv_vcpu *vcpu)
{
	/* What CPUID does not offer must fault: an exit lets us say so. */
	return ~(CR4_GUEST_MAY_OWN & ~cpu_cr4_reserved(vcpu));
}

u64 vmx_cr0_for_hardware(u64 guest_cr0)
{
	/* Unrestricted guest frees PE and PG from CR0_FIXED0. */
	u64 fixed0 = vmx_caps.cr0_fixed0 & ~(CR0_PE | CR0_PG);

	return (guest_cr0 & ~(CR0_CD | CR0_NW)) | fixed0 | CR0_NE;
}

u64 vmx_cr4_for_hardware(u64 guest_cr4)
{
	return guest_cr4 | vmx_caps.cr4_fixed0 | CR4_VMXE | CR4_MCE;
}

static void follow_long_mode(u64 efer)
{
	if (efer & IA32_EFER_LMA)
		vmcs_set_bits(VMCS_ENTRY_CTLS, ENTRY_IA32E);
	else
		vmcs_clear_bits(VMCS_ENTRY_CTLS, ENTRY_IA32E);
}

void vmx_set_cr0(struct nv_vcpu *vcpu, u64 cr0)
{
	u64 efer = vmx_efer(vcpu);

	/* SDM 3A "Initializing IA-32e Mode": LMA = LME and PG. */
	if ((efer & IA32_EFER_LME) && (cr0 & CR0_PG))
		efer |= IA32_EFER_LMA;
	else
		efer &= ~IA32_EFER_LMA;
	vmcs_write(VMCS_GUEST_EFER, efer);
	follow_long_mode(efer);
	vmcs_write(VMCS_CR0_SHADOW, cr0);
	vmcs_write(VMCS_GUEST_CR0, vmx_cr0_for_hardware(cr0));
}

void vmx_set_cr3(struct nv_vcpu *vcpu, u64 cr3)
{
	vmcs_write(VMCS_GUEST_CR3, cr3);
}

void vmx_set_cr4(struct nv_vcpu *vcpu, u64 cr4)
{
	vmcs_write(VMCS_CR4_SHADOW, cr4);
	vmcs_write(VMCS_GUEST_CR4, vmx_cr4_for_hardware(cr4));
}

void vmx_set_efer(struct nv_vcpu *vcpu, u64 efer)
{
	vmcs_write(VMCS_GUEST_EFER, efer);
	follow_long_mode(efer);
}

/* The fields of the eight segments follow each other, two encodings apart. */
void vmx_get_segment(enum nv_seg seg, struct nv_segment *s)
{
	s->sel = vmcs_read(VMCS_GUEST_ES_SEL + 2 * seg);
	s->limit = vmcs_read(VMCS_GUEST_ES_LIMIT + 2 * seg);
	s->ar = vmcs_read(VMCS_GUEST_ES_AR + 2 * seg);
	s->base = vmcs_read(VMCS_GUEST_ES_BASE + 2 * seg);
}

void vmx_set_segment(enum nv_seg seg, const struct nv_segment *s)
{
	vmcs_write(VMCS_GUEST_ES_SEL + 2 * seg, s->sel);
	vmcs_write(VMCS_GUEST_ES_LIMIT + 2 * seg, s->limit);
	vmcs_write(VMCS_GUEST_ES_AR + 2 * seg, s->ar);
	vmcs_write(VMCS_GUEST_ES_BASE + 2 * seg, s->base);
}

static_assert(VMCS_GUEST_TR_SEL == VMCS_GUEST_ES_SEL + 2 * SEG_TR);
static_assert(VMCS_GUEST_TR_LIMIT == VMCS_GUEST_ES_LIMIT + 2 * SEG_TR);
static_assert(VMCS_GUEST_TR_AR == VMCS_GUEST_ES_AR + 2 * SEG_TR);
static_assert(VMCS_GUEST_TR_BASE == VMCS_GUEST_ES_BASE + 2 * SEG_TR);
