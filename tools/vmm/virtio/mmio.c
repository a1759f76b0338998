// SPDX-License-Identifier: GPL-2.0
#include "mmio.h"

#include "../machine.h"

#include <errno.h>
#include <linux/virtio_config.h>
#include <linux/virtio_mmio.h>
#include <linux/virtio_ring.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define MAGIC	0x74726976	/* "virt" */
#define VENDOR	0x4d56534e	/* "NSVM" */

/* v->lock held */
static void raise_interrupt(struct virtio_mmio *v, uint32_t why)
{
	uint64_t one = 1;

	if (v->paused) {
		v->deferred |= why;
		return;
	}
	__atomic_fetch_or(&v->interrupt, why, __ATOMIC_SEQ_CST);
	if (v->irq_fd >= 0) {
		if (write(v->irq_fd, &one, sizeof(one)) < 0 && errno != EAGAIN)
			machine_end(v->m, END_HOST_ERROR, 0, NULL,
				    "an interrupt of a virtio device was lost: %s",
				    strerror(errno));
		return;
	}
	machine_set_irq(v->m, v->gsi, true);
	machine_set_irq(v->m, v->gsi, false);
}

void virtio_mmio_used(struct virtio_mmio *v, struct virtq *q)
{
	if (virtq_wants_interrupt(q))
		raise_interrupt(v, VIRTIO_MMIO_INT_VRING);
}

static void serve_queues(struct virtio_mmio *v)
{
	unsigned int i;

	for (i = 0; i < v->ops->nqueues; i++) {
		struct virtq *q = &v->q[i];

		if (!q->ready || q->broken)
			continue;
		if (v->ops->serve(v->dev, q, i))
			virtio_mmio_used(v, q);
		if (q->broken) {
			v->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
			raise_interrupt(v, VIRTIO_MMIO_INT_CONFIG);
		}
	}
}

/* v->lock held */
static bool active(const struct virtio_mmio *v)
{
	return v->status & VIRTIO_CONFIG_S_DRIVER_OK && !v->paused;
}

static void *device_thread(void *arg)
{
	struct pollfd fds[1 + VIRTIO_MAX_FILES];
	struct virtio_mmio *v = arg;
	unsigned int files;
	bool waited;
	int timeout;
	uint64_t n;

	fds[0] = (struct pollfd) { .fd = v->kick_fd, .events = POLLIN };
	pthread_mutex_lock(&v->lock);
	while (!v->stop) {
		timeout = -1;
		files = 0;
		waited = active(v) && v->ops->before_wait;
		if (waited)
			files = v->ops->before_wait(v->dev, fds + 1, VIRTIO_MAX_FILES, &timeout);
		pthread_mutex_unlock(&v->lock);

		if (poll(fds, 1 + files, timeout) < 0)
			files = 0;
		else if (fds[0].revents && read(v->kick_fd, &n, sizeof(n)) < 0)
			files = 0;

		pthread_mutex_lock(&v->lock);
		if (!active(v))
			continue;
		if (waited && v->ops->after_wait)
			v->ops->after_wait(v->dev, fds + 1, files);
		serve_queues(v);
	}
	pthread_mutex_unlock(&v->lock);
	return NULL;
}

void virtio_mmio_kick(struct virtio_mmio *v)
{
	uint64_t one = 1;

	/* A counter so full that a write fails already wakes the thread. */
	if (write(v->kick_fd, &one, sizeof(one)) < 0)
		return;
}

static uint32_t config_read(const struct virtio_mmio *v, uint64_t off, unsigned int len)
{
	uint32_t value = 0;

	if (off < v->config_len)
		memcpy(&value, (const uint8_t *)v->config + off,
		       len < v->config_len - off ? len : v->config_len - off);
	return value;
}

/* v->lock held */
static uint32_t register_read(struct virtio_mmio *v, uint64_t off)
{
	struct virtq *q = v->queue_sel < v->ops->nqueues ? &v->q[v->queue_sel] : NULL;

	switch (off) {
	case VIRTIO_MMIO_MAGIC_VALUE:
		return MAGIC;
	case VIRTIO_MMIO_VERSION:
		return 2;
	case VIRTIO_MMIO_DEVICE_ID:
		return v->ops->id;
	case VIRTIO_MMIO_VENDOR_ID:
		return VENDOR;
	case VIRTIO_MMIO_DEVICE_FEATURES:
		return v->features_sel < 2 ? v->features >> (32 * v->features_sel) : 0;
	case VIRTIO_MMIO_QUEUE_NUM_MAX:
		return q ? VIRTQ_MAX : 0;
	case VIRTIO_MMIO_QUEUE_READY:
		return q ? q->ready : 0;
	case VIRTIO_MMIO_STATUS:
		return v->status;
	case VIRTIO_MMIO_CONFIG_GENERATION:
		return v->generation;
	case 0x0b0:	/* shared memory length: all ones says there is none */
	case 0x0b4:
		return ~0u;
	default:
		return 0;
	}
}

