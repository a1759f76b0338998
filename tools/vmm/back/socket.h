/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest's console on a unix socket, for several clients at once.
 *
 * The last SCROLLBACK bytes are kept. A client gets them first and then what
 * comes; one that does not read loses the oldest, the guest never waits. What
 * clients type goes to the guest as it comes.
 */
#ifndef VMM_SOCKET_H
#define VMM_SOCKET_H

#include "../loop.h"
#include "sink.h"

#include <pthread.h>

#define CONSOLE_SCROLLBACK	65536u
#define CONSOLE_MAX_CLIENTS	16

struct console_client {
	int fd;				/* -1: free */
	uint64_t sent;			/* of all that was ever written */
};

struct console_socket {
	struct loop *loop;
	struct console_sink sink;
	char *path;
	int listen_fd;
	struct console_client client[CONSOLE_MAX_CLIENTS];
	void (*wake)(void *arg);	/* output waits */
	void *wake_arg;

	pthread_mutex_t lock;		/* everything below */
	bool awake;			/* the loop has been told */
	uint64_t written;		/* bytes since the start */
	uint8_t ring[CONSOLE_SCROLLBACK];
};

int console_socket_open(struct console_socket *s, struct loop *loop, const char *path,
			struct console_sink sink, void (*wake)(void *arg), void *wake_arg,
			struct nvl_error *err);
void console_socket_close(struct console_socket *s);
/* Any thread. */
void console_socket_write(struct console_socket *s, const void *data, size_t len);
/* The loop's thread: accept from now on; before each wait; write what can be. */
void console_socket_start(struct console_socket *s);
void console_socket_prepare(struct console_socket *s);
void console_socket_flush(struct console_socket *s);

#endif
