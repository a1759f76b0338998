/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Facts of the x86 architecture that nestvm decides by: control-register and
 * flag bits, MSR numbers, vectors, segment attributes. Constants only; the
 * names are the manual's, with prefixes that do not meet the kernel's own.
 */
#ifndef NESTVM_X86_H
#define NESTVM_X86_H

#include "pure.h"

#define CR0_PE			BIT_ULL(0)
#define CR0_MP			BIT_ULL(1)
#define CR0_EM			BIT_ULL(2)
#define CR0_TS			BIT_ULL(3)
#define CR0_ET			BIT_ULL(4)
#define CR0_NE			BIT_ULL(5)
#define CR0_WP			BIT_ULL(16)
#define CR0_AM			BIT_ULL(18)
#define CR0_NW			BIT_ULL(29)
#define CR0_CD			BIT_ULL(30)
#define CR0_PG			BIT_ULL(31)
#define CR0_DEFINED		(CR0_PE | CR0_MP | CR0_EM | CR0_TS | CR0_ET | CR0_NE | \
				 CR0_WP | CR0_AM | CR0_NW | CR0_CD | CR0_PG)

#define CR4_VME			BIT_ULL(0)
#define CR4_PVI			BIT_ULL(1)
#define CR4_TSD			BIT_ULL(2)
#define CR4_DE			BIT_ULL(3)
#define CR4_PSE			BIT_ULL(4)
#define CR4_PAE			BIT_ULL(5)
#define CR4_MCE			BIT_ULL(6)
#define CR4_PGE			BIT_ULL(7)
#define CR4_PCE			BIT_ULL(8)
#define CR4_OSFXSR		BIT_ULL(9)
#define CR4_OSXMMEXCPT		BIT_ULL(10)
#define CR4_UMIP		BIT_ULL(11)
#define CR4_LA57		BIT_ULL(12)
#define CR4_VMXE		BIT_ULL(13)
#define CR4_SMXE		BIT_ULL(14)
#define CR4_FSGSBASE		BIT_ULL(16)
#define CR4_PCIDE		BIT_ULL(17)
#define CR4_OSXSAVE		BIT_ULL(18)
#define CR4_KL			BIT_ULL(19)
#define CR4_SMEP		BIT_ULL(20)
#define CR4_SMAP		BIT_ULL(21)
#define CR4_PKE			BIT_ULL(22)
#define CR4_CET			BIT_ULL(23)
#define CR4_FRED		BIT_ULL(32)
#define CR4_PKS			BIT_ULL(24)

#define CR3_PCID		GENMASK_ULL(11, 0)
#define CR3_NOFLUSH		BIT_ULL(63)

#define IA32_EFER_SCE		BIT_ULL(0)
#define IA32_EFER_LME		BIT_ULL(8)
#define IA32_EFER_LMA		BIT_ULL(10)
#define IA32_EFER_NXE		BIT_ULL(11)

#define RFLAGS_CF		BIT_ULL(0)
#define RFLAGS_FIXED1		BIT_ULL(1)
#define RFLAGS_PF		BIT_ULL(2)
#define RFLAGS_AF		BIT_ULL(4)
#define RFLAGS_ZF		BIT_ULL(6)
#define RFLAGS_SF		BIT_ULL(7)
#define RFLAGS_TF		BIT_ULL(8)
#define RFLAGS_IF		BIT_ULL(9)
#define RFLAGS_DF		BIT_ULL(10)
#define RFLAGS_OF		BIT_ULL(11)
#define RFLAGS_IOPL		GENMASK_ULL(13, 12)
#define RFLAGS_NT		BIT_ULL(14)
#define RFLAGS_RF		BIT_ULL(16)
#define RFLAGS_VM		BIT_ULL(17)
#define RFLAGS_AC		BIT_ULL(18)
#define RFLAGS_VIF		BIT_ULL(19)
#define RFLAGS_VIP		BIT_ULL(20)
#define RFLAGS_ID		BIT_ULL(21)

#define DR6_FIXED1		0xffff0ff0ull
#define DR6_BD			BIT_ULL(13)
#define DR6_BS			BIT_ULL(14)
#define DR6_RTM			BIT_ULL(16)
#define DR7_FIXED1		0x400ull
#define DR7_GD			BIT_ULL(13)

#define XCR0_X87		BIT_ULL(0)
#define XCR0_SSE		BIT_ULL(1)
#define XCR0_AVX		BIT_ULL(2)
#define XCR0_AVX512		GENMASK_ULL(7, 5)

/* Vectors of the exceptions. */
#define VEC_DE			0
#define VEC_DB			1
#define VEC_NMI			2
#define VEC_BP			3
#define VEC_OF			4
#define VEC_BR			5
#define VEC_UD			6
#define VEC_NM			7
#define VEC_DF			8
#define VEC_TS			10
#define VEC_NP			11
#define VEC_SS			12
#define VEC_GP			13
#define VEC_PF			14
#define VEC_MF			16
#define VEC_AC			17
#define VEC_MC			18
#define VEC_XM			19
#define VEC_VE			20
#define VEC_CP			21

