// SPDX-License-Identifier: GPL-2.0
#include "console.h"

#include "machine.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* How long output is collected before it is written. */
#define OUTPUT_DELAY_MS 10

struct console_ops {
	int (*start)(struct console *c, struct nvl_error *err);
	void (*stop)(struct console *c);
	void (*write)(struct console *c, const void *data, size_t len);
	int (*before_wait)(struct console *c);
	void (*after_wait)(struct console *c);
	void (*destroy)(struct console *c);
};

static void wake_loop(void *m)
{
	machine_wake_loop(m);
}

/* While the machine is paused nothing may reach it. */
static size_t sink_room(void *dev)
{
	struct console *c = dev;

	if (!c->sink.room || machine_is_paused(c->m))
		return 0;
	return c->sink.room(c->sink.dev);
}

static void sink_put(void *dev, const uint8_t *data, size_t len)
{
	struct console *c = dev;

	c->sink.put(c->sink.dev, data, len);
}

/* -- the launcher's terminal ------------------------------------------------ */

static void on_terminal(void *ctx, int fd, short revents)
{
	struct console *c = ctx;

	(void)fd;
	(void)revents;
	switch (tty_read(&c->tty)) {
	case TTY_KEY_STOP:
		machine_end(c->m, END_STOPPED, SIGINT, NULL, "stopped by the operator");
		break;
	case TTY_KEY_POWER:
		pm_power_button(&c->m->pm);
		break;
	case TTY_KEY_NONE:
		break;
	}
}

static int terminal_start(struct console *c, struct nvl_error *err)
{
	if (loop_add(&c->m->loop, STDIN_FILENO, 0, on_terminal, c) < 0)
		return nvl_fail(err, ENOMEM, "no memory left to watch the terminal.");
	tty_start(&c->tty);
	return 0;
}

static void terminal_stop(struct console *c)
{
	tty_stop(&c->tty);
	loop_remove(&c->m->loop, STDIN_FILENO);
}

static void terminal_write(struct console *c, const void *data, size_t len)
{
	tty_write(&c->tty, data, len);
}

static int terminal_before_wait(struct console *c)
{
	loop_change(&c->m->loop, STDIN_FILENO, tty_wants_input(&c->tty) ? POLLIN : 0);
	c->tty.flush_due = tty_pending(&c->tty);
	return c->tty.flush_due ? OUTPUT_DELAY_MS : -1;
}

static void terminal_after_wait(struct console *c)
{
	if (c->tty.flush_due)
		tty_flush(&c->tty);
}

static void terminal_destroy(struct console *c)
{
	(void)c;
}

static const struct console_ops terminal_ops = {
	terminal_start, terminal_stop, terminal_write, terminal_before_wait,
	terminal_after_wait, terminal_destroy,
};

/* -- a socket --------------------------------------------------------------- */

static int socket_start(struct console *c, struct nvl_error *err)
{
	(void)err;
	console_socket_start(&c->socket);
	return 0;
}

static void socket_stop(struct console *c)
{
	console_socket_flush(&c->socket);
}

static void socket_write(struct console *c, const void *data, size_t len)
{
	console_socket_write(&c->socket, data, len);
}

static int socket_before_wait(struct console *c)
{
	console_socket_prepare(&c->socket);
	return -1;
}

static void socket_after_wait(struct console *c)
{
	(void)c;
}

static void socket_destroy(struct console *c)
{
	console_socket_close(&c->socket);
}

static const struct console_ops socket_ops = {
	socket_start, socket_stop, socket_write, socket_before_wait, socket_after_wait,
	socket_destroy,
};

/* --------------------------------------------------------------------------- */

int console_init(struct console *c, struct machine *m, const char *path, struct nvl_error *err)
{
	struct console_sink sink = { sink_room, sink_put, c };
	int ret;

	*c = (struct console) { .m = m };
	if (!path) {
		tty_init(&c->tty, sink, wake_loop, m);
		c->ops = &terminal_ops;
		return 0;
	}
	ret = console_socket_open(&c->socket, &m->loop, path, sink, wake_loop, m, err);
	if (ret == 0)
		c->ops = &socket_ops;
	return ret;
}

void console_destroy(struct console *c)
{
	if (c->ops)
		c->ops->destroy(c);
	c->ops = NULL;
}

void console_write(struct console *c, const void *data, size_t len)
{
	c->ops->write(c, data, len);
}

int console_start(struct console *c, struct nvl_error *err)
{
	return c->ops->start(c, err);
}

void console_stop(struct console *c)
{
	c->ops->stop(c);
}

int console_before_wait(struct console *c)
{
	return c->ops->before_wait(c);
}

void console_after_wait(struct console *c)
{
	c->ops->after_wait(c);
}
