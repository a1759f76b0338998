/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Facts of VT-x: controls, exit reasons, qualifications, error numbers.
 * Edition: Intel 64 and IA-32 Architectures Software Developer's Manual,
 * Volume 3C, order number 326019-085. Sections are cited by title, here and
 * everywhere, because their numbers move.
 */
#ifndef NESTVM_VMX_DEFS_H
#define NESTVM_VMX_DEFS_H

#include "pure.h"

/* SDM 3C "Pin-Based VM-Execution Controls" */
#define PIN_EXT_INTR		BIT(0)
#define PIN_NMI_EXIT		BIT(3)
#define PIN_VIRTUAL_NMIS	BIT(5)
#define PIN_PREEMPT_TIMER	BIT(6)
#define PIN_POSTED_INTR		BIT(7)

/* SDM 3C "Processor-Based VM-Execution Controls", primary */
#define PROC_INTR_WINDOW	BIT(2)
#define PROC_TSC_OFFSET		BIT(3)
#define PROC_HLT		BIT(7)
#define PROC_INVLPG		BIT(9)
#define PROC_MWAIT		BIT(10)
#define PROC_RDPMC		BIT(11)
#define PROC_RDTSC		BIT(12)
#define PROC_CR3_LOAD		BIT(15)
#define PROC_CR3_STORE		BIT(16)
#define PROC_TERTIARY		BIT(17)
#define PROC_CR8_LOAD		BIT(19)
#define PROC_CR8_STORE		BIT(20)
#define PROC_TPR_SHADOW		BIT(21)
#define PROC_NMI_WINDOW		BIT(22)
#define PROC_MOV_DR		BIT(23)
#define PROC_UNCOND_IO		BIT(24)
#define PROC_IO_BITMAPS		BIT(25)
#define PROC_MTF		BIT(27)
#define PROC_MSR_BITMAPS	BIT(28)
#define PROC_MONITOR		BIT(29)
#define PROC_PAUSE		BIT(30)
#define PROC_SECONDARY		BIT(31)

/* secondary */
#define PROC2_APIC_ACCESS	BIT(0)
#define PROC2_EPT		BIT(1)
#define PROC2_DESC_TABLE	BIT(2)
#define PROC2_RDTSCP		BIT(3)
#define PROC2_X2APIC		BIT(4)
#define PROC2_VPID		BIT(5)
#define PROC2_WBINVD		BIT(6)
#define PROC2_UNRESTRICTED	BIT(7)
#define PROC2_APIC_REGS		BIT(8)
#define PROC2_VIRT_INTR		BIT(9)
#define PROC2_PAUSE_LOOP	BIT(10)
#define PROC2_RDRAND		BIT(11)
#define PROC2_INVPCID		BIT(12)
#define PROC2_VMFUNC		BIT(13)
#define PROC2_SHADOW_VMCS	BIT(14)
#define PROC2_ENCLS		BIT(15)
#define PROC2_RDSEED		BIT(16)
#define PROC2_PML		BIT(17)
#define PROC2_VE		BIT(18)
#define PROC2_PT_CONCEAL	BIT(19)
#define PROC2_XSAVES		BIT(20)
#define PROC2_MBEC		BIT(22)
#define PROC2_SPP		BIT(23)
#define PROC2_PT_GPA		BIT(24)
#define PROC2_TSC_SCALING	BIT(25)
#define PROC2_USER_WAIT		BIT(26)

/* SDM 3C "VM-Exit Controls" */
#define EXIT_SAVE_DEBUG		BIT(2)
#define EXIT_HOST_64		BIT(9)
#define EXIT_LOAD_PERF_GLOBAL	BIT(12)
#define EXIT_ACK_INTR		BIT(15)
#define EXIT_SAVE_PAT		BIT(18)
#define EXIT_LOAD_PAT		BIT(19)
#define EXIT_SAVE_EFER		BIT(20)
#define EXIT_LOAD_EFER		BIT(21)
#define EXIT_SAVE_PREEMPT_TIMER	BIT(22)
#define EXIT_CLEAR_BNDCFGS	BIT(23)
#define EXIT_SECONDARY		BIT(31)

