// SPDX-License-Identifier: GPL-2.0
/*
 * Legal values of registers. SDM 3A "Control Registers", "Extended Feature
 * Enable Register", "Initializing IA-32e Mode", 4 "IA32_..." MSR descriptions.
 * Pure, see kmod/pure.mk.
 */
#include "cpu_valid.h"

#include "cpuid_bits.h"
#include "x86.h"

/* CR4 bits that need a CPUID bit; those not listed are always there or never. */
#define CR4_ALWAYS	(CR4_TSD | CR4_MCE | CR4_PCE)

u64 cpu_phys_reserved(const struct cpu_features *f)
{
	return ~GENMASK_ULL(f->maxphyaddr - 1, 0);
}

bool cpu_gpa_valid(const struct cpu_features *f, u64 gpa)
{
	return !(gpa & cpu_phys_reserved(f));
}

bool cpu_canonical_cr4(u64 va, u64 cr4)
{
	return x86_canonical(va, cr4 & CR4_LA57 ? 57 : 48);
}

bool cpu_canonical(const struct cpu_features *f, u64 va)
{
	return x86_canonical(va, f->linear_width);
}

bool cpu_cr0_valid(u64 cr0)
{
	if (cr0 >> 32)
		return false;
	if ((cr0 & CR0_PG) && !(cr0 & CR0_PE))
		return false;
	return !(cr0 & CR0_NW) || (cr0 & CR0_CD);
}

u64 cpu_cr4_allowed(const struct cpu_features *f)
{
	const struct {
		u32 word, bit;
		u64 cr4;
	} rows[] = {
		{ f->f1_edx,	CPUID_1_EDX_VME,	CR4_VME | CR4_PVI },
		{ f->f1_edx,	CPUID_1_EDX_DE,		CR4_DE },
		{ f->f1_edx,	CPUID_1_EDX_PSE,	CR4_PSE },
		{ f->f1_edx,	CPUID_1_EDX_PAE,	CR4_PAE },
		{ f->f1_edx,	CPUID_1_EDX_PGE,	CR4_PGE },
		{ f->f1_edx,	CPUID_1_EDX_FXSR,	CR4_OSFXSR },
		{ f->f1_edx,	CPUID_1_EDX_SSE,	CR4_OSXMMEXCPT },
		{ f->f7_ecx,	CPUID_7_ECX_UMIP,	CR4_UMIP },
		{ f->f7_ecx,	CPUID_7_ECX_LA57,	CR4_LA57 },
		{ f->f1_ecx,	CPUID_1_ECX_VMX,	CR4_VMXE },
		{ f->f1_ecx,	CPUID_1_ECX_SMX,	CR4_SMXE },
		{ f->f7_ebx,	CPUID_7_EBX_FSGSBASE,	CR4_FSGSBASE },
		{ f->f1_ecx,	CPUID_1_ECX_PCID,	CR4_PCIDE },
		{ f->f1_ecx,	CPUID_1_ECX_XSAVE,	CR4_OSXSAVE },
		{ f->f7_ebx,	CPUID_7_EBX_SMEP,	CR4_SMEP },
		{ f->f7_ebx,	CPUID_7_EBX_SMAP,	CR4_SMAP },
		{ f->f7_ecx,	CPUID_7_ECX_PKU,	CR4_PKE },
		{ f->f7_ecx,	CPUID_7_ECX_CET_SS,	CR4_CET },
		{ f->f7_ecx,	CPUID_7_ECX_PKS,	CR4_PKS },
	};
	u64 allowed = CR4_ALWAYS;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].word & rows[i].bit)
			allowed |= rows[i].cr4;
	return allowed;
}

bool cpu_cr4_valid(const struct cpu_features *f, u64 cr4)
{
	return !(cr4 & ~cpu_cr4_allowed(f));
}

bool cpu_cr3_valid(const struct cpu_features *f, u64 cr3)
{
	return cpu_gpa_valid(f, cr3);
}

