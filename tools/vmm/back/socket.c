// SPDX-License-Identifier: GPL-2.0
#include "socket.h"

#include "listen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void drop(struct console_socket *s, struct console_client *c)
{
	loop_remove(s->loop, c->fd);
	close(c->fd);
	c->fd = -1;
}

/* Copies what comes after @c->sent, at most @max bytes and up to the ring's end. */
static size_t fetch(struct console_socket *s, struct console_client *c, uint8_t *buf, size_t max)
{
	uint64_t waiting;
	size_t at, n;

	pthread_mutex_lock(&s->lock);
	waiting = s->written - c->sent;
	if (waiting > CONSOLE_SCROLLBACK) {
		c->sent = s->written - CONSOLE_SCROLLBACK;
		waiting = CONSOLE_SCROLLBACK;
	}
	at = c->sent % CONSOLE_SCROLLBACK;
	n = CONSOLE_SCROLLBACK - at;
	if (n > waiting)
		n = waiting;
	if (n > max)
		n = max;
	memcpy(buf, s->ring + at, n);
	pthread_mutex_unlock(&s->lock);
	return n;
}

/* False when the client has gone. */
static bool send_out(struct console_socket *s, struct console_client *c)
{
	uint8_t buf[4096];
	ssize_t done;
	size_t n;

	while ((n = fetch(s, c, buf, sizeof(buf)))) {
		done = send(c->fd, buf, n, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (done < 0)
			return errno == EAGAIN || errno == EINTR;
		c->sent += done;
	}
	return true;
}

static bool take_in(struct console_socket *s, struct console_client *c)
{
	size_t room = s->sink.room(s->sink.dev);
	uint8_t buf[256];
	ssize_t n;

	if (!room)
		return true;
	n = recv(c->fd, buf, room < sizeof(buf) ? room : sizeof(buf), MSG_DONTWAIT);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	if (n)
		s->sink.put(s->sink.dev, buf, n);
	return n;
}

static void on_client(void *ctx, int fd, short revents)
{
	struct console_socket *s = ctx;
	struct console_client *c = s->client;

	while (c->fd != fd)
		c++;
	if (revents & POLLOUT && !send_out(s, c)) {
		drop(s, c);
		return;
	}
	if (revents & POLLIN && !take_in(s, c)) {
		drop(s, c);
		return;
	}
	if (revents & (POLLERR | POLLNVAL) || (revents & POLLHUP && !(revents & POLLIN)))
		drop(s, c);
}

static void on_connect(void *ctx, int fd, short revents)
{
	struct console_socket *s = ctx;
	struct console_client *c;
	int new;

	(void)revents;
	new = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (new < 0)
		return;
	for (c = s->client; c < s->client + CONSOLE_MAX_CLIENTS; c++)
		if (c->fd < 0)
			break;
	/* POLLHUP comes even where nothing else is asked for. */
	if (c == s->client + CONSOLE_MAX_CLIENTS ||
	    loop_add(s->loop, new, POLLHUP, on_client, s) < 0) {
		close(new);
		return;
	}
	c->fd = new;
	c->sent = 0;		/* from the oldest that is kept */
}

int console_socket_open(struct console_socket *s, struct loop *loop, const char *path,
			struct console_sink sink, void (*wake)(void *arg), void *wake_arg,
			struct nvl_error *err)
{
	unsigned int i;

	memset(s, 0, sizeof(*s));
	pthread_mutex_init(&s->lock, NULL);
	s->loop = loop;
	s->sink = sink;
	s->wake = wake;
	s->wake_arg = wake_arg;
	for (i = 0; i < CONSOLE_MAX_CLIENTS; i++)
		s->client[i].fd = -1;
	s->path = strdup(path);
	if (!s->path)
		return nvl_fail(err, ENOMEM, "no memory left for the console socket.");
	s->listen_fd = listen_unix(path, "console socket", err);
	if (s->listen_fd < 0) {
		free(s->path);
		return s->listen_fd;
	}
	if (loop_add(loop, s->listen_fd, 0, on_connect, s) < 0) {
		close(s->listen_fd);
		free(s->path);
		return nvl_fail(err, ENOMEM, "no memory left for the console socket.");
	}
	return 0;
}

void console_socket_start(struct console_socket *s)
{
	loop_change(s->loop, s->listen_fd, POLLIN);
}

void console_socket_close(struct console_socket *s)
{
	unsigned int i;

	for (i = 0; i < CONSOLE_MAX_CLIENTS; i++)
		if (s->client[i].fd >= 0)
			drop(s, &s->client[i]);
	loop_remove(s->loop, s->listen_fd);
	close(s->listen_fd);
	unlink(s->path);
	free(s->path);
	pthread_mutex_destroy(&s->lock);
}

void console_socket_write(struct console_socket *s, const void *data, size_t len)
{
	const uint8_t *p = data;
	bool wake;
	size_t at, n;

	pthread_mutex_lock(&s->lock);
	/* What would be overwritten at once need not be copied. */
	if (len > CONSOLE_SCROLLBACK) {
		s->written += len - CONSOLE_SCROLLBACK;
		p += len - CONSOLE_SCROLLBACK;
		len = CONSOLE_SCROLLBACK;
	}
	at = s->written % CONSOLE_SCROLLBACK;
	n = len < CONSOLE_SCROLLBACK - at ? len : CONSOLE_SCROLLBACK - at;
	memcpy(s->ring + at, p, n);
	memcpy(s->ring, p + n, len - n);
	s->written += len;
	wake = !s->awake;
	s->awake = true;
	pthread_mutex_unlock(&s->lock);
	if (wake)
		s->wake(s->wake_arg);
}

void console_socket_prepare(struct console_socket *s)
{
	size_t room = s->sink.room(s->sink.dev);
	uint64_t written;
	unsigned int i;

	pthread_mutex_lock(&s->lock);
	s->awake = false;
	written = s->written;
	pthread_mutex_unlock(&s->lock);
	for (i = 0; i < CONSOLE_MAX_CLIENTS; i++) {
		struct console_client *c = &s->client[i];

		if (c->fd >= 0)
			loop_change(s->loop, c->fd, POLLHUP | (room ? POLLIN : 0) |
				    (c->sent != written ? POLLOUT : 0));
	}
}

void console_socket_flush(struct console_socket *s)
{
	unsigned int i;

	for (i = 0; i < CONSOLE_MAX_CLIENTS; i++)
		if (s->client[i].fd >= 0 && !send_out(s, &s->client[i]))
			drop(s, &s->client[i]);
}