/* SDM 3C "VM-Entry Controls" */
#define ENTRY_LOAD_DEBUG	BIT(2)
#define ENTRY_IA32E		BIT(9)
#define ENTRY_SMM		BIT(10)
#define ENTRY_DEACTIVATE_DUAL	BIT(11)
#define ENTRY_LOAD_PERF_GLOBAL	BIT(13)
#define ENTRY_LOAD_PAT		BIT(14)
#define ENTRY_LOAD_EFER		BIT(15)
#define ENTRY_LOAD_BNDCFGS	BIT(16)

/* Bits that are 1 by default ("Reserved Controls and Default Settings"). */
#define PIN_DEFAULT1		0x00000016u
#define PROC_DEFAULT1		0x0401e172u
#define EXIT_DEFAULT1		0x00036dffu
#define ENTRY_DEFAULT1		0x000011ffu

/* SDM 3C "Basic VM-Exit Reasons", the appendix: number and name, its order. */
#define VMX_EXIT_REASONS(R)			\
	R(EXCEPTION_NMI, 0)			\
	R(EXTERNAL_INTERRUPT, 1)		\
	R(TRIPLE_FAULT, 2)			\
	R(INIT, 3)				\
	R(SIPI, 4)				\
	R(IO_SMI, 5)				\
	R(OTHER_SMI, 6)				\
	R(INTR_WINDOW, 7)			\
	R(NMI_WINDOW, 8)			\
	R(TASK_SWITCH, 9)			\
	R(CPUID, 10)				\
	R(GETSEC, 11)				\
	R(HLT, 12)				\
	R(INVD, 13)				\
	R(INVLPG, 14)				\
	R(RDPMC, 15)				\
	R(RDTSC, 16)				\
	R(RSM, 17)				\
	R(VMCALL, 18)				\
	R(VMCLEAR, 19)				\
	R(VMLAUNCH, 20)				\
	R(VMPTRLD, 21)				\
	R(VMPTRST, 22)				\
	R(VMREAD, 23)				\
	R(VMRESUME, 24)				\
	R(VMWRITE, 25)				\
	R(VMXOFF, 26)				\
	R(VMXON, 27)				\
	R(CR_ACCESS, 28)			\
	R(MOV_DR, 29)				\
	R(IO_INSTRUCTION, 30)			\
	R(RDMSR, 31)				\
	R(WRMSR, 32)				\
	R(INVALID_GUEST_STATE, 33)		\
	R(MSR_LOAD_FAILURE, 34)			\
	R(MWAIT, 36)				\
	R(MTF, 37)				\
	R(MONITOR, 39)				\
	R(PAUSE, 40)				\
	R(MCE_DURING_ENTRY, 41)			\
	R(TPR_BELOW_THRESHOLD, 43)		\
	R(APIC_ACCESS, 44)			\
	R(VIRTUALIZED_EOI, 45)			\
	R(GDTR_IDTR, 46)			\
	R(LDTR_TR, 47)				\
	R(EPT_VIOLATION, 48)			\
	R(EPT_MISCONFIG, 49)			\
	R(INVEPT, 50)				\
	R(RDTSCP, 51)				\
	R(PREEMPT_TIMER, 52)			\
	R(INVVPID, 53)				\
	R(WBINVD, 54)				\
	R(XSETBV, 55)				\
	R(APIC_WRITE, 56)			\
	R(RDRAND, 57)				\
	R(INVPCID, 58)				\
	R(VMFUNC, 59)				\
	R(ENCLS, 60)				\
	R(RDSEED, 61)				\
	R(PML_FULL, 62)				\
	R(XSAVES, 63)				\
	R(XRSTORS, 64)				\
	R(SPP, 66)				\
	R(UMWAIT, 67)				\
	R(TPAUSE, 68)

#define R(name, number) VMEXIT_##name = number,
enum vmx_exit_reason { VMX_EXIT_REASONS(R) VMEXIT_COUNT = 69 };
#undef R

#define VMEXIT_BASIC_MASK	0xffffu
#define VMEXIT_ENTRY_FAILURE	BIT(31)

