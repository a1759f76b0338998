// SPDX-License-Identifier: GPL-2.0
/*
 * The device is paused on both sides. What the driver has put into a queue and
 * nobody has looked at is found when the device goes on, which looks once more;
 * an interrupt that was raised and not acknowledged is raised once more.
 */
#include "mmio_state.h"

#include "mmio.h"

#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

static void virtio_save(void *dev, struct pack *p)
{
	struct virtio_mmio *v = dev;
	unsigned int i;

	pthread_mutex_lock(&v->lock);
	pack_u64(p, v->features);
	pack_u64(p, v->driver_features);
	pack_u32(p, v->features_sel);
	pack_u32(p, v->driver_features_sel);
	pack_u32(p, v->queue_sel);
	pack_u32(p, v->status);
	pack_u32(p, v->generation);
	pack_u32(p, __atomic_load_n(&v->interrupt, __ATOMIC_SEQ_CST) | v->deferred);
	pack_u32(p, v->ops->nqueues);
	for (i = 0; i < v->ops->nqueues; i++) {
		const struct virtq *q = &v->q[i];

		pack_bool(p, q->ready);
		pack_bool(p, q->broken);
		pack_u16(p, q->size);
		pack_u64(p, q->desc);
		pack_u64(p, q->driver);
		pack_u64(p, q->device);
		pack_u16(p, q->next_avail);
		pack_u16(p, q->next_used);
	}
	pthread_mutex_unlock(&v->lock);
}

static void load_queue(struct virtq *q, bool event_idx, struct unpack *u)
{
	q->ready = unpack_bool(u);
	q->broken = unpack_bool(u);
	q->size = unpack_u16(u);
	q->desc = unpack_u64(u);
	q->driver = unpack_u64(u);
	q->device = unpack_u64(u);
	q->next_avail = unpack_u16(u);
	q->next_used = unpack_u16(u);
	/* What was signalled last is forgotten: one interrupt too many is none too few. */
	q->event_idx = q->ready && event_idx;
	q->signalled_valid = false;
	/* A live queue has passed this when the driver made it. */
	if (q->size > VIRTQ_MAX || (q->ready && !virtq_valid(q)))
		u->failed = true;
}

static bool virtio_load(void *dev, struct unpack *u)
{
	struct virtio_mmio *v = dev;
	uint64_t features = unpack_u64(u), driver_features = unpack_u64(u);
	uint32_t features_sel = unpack_u32(u), driver_features_sel = unpack_u32(u);
	uint32_t queue_sel = unpack_u32(u), status = unpack_max(u, 0xff);
	uint32_t generation = unpack_u32(u), interrupt = unpack_max(u, 3);
	uint32_t n = unpack_max(u, v->ops->nqueues), i;
	struct virtq q[VIRTIO_MAX_QUEUES];

	for (i = 0; i < n; i++) {
		q[i] = v->q[i];
		load_queue(&q[i], driver_features & 1ull << VIRTIO_RING_F_EVENT_IDX, u);
	}
	if (!unpack_ok(u) || n != v->ops->nqueues || features & ~v->features)
		return false;
	/* What was negotiated is what was offered. */
	if (status & VIRTIO_CONFIG_S_FEATURES_OK && driver_features & ~features)
		return false;

	pthread_mutex_lock(&v->lock);
	v->driver_features = driver_features;
	v->features_sel = features_sel;
	v->driver_features_sel = driver_features_sel;
	v->queue_sel = queue_sel;
	v->status = status;
	v->generation = generation;
	for (i = 0; i < n; i++)
		v->q[i] = q[i];
	__atomic_store_n(&v->interrupt, interrupt, __ATOMIC_SEQ_CST);
	v->deferred = interrupt;
	pthread_mutex_unlock(&v->lock);
	return true;
}

const struct state_ops virtio_mmio_state = { "virtio", 1, virtio_save, virtio_load };
