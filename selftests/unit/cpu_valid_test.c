// SPDX-License-Identifier: GPL-2.0
#include "harness.h"
#include "cpu_valid.h"
#include "cpuid_bits.h"
#include "x86.h"

static const struct cpu_features cpu = {
	.f1_ecx = CPUID_1_ECX_XSAVE | CPUID_1_ECX_PCID | CPUID_1_ECX_X2APIC,
	.f1_edx = ~0u,
	.f7_ebx = CPUID_7_EBX_SMEP | CPUID_7_EBX_SMAP,
	.f80000001_edx = CPUID_80000001_EDX_SYSCALL | CPUID_80000001_EDX_NX |
			 CPUID_80000001_EDX_LM,
	.xcr0_allowed = XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512,
	.maxphyaddr = 40,
	.linear_width = 48,
};

TEST(addresses)
{
	EXPECT_TRUE(cpu_gpa_valid(&cpu, BIT_ULL(40) - 1));
	EXPECT_FALSE(cpu_gpa_valid(&cpu, BIT_ULL(40)));
	EXPECT_EQ(cpu_phys_reserved(&cpu), 0xffffff0000000000ull);
	EXPECT_TRUE(cpu_canonical(&cpu, 0x7fffffffffffull));
	EXPECT_FALSE(cpu_canonical(&cpu, 0x800000000000ull));
	EXPECT_TRUE(cpu_canonical(&cpu, 0xffff800000000000ull));
	EXPECT_TRUE(cpu_canonical_cr4(0x800000000000ull, CR4_LA57));
	EXPECT_FALSE(cpu_canonical_cr4(BIT_ULL(56), CR4_LA57));
}

TEST(cr0)
{
	EXPECT_TRUE(cpu_cr0_valid(0));
	EXPECT_TRUE(cpu_cr0_valid(CR0_PG | CR0_PE | CR0_CD | CR0_NW));
	EXPECT_FALSE(cpu_cr0_valid(CR0_PG));
	EXPECT_FALSE(cpu_cr0_valid(CR0_NW));
	EXPECT_FALSE(cpu_cr0_valid(BIT_ULL(32)));
}

TEST(cr4_follows_cpuid)
{
	static const struct {
		u64 cr4;
		struct cpu_features f;
	} rows[] = {
		{ CR4_VME, { .f1_edx = CPUID_1_EDX_VME } },
		{ CR4_PVI, { .f1_edx = CPUID_1_EDX_VME } },
		{ CR4_DE, { .f1_edx = CPUID_1_EDX_DE } },
		{ CR4_PSE, { .f1_edx = CPUID_1_EDX_PSE } },
		{ CR4_PAE, { .f1_edx = CPUID_1_EDX_PAE } },
		{ CR4_PGE, { .f1_edx = CPUID_1_EDX_PGE } },
		{ CR4_OSFXSR, { .f1_edx = CPUID_1_EDX_FXSR } },
		{ CR4_OSXMMEXCPT, { .f1_edx = CPUID_1_EDX_SSE } },
		{ CR4_UMIP, { .f7_ecx = CPUID_7_ECX_UMIP } },
		{ CR4_LA57, { .f7_ecx = CPUID_7_ECX_LA57 } },
		{ CR4_VMXE, { .f1_ecx = CPUID_1_ECX_VMX } },
		{ CR4_SMXE, { .f1_ecx = CPUID_1_ECX_SMX } },
		{ CR4_FSGSBASE, { .f7_ebx = CPUID_7_EBX_FSGSBASE } },
		{ CR4_PCIDE, { .f1_ecx = CPUID_1_ECX_PCID } },
		{ CR4_OSXSAVE, { .f1_ecx = CPUID_1_ECX_XSAVE } },
		{ CR4_SMEP, { .f7_ebx = CPUID_7_EBX_SMEP } },
		{ CR4_SMAP, { .f7_ebx = CPUID_7_EBX_SMAP } },
		{ CR4_PKE, { .f7_ecx = CPUID_7_ECX_PKU } },
		{ CR4_CET, { .f7_ecx = CPUID_7_ECX_CET_SS } },
		{ CR4_PKS, { .f7_ecx = CPUID_7_ECX_PKS } },
	};
	static const struct cpu_features none;

	FOR_EACH_ROW(r, rows) {
		CASE("%llx", r->cr4);
		EXPECT_FALSE(cpu_cr4_valid(&none, r->cr4));
		EXPECT_TRUE(cpu_cr4_valid(&r->f, r->cr4));
	}
	EXPECT_TRUE(cpu_cr4_valid(&none, CR4_TSD | CR4_MCE | CR4_PCE));
	EXPECT_FALSE(cpu_cr4_valid(&cpu, BIT_ULL(15)));
	EXPECT_FALSE(cpu_cr4_valid(&cpu, CR4_KL));
}

