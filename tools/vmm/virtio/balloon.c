// SPDX-License-Identifier: GPL-2.0
#include "balloon.h"

#include "../clock.h"
#include "../machine.h"
#include "pfn_runs.h"

#include <endian.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 4096ull
#define STATS_INTERVAL_MS 2000
#define PFNS 256		/* looked at together; a Linux driver sends no more at once */

/* Without FREE_PAGE_HINT, which is not offered, reporting has the queue after statistics. */
enum { QUEUE_INFLATE, QUEUE_DEFLATE, QUEUE_STATS, QUEUE_REPORTING };

/* -- pages ------------------------------------------------------------------ */

/* The next access finds zeroes in a page of its own. */
static bool give_back(void *host, uint64_t len)
{
	return madvise(host, len, MADV_DONTNEED) == 0;
}

static void inflate_run(void *ctx, uint32_t first, uint64_t count)
{
	struct virtio_balloon *b = ctx;
	uint64_t gpa = first * PAGE, len = count * PAGE;
	void *host = nvl_vm_ptr(b->v->m->vm, gpa, len);

	if (host) {
		if (give_back(host, len))
			b->info.inflated += len;
		return;
	}
	if (count == 1) {
		b->info.bad_pages++;
		return;
	}
	/* Partly in memory, or across two pieces of it: page by page. */
	for (; count; count--)
		inflate_run(b, first++, 1);
}

static void inflate(struct virtio_balloon *b, const struct virtq_chain *c)
{
	uint32_t pfns[PFNS];
	size_t at, len, i;

	for (at = 0; (len = iov_read(c->out, c->nout, at, pfns, sizeof(pfns))); at += len) {
		for (i = 0; i < len / 4; i++)
			pfns[i] = le32toh(pfns[i]);
		pfn_runs(pfns, len / 4, inflate_run, b);
	}
}

/* Free pages: the buffers themselves, of which nobody reads what is in them. */
static void take_reported(struct virtio_balloon *b, const struct virtq_chain *c)
{
	uintptr_t start, end;
	unsigned int i;

	for (i = 0; i < c->nin; i++) {
		start = (uintptr_t)c->in[i].iov_base;
		end = (start + c->in[i].iov_len) & ~(PAGE - 1);
		start = (start + PAGE - 1) & ~(PAGE - 1);
		if (start < end && give_back((void *)start, end - start))
			b->info.reported += end - start;
	}
}

/* One turn of a queue's; the rest has another, so that others get the lock. */
static bool take_pages(struct virtio_balloon *b, struct virtq *q, unsigned int index)
{
	struct virtq_chain c;
	unsigned int n;

	for (n = 0; n < VIRTQ_MAX && virtq_pop(q, &c); n++) {
		if (index == QUEUE_INFLATE)
			inflate(b, &c);
		else if (index == QUEUE_REPORTING)
			take_reported(b, &c);
		/* Deflating: the guest takes pages back by touching them. */
		virtq_push(q, &c, 0);
	}
	if (virtq_has_work(q))
		virtio_mmio_kick(b->v);
	return n;
}

/* -- statistics ------------------------------------------------------------- */

static void read_stats(struct virtio_balloon *b, const struct virtq_chain *c)
{
	struct virtio_balloon_stat stat;
	size_t at;
	uint16_t tag;

	memset(b->info.stats, 0xff, sizeof(b->info.stats));
	for (at = 0; iov_read(c->out, c->nout, at, &stat, sizeof(stat)) == sizeof(stat);
	     at += sizeof(stat)) {
		tag = le16toh(stat.tag);
		if (tag < VIRTIO_BALLOON_S_NR)
			b->info.stats[tag] = le64toh(stat.val);
	}
	b->info.has_stats = true;
}

static void return_stats(struct virtio_balloon *b, struct virtq *q)
{
	const struct virtq_chain c = { .head = b->stats_head };

	virtq_push(q, &c, 0);
	b->holds_stats = false;
}

