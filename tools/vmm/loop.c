// SPDX-License-Identifier: GPL-2.0
#include "loop.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void loop_init(struct loop *l)
{
	*l = (struct loop) { 0 };
}

void loop_destroy(struct loop *l)
{
	free(l->watch);
	free(l->fds);
	loop_init(l);
}

static struct loop_watch *find(struct loop *l, int fd)
{
	unsigned int i;

	for (i = 0; i < l->n; i++)
		if (l->watch[i].fn && l->watch[i].fd == fd)
			return &l->watch[i];
	return NULL;
}

static int grow(struct loop *l)
{
	unsigned int max = l->max ? 2 * l->max : 16;
	struct loop_watch *watch;
	struct pollfd *fds;

	watch = realloc(l->watch, max * sizeof(*watch));
	if (!watch)
		return -ENOMEM;
	l->watch = watch;
	fds = realloc(l->fds, max * sizeof(*fds));
	if (!fds)
		return -ENOMEM;
	l->fds = fds;
	l->max = max;
	return 0;
}

int loop_add(struct loop *l, int fd, short events, loop_fn fn, void *ctx)
{
	if (l->n == l->max && grow(l) < 0)
		return -ENOMEM;
	l->watch[l->n++] = (struct loop_watch) { fd, events, fn, ctx };
	return 0;
}

void loop_change(struct loop *l, int fd, short events)
{
	struct loop_watch *w = find(l, fd);

	if (w)
		w->events = events;
}

void loop_remove(struct loop *l, int fd)
{
	struct loop_watch *w = find(l, fd);

	if (w)
		w->fn = NULL;
}

/* Only between two turns, when nobody holds an index. */
static void drop_removed(struct loop *l)
{
	unsigned int i, n = 0;

	for (i = 0; i < l->n; i++)
		if (l->watch[i].fn)
			l->watch[n++] = l->watch[i];
	l->n = n;
}

int loop_turn(struct loop *l, int timeout_ms, struct nvl_error *err)
{
	unsigned int i, n;

	drop_removed(l);
	n = l->n;
	for (i = 0; i < n; i++)
		l->fds[i] = (struct pollfd) {
			.fd = l->watch[i].events ? l->watch[i].fd : -1,
			.events = l->watch[i].events,
		};
	if (poll(l->fds, n, timeout_ms) < 0) {
		if (errno == EINTR)
			return 0;
		return nvl_fail(err, errno, "waiting for events failed: %s.", strerror(errno));
	}
	for (i = 0; i < n; i++) {
		/* A copy: the callback may make the table grow. */
		struct loop_watch w = l->watch[i];

		if (l->fds[i].revents && w.fn)
			w.fn(w.ctx, w.fd, l->fds[i].revents);
	}
	return 0;
}