TEST(msrs)
{
	EXPECT_TRUE(cpu_efer_valid(&cpu, IA32_EFER_SCE | IA32_EFER_LME | IA32_EFER_LMA |
				   IA32_EFER_NXE));
	EXPECT_FALSE(cpu_efer_valid(&cpu, BIT_ULL(1)));
	EXPECT_FALSE(cpu_efer_valid(&(struct cpu_features){ 0 }, IA32_EFER_NXE));
	EXPECT_TRUE(cpu_pat_valid(IA32_PAT_RESET));
	EXPECT_FALSE(cpu_pat_valid(0x02));
	EXPECT_FALSE(cpu_pat_valid(0x0800000000000000ull));
	EXPECT_TRUE(cpu_debugctl_valid(3));
	EXPECT_FALSE(cpu_debugctl_valid(4));
	EXPECT_TRUE(cpu_dr7_valid(0xffffffff));
	EXPECT_FALSE(cpu_dr7_valid(BIT_ULL(32)));
	EXPECT_FALSE(cpu_dr6_valid(BIT_ULL(63)));
	EXPECT_TRUE(cpu_rflags_valid(2));
	EXPECT_FALSE(cpu_rflags_valid(0));
	EXPECT_FALSE(cpu_rflags_valid(2 | BIT_ULL(3)));
	EXPECT_TRUE(cpu_cr8_valid(15));
	EXPECT_FALSE(cpu_cr8_valid(16));
}

TEST(xcr0)
{
	EXPECT_TRUE(cpu_xcr0_valid(&cpu, 1));
	EXPECT_TRUE(cpu_xcr0_valid(&cpu, 7));
	EXPECT_TRUE(cpu_xcr0_valid(&cpu, 0xe7));
	EXPECT_FALSE(cpu_xcr0_valid(&cpu, 0));
	EXPECT_FALSE(cpu_xcr0_valid(&cpu, 6));
	EXPECT_FALSE(cpu_xcr0_valid(&cpu, 5));
	EXPECT_FALSE(cpu_xcr0_valid(&cpu, 0x27));
	EXPECT_FALSE(cpu_xcr0_valid(&cpu, 0xe3));
	EXPECT_FALSE(cpu_xcr0_valid(&cpu, 0x207));
}

TEST(apic_base)
{
	u64 x = APIC_BASE_DEFAULT | APIC_BASE_ENABLE, x2 = x | APIC_BASE_X2APIC;
	u64 off = APIC_BASE_DEFAULT;

	EXPECT_TRUE(cpu_apic_base_valid(&cpu, x2 | APIC_BASE_BSP));
	EXPECT_FALSE(cpu_apic_base_valid(&cpu, off | APIC_BASE_X2APIC));
	EXPECT_FALSE(cpu_apic_base_valid(&cpu, x | 1));
	EXPECT_FALSE(cpu_apic_base_valid(&cpu, x | BIT_ULL(40)));
	EXPECT_FALSE(cpu_apic_base_valid(&(struct cpu_features){ .maxphyaddr = 40 }, x2));
	EXPECT_TRUE(cpu_apic_base_write_ok(&cpu, x, x2));
	EXPECT_TRUE(cpu_apic_base_write_ok(&cpu, x2, off));
	EXPECT_TRUE(cpu_apic_base_write_ok(&cpu, off, x));
	EXPECT_FALSE(cpu_apic_base_write_ok(&cpu, x2, x));
	EXPECT_FALSE(cpu_apic_base_write_ok(&cpu, off, x2));
}

#define PAGING	(CR0_PG | CR0_PE)
#define LONG	(IA32_EFER_LME | IA32_EFER_LMA)

TEST(modes)
{
	static const struct {
		const char *name;
		struct cpu_mode m;
		bool ok;
	} rows[] = {
		{ "real", { 0, 0, 0, 0 }, true },
		{ "protected", { CR0_PE, 0, 0, 0 }, true },
		{ "PAE", { PAGING, 0, CR4_PAE, 0 }, true },
		{ "long", { PAGING, 0x1000, CR4_PAE, LONG }, true },
		{ "long with PCID", { PAGING, 0x1001, CR4_PAE | CR4_PCIDE, LONG }, true },
		{ "LME without paging", { CR0_PE, 0, 0, IA32_EFER_LME }, true },
		{ "LMA without paging", { CR0_PE, 0, CR4_PAE, LONG }, false },
		{ "LMA without LME", { PAGING, 0, CR4_PAE, IA32_EFER_LMA }, false },
		{ "LME, paging, no LMA", { PAGING, 0, CR4_PAE, IA32_EFER_LME }, false },
		{ "long without PAE", { PAGING, 0, 0, LONG }, false },
		{ "PCIDE outside long mode", { PAGING, 0, CR4_PAE | CR4_PCIDE, 0 }, false },
		{ "wide CR3", { PAGING, BIT_ULL(40), CR4_PAE, LONG }, false },
		{ "bad CR0", { CR0_PG, 0, 0, 0 }, false },
	};

	FOR_EACH_ROW(r, rows) {
		CASE("%s", r->name);
		EXPECT_EQ(cpu_mode_valid(&cpu, &r->m), r->ok);
	}
}

