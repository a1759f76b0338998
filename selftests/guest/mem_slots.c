// SPDX-License-Identifier: GPL-2.0
/* The guest's half of selftests/mem_slots.c. SLOT is where slots come and go. */
#include "guest.h"

#define SLOT	0x10000000ul
#define STEP(n)	outb(0x50, n)

static volatile u64 *const slot = (u64 *)SLOT;

GUEST_CASE(_add_move_delete, 0)
{
	STEP(1);			/* added: what the owner wrote is there */
	EXPECT_EQ(slot[0], 0x1111, "the first word");
	slot[1] = 0x2222;
	STEP(2);			/* moved up by 1 MiB */
	EXPECT_EQ(*(volatile u64 *)(SLOT + 0x100008), 0x2222, "the second word, moved");
	EXPECT_EQ(slot[0], 0x5a5a5a5a5a5a5a5a, "where it was: MMIO now");
	STEP(3);			/* deleted */
	EXPECT_EQ(*(volatile u64 *)(SLOT + 0x100008), 0x5a5a5a5a5a5a5a5a, "MMIO");
	STEP(4);			/* another memory in its place */
	EXPECT_EQ(slot[0], 0x3333, "the first word of other memory");
}

GUEST_CASE(_read_only, 0)
{
	EXPECT_EQ(slot[0], 0x1111, "the first word");
	slot[0] = 0x77;			/* goes out as MMIO, changes nothing */
	EXPECT_EQ(slot[0], 0x1111, "the first word after a write");
	((volatile u8 *)slot)[3] = 9;
	EXPECT_EQ(((void *(*)(void))(SLOT + 0x100))(), (void *)0x42, "what code there returns");
}

GUEST_CASE(_dirty_log, 0)
{
	volatile u8 *at = (u8 *)SLOT;
	int i;

	at[0x0000] = 1;
	at[0x3000] = 1;
	EXPECT_EQ(at[0x5000], 0, "a byte only read");
	STEP(1);
	STEP(2);
	for (i = 0; i < 8; i++)
		at[0x4000] = i;
	STEP(3);
	at[0x4000] = 9;
	STEP(4);
}

/* Until told to stop: the slot under it is deleted and made again all the time. */
GUEST_CASE(_touch_for_ever, 0)
{
	volatile u64 *p = (u64 *)(SLOT + 8);

	sti();
	while (!PARAMS->args[0]) {
		p[0]++;
		p[512]++;
		PARAMS->results[0]++;
	}
}

GUEST_CASE(_whole_slot, 0)
{
	u64 i, bytes = PARAMS->args[0], bad = 0;

	for (i = 0; i < bytes; i += 4096)
		slot[i / 8] = i ^ 0x55;
	for (i = 0; i < bytes; i += 4096)
		bad += slot[i / 8] != (i ^ 0x55);
	EXPECT_EQ(bad, 0, "wrong words");
}

GUEST_CASE(_across_two_slots, 0)
{
	*(volatile u64 *)(SLOT + 0x1ffc) = 0x1122334455667788;
	EXPECT_EQ(*(volatile u64 *)(SLOT + 0x1ffc), 0x1122334455667788, "8 bytes over the border");
}