/* SDM 4 "IA32_SPEC_CTRL": each bit is there with its bit of CPUID, else reserved. */
u64 cpu_spec_ctrl_allowed(const struct cpu_features *f)
{
	const struct {
		u32 word, bit;
		u64 msr;
	} rows[] = {
		{ f->f7_edx,	CPUID_7_EDX_SPEC_CTRL,		IA32_SPEC_CTRL_IBRS },
		{ f->f7_edx,	CPUID_7_EDX_STIBP,		IA32_SPEC_CTRL_STIBP },
		{ f->f7_edx,	CPUID_7_EDX_SSBD,		IA32_SPEC_CTRL_SSBD },
		{ f->f7_2_edx,	CPUID_7_2_EDX_IPRED_CTRL,	IA32_SPEC_CTRL_IPRED },
		{ f->f7_2_edx,	CPUID_7_2_EDX_RRSBA_CTRL,	IA32_SPEC_CTRL_RRSBA },
		{ f->f7_2_edx,	CPUID_7_2_EDX_PSFD,		IA32_SPEC_CTRL_PSFD },
		{ f->f7_2_edx,	CPUID_7_2_EDX_DDPD_U,		IA32_SPEC_CTRL_DDPD_U },
		{ f->f7_2_edx,	CPUID_7_2_EDX_BHI_CTRL,		IA32_SPEC_CTRL_BHI },
	};
	u64 allowed = 0;
	u32 i;

	for (i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].word & rows[i].bit)
			allowed |= rows[i].msr;
	return allowed;
}

u64 cpu_efer_allowed(const struct cpu_features *f)
{
	u64 allowed = 0;

	if (f->f80000001_edx & CPUID_80000001_EDX_SYSCALL)
		allowed |= IA32_EFER_SCE;
	if (f->f80000001_edx & CPUID_80000001_EDX_LM)
		allowed |= IA32_EFER_SCE | IA32_EFER_LME | IA32_EFER_LMA;
	if (f->f80000001_edx & CPUID_80000001_EDX_NX)
		allowed |= IA32_EFER_NXE;
	return allowed;
}

bool cpu_efer_valid(const struct cpu_features *f, u64 efer)
{
	return !(efer & ~cpu_efer_allowed(f));
}

bool cpu_xcr0_valid(const struct cpu_features *f, u64 xcr0)
{
	if (!(xcr0 & XCR0_X87) || (xcr0 & ~f->xcr0_allowed))
		return false;
	if ((xcr0 & XCR0_AVX) && !(xcr0 & XCR0_SSE))
		return false;
	/* The three parts of AVX-512 are enabled together, and with AVX. */
	return !(xcr0 & XCR0_AVX512) ||
	       ((xcr0 & XCR0_AVX512) == XCR0_AVX512 && (xcr0 & XCR0_AVX));
}

bool cpu_pat_valid(u64 pat)
{
	return x86_pat_valid(pat);
}

bool cpu_dr6_valid(u64 dr6)
{
	return !(dr6 >> 32);
}

bool cpu_dr7_valid(u64 dr7)
{
	return !(dr7 >> 32);
}

/* The bits of every CPU with VT-x; the others need features we do not show. */
bool cpu_debugctl_valid(u64 debugctl)
{
	return !(debugctl & ~(DEBUGCTL_LBR | DEBUGCTL_BTF));
}

bool cpu_apic_base_valid(const struct cpu_features *f, u64 base)
{
	u64 allowed = APIC_BASE_BSP | APIC_BASE_ENABLE | APIC_BASE_ADDR;

	if (f->f1_ecx & CPUID_1_ECX_X2APIC)
		allowed |= APIC_BASE_X2APIC;
	if ((base & ~allowed) || !cpu_gpa_valid(f, base))
		return false;
	return !(base & APIC_BASE_X2APIC) || (base & APIC_BASE_ENABLE);
}

bool cpu_rflags_valid(u64 rflags)
{
	u64 reserved = GENMASK_ULL(63, 22) | BIT_ULL(15) | BIT_ULL(5) | BIT_ULL(3);

	return (rflags & RFLAGS_FIXED1) && !(rflags & reserved);
}

bool cpu_cr8_valid(u64 cr8)
{
	return !(cr8 & ~0xfull);
}

