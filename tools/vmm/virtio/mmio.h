/* SPDX-License-Identifier: GPL-2.0 */
/*
 * virtio over MMIO, version 2 (virtio 1.x, "Virtio Over MMIO"). Each device has
 * a thread that serves its queues, woken by the guest's notify register through
 * an eventfd, so that a slow disk stops nobody's vCPU.
 */
#ifndef VMM_VIRTIO_MMIO_H
#define VMM_VIRTIO_MMIO_H

#include "../bus.h"
#include "queue.h"

#include <poll.h>
#include <pthread.h>

#define VIRTIO_MAX_QUEUES 4
#define VIRTIO_MAX_FILES 256		/* a device waits for, besides its notifications */

struct machine;

struct virtio_dev_ops {
	uint32_t id;
	unsigned int nqueues;
	/* v->lock held, in the device's thread; true: something was put in the used ring */
	bool (*serve)(void *dev, struct virtq *q, unsigned int index);
	/* The rest may be NULL. The driver wrote to the configuration; v->lock held. */
	void (*config_write)(void *dev, uint64_t off, unsigned int len, uint32_t value);
	/*
	 * For a device that has files or a clock to wait for: what its thread is to
	 * wait for, and what came of it. Both in that thread, v->lock held, only
	 * between DRIVER_OK and a reset and not while paused.
	 */
	unsigned int (*before_wait)(void *dev, struct pollfd *fds, unsigned int max,
				    int *timeout_ms);
	void (*after_wait)(void *dev, const struct pollfd *fds, unsigned int n);
	/* The driver started afresh; v->lock held. */
	void (*reset)(void *dev);
};

struct virtio_mmio {
	struct machine *m;
	const struct virtio_dev_ops *ops;
	void *dev;
	uint64_t base;
	unsigned int gsi;
	uint64_t features;		/* offered */
	const void *config;
	size_t config_len;

	int kick_fd;
	int irq_fd;			/* -1: no irqfd on this device */
	bool stop;
	bool started;
	pthread_t thread;
	uint32_t interrupt;		/* atomic */

	pthread_mutex_t lock;		/* everything below */
	uint64_t driver_features;
	uint32_t features_sel, driver_features_sel, queue_sel;
	uint32_t status;
	uint32_t generation;		/* of the configuration */
	struct virtq q[VIRTIO_MAX_QUEUES];
	bool paused;			/* nothing is served, interrupts wait here: */
	uint32_t deferred;
};

extern const struct bus_ops virtio_mmio_bus_ops;

int virtio_mmio_init(struct virtio_mmio *v, struct machine *m, unsigned int index,
		     const struct virtio_dev_ops *ops, void *dev, uint64_t features,
		     const void *config, size_t config_len, struct nvl_error *err);
int virtio_mmio_start(struct virtio_mmio *v, struct nvl_error *err);
void virtio_mmio_stop(struct virtio_mmio *v);
/* Makes the device's thread look at its queues again; any thread. */
void virtio_mmio_kick(struct virtio_mmio *v);
/* No access to guest memory and no interrupt between the two. */
void virtio_mmio_pause(struct virtio_mmio *v);
void virtio_mmio_unpause(struct virtio_mmio *v);
/* v->lock held: the device changed its configuration, tell the driver. */
void virtio_mmio_config_changed(struct virtio_mmio *v);
/* v->lock held: tell the driver about used buffers of @q, if it wants to know. */
void virtio_mmio_used(struct virtio_mmio *v, struct virtq *q);

#endif