TEST(transitions)
{
	struct cpu_mode prot = { CR0_PE, 0, CR4_PAE, IA32_EFER_LME, false };
	struct cpu_mode lm = { PAGING, 0x1000, CR4_PAE, LONG, false };

	EXPECT_TRUE(cpu_cr0_write_ok(&prot, PAGING));
	prot.cr4 = 0;
	EXPECT_FALSE(cpu_cr0_write_ok(&prot, PAGING));
	prot.cr4 = CR4_PAE;
	prot.cs_l = true;
	EXPECT_FALSE(cpu_cr0_write_ok(&prot, PAGING));

	EXPECT_TRUE(cpu_cr0_write_ok(&lm, CR0_PE));
	lm.cs_l = true;
	EXPECT_FALSE(cpu_cr0_write_ok(&lm, CR0_PE));
	lm.cs_l = false;
	lm.cr4 |= CR4_PCIDE;
	EXPECT_FALSE(cpu_cr0_write_ok(&lm, CR0_PE));
	lm.cr4 &= ~CR4_PCIDE;

	EXPECT_FALSE(cpu_cr4_write_ok(&cpu, &lm, 0));
	EXPECT_TRUE(cpu_cr4_write_ok(&cpu, &lm, CR4_PAE | CR4_PCIDE));
	lm.cr3 |= 1;
	EXPECT_FALSE(cpu_cr4_write_ok(&cpu, &lm, CR4_PAE | CR4_PCIDE));
	lm.cr4 |= CR4_PCIDE;
	EXPECT_TRUE(cpu_cr4_write_ok(&cpu, &lm, CR4_PAE | CR4_PCIDE));
	EXPECT_TRUE(cpu_cr3_write_ok(&cpu, &lm, CR3_NOFLUSH | 0x2000));
	lm.cr4 &= ~CR4_PCIDE;
	EXPECT_FALSE(cpu_cr3_write_ok(&cpu, &lm, CR3_NOFLUSH | 0x2000));
	prot.efer = 0;
	EXPECT_FALSE(cpu_cr4_write_ok(&cpu, &prot, CR4_PAE | CR4_PCIDE));
	EXPECT_TRUE(cpu_cr4_write_ok(&cpu, &prot, 0));

	EXPECT_TRUE(cpu_efer_write_ok(&cpu, &prot, IA32_EFER_LME | IA32_EFER_LMA));
	EXPECT_FALSE(cpu_efer_write_ok(&cpu, &lm, IA32_EFER_SCE));
	EXPECT_TRUE(cpu_efer_write_ok(&cpu, &lm, IA32_EFER_LME | IA32_EFER_SCE));
}

TEST(small_rules)
{
	EXPECT_TRUE(cpu_fixed_ok(0x2010, 0x2000, 0x3fff));
	EXPECT_FALSE(cpu_fixed_ok(0x10, 0x2000, 0x3fff));
	EXPECT_FALSE(cpu_fixed_ok(0x6000, 0x2000, 0x3fff));
	EXPECT_TRUE(cpu_pdpte_valid(&cpu, 0x1001));
	EXPECT_TRUE(cpu_pdpte_valid(&cpu, ~1ull));
	EXPECT_FALSE(cpu_pdpte_valid(&cpu, 0x1003));
	EXPECT_FALSE(cpu_pdpte_valid(&cpu, BIT_ULL(40) | 1));
	EXPECT_TRUE(cpu_seg_limit_valid(0xfffff, 0));
	EXPECT_TRUE(cpu_seg_limit_valid(0xfffff, SEG_AR_G));
	EXPECT_FALSE(cpu_seg_limit_valid(0x100000, 0));
	EXPECT_FALSE(cpu_seg_limit_valid(0xffffe, SEG_AR_G));
}

TEST(spec_ctrl)
{
	static const struct {
		u32 f7_edx, f7_2_edx;
		u64 allowed;
	} rows[] = {
		{ 0, 0, 0 },
		{ ~0u, ~0u, 0x5ff },
		{ CPUID_7_EDX_ARCH_CAPABILITIES | CPUID_7_EDX_FLUSH_L1D, 0, 0 },
		{ CPUID_7_EDX_SPEC_CTRL, 0, 1 },
		{ CPUID_7_EDX_SPEC_CTRL | CPUID_7_EDX_STIBP, 0, 3 },
		{ CPUID_7_EDX_SSBD, 0, 4 },
		{ 0, CPUID_7_2_EDX_IPRED_CTRL, 0x18 },
		{ 0, CPUID_7_2_EDX_RRSBA_CTRL, 0x60 },
		{ 0, CPUID_7_2_EDX_PSFD, 0x80 },
		{ 0, CPUID_7_2_EDX_DDPD_U, 0x100 },
		{ 0, CPUID_7_2_EDX_BHI_CTRL, 0x400 },
	};

	FOR_EACH_ROW(r, rows) {
		const struct cpu_features f = { .f7_edx = r->f7_edx, .f7_2_edx = r->f7_2_edx };

		CASE("%x, %x", r->f7_edx, r->f7_2_edx);
		EXPECT_EQ(cpu_spec_ctrl_allowed(&f), r->allowed);
	}
}
