/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Split virtqueue, device side. The driver is not trusted: every address is
 * looked up in guest memory, every index is read once, and whatever cannot be
 * is a broken queue, which the transport reports as DEVICE_NEEDS_RESET.
 */
#ifndef VMM_VIRTIO_QUEUE_H
#define VMM_VIRTIO_QUEUE_H

#include "../../lib/libnestvm.h"

#include <sys/uio.h>

#define VIRTQ_MAX 128

struct virtq {
	struct nvl_vm *vm;
	bool ready;
	bool broken;
	uint16_t size;
	uint64_t desc, driver, device;	/* guest-physical */
	uint16_t next_avail;
	uint16_t next_used;
	/* VIRTIO_RING_F_EVENT_IDX: interrupts and notifications only past an index */
	bool event_idx;
	bool signalled_valid;		/* false: the next batch interrupts in any case */
	uint16_t signalled;		/* next_used at the last look at the driver's wish */
};

/* One request: what the driver wrote for us, then what we may write. */
struct virtq_chain {
	uint16_t head;
	unsigned int nout, nin;
	struct iovec out[VIRTQ_MAX];
	struct iovec in[VIRTQ_MAX];
};

/* True when the rings lie in guest memory. */
bool virtq_valid(const struct virtq *q);
bool virtq_has_work(struct virtq *q);
bool virtq_pop(struct virtq *q, struct virtq_chain *c);
void virtq_push(struct virtq *q, const struct virtq_chain *c, uint32_t written);
bool virtq_wants_interrupt(struct virtq *q);
/*
 * Asks for a notification of the next buffer, for a queue that has been emptied;
 * true when one has come meanwhile, which will not be notified. Without event_idx
 * every buffer is notified.
 */
bool virtq_enable_notify(struct virtq *q);

size_t iov_len(const struct iovec *iov, unsigned int n);
/* Copy between a buffer and a list of pieces, from @off; returns the bytes copied. */
size_t iov_read(const struct iovec *iov, unsigned int n, size_t off, void *buf, size_t len);
size_t iov_write(const struct iovec *iov, unsigned int n, size_t off, const void *buf,
		 size_t len);
/* The part [off, off + len) of a list as a list; returns its number of pieces. */
unsigned int iov_slice(const struct iovec *iov, unsigned int n, size_t off, size_t len,
		       struct iovec *out);

#endif
