// SPDX-License-Identifier: GPL-2.0
#include "console.h"

#include "../machine.h"

#include <linux/virtio_ids.h>

enum { QUEUE_RX, QUEUE_TX };

static bool transmit(struct virtio_console *con, struct virtq *q)
{
	struct virtq_chain c;
	bool used = false;
	unsigned int i;

	while (virtq_pop(q, &c)) {
		for (i = 0; i < c.nout; i++)
			console_write(con->console, c.out[i].iov_base, c.out[i].iov_len);
		virtq_push(q, &c, 0);
		used = true;
	}
	return used;
}

static bool console_serve(void *dev, struct virtq *q, unsigned int index)
{
	struct virtio_console *con = dev;

	if (index == QUEUE_TX)
		return transmit(con, q);
	/* New receive buffers: the loop may read input again. */
	machine_wake_loop(con->v->m);
	return false;
}

const struct virtio_dev_ops virtio_console_ops = {
	.id = VIRTIO_ID_CONSOLE,
	.nqueues = 2,
	.serve = console_serve,
};

size_t virtio_console_rx_room(void *dev)
{
	struct virtio_console *con = dev;
	size_t room;

	pthread_mutex_lock(&con->v->lock);
	/* One byte is always safe: a receive buffer holds at least that. */
	room = virtq_has_work(&con->v->q[QUEUE_RX]) ? 1 : 0;
	pthread_mutex_unlock(&con->v->lock);
	return room;
}

void virtio_console_rx_put(void *dev, const uint8_t *data, size_t len)
{
	struct virtio_console *con = dev;
	struct virtq *q = &con->v->q[QUEUE_RX];
	struct virtq_chain c;
	size_t n;

	pthread_mutex_lock(&con->v->lock);
	while (len && virtq_pop(q, &c)) {
		n = iov_write(c.in, c.nin, 0, data, len);
		virtq_push(q, &c, n);
		if (!n) {
			q->broken = true;
			break;
		}
		data += n;
		len -= n;
	}
	if (q->ready)
		virtio_mmio_used(con->v, q);
	pthread_mutex_unlock(&con->v->lock);
}
