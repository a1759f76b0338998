// SPDX-License-Identifier: GPL-2.0
/* The speculation controls as a guest finds them: by CPUID, and for L2 as L1 wants. */
#include "l1.h"
#include "cpuid_bits.h"

static u32 bits;	/* CPUID leaf 7, EDX */

static int try_rdmsr(u32 msr)
{
	u32 lo, hi;

	return CATCH("rdmsr", ARGS("=a"(lo), "=d"(hi)), "c"(msr));
}

static int try_wrmsr(u32 msr, u64 value)
{
	return CATCH("wrmsr", , ARGS("c"(msr), "a"((u32)value), "d"((u32)(value >> 32))));
}

static void need(u32 bit, const char *what)
{
	bits = cpuid(7, 0).edx;
	if (!(bits & bit))
		skip("CPUID shows no %s", what);
}

static void leave_and_come_back(void)
{
	cpuid(0, 0);
}

GUEST_CASE(spec_ctrl, 0)
{
	need(CPUID_7_EDX_SPEC_CTRL | CPUID_7_EDX_SSBD, "IA32_SPEC_CTRL");
	EXPECT_EQ(rdmsr(IA32_SPEC_CTRL), 0, "IA32_SPEC_CTRL after reset");
	EXPECT_EQ(try_wrmsr(IA32_SPEC_CTRL, BIT_ULL(9)), VEC_GP, "a reserved bit, at first");
	wrmsr(IA32_SPEC_CTRL, IA32_SPEC_CTRL_IBRS);
	EXPECT_EQ(rdmsr(IA32_SPEC_CTRL), IA32_SPEC_CTRL_IBRS, "IBRS");
	leave_and_come_back();
	EXPECT_EQ(rdmsr(IA32_SPEC_CTRL), IA32_SPEC_CTRL_IBRS, "IBRS after an exit");
	wrmsr(IA32_SPEC_CTRL, IA32_SPEC_CTRL_SSBD);
	leave_and_come_back();
	EXPECT_EQ(rdmsr(IA32_SPEC_CTRL), IA32_SPEC_CTRL_SSBD, "SSBD, written without an exit");
	wrmsr(IA32_SPEC_CTRL, 0);
	leave_and_come_back();
	EXPECT_EQ(rdmsr(IA32_SPEC_CTRL), 0, "0, written without an exit");
	EXPECT_EQ(try_wrmsr(IA32_SPEC_CTRL, BIT_ULL(9)), VEC_GP, "a reserved bit");
}

GUEST_CASE(commands, 0)
{
	need(CPUID_7_EDX_SPEC_CTRL, "IBPB");
	EXPECT_EQ(try_wrmsr(IA32_PRED_CMD, 0), NO_TRAP, "PRED_CMD, nothing");
	EXPECT_EQ(try_wrmsr(IA32_PRED_CMD, 1), NO_TRAP, "IBPB");
	EXPECT_EQ(try_wrmsr(IA32_PRED_CMD, 2), VEC_GP, "PRED_CMD, a reserved bit");
	EXPECT_EQ(try_rdmsr(IA32_PRED_CMD), VEC_GP, "reading PRED_CMD");
	if (!(bits & CPUID_7_EDX_FLUSH_L1D))
		return;
	EXPECT_EQ(try_wrmsr(IA32_FLUSH_CMD, 1), NO_TRAP, "FLUSH_CMD");
	EXPECT_EQ(try_wrmsr(IA32_FLUSH_CMD, 2), VEC_GP, "FLUSH_CMD, a reserved bit");
	EXPECT_EQ(try_rdmsr(IA32_FLUSH_CMD), VEC_GP, "reading FLUSH_CMD");
}

GUEST_CASE(arch_capabilities, 0)
{
	u64 value;

	need(CPUID_7_EDX_ARCH_CAPABILITIES, "IA32_ARCH_CAPABILITIES");
	value = rdmsr(IA32_ARCH_CAPABILITIES);
	/* TSX_CTRL, FB_CLEAR_CTRL and GDS_CTRL are MSRs that a guest does not have. */
	EXPECT_EQ(value & (BIT_ULL(7) | BIT_ULL(18) | BIT_ULL(25)), 0, "control MSRs");
	EXPECT_EQ(try_wrmsr(IA32_ARCH_CAPABILITIES, value), VEC_GP, "writing it");
}

/* Without a bit of CPUID there is no MSR. The program has taken them all away. */
GUEST_CASE(_none, 0)
{
	static const u32 msrs[] = { IA32_SPEC_CTRL, IA32_PRED_CMD, IA32_FLUSH_CMD,
				    IA32_ARCH_CAPABILITIES };
	unsigned int i;

	for (i = 0; i < sizeof(msrs) / sizeof(msrs[0]); i++) {
		EXPECT_EQ(try_rdmsr(msrs[i]), VEC_GP, "reading an MSR that is not there");
		EXPECT_EQ(try_wrmsr(msrs[i], 1), VEC_GP, "writing an MSR that is not there");
		EXPECT_EQ(try_wrmsr(msrs[i], 0), VEC_GP, "writing 0 to an MSR that is not there");
	}
}

/* ---- L2 ------------------------------------------------------------------ */