static uint64_t mmio_read(void *dev, uint64_t off, unsigned int len)
{
	struct virtio_mmio *v = dev;
	uint32_t value;

	/* Without the lock: an interrupt handler does not wait for a disk. */
	if (off == VIRTIO_MMIO_INTERRUPT_STATUS)
		return __atomic_load_n(&v->interrupt, __ATOMIC_SEQ_CST);
	if (off >= VIRTIO_MMIO_CONFIG)
		return config_read(v, off - VIRTIO_MMIO_CONFIG, len < 4 ? len : 4);
	if (len != 4 || off & 3)
		return 0;
	pthread_mutex_lock(&v->lock);
	value = register_read(v, off);
	pthread_mutex_unlock(&v->lock);
	return value;
}

void virtio_mmio_config_changed(struct virtio_mmio *v)
{
	v->generation++;
	if (v->status & VIRTIO_CONFIG_S_DRIVER_OK)
		raise_interrupt(v, VIRTIO_MMIO_INT_CONFIG);
}

static void device_reset(struct virtio_mmio *v)
{
	unsigned int i;

	for (i = 0; i < v->ops->nqueues; i++)
		v->q[i] = (struct virtq) { .vm = v->m->vm };
	v->status = 0;
	v->driver_features = 0;
	v->features_sel = 0;
	v->driver_features_sel = 0;
	v->queue_sel = 0;
	v->deferred = 0;
	if (v->ops->reset)
		v->ops->reset(v->dev);
	__atomic_store_n(&v->interrupt, 0, __ATOMIC_SEQ_CST);
}

static void status_write(struct virtio_mmio *v, uint32_t value)
{
	if (!value) {
		device_reset(v);
		return;
	}
	/* A driver that wants more than was offered does not get FEATURES_OK. */
	if (value & VIRTIO_CONFIG_S_FEATURES_OK && !(v->status & VIRTIO_CONFIG_S_FEATURES_OK) &&
	    (v->driver_features & ~v->features ||
	     !(v->driver_features & 1ull << VIRTIO_F_VERSION_1)))
		value &= ~VIRTIO_CONFIG_S_FEATURES_OK;
	v->status = value | (v->status & VIRTIO_CONFIG_S_NEEDS_RESET);
	if (value & VIRTIO_CONFIG_S_DRIVER_OK)
		virtio_mmio_kick(v);
}

static void set_half(uint64_t *to, bool high, uint32_t value)
{
	if (high)
		*to = (*to & 0xffffffffull) | (uint64_t)value << 32;
	else
		*to = (*to & ~0xffffffffull) | value;
}

static void queue_write(struct virtio_mmio *v, struct virtq *q, uint64_t off, uint32_t value)
{
	if (off == VIRTIO_MMIO_QUEUE_READY) {
		if (!value) {
			*q = (struct virtq) { .vm = v->m->vm };
		} else if (virtq_valid(q)) {
			q->ready = true;
			q->event_idx = v->driver_features & 1ull << VIRTIO_RING_F_EVENT_IDX;
		} else {
			v->status |= VIRTIO_CONFIG_S_NEEDS_RESET;
		}
		return;
	}
	if (q->ready)
		return;		/* the layout of a live queue is fixed */
	switch (off) {
	case VIRTIO_MMIO_QUEUE_NUM:
		q->size = value <= VIRTQ_MAX ? value : 0;
		break;
	case VIRTIO_MMIO_QUEUE_DESC_LOW:
	case VIRTIO_MMIO_QUEUE_DESC_HIGH:
		set_half(&q->desc, off & 4, value);
		break;
	case VIRTIO_MMIO_QUEUE_AVAIL_LOW:
	case VIRTIO_MMIO_QUEUE_AVAIL_HIGH:
		set_half(&q->driver, off & 4, value);
		break;
	case VIRTIO_MMIO_QUEUE_USED_LOW:
	case VIRTIO_MMIO_QUEUE_USED_HIGH:
		set_half(&q->device, off & 4, value);
		break;
	}
}

/* v->lock held */
static void register_write(struct virtio_mmio *v, uint64_t off, uint32_t value)
{
	switch (off) {
	case VIRTIO_MMIO_DEVICE_FEATURES_SEL:
		v->features_sel = value;
		break;
	case VIRTIO_MMIO_DRIVER_FEATURES_SEL:
		v->driver_features_sel = value;
		break;
	case VIRTIO_MMIO_DRIVER_FEATURES:
		if (v->driver_features_sel < 2 && !(v->status & VIRTIO_CONFIG_S_FEATURES_OK))
			set_half(&v->driver_features, v->driver_features_sel, value);
		break;
	case VIRTIO_MMIO_QUEUE_SEL:
		v->queue_sel = value;
		break;
	case VIRTIO_MMIO_STATUS:
		status_write(v, value & 0xff);
		break;
	default:
		if (v->queue_sel < v->ops->nqueues)
			queue_write(v, &v->q[v->queue_sel], off, value);
		break;
	}
}

