// SPDX-License-Identifier: GPL-2.0
/*
 * A guest that came from another host is announced: a few RARP requests from its
 * address to all, on the adapter's own thread, with a gap, and then no more.
 *
 * links: vmm/virtio/net.c vmm/virtio/frame_filter.c vmm/virtio/queue.c
 */
#include "lib/ktap.h"
#include "vmm/virtio/net.h"

#include <string.h>
#include <unistd.h>

#define WANTED 3

static uint8_t sent[16][FRAME_MAX];
static size_t sent_len[16];
static unsigned int nsent, kicks;

static bool record(struct net_back *b, const uint8_t *frame, size_t len)
{
	ASSERT(nsent < 16 && len <= FRAME_MAX, "no flood");
	memcpy(sent[nsent], frame, len);
	sent_len[nsent++] = len;
	return true;
}

static unsigned int wait_for_nothing(struct net_back *b, struct pollfd *fds, unsigned int max,
				     int *timeout_ms)
{
	return 0;
}

static const struct net_back_ops back_ops = { .send = record, .before_wait = wait_for_nothing };
static struct net_back back = { .ops = &back_ops };

/* What the adapter is between: a transport, and back ends that are not used here. */
void virtio_mmio_kick(struct virtio_mmio *v)
{
	kicks++;
}

void virtio_mmio_used(struct virtio_mmio *v, struct virtq *q)
{
}

int tap_open(const char *name, struct net_port port, struct net_back **out, struct nvl_error *err)
{
	*out = &back;
	return 0;
}

int switch_open(const char *vm, const struct vm_adapter *a, struct net_port port,
		struct net_back **out, struct nvl_error *err)
{
	return -1;
}

int none_open(struct net_port port, struct net_back **out, struct nvl_error *err)
{
	return -1;
}

int slirp_open(const struct net_forward *forwards, unsigned int n, struct net_port port,
	       struct net_back **out, struct nvl_error *err)
{
	return -1;
}

static struct virtio_mmio transport = { .lock = PTHREAD_MUTEX_INITIALIZER };
static struct virtio_net net;

/* As the device's thread does, until it would wait without an end. */
static unsigned int serve(void)
{
	unsigned int turns = 0;
	int timeout;

	do {
		timeout = -1;
		virtio_net_ops.before_wait(&net, NULL, 0, &timeout);
		if (timeout > 0)
			usleep(timeout * 1000);
		ASSERT(++turns < 100, "it waits instead of spinning");
	} while (timeout >= 0);
	return turns;
}

static void announced(const void *arg)
{
	static const struct net_config conf = {
		.kind = NET_TAP, .mac = { 0x52, 0x54, 0, 1, 2, 3 },
	};
	static const uint8_t frame[60] = {
		0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x52, 0x54, 0, 1, 2, 3, 0x80, 0x35,
		0, 1, 8, 0, 6, 4, 0, 3,
		0x52, 0x54, 0, 1, 2, 3, 0, 0, 0, 0, 0x52, 0x54, 0, 1, 2, 3, 0, 0, 0, 0,
	};
	struct nvl_error err;
	unsigned int i;

	ASSERT(virtio_net_open(&net, &transport, &conf, &err) == 0, "open");
	serve();
	ASSERT(nsent == 0, "nothing is announced unasked");
	virtio_net_announce(&net);
	ASSERT(kicks == 1 && nsent == 0, "it is the thread's to do");
	serve();
	ASSERT(nsent == WANTED, "%u frames", nsent);
	for (i = 0; i < nsent; i++)
		ASSERT(sent_len[i] == sizeof(frame) && !memcmp(sent[i], frame, sizeof(frame)),
		       "frame %u", i);
	ASSERT(serve() == 1 && nsent == WANTED, "and no more");
	ASSERT(net.count.tx_frames == 0, "they are not the guest's");
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "announced", announced },
	};

	return ktap_main(cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
