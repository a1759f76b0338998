// SPDX-License-Identifier: GPL-2.0
#include "net.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define FRAME_BUF 65536

/* Frames taken in a row before the guest's own are looked at again. */
#define BURST 64

struct tap {
	struct net_back back;
	int fd;
	bool gone;			/* somebody removed the interface */
	uint8_t buf[FRAME_BUF];
};

static bool tap_send(struct net_back *b, const uint8_t *frame, size_t len)
{
	struct tap *t = (struct tap *)b;
	ssize_t n;

	do
		n = write(t->fd, frame, len);
	while (n < 0 && errno == EINTR);
	return n == (ssize_t)len;
}

/* What the guest has no buffer for stays in the kernel's queue. */
static unsigned int tap_before_wait(struct net_back *b, struct pollfd *fds, unsigned int max,
				    int *timeout_ms)
{
	struct tap *t = (struct tap *)b;

	(void)timeout_ms;
	if (!max || t->gone || !b->port.room(b->port.adapter))
		return 0;
	fds[0] = (struct pollfd) { .fd = t->fd, .events = POLLIN };
	return 1;
}

static void tap_after_wait(struct net_back *b, const struct pollfd *fds, unsigned int n)
{
	struct tap *t = (struct tap *)b;
	unsigned int i;
	ssize_t len;

	if (!n || !fds[0].revents)
		return;
	/* It would be reported at once at each wait from now on. */
	if (fds[0].revents & (POLLERR | POLLNVAL)) {
		t->gone = true;
		return;
	}
	for (i = 0; i < BURST && b->port.room(b->port.adapter); i++) {
		len = read(t->fd, t->buf, sizeof(t->buf));
		if (len <= 0)
			break;
		b->port.deliver(b->port.adapter, t->buf, len);
	}
}

static void tap_close(struct net_back *b)
{
	struct tap *t = (struct tap *)b;

	close(t->fd);
	free(t);
}

static const struct net_back_ops tap_ops = {
	tap_send, tap_before_wait, tap_after_wait, tap_close,
};

static int attach_fail(const char *name, int errnum, struct nvl_error *err)
{
	switch (errnum) {
	case EPERM:
		return nvl_fail(err, errnum,
				"tap interface %s may not be used by this user: let an administrator make it for you (ip tuntap add %s mode tap user NAME), or use --net user.",
				name, name);
	case EBUSY:
		return nvl_fail(err, errnum,
				"tap interface %s is in use by another VM: each adapter needs one of its own.",
				name);
	case EINVAL:
		return nvl_fail(err, errnum,
				"%s is an interface of another kind than a tap (or a tap with several queues): name one made by \"ip tuntap add NAME mode tap\".",
				name);
	default:
		return nvl_fail(err, errnum, "tap interface %s cannot be used: %s.", name,
				strerror(errnum));
	}
}

int tap_open_fd(int fd, struct net_port port, struct net_back **out, struct nvl_error *err)
{
	struct tap *t = malloc(sizeof(*t));
	int ret;

	if (!t) {
		close(fd);
		return nvl_fail(err, ENOMEM, "no memory left for a network adapter.");
	}
	/* Whoever had it before may have taken frames that are not whole packets. */
	if (ioctl(fd, TUNSETOFFLOAD, 0) < 0) {
		ret = nvl_fail(err, errno, "a tap interface keeps its offloads: %s.",
			       strerror(errno));
		free(t);
		close(fd);
		return ret;
	}
	t->back = (struct net_back) { &tap_ops, port };
	t->fd = fd;
	t->gone = false;
	*out = &t->back;
	return 0;
}

int tap_open(const char *name, struct net_port port, struct net_back **out,
	     struct nvl_error *err)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };
	int fd, ret;

	if (!*name || strlen(name) >= sizeof(ifr.ifr_name))
		return nvl_fail(err, EINVAL,
				"\"%s\" is not a name of a network interface: it has 1 to %zu characters.",
				name, sizeof(ifr.ifr_name) - 1);
	memcpy(ifr.ifr_name, name, strlen(name) + 1);
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return nvl_fail(err, errno, "/dev/net/tun cannot be opened: %s.%s", strerror(errno),
				errno == ENOENT || errno == ENODEV ?
				" Load the module tun (modprobe tun)." : "");
	if (ioctl(fd, TUNSETIFF, &ifr) < 0) {
		ret = attach_fail(name, errno, err);
		close(fd);
		return ret;
	}
	return tap_open_fd(fd, port, out, err);
}