/* Vectors whose delivery pushes an error code, as a bit set. */
#define VECS_WITH_ERROR_CODE	(BIT(VEC_DF) | BIT(VEC_TS) | BIT(VEC_NP) | BIT(VEC_SS) | \
				 BIT(VEC_GP) | BIT(VEC_PF) | BIT(VEC_AC) | BIT(VEC_CP))

/* Page-fault error code. */
#define PFERR_P			BIT(0)
#define PFERR_W			BIT(1)
#define PFERR_U			BIT(2)
#define PFERR_RSVD		BIT(3)
#define PFERR_I			BIT(4)

/* Model-specific registers. */
#define IA32_TSC		0x10
#define KVM_WALL_CLOCK		0x11	/* KVM's, of old; nothing in the manual */
#define KVM_SYSTEM_TIME		0x12
#define IA32_PLATFORM_ID	0x17
#define IA32_APIC_BASE		0x1b
#define IA32_FEATURE_CONTROL	0x3a
#define IA32_TSC_ADJUST		0x3b
#define IA32_SPEC_CTRL		0x48
#define IA32_PRED_CMD		0x49
#define IA32_BIOS_UPDT_TRIG	0x79
#define IA32_BIOS_SIGN_ID	0x8b
#define IA32_SMM_MONITOR_CTL	0x9b
#define IA32_SMBASE		0x9e
#define IA32_MPERF		0xe7
#define IA32_APERF		0xe8
#define IA32_MTRRCAP		0xfe
#define IA32_ARCH_CAPABILITIES	0x10a
#define IA32_FLUSH_CMD		0x10b
#define IA32_SYSENTER_CS	0x174
#define IA32_SYSENTER_ESP	0x175
#define IA32_SYSENTER_EIP	0x176
#define IA32_MCG_CAP		0x179
#define IA32_MCG_STATUS		0x17a
#define IA32_MCG_CTL		0x17b
#define IA32_MISC_ENABLE	0x1a0
#define IA32_DEBUGCTL		0x1d9
#define IA32_MTRR_PHYSBASE0	0x200
#define IA32_MTRR_PHYSMASK7	0x20f
#define IA32_MTRR_FIX64K_00000	0x250
#define IA32_MTRR_FIX16K_80000	0x258
#define IA32_MTRR_FIX16K_A0000	0x259
#define IA32_MTRR_FIX4K_C0000	0x268
#define IA32_MTRR_FIX4K_F8000	0x26f
#define IA32_PAT		0x277
#define IA32_MTRR_DEF_TYPE	0x2ff
#define IA32_PERF_GLOBAL_CTRL	0x38f
#define IA32_MC0_CTL		0x400
#define IA32_VMX_BASIC		0x480
#define IA32_VMX_PINBASED_CTLS	0x481
#define IA32_VMX_PROCBASED_CTLS	0x482
#define IA32_VMX_EXIT_CTLS	0x483
#define IA32_VMX_ENTRY_CTLS	0x484
#define IA32_VMX_MISC		0x485
#define IA32_VMX_CR0_FIXED0	0x486
#define IA32_VMX_CR0_FIXED1	0x487
#define IA32_VMX_CR4_FIXED0	0x488
#define IA32_VMX_CR4_FIXED1	0x489
#define IA32_VMX_VMCS_ENUM	0x48a
#define IA32_VMX_PROCBASED_CTLS2 0x48b
#define IA32_VMX_EPT_VPID_CAP	0x48c
#define IA32_VMX_TRUE_PINBASED_CTLS 0x48d
#define IA32_VMX_TRUE_PROCBASED_CTLS 0x48e
#define IA32_VMX_TRUE_EXIT_CTLS	0x48f
#define IA32_VMX_TRUE_ENTRY_CTLS 0x490
#define IA32_VMX_VMFUNC		0x491
#define IA32_VMX_PROCBASED_CTLS3 0x492
#define IA32_VMX_EXIT_CTLS2	0x493
#define IA32_VMX_FIRST		IA32_VMX_BASIC
#define IA32_VMX_LAST		IA32_VMX_EXIT_CTLS2
#define IA32_TSC_DEADLINE	0x6e0
#define IA32_X2APIC_FIRST	0x800
#define IA32_X2APIC_LAST	0x8ff
#define IA32_XSS		0xda0
#define IA32_EFER		0xc0000080
#define IA32_STAR		0xc0000081
#define IA32_LSTAR		0xc0000082
#define IA32_CSTAR		0xc0000083
#define IA32_FMASK		0xc0000084
#define IA32_FS_BASE		0xc0000100
#define IA32_GS_BASE		0xc0000101
#define IA32_KERNEL_GS_BASE	0xc0000102
#define IA32_TSC_AUX		0xc0000103

