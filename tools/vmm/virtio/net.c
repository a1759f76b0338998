// SPDX-License-Identifier: GPL-2.0
#include "net.h"

#include "../clock.h"

#include <arpa/inet.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>
#include <string.h>

enum { QUEUE_RX, QUEUE_TX };

/* Frames of the guest's sent in a row, before whoever else wants the lock has a turn. */
#define BURST 256

/* The first may come before a bridge forwards, or be lost like any frame. */
#define ANNOUNCES	3
#define ANNOUNCE_GAP_MS	150

/* With VIRTIO_F_VERSION_1 the header always has the number of buffers. */
#define HEADER sizeof(struct virtio_net_hdr_v1)

/* -- to the guest ----------------------------------------------------------- */

static bool has_room(void *adapter)
{
	struct virtio_net *n = adapter;
	struct virtq *q = &n->v->q[QUEUE_RX];

	/* Empty: only now the driver need say when it adds a buffer. */
	return virtq_has_work(q) || virtq_enable_notify(q);
}

static void deliver(void *adapter, const uint8_t *frame, size_t len)
{
	static const struct virtio_net_hdr_v1 header = { .num_buffers = 1 };
	struct virtio_net *n = adapter;
	struct virtq *q = &n->v->q[QUEUE_RX];
	struct virtq_chain c;

	if (!frame_may_enter(&n->filter, frame, len)) {
		n->count.rx_filtered++;
		return;
	}
	if (!virtq_pop(q, &c)) {
		n->count.rx_dropped++;
		return;
	}
	n->delivered = true;
	if (iov_len(c.in, c.nin) < HEADER + len) {
		n->count.rx_dropped++;
		virtq_push(q, &c, 0);
		return;
	}
	iov_write(c.in, c.nin, 0, &header, HEADER);
	iov_write(c.in, c.nin, HEADER, frame, len);
	virtq_push(q, &c, HEADER + len);
	n->count.rx_frames++;
	n->count.rx_bytes += len;
}

/* One interrupt for all that came at once. */
static void tell_delivered(struct virtio_net *n)
{
	if (n->delivered)
		virtio_mmio_used(n->v, &n->v->q[QUEUE_RX]);
	n->delivered = false;
}

/* -- from the guest --------------------------------------------------------- */

static void send_frame(struct virtio_net *n, const struct virtq_chain *c)
{
	size_t len = iov_len(c->out, c->nout);

	if (len < HEADER + FRAME_HEADER || len > HEADER + sizeof(n->frame)) {
		n->count.tx_dropped++;
		return;
	}
	len -= HEADER;
	/* A copy: the guest could change the address behind the filter's back. */
	iov_read(c->out, c->nout, HEADER, n->frame, len);
	if (!frame_may_leave(&n->filter, n->frame, len)) {
		n->count.tx_spoofed++;
		return;
	}
	if (!n->back->ops->send(n->back, n->frame, len)) {
		n->count.tx_dropped++;
		return;
	}
	n->count.tx_frames++;
	n->count.tx_bytes += len;
}

static bool net_serve(void *dev, struct virtq *q, unsigned int index)
{
	struct virtio_net *n = dev;
	struct virtq_chain c;
	unsigned int sent = 0;

	/* New receive buffers: the wait that follows looks for frames again. */
	if (index == QUEUE_RX)
		return false;
	do {
		while (sent < BURST && virtq_pop(q, &c)) {
			send_frame(n, &c);
			virtq_push(q, &c, 0);
			sent++;
		}
	} while (sent < BURST && virtq_enable_notify(q));
	if (sent == BURST)
		virtio_mmio_kick(n->v);
	/* What the network answered at once. */
	tell_delivered(n);
	return sent;
}

/* -- by the launcher itself -------------------------------------------------- */

/*
 * RFC 903: who has this hardware address asks for its protocol address. To all,
 * and nobody answers; every bridge on the way learns where the address is.
 */