/* SDM 3C "VM-Instruction Error Numbers" */
#define VMERR_VMCALL_IN_ROOT			1
#define VMERR_VMCLEAR_ADDRESS			2
#define VMERR_VMCLEAR_VMXON_POINTER		3
#define VMERR_VMLAUNCH_NOT_CLEAR		4
#define VMERR_VMRESUME_NOT_LAUNCHED		5
#define VMERR_VMRESUME_AFTER_VMXOFF		6
#define VMERR_ENTRY_CONTROLS			7
#define VMERR_ENTRY_HOST_STATE			8
#define VMERR_VMPTRLD_ADDRESS			9
#define VMERR_VMPTRLD_VMXON_POINTER		10
#define VMERR_VMPTRLD_REVISION			11
#define VMERR_UNSUPPORTED_FIELD			12
#define VMERR_READ_ONLY_FIELD			13
#define VMERR_VMXON_IN_ROOT			15
#define VMERR_ENTRY_EXECUTIVE_POINTER		16
#define VMERR_ENTRY_EXECUTIVE_NOT_LAUNCHED	17
#define VMERR_ENTRY_EXECUTIVE_NOT_VMXON		18
#define VMERR_VMCALL_NOT_CLEAR			19
#define VMERR_VMCALL_EXIT_CONTROLS		20
#define VMERR_VMCALL_MSEG_REVISION		22
#define VMERR_VMXOFF_DUAL_MONITOR		23
#define VMERR_VMCALL_SMM_FEATURES		24
#define VMERR_ENTRY_EXECUTIVE_CONTROLS		25
#define VMERR_ENTRY_MOV_SS			26
#define VMERR_INVALID_OPERAND			28

/* Interruption information: entry, exit and IDT-vectoring share the layout. */
#define INTR_INFO_VECTOR	GENMASK(7, 0)
#define INTR_INFO_TYPE		GENMASK(10, 8)
#define INTR_INFO_ERROR_CODE	BIT(11)
#define INTR_INFO_NMI_UNBLOCK	BIT(12)
#define INTR_INFO_VALID		BIT(31)
#define INTR_INFO_ENTRY_RESERVED GENMASK(30, 12)

#define INTR_TYPE_EXT		(0u << 8)
#define INTR_TYPE_NMI		(2u << 8)
#define INTR_TYPE_HARD_EXC	(3u << 8)
#define INTR_TYPE_SOFT_INTR	(4u << 8)
#define INTR_TYPE_PRIV_EXC	(5u << 8)
#define INTR_TYPE_SOFT_EXC	(6u << 8)
#define INTR_TYPE_OTHER		(7u << 8)

/* SDM 3C "Guest Non-Register State" */
#define ACTIVITY_ACTIVE		0
#define ACTIVITY_HLT		1
#define ACTIVITY_SHUTDOWN	2
#define ACTIVITY_WAIT_SIPI	3

#define INTR_STATE_STI		BIT(0)
#define INTR_STATE_MOV_SS	BIT(1)
#define INTR_STATE_SMI		BIT(2)
#define INTR_STATE_NMI		BIT(3)
#define INTR_STATE_ENCLAVE	BIT(4)
#define INTR_STATE_RESERVED	GENMASK(31, 5)

#define PENDING_DBG_B		GENMASK_ULL(3, 0)
#define PENDING_DBG_ENABLED_BP	BIT_ULL(12)
#define PENDING_DBG_BS		BIT_ULL(14)
#define PENDING_DBG_RTM		BIT_ULL(16)

/* SDM 3C "Exit Qualification for Control-Register Accesses" */
#define QUAL_CR_NUMBER		GENMASK(3, 0)
#define QUAL_CR_TYPE		GENMASK(5, 4)
#define QUAL_CR_TYPE_SHIFT	4
#define QUAL_CR_LMSW_MEM	BIT(6)
#define QUAL_CR_REG_SHIFT	8
#define QUAL_CR_LMSW_SHIFT	16
#define CR_TYPE_MOV_TO		0
#define CR_TYPE_MOV_FROM	1
#define CR_TYPE_CLTS		2
#define CR_TYPE_LMSW		3

/* "Exit Qualification for I/O Instructions" */
#define QUAL_IO_SIZE		GENMASK(2, 0)	/* size in bytes less one */
#define QUAL_IO_IN		BIT(3)
#define QUAL_IO_STRING		BIT(4)
#define QUAL_IO_REP		BIT(5)
#define QUAL_IO_IMMEDIATE	BIT(6)
#define QUAL_IO_PORT_SHIFT	16

