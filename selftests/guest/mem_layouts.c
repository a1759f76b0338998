// SPDX-License-Identifier: GPL-2.0
/* The guest's half of selftests/mem_layouts.c: reads and writes all that it is told. */
#include "guest.h"
#include "layouts.h"

#define STEP(n)	outb(0x50, n)

static volatile u8 *modes = (u8 *)LAYOUT_MODES;
static volatile u64 *tags = (u64 *)LAYOUT_TAGS;
static volatile u64 *marks = (u64 *)LAYOUT_MARKS;

static volatile u64 *page(u64 i)
{
	return (u64 *)(PARAMS->args[1] + i * 4096);
}

/* The owner's word of each page is read, ours is written; then ours is read again. */
static void pass(void)
{
	u64 i, k, n = PARAMS->args[2], mark = PARAMS->args[3];

	for (k = 0; k < n; k++) {
		i = (PARAMS->args[5] + k) % n;
		if (modes[i] & LAYOUT_READ)
			tags[i] = page(i)[0];
		if (modes[i] & LAYOUT_WRITE)
			page(i)[1] = mark + i;
	}
	for (i = 0; i < n; i++)
		if (modes[i] & LAYOUT_READ)
			marks[i] = page(i)[1];
}

/* All of it, whatever it is at the moment, until we are told to stop. */
static void roam(void)
{
	u64 i, n = PARAMS->args[2], sum = 0;

	while (!PARAMS->args[4]) {
		for (i = 0; i < n && !PARAMS->args[4]; i++) {
			sum += page(i)[0];
			page(i)[1] = sum;
			page(i)[511]++;
			if (!(i % 64))
				let_l0_in();
		}
	}
}

GUEST_CASE(_layouts, 0)
{
	for (;;) {
		STEP(1);
		switch (PARAMS->args[0]) {
		case LAYOUT_PASS:
			pass();
			break;
		case LAYOUT_ROAM:
			sti();
			roam();
			cli();
			break;
		default:
			return;
		}
	}
}