static void send_announce(struct virtio_net *n)
{
	struct {
		struct ethhdr eth;
		struct arphdr arp;
		uint8_t from_mac[MAC_BYTES], from_ip[4], to_mac[MAC_BYTES], to_ip[4];
		uint8_t pad[18];
	} __attribute__((packed)) frame = {
		.eth.h_proto = htons(ETH_P_RARP),
		.arp = {
			.ar_hrd = htons(ARPHRD_ETHER), .ar_pro = htons(ETH_P_IP),
			.ar_hln = MAC_BYTES, .ar_pln = 4, .ar_op = htons(ARPOP_RREQUEST),
		},
	};

	memset(frame.eth.h_dest, 0xff, MAC_BYTES);
	memcpy(frame.eth.h_source, n->filter.mac, MAC_BYTES);
	memcpy(frame.from_mac, n->filter.mac, MAC_BYTES);
	memcpy(frame.to_mac, n->filter.mac, MAC_BYTES);
	_Static_assert(sizeof(frame) == ETH_ZLEN, "the shortest frame of Ethernet");
	n->back->ops->send(n->back, (const uint8_t *)&frame, sizeof(frame));
}

static void announce_if_due(struct virtio_net *n, int *timeout_ms)
{
	uint64_t now = clock_ms();

	if (now >= n->announce_ms) {
		send_announce(n);
		n->announces--;
		n->announce_ms = now + ANNOUNCE_GAP_MS;
	}
	if (n->announces)
		*timeout_ms = n->announce_ms - now;
}

void virtio_net_announce(struct virtio_net *n)
{
	pthread_mutex_lock(&n->v->lock);
	n->announces = ANNOUNCES;
	n->announce_ms = 0;
	pthread_mutex_unlock(&n->v->lock);
	virtio_mmio_kick(n->v);
}

static unsigned int net_before_wait(void *dev, struct pollfd *fds, unsigned int max,
				    int *timeout_ms)
{
	struct virtio_net *n = dev;

	if (n->announces)
		announce_if_due(n, timeout_ms);
	return n->back->ops->before_wait(n->back, fds, max, timeout_ms);
}

static void net_after_wait(void *dev, const struct pollfd *fds, unsigned int nfds)
{
	struct virtio_net *n = dev;

	n->back->ops->after_wait(n->back, fds, nfds);
	tell_delivered(n);
}

const struct virtio_dev_ops virtio_net_ops = {
	.id = VIRTIO_ID_NET,
	.nqueues = 2,
	.serve = net_serve,
	.before_wait = net_before_wait,
	.after_wait = net_after_wait,
};

/* --------------------------------------------------------------------------- */

uint64_t virtio_net_features(void)
{
	return 1ull << VIRTIO_NET_F_MAC | 1ull << VIRTIO_NET_F_STATUS |
	       1ull << VIRTIO_RING_F_INDIRECT_DESC | 1ull << VIRTIO_RING_F_EVENT_IDX;
}

int virtio_net_open(struct virtio_net *n, struct virtio_mmio *v, const struct net_config *conf,
		    struct nvl_error *err)
{
	const struct net_port port = { deliver, has_room, n };

	memset(n, 0, sizeof(*n));
	n->v = v;
	n->name = conf->name;
	memcpy(n->filter.mac, conf->mac, MAC_BYTES);
	n->filter.spoofing = conf->spoofing;
	memcpy(n->config.mac, conf->mac, MAC_BYTES);
	n->config.status = conf->kind == NET_NONE ? 0 : VIRTIO_NET_S_LINK_UP;
	switch (conf->kind) {
	case NET_TAP:
		return tap_open(conf->tap, port, &n->back, err);
	case NET_SWITCH:
		return switch_open(conf->vm, conf->adapter, port, &n->back, err);
	case NET_NONE:
		return none_open(port, &n->back, err);
	case NET_USER:
		break;
	}
	return slirp_open(conf->forwards, conf->nforwards, port, &n->back, err);
}

void virtio_net_close(struct virtio_net *n)
{
	if (n->back)
		n->back->ops->close(n->back);
	n->back = NULL;
}

void virtio_net_set_spoofing(struct virtio_net *n, bool on)
{
	pthread_mutex_lock(&n->v->lock);
	n->filter.spoofing = on;
	pthread_mutex_unlock(&n->v->lock);
}

void virtio_net_get(struct virtio_net *n, struct frame_filter *filter,
		    struct net_counters *count)
{
	pthread_mutex_lock(&n->v->lock);
	*filter = n->filter;
	*count = n->count;
	pthread_mutex_unlock(&n->v->lock);
}