#define IA32_SPEC_CTRL_IBRS	BIT_ULL(0)
#define IA32_SPEC_CTRL_STIBP	BIT_ULL(1)
#define IA32_SPEC_CTRL_SSBD	BIT_ULL(2)
#define IA32_SPEC_CTRL_IPRED	GENMASK_ULL(4, 3)	/* IPRED_DIS_U, _S */
#define IA32_SPEC_CTRL_RRSBA	GENMASK_ULL(6, 5)	/* RRSBA_DIS_U, _S */
#define IA32_SPEC_CTRL_PSFD	BIT_ULL(7)
#define IA32_SPEC_CTRL_DDPD_U	BIT_ULL(8)
#define IA32_SPEC_CTRL_BHI	BIT_ULL(10)		/* BHI_DIS_S */
#define IA32_PRED_CMD_IBPB	BIT_ULL(0)
#define IA32_FLUSH_CMD_L1D	BIT_ULL(0)

#define IA32_ARCH_CAP_RDCL_NO	BIT_ULL(0)
#define IA32_ARCH_CAP_IBRS_ALL	BIT_ULL(1)
#define IA32_ARCH_CAP_RSBA	BIT_ULL(2)
#define IA32_ARCH_CAP_SKIP_L1D	BIT_ULL(3)
#define IA32_ARCH_CAP_SSB_NO	BIT_ULL(4)
#define IA32_ARCH_CAP_MDS_NO	BIT_ULL(5)
#define IA32_ARCH_CAP_PSCHANGE_NO BIT_ULL(6)
#define IA32_ARCH_CAP_TAA_NO	BIT_ULL(8)
#define IA32_ARCH_CAP_MMIO_NO	GENMASK_ULL(15, 13)	/* SBDR_SSDP, FBSDP, PSDP */
#define IA32_ARCH_CAP_FB_CLEAR	BIT_ULL(17)
#define IA32_ARCH_CAP_RRSBA	BIT_ULL(19)
#define IA32_ARCH_CAP_BHI_NO	BIT_ULL(20)
#define IA32_ARCH_CAP_PBRSB_NO	BIT_ULL(24)
#define IA32_ARCH_CAP_GDS_NO	BIT_ULL(26)
#define IA32_ARCH_CAP_RFDS_NO	BIT_ULL(27)
#define IA32_ARCH_CAP_RFDS_CLEAR BIT_ULL(28)
#define IA32_ARCH_CAP_ITS_NO	BIT_ULL(62)

#define FEATURE_CONTROL_LOCKED	BIT_ULL(0)
#define FEATURE_CONTROL_VMX_SMX	BIT_ULL(1)
#define FEATURE_CONTROL_VMX	BIT_ULL(2)

#define APIC_BASE_BSP		BIT_ULL(8)
#define APIC_BASE_X2APIC	BIT_ULL(10)
#define APIC_BASE_ENABLE	BIT_ULL(11)
#define APIC_BASE_ADDR		GENMASK_ULL(51, 12)
#define APIC_BASE_DEFAULT	0xfee00000ull

#define DEBUGCTL_LBR		BIT_ULL(0)
#define DEBUGCTL_BTF		BIT_ULL(1)

#define MISC_ENABLE_FAST_STRING	BIT_ULL(0)

/* Memory types, as PAT, MTRRs and EPT encode them. */
#define MEMTYPE_UC		0
#define MEMTYPE_WC		1
#define MEMTYPE_WT		4
#define MEMTYPE_WP		5
#define MEMTYPE_WB		6
#define MEMTYPE_UC_MINUS	7

#define IA32_PAT_RESET		0x0007040600070406ull

/* Segment access rights in the VMCS's layout (SDM 3C "Guest Register State"). */
#define SEG_AR_TYPE		GENMASK(3, 0)
#define SEG_AR_S		BIT(4)
#define SEG_AR_DPL_SHIFT	5
#define SEG_AR_DPL		GENMASK(6, 5)
#define SEG_AR_P		BIT(7)
#define SEG_AR_AVL		BIT(12)
#define SEG_AR_L		BIT(13)
#define SEG_AR_DB		BIT(14)
#define SEG_AR_G		BIT(15)
#define SEG_AR_UNUSABLE		BIT(16)
#define SEG_AR_RESERVED		(GENMASK(11, 8) | GENMASK(31, 17))

enum nv_seg { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS, SEG_LDTR, SEG_TR, SEG_COUNT };

/* General-purpose registers by their encoding in instructions. */
enum nv_reg {
	REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
	REG_R8, REG_R9, REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15,
	REG_COUNT
};

static inline bool x86_canonical(u64 va, unsigned int width)
{
	return (u64)((s64)(va << (64 - width)) >> (64 - width)) == va;
}

/* Every one of the eight entries of IA32_PAT names a type that exists. */
static inline bool x86_pat_valid(u64 pat)
{
	int i;

	for (i = 0; i < 8; i++) {
		u8 type = pat >> (8 * i);

		if (type > 7 || type == 2 || type == 3)
			return false;
	}
	return true;
}

#endif
