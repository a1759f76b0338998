// SPDX-License-Identifier: GPL-2.0
#include "net.h"

#include "link.h"
#include "room.h"

#include <errno.h>
#include <fcntl.h>
#include <netlink/errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct nl_sock *net_begin(int *lock, struct refusal *r)
{
	struct nl_sock *sk;

	if (geteuid()) {
		refuse_text(r, REASON_NEED_PRIVILEGE, "the host's network can be changed by root alone: "
			    "run the command as root (sudo nestvm ...). Without privilege an adapter "
			    "can have a network of its own: \"nestvm adapter set VM ADAPTER --user\".");
		return NULL;
	}
	*lock = store_lock(r);
	if (*lock < 0)
		return NULL;
	sk = link_open();
	if (!sk) {
		close(*lock);
		refuse(r, NET_FAILED, "this host lets us have no rtnetlink socket.");
	}
	return sk;
}

void net_end(struct nl_sock *sk, int lock)
{
	link_close(sk);
	close(lock);
}

int net_failed(int err, const char *what, const char *name, struct refusal *r)
{
	const char *blank = *name ? " " : "", *hint = "";

	if (link_not_allowed(err))
		return refuse_text(r, REASON_NEED_PRIVILEGE, "%s%s%s is not allowed to us: it needs "
				   "CAP_NET_ADMIN, so run the command as root. Without privilege an "
				   "adapter can have a network of its own: \"nestvm adapter set VM "
				   "ADAPTER --user\".", what, blank, name);
	if (err == -NLE_OPNOTSUPP)
		hint = " The kernel lacks the module \"bridge\" (\"modprobe bridge\"), or the interface "
		       "cannot be part of a bridge, as most wireless ones cannot.";
	return refuse_text(r, REASON_NET_FAILED, "%s%s%s failed: %s.%s", what, blank, name,
			   nl_geterror(err), hint);
}

/* FNV-1a, with the ends of the texts counted. */
uint64_t net_hash(const char *a, const char *b, const char *c)
{
	const char *const texts[] = { a, b, c };
	uint64_t h = 0xcbf29ce484222325ull;
	unsigned int i;
	const char *t;

	for (i = 0; i < 3; i++) {
		t = texts[i];
		do
			h = (h ^ (unsigned char)*t) * 0x100000001b3ull;
		while (*t++);
	}
	return h;
}

int net_read_number(const char *path, long *value)
{
	FILE *f = fopen(path, "re");
	int ok;

	if (!f)
		return -errno;
	ok = fscanf(f, "%ld", value) == 1;
	fclose(f);
	return ok ? 0 : -EINVAL;
}

int net_write_number(const char *path, long value)
{
	char text[24];
	int fd, len, ret = 0;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	len = snprintf(text, sizeof(text), "%ld\n", value);
	if (write(fd, text, len) != len)
		ret = -errno;
	close(fd);
	return ret;
}

void net_no_ipv6(const char *ifname)
{
	char path[96];

	snprintf(path, sizeof(path), "/proc/sys/net/ipv6/conf/%s/disable_ipv6", ifname);
	/* A host without IPv6 has no such file. */
	net_write_number(path, 1);
}

void net_say(const struct net_repair_say *say, const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	say->fn(say->arg, text);
}

int net_repair(void (*fn)(void *arg, const char *what), void *arg, struct refusal *r)
{
	const struct net_repair_say say = { fn, arg };
	struct refusal first = { REASON_NONE, "" }, *why = &first;
	struct nl_sock *sk;
	int lock;

	sk = net_begin(&lock, r);
	if (!sk)
		return -1;
	/* Each does what it can; the first that failed is told of. Gateways need bridges. */
	if (switch_repair(sk, &say, why) < 0)
		why = NULL;
	if (tap_repair(sk, &say, why) < 0)
		why = NULL;
	if (nat_repair(sk, &say, why) < 0)
		why = NULL;
	if (nat_repair_orphans(&say, why) < 0)
		why = NULL;
	if (switch_repair_orphans(sk, &say, why) < 0)
		why = NULL;
	net_end(sk, lock);
	if (!why && r)
		*r = first;
	return why ? 0 : -1;
}
