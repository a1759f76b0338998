// SPDX-License-Identifier: GPL-2.0
/*
 * Virtqueues: what a good driver does works, what a hostile one does breaks the
 * queue and nothing else. Guest memory is an allocation of its own, so that the
 * sanitizer sees every step beside it.
 *
 * links: vmm/virtio/queue.c
 */
#include "lib/ktap.h"
#include "../tools/lib/internal.h"
#include "vmm/virtio/queue.h"

#include <linux/virtio_ring.h>
#include <stdlib.h>
#include <string.h>

#define MEM	0x10000
#define SIZE	8
#define DESC	0x1000
#define AVAIL	0x2000
#define USED	0x3000
#define BUF	0x8000

static struct nvl_vm vm;
static uint8_t *mem;
static struct virtq q;
static struct vring_desc *desc;
static struct vring_avail *avail;
static struct vring_used *used;

static void set_up(bool event_idx)
{
	mem = calloc(1, MEM);
	vm = (struct nvl_vm) { .fd = -1, .nslots = 1 };
	vm.slots[0].gpa = 0;
	vm.slots[0].size = MEM;
	vm.slots[0].host = mem;
	desc = (void *)(mem + DESC);
	avail = (void *)(mem + AVAIL);
	used = (void *)(mem + USED);
	q = (struct virtq) {
		.vm = &vm, .size = SIZE, .desc = DESC, .driver = AVAIL, .device = USED,
		.event_idx = event_idx,
	};
	ASSERT(virtq_valid(&q), "a good queue");
	q.ready = true;
}

static void put(uint16_t head)
{
	avail->ring[avail->idx % SIZE] = head;
	avail->idx++;
}

static void good(const void *arg)
{
	struct virtq_chain c;
	char text[32] = { 0 };

	set_up(false);
	EXPECT(!virtq_has_work(&q) && !virtq_pop(&q, &c), "empty");
	desc[0] = (struct vring_desc) { BUF, 3, VRING_DESC_F_NEXT, 2 };
	desc[2] = (struct vring_desc) { BUF + 0x100, 4, VRING_DESC_F_NEXT, 5 };
	desc[5] = (struct vring_desc) { BUF + 0x200, 16, VRING_DESC_F_WRITE, 0 };
	memcpy(mem + BUF, "abc", 3);
	memcpy(mem + BUF + 0x100, "defg", 4);
	put(0);
	ASSERT(virtq_pop(&q, &c), "a request");
	EXPECT_EQ(c.nout, 2, "pieces to read");
	EXPECT_EQ(c.nin, 1, "pieces to write");
	EXPECT_EQ(iov_read(c.out, c.nout, 1, text, sizeof(text)), 6, "bytes read");
	EXPECT(!strcmp(text, "bcdefg"), "read %s", text);
	EXPECT_EQ(iov_write(c.in, c.nin, 14, "xyz", 3), 2, "bytes written at the end");
	virtq_push(&q, &c, 16);
	EXPECT_EQ(used->idx, 1, "used index");
	EXPECT_EQ(used->ring[0].len, 16, "used length");
	EXPECT(virtq_wants_interrupt(&q), "interrupt");
	avail->flags = VRING_AVAIL_F_NO_INTERRUPT;
	EXPECT(!virtq_wants_interrupt(&q), "no interrupt");
}

static void indirect(const void *arg)
{
	struct vring_desc *table;
	struct virtq_chain c;

	set_up(false);
	table = (void *)(mem + 0x4000);
	table[0] = (struct vring_desc) { BUF, 8, VRING_DESC_F_NEXT, 1 };
	table[1] = (struct vring_desc) { BUF + 64, 8, VRING_DESC_F_WRITE, 0 };
	desc[3] = (struct vring_desc) { 0x4000, 32, VRING_DESC_F_INDIRECT, 0 };
	put(3);
	ASSERT(virtq_pop(&q, &c), "an indirect request");
	EXPECT_EQ(c.head, 3, "head");
	EXPECT_EQ(c.nout + c.nin, 2, "pieces");
}

/* The driver asks for an interrupt only past an index, and is told when to notify. */
static void event_index(const void *arg)
{
	struct virtq_chain c;
	unsigned int i;

	set_up(true);
	desc[0] = (struct vring_desc) { BUF, 8, 0, 0 };
	for (i = 0; i < 4; i++) {
		put(0);
		ASSERT(virtq_pop(&q, &c), "request %u", i);
		virtq_push(&q, &c, 0);
		avail->ring[SIZE] = 2;		/* used_event: after the third */
		EXPECT_EQ(virtq_wants_interrupt(&q), i == 0 || i == 2, "interrupt");
	}
	EXPECT(!virtq_enable_notify(&q), "empty");
	EXPECT_EQ(*(uint16_t *)&used->ring[SIZE], 4, "avail_event");
	put(0);
	EXPECT(virtq_enable_notify(&q), "a buffer that came meanwhile");
}