/* The driver sends one buffer, and again when it gets it back. */
static bool take_stats(struct virtio_balloon *b, struct virtq *q)
{
	struct virtq_chain c;
	bool used = false;

	if (!virtq_pop(q, &c))
		return false;
	/* Two would be one too many: the older one goes back. */
	if (b->holds_stats) {
		return_stats(b, q);
		used = true;
	}
	read_stats(b, &c);
	b->stats_head = c.head;
	b->holds_stats = true;
	b->stats_due_ms = clock_ms() + STATS_INTERVAL_MS;
	if (virtq_has_work(q))
		virtio_mmio_kick(b->v);
	return used;
}

static unsigned int balloon_before_wait(void *dev, struct pollfd *fds, unsigned int max,
					int *timeout_ms)
{
	struct virtio_balloon *b = dev;
	int64_t left = b->stats_due_ms - clock_ms();

	(void)fds;
	(void)max;
	if (b->holds_stats)
		*timeout_ms = left > 0 ? left : 0;
	return 0;
}

static void balloon_after_wait(void *dev, const struct pollfd *fds, unsigned int n)
{
	struct virtio_balloon *b = dev;
	struct virtq *q = &b->v->q[QUEUE_STATS];

	(void)fds;
	(void)n;
	if (!b->holds_stats || !q->ready || clock_ms() < b->stats_due_ms)
		return;
	return_stats(b, q);
	virtio_mmio_used(b->v, q);
}

/* --------------------------------------------------------------------------- */

static bool balloon_serve(void *dev, struct virtq *q, unsigned int index)
{
	return index == QUEUE_STATS ? take_stats(dev, q) : take_pages(dev, q, index);
}

/* The driver writes how many pages are in the balloon, and nothing else. */
static void balloon_config_write(void *dev, uint64_t off, unsigned int len, uint32_t value)
{
	struct virtio_balloon *b = dev;

	if (off != offsetof(struct virtio_balloon_config, actual) || len != 4)
		return;
	b->config.actual = htole32(value);
	b->info.actual = value * PAGE;
}

/* A driver that starts afresh has nothing in the balloon. */
static void balloon_reset(void *dev)
{
	struct virtio_balloon *b = dev;

	b->config.actual = 0;
	b->info.actual = 0;
	b->info.has_stats = false;
	b->holds_stats = false;
}

const struct virtio_dev_ops virtio_balloon_ops = {
	.id = VIRTIO_ID_BALLOON,
	.nqueues = 4,
	.serve = balloon_serve,
	.config_write = balloon_config_write,
	.before_wait = balloon_before_wait,
	.after_wait = balloon_after_wait,
	.reset = balloon_reset,
};

uint64_t virtio_balloon_features(void)
{
	return 1ull << VIRTIO_BALLOON_F_STATS_VQ | 1ull << VIRTIO_BALLOON_F_DEFLATE_ON_OOM |
	       1ull << VIRTIO_BALLOON_F_REPORTING | 1ull << VIRTIO_RING_F_INDIRECT_DESC;
}

void virtio_balloon_init(struct virtio_balloon *b, struct virtio_mmio *v, uint64_t target)
{
	memset(b, 0, sizeof(*b));
	b->v = v;
	b->config.num_pages = htole32(target / PAGE);
	b->info.target = target;
}

void virtio_balloon_set(struct virtio_balloon *b, uint64_t target)
{
	pthread_mutex_lock(&b->v->lock);
	b->config.num_pages = htole32(target / PAGE);
	b->info.target = target;
	virtio_mmio_config_changed(b->v);
	pthread_mutex_unlock(&b->v->lock);
}

void virtio_balloon_get(struct virtio_balloon *b, struct balloon_info *info)
{
	pthread_mutex_lock(&b->v->lock);
	*info = b->info;
	pthread_mutex_unlock(&b->v->lock);
}
