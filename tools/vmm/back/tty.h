/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The terminal behind the guest's console.
 *
 * Output is collected and written in batches: by the loop a few milliseconds
 * after the first character, or by the writer when the buffer is full. Where
 * the launcher runs in a VM itself, each write is many exits below.
 *
 * Input goes byte by byte to a sink that says how much it can take. On a
 * terminal, Ctrl-A is the escape: Ctrl-A x stops the VM, Ctrl-A p presses its
 * power button, Ctrl-A Ctrl-A is a Ctrl-A for the guest.
 */
#ifndef VMM_TTY_H
#define VMM_TTY_H

#include "sink.h"

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <termios.h>

enum tty_key { TTY_KEY_NONE, TTY_KEY_STOP, TTY_KEY_POWER };

struct tty {
	bool in_open;
	bool in_is_tty;
	bool escape;			/* Ctrl-A seen */
	struct termios saved;
	struct console_sink sink;
	bool flush_due;			/* the loop's note over a wait */

	pthread_mutex_t lock;		/* the output buffer */
	uint8_t out[8192];
	size_t out_len;
	void (*wake)(void *arg);	/* output waits, or input has room again */
	void *wake_arg;
};

void tty_init(struct tty *t, struct console_sink sink, void (*wake)(void *arg), void *arg);
/* Raw mode, when stdin is a terminal. */
void tty_start(struct tty *t);
/* Flushes and restores the terminal. */
void tty_stop(struct tty *t);
void tty_write(struct tty *t, const void *data, size_t len);
void tty_flush(struct tty *t);
bool tty_pending(struct tty *t);
/* Whether the loop should look for input now. */
bool tty_wants_input(struct tty *t);
/* Input is there: pass it on; an escape sequence is the return value. */
enum tty_key tty_read(struct tty *t);

#endif
