// SPDX-License-Identifier: GPL-2.0
/* The guest's half of selftests/mem_dirty.c: writers, in L1 and in L2. SLOT is logged. */
#include "l1.h"

#define SLOT	0x10000000ul
#define STEP(n)	outb(0x50, n)

static volatile u64 *page(unsigned int n)
{
	return (u64 *)(SLOT + n * 4096ul);
}

/* Write the pages that args[1...] name, up to a zero; read page 3. */
static void write_named(void)
{
	unsigned int i;

	for (i = 1; i < 8 && PARAMS->args[i]; i++)
		page(PARAMS->args[i])[5]++;
	PARAMS->results[0] += page(3)[5];
}

GUEST_CASE(_named, 0)
{
	while (!PARAMS->args[0]) {
		STEP(1);
		write_named();
	}
}

static void l2_named(void)
{
	while (!PARAMS->args[0]) {
		vmcall(1);
		write_named();
	}
	vmcall(0);
}

static void run_l2(void)
{
	for (;;) {
		EXPECT_EXIT(VMEXIT_VMCALL);
		if (!l2.rax)
			return;
		if (l2.rax == 1)
			STEP(1);
		l1_skip_insn();
	}
}

GUEST_CASE(_named_by_l2, NEED_VMX)
{
	l1_start(l2_named);
	run_l2();
}

GUEST_CASE(_named_by_l2_with_ept, NEED_VMX)
{
	l1_start(l2_named);
	l1_ept_on();
	run_l2();
}

/* One page after another, for ever; the owner reads the log and copies what it names. */
static void write_on(void (*leave)(void))
{
	u64 n = 0;

	while (!*(volatile u64 *)&PARAMS->args[0]) {
		/* A page is written again only after a while, and then several times. */
		page(n / 4 % PARAMS->args[1])[n % 512] = n + 1;
		PARAMS->results[0] = n++;
		if (!(n % 1024))
			leave();
	}
}

GUEST_CASE(_write_on, 0)
{
	sti();
	write_on(let_l0_in);
}

static void leave_l2(void)
{
	vmcall(2);
}

static void l2_writes_on(void)
{
	sti();
	write_on(leave_l2);
	vmcall(0);
}

GUEST_CASE(_l2_writes_on, NEED_VMX)
{
	l1_start(l2_writes_on);
	run_l2();
}

GUEST_CASE(_l2_writes_on_with_ept, NEED_VMX)
{
	l1_start(l2_writes_on);
	l1_ept_on();
	run_l2();
}