bool cpu_mode_valid(const struct cpu_features *f, const struct cpu_mode *m)
{
	bool lma = m->efer & IA32_EFER_LMA;

	if (!cpu_cr0_valid(m->cr0) || !cpu_cr3_valid(f, m->cr3) || !cpu_cr4_valid(f, m->cr4) ||
	    !cpu_efer_valid(f, m->efer))
		return false;
	if (lma != ((m->efer & IA32_EFER_LME) && (m->cr0 & CR0_PG)))
		return false;
	if (lma && !(m->cr4 & CR4_PAE))
		return false;
	if (!lma && (m->cr4 & CR4_PCIDE))
		return false;
	return !(m->cr4 & CR4_CET) || (m->cr0 & CR0_WP);
}

bool cpu_cr0_write_ok(const struct cpu_mode *old, u64 cr0)
{
	if (!cpu_cr0_valid(cr0))
		return false;
	if (!(old->cr0 & CR0_PG) && (cr0 & CR0_PG) && (old->efer & IA32_EFER_LME))
		return (old->cr4 & CR4_PAE) && !old->cs_l;
	if ((old->cr0 & CR0_PG) && !(cr0 & CR0_PG)) {
		if (old->cr4 & CR4_PCIDE)
			return false;
		if ((old->efer & IA32_EFER_LMA) && old->cs_l)
			return false;
	}
	return (cr0 & CR0_WP) || !(old->cr4 & CR4_CET);
}

bool cpu_cr3_write_ok(const struct cpu_features *f, const struct cpu_mode *old, u64 cr3)
{
	if (old->cr4 & CR4_PCIDE)
		cr3 &= ~CR3_NOFLUSH;
	return cpu_cr3_valid(f, cr3);
}

bool cpu_cr4_write_ok(const struct cpu_features *f, const struct cpu_mode *old, u64 cr4)
{
	u64 set = cr4 & ~old->cr4, changed = cr4 ^ old->cr4;

	if (!cpu_cr4_valid(f, cr4))
		return false;
	if (old->efer & IA32_EFER_LMA) {
		if (!(cr4 & CR4_PAE) || (changed & CR4_LA57))
			return false;
	} else if (set & CR4_PCIDE) {
		return false;
	}
	if ((set & CR4_PCIDE) && (old->cr3 & CR3_PCID))
		return false;
	return !(cr4 & CR4_CET) || (old->cr0 & CR0_WP);
}

/* LMA is not written: what WRMSR gives for it does not count. */
bool cpu_efer_write_ok(const struct cpu_features *f, const struct cpu_mode *old, u64 efer)
{
	if (!cpu_efer_valid(f, efer & ~IA32_EFER_LMA))
		return false;
	return !((efer ^ old->efer) & IA32_EFER_LME) || !(old->cr0 & CR0_PG);
}

/* SDM 3A "x2APIC State Transitions": from x2APIC only to off, from off only to xAPIC. */
bool cpu_apic_base_write_ok(const struct cpu_features *f, u64 old, u64 base)
{
	u64 mode = base & (APIC_BASE_ENABLE | APIC_BASE_X2APIC);

	if (!cpu_apic_base_valid(f, base))
		return false;
	if (old & APIC_BASE_X2APIC)
		return mode != APIC_BASE_ENABLE;
	if (!(old & APIC_BASE_ENABLE))
		return !(mode & APIC_BASE_X2APIC);
	return true;
}

bool cpu_fixed_ok(u64 value, u64 fixed0, u64 fixed1)
{
	return (value & fixed0) == fixed0 && !(value & ~fixed1);
}

/* Bits 2:1, 8:5 and 63:MAXPHYADDR; SDM 3A "Use of CR3 with PAE Paging". */
bool cpu_pdpte_valid(const struct cpu_features *f, u64 pdpte)
{
	u64 reserved = GENMASK_ULL(2, 1) | GENMASK_ULL(8, 5) | cpu_phys_reserved(f);

	return !(pdpte & 1) || !(pdpte & reserved);
}

/* Any of bits 11:0 is 0: G must be 0. Any of bits 31:20 is 1: G must be 1. */
bool cpu_seg_limit_valid(u32 limit, u32 ar)
{
	if ((limit & 0xfff) != 0xfff && (ar & SEG_AR_G))
		return false;
	return !(limit & 0xfff00000u) || (ar & SEG_AR_G);
}