/* "Exit Qualification for MOV DR" */
#define QUAL_DR_NUMBER		GENMASK(2, 0)
#define QUAL_DR_FROM		BIT(4)
#define QUAL_DR_REG_SHIFT	8

/* "Exit Qualification for APIC-Access VM Exits" */
#define QUAL_APIC_OFFSET	GENMASK(11, 0)
#define QUAL_APIC_TYPE_SHIFT	12

/* "Exit Qualification for Task Switches" */
#define QUAL_TASK_SELECTOR	GENMASK(15, 0)
#define QUAL_TASK_SOURCE_SHIFT	30

/* IA32_VMX_BASIC (SDM 3D "Basic VMX Information") */
#define VMX_BASIC_REVISION	GENMASK_ULL(30, 0)
#define VMX_BASIC_SIZE_SHIFT	32
#define VMX_BASIC_32BIT_ADDR	BIT_ULL(48)
#define VMX_BASIC_DUAL_MONITOR	BIT_ULL(49)
#define VMX_BASIC_MEMTYPE_SHIFT	50
#define VMX_BASIC_INS_OUTS	BIT_ULL(54)
#define VMX_BASIC_HAS_TRUE	BIT_ULL(55)
#define VMX_BASIC_NO_EC_CHECK	BIT_ULL(56)

/* IA32_VMX_MISC (SDM 3D "Miscellaneous Data") */
#define VMX_MISC_PREEMPT_RATE	GENMASK_ULL(4, 0)
#define VMX_MISC_STORE_LMA	BIT_ULL(5)
#define VMX_MISC_ACTIVITY_HLT	BIT_ULL(6)
#define VMX_MISC_ACTIVITY_SHUTDOWN BIT_ULL(7)
#define VMX_MISC_ACTIVITY_SIPI	BIT_ULL(8)
#define VMX_MISC_CR3_TARGETS_SHIFT 16
#define VMX_MISC_CR3_TARGETS	GENMASK_ULL(24, 16)
#define VMX_MISC_MSR_LIST_SHIFT	25
#define VMX_MISC_WRITE_ANY	BIT_ULL(29)
#define VMX_MISC_INJECT_LEN0	BIT_ULL(30)

/* IA32_VMX_EPT_VPID_CAP (SDM 3D "VPID and EPT Capabilities") */
#define EPT_CAP_EXEC_ONLY	BIT_ULL(0)
#define EPT_CAP_WALK_4		BIT_ULL(6)
#define EPT_CAP_WALK_5		BIT_ULL(7)
#define EPT_CAP_UC		BIT_ULL(8)
#define EPT_CAP_WB		BIT_ULL(14)
#define EPT_CAP_2M		BIT_ULL(16)
#define EPT_CAP_1G		BIT_ULL(17)
#define EPT_CAP_INVEPT		BIT_ULL(20)
#define EPT_CAP_AD		BIT_ULL(21)
#define EPT_CAP_ADVANCED_INFO	BIT_ULL(22)
#define EPT_CAP_INVEPT_SINGLE	BIT_ULL(25)
#define EPT_CAP_INVEPT_ALL	BIT_ULL(26)
#define VPID_CAP_INVVPID	BIT_ULL(32)
#define VPID_CAP_ADDR		BIT_ULL(40)
#define VPID_CAP_SINGLE		BIT_ULL(41)
#define VPID_CAP_ALL		BIT_ULL(42)
#define VPID_CAP_SINGLE_GLOBAL	BIT_ULL(43)

#define INVEPT_SINGLE		1
#define INVEPT_ALL		2
#define INVVPID_ADDR		0
#define INVVPID_SINGLE		1
#define INVVPID_ALL		2
#define INVVPID_SINGLE_GLOBAL	3

/* VMCS data */
#define VMCS_SHADOW_BIT		BIT(31)		/* in the revision identifier */
#define VMCS_NONE		(~0ull)		/* "no current VMCS", link pointer */

/* VMX-abort indicators (SDM 3C "VMX Aborts") */
#define VMX_ABORT_SAVE_MSR	1
#define VMX_ABORT_PDPTE		2
#define VMX_ABORT_VMCS_CORRUPT	3
#define VMX_ABORT_LOAD_MSR	4
#define VMX_ABORT_MCE		5
#define VMX_ABORT_HOST_32	6

#endif
