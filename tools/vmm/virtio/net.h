/* SPDX-License-Identifier: GPL-2.0 */
/*
 * virtio network adapter: one queue pair, no offloads, no mergeable buffers.
 * Frames are copied in and out, so that what the filter saw is what goes on.
 */
#ifndef VMM_VIRTIO_NET_H
#define VMM_VIRTIO_NET_H

#include "../back/net.h"
#include "frame_filter.h"
#include "mmio.h"

#include <linux/virtio_net.h>

enum net_kind { NET_USER, NET_TAP, NET_SWITCH, NET_NONE };

struct net_config {
	const char *name;		/* the adapter's, for its counters */
	enum net_kind kind;
	const char *tap;		/* interface of NET_TAP */
	const char *vm;			/* NET_SWITCH: whose adapter, and which */
	const struct vm_adapter *adapter;
	uint8_t mac[MAC_BYTES];
	bool spoofing;
	unsigned int nforwards;		/* NET_USER */
	struct net_forward forwards[NET_FORWARDS_MAX];
};

/* One row per counter: X(member, name). */
#define NET_COUNTERS(X)							\
	X(tx_frames, "tx-frames")	/* the guest's, sent on */	\
	X(tx_bytes, "tx-bytes")						\
	X(tx_spoofed, "tx-spoofed")	/* not from its own address */	\
	X(tx_dropped, "tx-dropped")	/* no frame, or not taken */	\
	X(rx_frames, "rx-frames")	/* for the guest, delivered */	\
	X(rx_bytes, "rx-bytes")						\
	X(rx_filtered, "rx-filtered")	/* not for its address */	\
	X(rx_dropped, "rx-dropped")	/* no buffer, or too small */

struct net_counters {
#define X(member, name) uint64_t member;
	NET_COUNTERS(X)
#undef X
};

struct virtio_net {
	struct virtio_mmio *v;
	const char *name;
	struct net_back *back;
	struct virtio_net_config config;
	/* v->lock: */
	struct frame_filter filter;
	struct net_counters count;
	bool delivered;			/* frames wait to be told to the driver */
	unsigned int announces;		/* left to send, the next one then: */
	uint64_t announce_ms;		/* CLOCK_MONOTONIC */
	uint8_t frame[FRAME_MAX];
};

extern const struct virtio_dev_ops virtio_net_ops;

int virtio_net_open(struct virtio_net *n, struct virtio_mmio *v, const struct net_config *conf,
		    struct nvl_error *err);
void virtio_net_close(struct virtio_net *n);
uint64_t virtio_net_features(void);
/* The guest came here from another host: tell the network where its address is now. */
void virtio_net_announce(struct virtio_net *n);
void virtio_net_set_spoofing(struct virtio_net *n, bool on);
void virtio_net_get(struct virtio_net *n, struct frame_filter *filter,
		    struct net_counters *count);

#endif