static void l2_sets_ssbd(void)
{
	for (;;) {
		wrmsr(IA32_SPEC_CTRL, IA32_SPEC_CTRL_SSBD);
		wrmsr(IA32_PRED_CMD, 1);
		vmcall(rdmsr(IA32_SPEC_CTRL));
	}
}

/* One register for both: what L2 writes, L1 finds. */
GUEST_CASE(one_for_l1_and_l2, NEED_VMX)
{
	need(CPUID_7_EDX_SPEC_CTRL, "IA32_SPEC_CTRL");
	l1_start(l2_sets_ssbd);
	l1_ctl_set(VMCS_PROC_CTLS, PROC_MSR_BITMAPS, "MSR bitmaps");
	EXPECT_EXIT(VMEXIT_VMCALL);
	EXPECT_EQ(l2.rax, IA32_SPEC_CTRL_SSBD, "what L2 reads");
	EXPECT_EQ(rdmsr(IA32_SPEC_CTRL), IA32_SPEC_CTRL_SSBD, "what L1 finds");
	/* Again, now that it passes without an exit at both levels. */
	wrmsr(IA32_SPEC_CTRL, IA32_SPEC_CTRL_IBRS);
	l1_skip_insn();
	EXPECT_EXIT(VMEXIT_VMCALL);
	EXPECT_EQ(l2.rax, IA32_SPEC_CTRL_SSBD, "what L2 reads the second time");
	EXPECT_EQ(rdmsr(IA32_SPEC_CTRL), IA32_SPEC_CTRL_SSBD, "what L1 finds the second time");
	wrmsr(IA32_SPEC_CTRL, 0);
}

/* What L1 intercepts is L1's exit, also once L0 lets L1 itself write without one. */
GUEST_CASE(l1_intercepts, NEED_VMX)
{
	static const u32 msrs[] = { IA32_SPEC_CTRL, IA32_PRED_CMD };
	unsigned int i;

	need(CPUID_7_EDX_SPEC_CTRL, "IA32_SPEC_CTRL");
	wrmsr(IA32_SPEC_CTRL, IA32_SPEC_CTRL_IBRS);
	l1_start(l2_sets_ssbd);
	l1_ctl_set(VMCS_PROC_CTLS, PROC_MSR_BITMAPS, "MSR bitmaps");
	for (i = 0; i < 2; i++)
		l1_msr_bitmap[2048 + msrs[i] / 8] |= 1 << (msrs[i] % 8);
	for (i = 0; i < 2; i++) {
		EXPECT_EXIT(VMEXIT_WRMSR);
		EXPECT_EQ(l2.rcx, msrs[i], "the MSR");
		l1_skip_insn();
	}
	EXPECT_EXIT(VMEXIT_VMCALL);
	EXPECT_EQ(l2.rax, IA32_SPEC_CTRL_IBRS, "what L2 reads: nothing was written");
	for (i = 0; i < 2; i++)
		l1_msr_bitmap[2048 + msrs[i] / 8] = 0;
	wrmsr(IA32_SPEC_CTRL, 0);
}

/* SDM 3C "Format of an MSR Entry", one entry each. */
static struct msr_entry {
	u64 index, value;
} to_l2 __aligned(16), to_l1 __aligned(16), from_l2 __aligned(16);

/* A hypervisor keeps two values of it by its MSR lists. */
GUEST_CASE(switched_by_lists, NEED_VMX)
{
	need(CPUID_7_EDX_SPEC_CTRL, "IA32_SPEC_CTRL");
	l1_start(l2_sets_ssbd);
	l1_ctl_set(VMCS_PROC_CTLS, PROC_MSR_BITMAPS, "MSR bitmaps");
	to_l2 = (struct msr_entry){ IA32_SPEC_CTRL, 0 };
	to_l1 = (struct msr_entry){ IA32_SPEC_CTRL, IA32_SPEC_CTRL_IBRS };
	from_l2 = (struct msr_entry){ IA32_SPEC_CTRL, 0 };
	vmw(VMCS_ENTRY_MSR_LOAD, pa(&to_l2));
	vmw(VMCS_ENTRY_MSR_LOAD_COUNT, 1);
	vmw(VMCS_EXIT_MSR_LOAD, pa(&to_l1));
	vmw(VMCS_EXIT_MSR_LOAD_COUNT, 1);
	vmw(VMCS_EXIT_MSR_STORE, pa(&from_l2));
	vmw(VMCS_EXIT_MSR_STORE_COUNT, 1);
	EXPECT_EXIT(VMEXIT_VMCALL);
	EXPECT_EQ(rdmsr(IA32_SPEC_CTRL), IA32_SPEC_CTRL_IBRS, "L1's");
	EXPECT_EQ(from_l2.value, IA32_SPEC_CTRL_SSBD, "L2's, stored");
	wrmsr(IA32_SPEC_CTRL, 0);
}

/* ---- parts of the program's own cases -------------------------------------- */

GUEST_CASE(_state, 0)
{
	wrmsr(IA32_SPEC_CTRL, IA32_SPEC_CTRL_SSBD);
	outb(0x50, 1);
	EXPECT_EQ(rdmsr(IA32_SPEC_CTRL), IA32_SPEC_CTRL_IBRS, "what user space has set");
}
