// SPDX-License-Identifier: GPL-2.0
#include "tty.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define ESCAPE_KEY 0x01		/* Ctrl-A */

void tty_init(struct tty *t, struct console_sink sink, void (*wake)(void *arg), void *arg)
{
	memset(t, 0, sizeof(*t));
	pthread_mutex_init(&t->lock, NULL);
	t->sink = sink;
	t->wake = wake;
	t->wake_arg = arg;
}

void tty_start(struct tty *t)
{
	struct termios raw;

	t->in_open = true;
	if (!isatty(STDIN_FILENO))
		return;
	/* A job in the background must not touch the terminal. */
	if (tcgetpgrp(STDIN_FILENO) != getpgrp() || tcgetattr(STDIN_FILENO, &t->saved) < 0) {
		t->in_open = false;
		return;
	}
	raw = t->saved;
	cfmakeraw(&raw);
	/* The guest sends its own carriage returns, our messages do not. */
	raw.c_oflag |= OPOST;
	if (tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0)
		t->in_is_tty = true;
}

void tty_stop(struct tty *t)
{
	tty_flush(t);
	if (t->in_is_tty)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &t->saved);
	t->in_is_tty = false;
	t->in_open = false;
}

/* t->lock held */
static void flush_locked(struct tty *t)
{
	struct pollfd pfd = { .fd = STDOUT_FILENO, .events = POLLOUT };
	size_t done = 0;
	ssize_t n;

	while (done < t->out_len) {
		n = write(STDOUT_FILENO, t->out + done, t->out_len - done);
		if (n >= 0)
			done += n;
		else if (errno == EAGAIN)
			poll(&pfd, 1, -1);
		else if (errno != EINTR)
			break;		/* nobody reads any more: the guest goes on */
	}
	t->out_len = 0;
}

void tty_write(struct tty *t, const void *data, size_t len)
{
	const uint8_t *p = data;
	bool first;
	size_t n;

	pthread_mutex_lock(&t->lock);
	first = !t->out_len && len;
	while (len) {
		n = sizeof(t->out) - t->out_len;
		if (n > len)
			n = len;
		memcpy(t->out + t->out_len, p, n);
		t->out_len += n;
		p += n;
		len -= n;
		if (t->out_len == sizeof(t->out))
			flush_locked(t);
	}
	pthread_mutex_unlock(&t->lock);
	if (first)
		t->wake(t->wake_arg);
}

void tty_flush(struct tty *t)
{
	pthread_mutex_lock(&t->lock);
	flush_locked(t);
	pthread_mutex_unlock(&t->lock);
}

bool tty_pending(struct tty *t)
{
	bool pending;

	pthread_mutex_lock(&t->lock);
	pending = t->out_len;
	pthread_mutex_unlock(&t->lock);
	return pending;
}

bool tty_wants_input(struct tty *t)
{
	return t->in_open && t->sink.room(t->sink.dev) > 0;
}

enum tty_key tty_read(struct tty *t)
{
	uint8_t in[256], out[256];
	size_t room = t->sink.room(t->sink.dev);
	size_t i, len = 0;
	ssize_t n;

	if (!room)
		return TTY_KEY_NONE;
	n = read(STDIN_FILENO, in, room < sizeof(in) ? room : sizeof(in));
	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return TTY_KEY_NONE;
	if (n <= 0) {
		t->in_open = false;
		return TTY_KEY_NONE;
	}
	for (i = 0; i < (size_t)n; i++) {
		if (t->escape) {
			t->escape = false;
			if (in[i] == 'x')
				return TTY_KEY_STOP;
			if (in[i] == 'p')
				return TTY_KEY_POWER;
			if (in[i] != ESCAPE_KEY)
				continue;
		} else if (t->in_is_tty && in[i] == ESCAPE_KEY) {
			t->escape = true;
			continue;
		}
		out[len++] = in[i];
	}
	if (len)
		t->sink.put(t->sink.dev, out, len);
	return TTY_KEY_NONE;
}
