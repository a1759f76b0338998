/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a network adapter is connected to. All of it is called in the adapter's
 * thread with its lock held; frames for the guest go to the port as they come.
 */
#ifndef VMM_BACK_NET_H
#define VMM_BACK_NET_H

#include "../../lib/libnestvm.h"

#include <netinet/in.h>
#include <poll.h>

struct net_back;
struct vm_adapter;

/* The guest's side: takes a frame, drops it when the guest has no buffer. */
struct net_port {
	void (*deliver)(void *adapter, const uint8_t *frame, size_t len);
	/* Whether a frame would be taken now. */
	bool (*room)(void *adapter);
	void *adapter;
};

struct net_back_ops {
	/* False: the frame is lost. */
	bool (*send)(struct net_back *b, const uint8_t *frame, size_t len);
	unsigned int (*before_wait)(struct net_back *b, struct pollfd *fds, unsigned int max,
				    int *timeout_ms);
	void (*after_wait)(struct net_back *b, const struct pollfd *fds, unsigned int n);
	void (*close)(struct net_back *b);
};

struct net_back {
	const struct net_back_ops *ops;
	struct net_port port;
};

/* A connection from outside to the guest; the host's side is the loopback address. */
struct net_forward {
	bool udp;
	uint16_t host_port;
	uint16_t guest_port;
};

#define NET_FORWARDS_MAX 8

/* tap.c: the interface @name, which is made if it is not there and we may. */
int tap_open(const char *name, struct net_port port, struct net_back **out,
	     struct nvl_error *err);
/* The same for a tap that is open: @fd is closed with it, also when this fails. */
int tap_open_fd(int fd, struct net_port port, struct net_back **out, struct nvl_error *err);

/* switch.c: adapter @a of VM @vm on its virtual switch; and on nothing at all. */
int switch_open(const char *vm, const struct vm_adapter *a, struct net_port port,
		struct net_back **out, struct nvl_error *err);
int none_open(struct net_port port, struct net_back **out, struct nvl_error *err);

/*
 * slirp.c: a network of its own, 10.0.2.0/24, that needs no privilege: the guest
 * is 10.0.2.15 by DHCP, its gateway 10.0.2.2 and name server 10.0.2.3. It reaches
 * what the user who runs the VM reaches, but not the host's loopback addresses.
 */
int slirp_open(const struct net_forward *forwards, unsigned int n, struct net_port port,
	       struct net_back **out, struct nvl_error *err);

#endif
