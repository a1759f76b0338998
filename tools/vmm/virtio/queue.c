// SPDX-License-Identifier: GPL-2.0
#include "queue.h"

#include <linux/virtio_ring.h>
#include <string.h>

/* Each ring ends with the other side's event index. */
#define AVAIL_BYTES(n)	(6 + 2 * (uint64_t)(n))
#define USED_BYTES(n)	(6 + 8 * (uint64_t)(n))

static struct vring_avail *avail_ring(const struct virtq *q)
{
	return nvl_vm_ptr(q->vm, q->driver, AVAIL_BYTES(q->size));
}

static struct vring_used *used_ring(const struct virtq *q)
{
	return nvl_vm_ptr(q->vm, q->device, USED_BYTES(q->size));
}

bool virtq_valid(const struct virtq *q)
{
	if (!q->size || q->size > VIRTQ_MAX || q->size & (q->size - 1))
		return false;
	if (q->desc & 15 || q->driver & 1 || q->device & 3)
		return false;
	return nvl_vm_ptr(q->vm, q->desc, 16ull * q->size) && avail_ring(q) && used_ring(q);
}

bool virtq_has_work(struct virtq *q)
{
	if (!q->ready || q->broken)
		return false;
	return __atomic_load_n(&avail_ring(q)->idx, __ATOMIC_ACQUIRE) != q->next_avail;
}

/* Adds one descriptor's buffer; device-readable ones must come first. */
static bool add_buffer(struct virtq *q, struct virtq_chain *c, const struct vring_desc *d)
{
	void *p = nvl_vm_ptr(q->vm, d->addr, d->len);

	if (!p || !d->len)
		return false;
	if (d->flags & VRING_DESC_F_WRITE) {
		if (c->nin == VIRTQ_MAX)
			return false;
		c->in[c->nin++] = (struct iovec) { p, d->len };
	} else {
		if (c->nin || c->nout == VIRTQ_MAX)
			return false;
		c->out[c->nout++] = (struct iovec) { p, d->len };
	}
	return true;
}

/* Walks a table of @n descriptors from @i; the number of steps bounds a loop in it. */
static bool walk(struct virtq *q, struct virtq_chain *c, uint64_t table, uint32_t n,
		 uint16_t i, bool indirect)
{
	const struct vring_desc *descs = nvl_vm_ptr(q->vm, table, 16ull * n);
	struct vring_desc d;
	uint32_t steps;

	if (!descs)
		return false;
	for (steps = 0; steps < n; steps++) {
		if (i >= n)
			return false;
		memcpy(&d, &descs[i], sizeof(d));	/* read once, the driver may write */
		if (d.flags & VRING_DESC_F_INDIRECT) {
			if (indirect || steps || d.flags & VRING_DESC_F_NEXT || !d.len ||
			    d.len % 16 || d.len / 16 > VIRTQ_MAX)
				return false;
			return walk(q, c, d.addr, d.len / 16, 0, true);
		}
		if (!add_buffer(q, c, &d))
			return false;
		if (!(d.flags & VRING_DESC_F_NEXT))
			return true;
		i = d.next;
	}
	return false;
}

bool virtq_pop(struct virtq *q, struct virtq_chain *c)
{
	struct vring_avail *avail;

	if (!virtq_has_work(q))
		return false;
	avail = avail_ring(q);
	c->head = __atomic_load_n(&avail->ring[q->next_avail % q->size], __ATOMIC_RELAXED);
	c->nout = 0;
	c->nin = 0;
	if (c->head >= q->size || !walk(q, c, q->desc, q->size, c->head, false)) {
		q->broken = true;
		return false;
	}
	q->next_avail++;
	return true;
}

void virtq_push(struct virtq *q, const struct virtq_chain *c, uint32_t written)
{
	struct vring_used *used = used_ring(q);
	unsigned int i;

	used->ring[q->next_used % q->size] = (struct vring_used_elem) { c->head, written };
	q->next_used++;
	__atomic_store_n(&used->idx, q->next_used, __ATOMIC_RELEASE);
	/* All the device may have written, which can be more than it says. */
	for (i = 0; i < c->nin; i++)
		nvl_vm_mark_dirty_ptr(q->vm, c->in[i].iov_base, c->in[i].iov_len);
	nvl_vm_mark_dirty(q->vm, q->device, USED_BYTES(q->size));
}

bool virtq_wants_interrupt(struct virtq *q)
{
	struct vring_avail *avail = avail_ring(q);
	uint16_t old = q->signalled, event;
	bool valid = q->signalled_valid;

	/* The used index must be out before the driver's wish is read. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!q->event_idx)
		return !(__atomic_load_n(&avail->flags, __ATOMIC_RELAXED) &
			 VRING_AVAIL_F_NO_INTERRUPT);
	q->signalled = q->next_used;
	q->signalled_valid = true;
	event = __atomic_load_n(&avail->ring[q->size], __ATOMIC_RELAXED);
	return !valid || vring_need_event(event, q->next_used, old);
}

bool virtq_enable_notify(struct virtq *q)
{
	struct vring_used *used = used_ring(q);

	if (!q->ready || q->broken)
		return false;
	if (!q->event_idx)
		return virtq_has_work(q);
	/* "avail_event" lies behind the last element of the used ring. */
	__atomic_store_n((uint16_t *)&used->ring[q->size], q->next_avail, __ATOMIC_RELAXED);
	nvl_vm_mark_dirty(q->vm, q->device, USED_BYTES(q->size));
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return virtq_has_work(q);
}

size_t iov_len(const struct iovec *iov, unsigned int n)
{
	size_t len = 0;
	unsigned int i;

	for (i = 0; i < n; i++)
		len += iov[i].iov_len;
	return len;
}

unsigned int iov_slice(const struct iovec *iov, unsigned int n, size_t off, size_t len,
		       struct iovec *out)
{
	unsigned int i, m = 0;
	size_t part;

	for (i = 0; i < n && len; i++) {
		if (off >= iov[i].iov_len) {
			off -= iov[i].iov_len;
			continue;
		}
		part = iov[i].iov_len - off;
		if (part > len)
			part = len;
		out[m++] = (struct iovec) { (uint8_t *)iov[i].iov_base + off, part };
		len -= part;
		off = 0;
	}
	return m;
}

size_t iov_read(const struct iovec *iov, unsigned int n, size_t off, void *buf, size_t len)
{
	struct iovec part[VIRTQ_MAX];
	unsigned int i, m = iov_slice(iov, n, off, len, part);
	size_t done = 0;

	for (i = 0; i < m; i++) {
		memcpy((uint8_t *)buf + done, part[i].iov_base, part[i].iov_len);
		done += part[i].iov_len;
	}
	return done;
}

size_t iov_write(const struct iovec *iov, unsigned int n, size_t off, const void *buf,
		 size_t len)
{
	struct iovec part[VIRTQ_MAX];
	unsigned int i, m = iov_slice(iov, n, off, len, part);
	size_t done = 0;

	for (i = 0; i < m; i++) {
		memcpy(part[i].iov_base, (const uint8_t *)buf + done, part[i].iov_len);
		done += part[i].iov_len;
	}
	return done;
}