static void wild_layout(const void *arg)
{
	static const struct {
		const char *what;
		uint16_t size;
		uint64_t desc, driver, device;
	} rows[] = {
		{ "no descriptors", 0, DESC, AVAIL, USED },
		{ "not a power of two", 6, DESC, AVAIL, USED },
		{ "too many", 256, DESC, AVAIL, USED },
		{ "descriptors unaligned", 8, DESC + 8, AVAIL, USED },
		{ "available unaligned", 8, DESC, AVAIL + 1, USED },
		{ "used unaligned", 8, DESC, AVAIL, USED + 2 },
		{ "descriptors over the end", 8, MEM - 64, AVAIL, USED },
		{ "available over the end", 8, DESC, MEM - 20, USED },
		{ "used over the end", 8, DESC, AVAIL, MEM - 68 },
		{ "far away", 8, 0xfffffffffffffff0ull, AVAIL, USED },
		{ "used far away", 8, DESC, AVAIL, 0xfffffffffffffff0ull },
	};
	unsigned int i;

	set_up(false);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct virtq w = {
			.vm = &vm, .size = rows[i].size, .desc = rows[i].desc,
			.driver = rows[i].driver, .device = rows[i].device,
		};

		EXPECT(!virtq_valid(&w), "%s", rows[i].what);
	}
}

static void wild_chains(const void *arg)
{
	static const struct {
		const char *what;
		uint16_t head;
		struct vring_desc d[2];
	} rows[] = {
		{ "head out of range", 8, { { BUF, 8, 0, 0 } } },
		{ "head far out", 0xffff, { { BUF, 8, 0, 0 } } },
		{ "a loop", 0, { { BUF, 8, VRING_DESC_F_NEXT, 0 } } },
		{ "a loop of two", 0,
		  { { BUF, 8, VRING_DESC_F_NEXT, 1 }, { BUF, 8, VRING_DESC_F_NEXT, 0 } } },
		{ "next out of range", 0, { { BUF, 8, VRING_DESC_F_NEXT, 8 } } },
		{ "over the end", 0, { { MEM - 4, 8, 0, 0 } } },
		{ "length wraps", 0, { { 0xfffffffffffffff8ull, 16, 0, 0 } } },
		{ "nothing there", 0, { { 1ull << 40, 1, 0, 0 } } },
		{ "no length", 0, { { BUF, 0, 0, 0 } } },
		{ "all of 4G", 0, { { BUF, 0xffffffff, VRING_DESC_F_WRITE, 0 } } },
		{ "read after write", 0,
		  { { BUF, 8, VRING_DESC_F_WRITE | VRING_DESC_F_NEXT, 1 }, { BUF, 8, 0, 0 } } },
		{ "indirect over the end", 0, { { MEM - 16, 32, VRING_DESC_F_INDIRECT, 0 } } },
		{ "indirect of a half", 0, { { BUF, 24, VRING_DESC_F_INDIRECT, 0 } } },
		{ "indirect of nothing", 0, { { BUF, 0, VRING_DESC_F_INDIRECT, 0 } } },
		{ "indirect and next", 0,
		  { { BUF, 16, VRING_DESC_F_INDIRECT | VRING_DESC_F_NEXT, 1 }, { BUF, 8, 0, 0 } } },
		{ "indirect to itself", 0, { { DESC, 16, VRING_DESC_F_INDIRECT, 0 } } },
	};
	struct virtq_chain c;
	unsigned int i;

	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		set_up(false);
		memcpy(desc, rows[i].d, sizeof(rows[i].d));
		/* Behind the table lies what would pass for a descriptor. */
		desc[SIZE] = (struct vring_desc) { BUF, 8, 0, 0 };
		put(rows[i].head);
		EXPECT(!virtq_pop(&q, &c), "%s", rows[i].what);
		EXPECT(q.broken, "%s", rows[i].what);
		EXPECT(!virtq_has_work(&q) && !virtq_enable_notify(&q), "%s", rows[i].what);
		free(mem);
	}
}

static bool inside(const struct iovec *iov)
{
	uint8_t *p = iov->iov_base;

	return p >= mem && p + iov->iov_len <= mem + MEM;
}

/* Garbage in all of the rings: whatever comes out of a queue lies in guest memory. */
static void garbage(const void *arg)
{
	struct virtq_chain c;
	unsigned int turn, i;

	srandom(2);
	set_up(true);
	for (turn = 0; turn < 20000; turn++) {
		for (i = 0; i < SIZE; i++)
			desc[i] = (struct vring_desc) {
				random() % (MEM + 0x1000), random() % 0x2000, random() % 8,
				random() % (SIZE + 1),
			};
		for (i = 0; i < SIZE; i++)
			avail->ring[i] = random() % (SIZE + 1);
		avail->idx = random();
		q.broken = false;
		if (!virtq_pop(&q, &c))
			continue;
		for (i = 0; i < c.nout; i++)
			ASSERT(inside(&c.out[i]), "turn %u", turn);
		for (i = 0; i < c.nin; i++)
			ASSERT(inside(&c.in[i]), "turn %u", turn);
		virtq_push(&q, &c, 0);
		virtq_wants_interrupt(&q);
		virtq_enable_notify(&q);
	}
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "good", good },
		{ "indirect", indirect },
		{ "event_index", event_index },
		{ "wild_layout", wild_layout },
		{ "wild_chains", wild_chains },
		{ "garbage", garbage },
	};

	return ktap_main(cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
