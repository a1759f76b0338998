// SPDX-License-Identifier: GPL-2.0
/* The guest's half of selftests/mem_dynamic.c. SLOT is memory whose owner changes it. */
#include "guest.h"

#define SLOT	0x10000000ul
#define STEP(n)	outb(0x50, n)

static volatile u64 *page(unsigned int n)
{
	return (u64 *)(SLOT + n * 4096ul);
}

GUEST_CASE(_touch_some, 0)
{
	int i;

	for (i = 0; i < 2; i++)
		STEP(0);		/* twice: from here on only SLOT is touched newly */
	page(5)[1] = 1;
	STEP(1);
	EXPECT_EQ(page(7)[0] | page(8)[0] | page(9)[0], 0, "what nobody wrote");
	STEP(2);
	page(5)[2] = 2;
	page(8)[0] = 3;
	STEP(3);
	page(5)[3] = 4;
	STEP(4);
}

/* Write all, then what is there: the sum goes to the owner at each step. */
GUEST_CASE(_read_again, 0)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		page(i)[3] = 0x1000 + i;
	for (;;) {
		STEP(1);
		if (PARAMS->args[0])
			return;
		for (i = 0; i < 8; i++)
			PARAMS->results[i] = page(i)[3];
	}
}

/* What the owner asks for: write args[2] to page args[1], or read it. */
GUEST_CASE(_do_as_told, 0)
{
	for (;;) {
		STEP(1);
		switch (PARAMS->args[0]) {
		case 'w':
			page(PARAMS->args[1])[3] = PARAMS->args[2];
			break;
		case 'r':
			PARAMS->results[0] = page(PARAMS->args[1])[3];
			break;
		case 'x':
			PARAMS->results[0] = ((u64 (*)(void))(page(PARAMS->args[1])))();
			break;
		default:
			return;
		}
	}
}

/*
 * Each CPU writes and reads its own pages for ever. A page holds what was written
 * last, or nothing: whose owner threw it away. Anything else is somebody else's.
 */
static void hammer(unsigned int cpu)
{
	u64 round, want, seen;
	unsigned int i;

	for (round = 1; !*(volatile u64 *)&PARAMS->args[0]; round++) {
		for (i = cpu; i < PARAMS->args[1]; i += 2) {
			want = (round - 1) << 32 | 0xa5000 | i;
			seen = page(i)[i];
			if (seen && seen != want)
				failed("CPU %u round %llu page %u: %llx", cpu, round, i, seen);
			if (round > 1 && !seen)
				PARAMS->results[2 + cpu]++;
			page(i)[i] = round << 32 | 0xa5000 | i;
		}
		PARAMS->results[cpu]++;
		let_l0_in();
	}
}

static volatile bool other_done;

static void second(void)
{
	hammer(1);
	other_done = true;
	for (;;)
		let_l0_in();
}

GUEST_CASE(_hammer, 0)
{
	sti();
	hammer(0);
}

GUEST_CASE(_hammer_2, NEED_2_CPUS)
{
	smp_start(second);
	sti();
	hammer(0);
	EXPECT(WAIT_FOR(other_done), "the other CPU does not end");
}

/* Until told to end. No exit but those of the host. */
GUEST_CASE(_count, 0)
{
	volatile u64 *end = (volatile u64 *)&PARAMS->args[0];

	sti();		/* the emulator keeps the host's interrupts from who does not */
	while (!*end)
		page(0)[3]++;
}

GUEST_CASE(_large, 0)
{
	STEP(0);
	page(3)[0] = 1;
	STEP(1);
	page(600)[0] = 2;
	STEP(2);
	EXPECT_EQ(page(3)[0], 0, "the page that was discarded");
	EXPECT_EQ(page(600)[0], 2, "a page of the next large one");
	EXPECT_EQ(page(4)[0], 0x44, "a page beside the discarded one");
}
