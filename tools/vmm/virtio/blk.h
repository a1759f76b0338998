/* SPDX-License-Identifier: GPL-2.0 */
/* virtio block device over a raw image or block device. */
#ifndef VMM_VIRTIO_BLK_H
#define VMM_VIRTIO_BLK_H

#include "mmio.h"

#include <linux/virtio_blk.h>

struct virtio_blk {
	int fd;
	bool readonly;
	uint64_t sectors;
	char serial[VIRTIO_BLK_ID_BYTES];
	struct virtio_blk_config config;
};

extern const struct virtio_dev_ops virtio_blk_ops;

/* Opens the image and looks at it. */
int virtio_blk_open(struct virtio_blk *b, const char *path, bool readonly, unsigned int index,
		    struct nvl_error *err);
/* No two VMs write to one image: from here on until it is closed or unlocked it is ours. */
int virtio_blk_lock(struct virtio_blk *b, const char *path, struct nvl_error *err);
void virtio_blk_unlock(struct virtio_blk *b);
void virtio_blk_close(struct virtio_blk *b);
uint64_t virtio_blk_features(const struct virtio_blk *b);

#endif
