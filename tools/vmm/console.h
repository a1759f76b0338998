/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The guest's console, between the device that has it (serial port or virtio
 * console) and the back end that shows it: the launcher's terminal or a socket.
 *
 * The device writes from any thread. Input goes the other way, in the loop's
 * thread: to a sink that says how much it can take.
 */
#ifndef VMM_CONSOLE_H
#define VMM_CONSOLE_H

#include "back/socket.h"
#include "back/tty.h"

struct machine;
struct console_ops;

struct console {
	struct machine *m;
	const struct console_ops *ops;
	struct console_sink sink;
	union {
		struct tty tty;
		struct console_socket socket;
	};
};

/* On the terminal, or on a socket at @path if that is not NULL. */
int console_init(struct console *c, struct machine *m, const char *path, struct nvl_error *err);
void console_destroy(struct console *c);
void console_write(struct console *c, const void *data, size_t len);

/* The loop's thread. */
int console_start(struct console *c, struct nvl_error *err);
void console_stop(struct console *c);
/* Before and after each wait: the first says how long it may last, in ms, or -1. */
int console_before_wait(struct console *c);
void console_after_wait(struct console *c);

#endif
