// SPDX-License-Identifier: GPL-2.0
/* VT-x is not exposed: nothing of it can be seen or used, whatever CPUID was set. */
#include "l1.h"

static void expect_no_vmx(void)
{
	u32 msr;

	EXPECT(!(cpuid(1, 0).ecx & BIT(5)), "CPUID shows VT-x");
	for (msr = IA32_VMX_FIRST; msr <= IA32_VMX_LAST; msr++)
		EXPECT(CATCH("rdmsr", , "c"(msr), "rax", "rdx") == VEC_GP, "MSR %x can be read",
		       msr);
	EXPECT_EQ(CATCH("mov %0, %%cr4", , "r"(read_cr4() | CR4_VMXE)), VEC_GP,
		  "the vector of setting CR4.VMXE");
	EXPECT(!(read_cr4() & CR4_VMXE), "CR4.VMXE is on");
	EXPECT_EQ(vmxon(pa(&l1_vmxon_region)), VMX_TRAP + VEC_UD, "the result of VMXON");
	EXPECT_EQ(vmxoff(), VMX_TRAP + VEC_UD, "the result of VMXOFF");
	EXPECT_EQ(vmclear(pa(&l1_vmcs)), VMX_TRAP + VEC_UD, "the result of VMCLEAR");
	EXPECT_EQ(vmlaunch_fails(), VMX_TRAP + VEC_UD, "the result of VMLAUNCH");
	/* Nobody can hand it over by the feature-control MSR. */
	CATCH("wrmsr", , ARGS("c"(IA32_FEATURE_CONTROL), "a"(5), "d"(0)));
	EXPECT_EQ(vmxon(pa(&l1_vmxon_region)), VMX_TRAP + VEC_UD, "the result of VMXON");
}

GUEST_CASE(_nothing_to_see, 0)
{
	expect_no_vmx();
}
