/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The main loop: files to wait for and what to call when one is ready. All of
 * it belongs to the thread that runs loop_turn(); callbacks may add, change and
 * remove watches, also their own.
 */
#ifndef VMM_LOOP_H
#define VMM_LOOP_H

#include "../lib/libnestvm.h"

#include <poll.h>

typedef void (*loop_fn)(void *ctx, int fd, short revents);

struct loop_watch {
	int fd;
	short events;			/* 0: not looked at, not even for a hang-up */
	loop_fn fn;			/* NULL: removed, its place is free */
	void *ctx;
};

struct loop {
	unsigned int n, max;
	struct loop_watch *watch;
	struct pollfd *fds;
};

void loop_init(struct loop *l);
void loop_destroy(struct loop *l);
/* One watch a file. -ENOMEM is the only failure. */
int loop_add(struct loop *l, int fd, short events, loop_fn fn, void *ctx);
void loop_change(struct loop *l, int fd, short events);
/* Before the file is closed; one that is not watched is no mistake. */
void loop_remove(struct loop *l, int fd);
/* Waits once, @timeout_ms at most (-1: for ever), and calls what is ready. */
int loop_turn(struct loop *l, int timeout_ms, struct nvl_error *err);

#endif
