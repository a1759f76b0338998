// SPDX-License-Identifier: GPL-2.0
/*
 * What is in the balloon and what is wanted there. The guest's statistics are not
 * kept: it is asked again.
 */
#include "mmio_state.h"

#include "balloon.h"

#include <endian.h>
#include <string.h>

#define PAGE 4096ull

static void balloon_save(void *dev, struct pack *p)
{
	struct virtio_balloon *b = dev;

	pthread_mutex_lock(&b->v->lock);
	pack_u64(p, b->info.target);
	pack_u32(p, le32toh(b->config.actual));
	pack_u64(p, b->info.inflated);
	pack_u64(p, b->info.reported);
	pack_bool(p, b->holds_stats);
	pack_u16(p, b->stats_head);
	pthread_mutex_unlock(&b->v->lock);
}

static bool balloon_load(void *dev, struct unpack *u)
{
	struct virtio_balloon *b = dev;
	uint64_t target = unpack_u64(u);
	uint32_t actual = unpack_u32(u);
	uint64_t inflated = unpack_u64(u), reported = unpack_u64(u);
	bool holds = unpack_bool(u);
	uint16_t head = unpack_u16(u);

	/* The head goes back into the used ring as it came, and may be no other's. */
	if (!unpack_ok(u) || target % PAGE || target / PAGE > UINT32_MAX || head >= VIRTQ_MAX)
		return false;
	pthread_mutex_lock(&b->v->lock);
	b->info.target = target;
	b->config.num_pages = htole32(target / PAGE);
	b->config.actual = htole32(actual);
	b->info.actual = actual * PAGE;
	b->info.inflated = inflated;
	b->info.reported = reported;
	b->info.has_stats = false;
	b->holds_stats = holds;
	b->stats_head = head;
	b->stats_due_ms = 0;
	pthread_mutex_unlock(&b->v->lock);
	return true;
}

const struct state_ops virtio_balloon_state = { "balloon", 1, balloon_save, balloon_load };