static void mmio_write(void *dev, uint64_t off, unsigned int len, uint64_t value)
{
	struct virtio_mmio *v = dev;

	if (off >= VIRTIO_MMIO_CONFIG) {
		pthread_mutex_lock(&v->lock);
		if (v->ops->config_write)
			v->ops->config_write(v->dev, off - VIRTIO_MMIO_CONFIG, len, value);
		pthread_mutex_unlock(&v->lock);
		return;
	}
	if (len != 4 || off & 3)
		return;
	if (off == VIRTIO_MMIO_QUEUE_NOTIFY) {
		virtio_mmio_kick(v);
		return;
	}
	if (off == VIRTIO_MMIO_INTERRUPT_ACK) {
		__atomic_fetch_and(&v->interrupt, ~(uint32_t)value, __ATOMIC_SEQ_CST);
		return;
	}
	pthread_mutex_lock(&v->lock);
	register_write(v, off, value);
	pthread_mutex_unlock(&v->lock);
}

/*
 * A line for each device: the IOAPIC's pins past the ISA ones, then those ISA
 * interrupts that nothing here has. All are edge-triggered, so none is shared.
 */
static const uint8_t gsis[] = { 16, 17, 18, 19, 20, 21, 22, 23, 5, 6, 7, 10, 11, 12, 14, 15 };

_Static_assert(sizeof(gsis) == VIRTIO_MAX, "a line for each virtio device");

const struct bus_ops virtio_mmio_bus_ops = { mmio_read, mmio_write };

int virtio_mmio_init(struct virtio_mmio *v, struct machine *m, unsigned int index,
		     const struct virtio_dev_ops *ops, void *dev, uint64_t features,
		     const void *config, size_t config_len, struct nvl_error *err)
{
	memset(v, 0, sizeof(*v));
	pthread_mutex_init(&v->lock, NULL);
	v->m = m;
	v->ops = ops;
	v->dev = dev;
	v->base = VIRTIO_BASE + index * VIRTIO_STRIDE;
	v->gsi = gsis[index];
	v->features = features | 1ull << VIRTIO_F_VERSION_1;
	v->config = config;
	v->config_len = config_len;
	v->irq_fd = -1;
	device_reset(v);

	v->kick_fd = eventfd(0, EFD_CLOEXEC);
	if (v->kick_fd < 0)
		return nvl_fail(err, errno, "no eventfd for a virtio device: %s.",
				strerror(errno));
	return 0;
}

static int attach_eventfds(struct virtio_mmio *v, struct nvl_error *err)
{
	unsigned int i;
	int ret;

	if (v->m->irqfd) {
		v->irq_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (v->irq_fd < 0)
			return nvl_fail(err, errno, "no eventfd for a virtio device: %s.",
					strerror(errno));
		ret = nvl_vm_irqfd(v->m->vm, v->irq_fd, v->gsi, err);
		if (ret < 0)
			return ret;
	}
	for (i = 0; v->m->ioeventfd && i < v->ops->nqueues; i++) {
		ret = nvl_vm_ioeventfd(v->m->vm, v->kick_fd, v->base + VIRTIO_MMIO_QUEUE_NOTIFY,
				       4, i, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int virtio_mmio_start(struct virtio_mmio *v, struct nvl_error *err)
{
	int ret;

	ret = attach_eventfds(v, err);
	if (ret < 0)
		return ret;
	ret = pthread_create(&v->thread, NULL, device_thread, v);
	if (ret)
		return nvl_fail(err, ret, "no thread for a virtio device: %s.", strerror(ret));
	v->started = true;
	return 0;
}

void virtio_mmio_pause(struct virtio_mmio *v)
{
	pthread_mutex_lock(&v->lock);
	v->paused = true;
	pthread_mutex_unlock(&v->lock);
}

void virtio_mmio_unpause(struct virtio_mmio *v)
{
	uint32_t why;

	pthread_mutex_lock(&v->lock);
	v->paused = false;
	why = v->deferred;
	v->deferred = 0;
	if (why)
		raise_interrupt(v, why);
	pthread_mutex_unlock(&v->lock);
	/* A notification may have come and gone unserved. */
	virtio_mmio_kick(v);
}

void virtio_mmio_stop(struct virtio_mmio *v)
{
	if (v->started) {
		pthread_mutex_lock(&v->lock);
		v->stop = true;
		pthread_mutex_unlock(&v->lock);
		virtio_mmio_kick(v);
		pthread_join(v->thread, NULL);
		v->started = false;
	}
	if (v->irq_fd >= 0)
		close(v->irq_fd);
	close(v->kick_fd);
}
