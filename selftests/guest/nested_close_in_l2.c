// SPDX-License-Identifier: GPL-2.0
/* L2 runs and runs; the test program ends it all. */
#include "l1.h"
#include "apic.h"

static void l2_for_ever(void)
{
	sti();
	for (;;) {
		PARAMS->results[0]++;
		if (!(PARAMS->results[0] % 4096))
			vmcall(0);
	}
}

static void run(void)
{
	for (;;) {
		EXPECT_EXIT(VMEXIT_VMCALL);
		l1_skip_insn();
	}
}

GUEST_CASE(_without_ept, NEED_VMX)
{
	l1_start(l2_for_ever);
	run();
}

GUEST_CASE(_with_ept, NEED_VMX)
{
	l1_start(l2_for_ever);
	l1_ept_on();
	run();
}

static void l2_halts(void)
{
	PARAMS->results[0] = 1;
	sti();
	for (;;)
		hlt();
}

GUEST_CASE(_halted, NEED_VMX | NEED_IRQCHIP)
{
	l1_start(l2_halts);
	l1_run();
}
