/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The VMX instructions as functions. VMfail of VMREAD/VMWRITE on the current
 * VMCS is our bug and is reported. So is a fault, unless a reboot turned VMX off
 * under us.
 */
#ifndef NESTVM_VMX_INSN_H
#define NESTVM_VMX_INSN_H

#include <linux/bug.h>
#include <asm/asm.h>
#include "pure.h"

void insn_report(const char *insn, u64 operand);
void insn_faulted(const char *insn);

static __always_inline u64 insn_vmread(unsigned long field)
{
	u64 value;

	asm goto("1: vmread %[field], %[value]\n\t"
			  "jbe %l[fail]\n\t"
			  _ASM_EXTABLE(1b, %l[fault])
			  : [value] "=r" (value)
			  : [field] "r" (field)
			  : "cc"
			  : fail, fault);
	return value;
fail:
	insn_report("VMREAD", field);
	return 0;
fault:
	insn_faulted("VMREAD");
	return 0;
}

static __always_inline void insn_vmwrite(unsigned long field, u64 value)
{
	asm goto("1: vmwrite %[value], %[field]\n\t"
			  "jbe %l[fail]\n\t"
			  _ASM_EXTABLE(1b, %l[fault])
			  :
			  : [field] "r" (field), [value] "rm" (value)
			  : "cc"
			  : fail, fault);
	return;
fail:
	insn_report("VMWRITE", field);
	return;
fault:
	insn_faulted("VMWRITE");
}

#define INSN_ON_ADDRESS(name, mnemonic)						\
static __always_inline void insn_##name(u64 hpa)				\
{										\
	asm goto("1: " mnemonic " %[hpa]\n\t"				\
			  "jbe %l[fail]\n\t"					\
			  _ASM_EXTABLE(1b, %l[fault])				\
			  :							\
			  : [hpa] "m" (hpa)					\
			  : "cc", "memory"					\
			  : fail, fault);					\
	return;									\
fail:										\
	insn_report(mnemonic, hpa);						\
	return;									\
fault:										\
	insn_faulted(mnemonic);							\
}

INSN_ON_ADDRESS(vmclear, "vmclear")
INSN_ON_ADDRESS(vmptrld, "vmptrld")

/* 0, or -EIO if the CPU refuses. */
static __always_inline int insn_vmxon(u64 hpa)
{
	asm goto("1: vmxon %[hpa]\n\t"
			  "jbe %l[fail]\n\t"
			  _ASM_EXTABLE(1b, %l[fail])
			  :
			  : [hpa] "m" (hpa)
			  : "cc", "memory"
			  : fail);
	return 0;
fail:
	return -EIO;
}

static __always_inline void insn_vmxoff(void)
{
	asm goto("1: vmxoff\n\t"
			  _ASM_EXTABLE(1b, %l[fault])
			  ::: "cc", "memory"
			  : fault);
fault:
	return;
}

struct invept_desc {
	u64 eptp;
	u64 reserved;
};

static __always_inline void insn_invept(unsigned long type, u64 eptp)
{
	struct invept_desc desc = { .eptp = eptp };

	asm goto("1: invept %[desc], %[type]\n\t"
			  "jbe %l[fail]\n\t"
			  _ASM_EXTABLE(1b, %l[fault])
			  :
			  : [desc] "m" (desc), [type] "r" (type)
			  : "cc", "memory"
			  : fail, fault);
	return;
fail:
	insn_report("INVEPT", eptp);
	return;
fault:
	insn_faulted("INVEPT");
}

struct invvpid_desc {
	u64 vpid;		/* bits 15:0; the rest is reserved */
	u64 linear;
};

static __always_inline void insn_invvpid(unsigned long type, u16 vpid, u64 linear)
{
	struct invvpid_desc desc = { .vpid = vpid, .linear = linear };

	asm goto("1: invvpid %[desc], %[type]\n\t"
			  "jbe %l[fail]\n\t"
			  _ASM_EXTABLE(1b, %l[fault])
			  :
			  : [desc] "m" (desc), [type] "r" (type)
			  : "cc", "memory"
			  : fail, fault);
	return;
fail:
	insn_report("INVVPID", vpid);
	return;
fault:
	insn_faulted("INVVPID");
}

#endif
