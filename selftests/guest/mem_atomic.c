// SPDX-License-Identifier: GPL-2.0
/* The guest's half of selftests/mem_atomic.c: two CPUs and one word of memory. */
#include "guest.h"

#define VA	(GUEST_FREE + 0x200000ul)
#define FLAGS	(PTE_P | PTE_W | PTE_A | PTE_D)

/* Both have no slot; a mixture of both, byte by byte, is neither. */
static const u64 places[2] = { 0x55555000, 0xaaaaa000 };
static volatile u64 *entry;
static volatile bool flipping;

/*
 * One write in each turn of the loop, and of either at random: the emulator takes the
 * other CPU's turn at a jump, which would else find the same value again and again.
 */
static void flip_entry(void)
{
	u64 x = 1;
	int i;

	flipping = true;
	for (;; let_l0_in()) {
		for (i = 0; i < 2000; i++) {
			x = x * 6364136223846793005ull + 1;
			*entry = places[x >> 63] | FLAGS;
		}
	}
}

/* Each access is executed by L0, which walks the tables while the entry changes. */
GUEST_CASE(_entry_changes, NEED_2_CPUS)
{
	u64 i;

	entry = page_entry(VA);
	*entry = places[0] | FLAGS;
	invlpg((void *)VA);
	smp_start(flip_entry);
	ASSERT(WAIT_FOR(flipping), "the other CPU does not come");
	for (i = 0; i < PARAMS->args[0]; i++) {
		invlpg((void *)VA);
		(void)*(volatile u8 *)VA;
	}
}
