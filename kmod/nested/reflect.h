/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Whose is this exit from L2? L1's, if vmcs12 asks for it by the rules of
 * SDM 3C "VMX Non-Root Operation"; else L0's, because only vmcs02 asked for it
 * or because it is never a guest's business.
 */
#ifndef NESTVM_NESTED_REFLECT_H
#define NESTVM_NESTED_REFLECT_H

#include "pure.h"
#include "nested/l1_mem.h"
#include "nested/vmcs12.h"

enum nested_owner {
	OWNER_L0,
	OWNER_L1,
	OWNER_EPT,		/* EPT violation or misconfiguration: EPT12 decides (ept02.c) */
};

struct reflect_ctx {
	const struct vmcs12 *v;
	struct l1_mem *mem;	/* L1's bitmaps are read through it */
	u32 reason;		/* basic exit reason of vmcs02 (bit 31 included) */
	u64 qual;
	u32 intr_info;		/* VM-exit interruption information */
	u32 intr_error;
	const u64 *gpr;		/* L2's, REG_COUNT of them */
	bool l2_64bit;		/* L2 is in 64-bit mode: width of MOV CR and VMREAD operands */
	u64 l2_xss;		/* IA32_XSS while L2 runs */
	u32 insn_info;		/* VM-exit instruction information: VMREAD, VMWRITE */
};

enum nested_owner nested_exit_owner(const struct reflect_ctx *c);

/* "CPUID" for 10; "?" for a number without a name. */
const char *nested_exit_name(u32 reason);

/*
 * Parts that other code asks for too: does vmcs12 want an exit for this access
 * (an emulated one, or before vmcs02 is consulted)?
 */
bool nested_wants_exception(const struct vmcs12 *v, u32 vector, u32 error_code);
bool nested_wants_io(const struct vmcs12 *v, struct l1_mem *mem, u16 port, u32 size);
bool nested_wants_msr(const struct vmcs12 *v, struct l1_mem *mem, u32 msr, bool write);
bool nested_wants_cr(const struct vmcs12 *v, u64 qual, const u64 *gpr, bool l2_64bit);

#endif
