/* SPDX-License-Identifier: GPL-2.0 */
/*
 * virtio memory balloon: pages the guest puts in it, and free ones it reports,
 * go back to the host. Only a VM with dynamic memory has one.
 *
 * The guest's own statistics are asked for every few seconds, which tells how
 * much memory it would need.
 */
#ifndef VMM_VIRTIO_BALLOON_H
#define VMM_VIRTIO_BALLOON_H

#include "mmio.h"

#include <linux/virtio_balloon.h>

struct balloon_info {
	uint64_t target;		/* bytes the guest is to give */
	uint64_t actual;		/* bytes it says it gave */
	uint64_t inflated, reported;	/* bytes taken back so far, by which way */
	uint64_t bad_pages;		/* page numbers that are none of its memory */
	bool has_stats;
	uint64_t stats[VIRTIO_BALLOON_S_NR];	/* by VIRTIO_BALLOON_S_*; all ones: not said */
};

struct virtio_balloon {
	struct virtio_mmio *v;
	/* v->lock: */
	struct virtio_balloon_config config;
	struct balloon_info info;
	bool holds_stats;		/* the driver's buffer of statistics is with us */
	uint16_t stats_head;		/* ... the descriptor it begins with */
	int64_t stats_due_ms;		/* when to ask again */
};

extern const struct virtio_dev_ops virtio_balloon_ops;

void virtio_balloon_init(struct virtio_balloon *b, struct virtio_mmio *v, uint64_t target);
uint64_t virtio_balloon_features(void);
/* How many bytes the guest is to give; it follows when it can. */
void virtio_balloon_set(struct virtio_balloon *b, uint64_t target);
void virtio_balloon_get(struct virtio_balloon *b, struct balloon_info *info);

#endif
