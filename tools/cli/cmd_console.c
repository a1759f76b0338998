// SPDX-License-Identifier: GPL-2.0
#include "cmd.h"

#include "cli.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>
#include <unistd.h>

#define ESCAPE_KEY 0x01		/* Ctrl-A */

struct terminal {
	bool raw;
	bool escape;
	struct termios saved;
};

static int connect_console(const struct vmdir *d, struct refusal *r)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd;

	if (!vmdir_running(d, NULL))
		return refuse(r, VM_NOT_RUNNING, d->name, "it has a console");
	if (vmdir_socket(d, "con", addr.sun_path, sizeof(addr.sun_path), r) < 0)
		return -1;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		refuse_text(r, REASON_HOST_FAILED, "the console of VM \"%s\" cannot be reached: %s.",
			    d->name, strerror(errno));
		if (fd >= 0)
			close(fd);
		return -1;
	}
	return fd;
}

static void go_raw(struct terminal *t)
{
	struct termios raw;

	if (!isatty(STDIN_FILENO) || tcgetattr(STDIN_FILENO, &t->saved) < 0)
		return;
	raw = t->saved;
	cfmakeraw(&raw);
	t->raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

/* On a terminal, the escape key is taken out; true: detach. */
static bool filter(struct terminal *t, char *data, size_t *len)
{
	size_t i, n = 0;

	if (!t->raw)
		return false;
	for (i = 0; i < *len; i++) {
		if (t->escape) {
			t->escape = false;
			if (data[i] == 'x')
				return true;
			if (data[i] != ESCAPE_KEY)
				continue;
		} else if (data[i] == ESCAPE_KEY) {
			t->escape = true;
			continue;
		}
		data[n++] = data[i];
	}
	*len = n;
	return false;
}

static bool put(int fd, const char *data, size_t len, bool is_socket)
{
	ssize_t n;

	while (len) {
		n = is_socket ? send(fd, data, len, MSG_NOSIGNAL) : write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		data += n;
		len -= n;
	}
	return true;
}

/* Until the VM is gone, or the user; false: the VM. */
static bool talk(int fd, struct terminal *t)
{
	struct pollfd fds[] = {
		{ .fd = fd, .events = POLLIN }, { .fd = STDIN_FILENO, .events = POLLIN },
	};
	char data[4096];
	size_t len;
	ssize_t n;

	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			return true;
		if (fds[0].revents) {
			n = recv(fd, data, sizeof(data), 0);
			if (n <= 0)
				return false;
			if (!put(STDOUT_FILENO, data, n, false))
				return true;
		}
		if (!fds[1].revents)
			continue;
		n = read(STDIN_FILENO, data, sizeof(data));
		if (n <= 0) {
			/* A script that has nothing to type still reads. */
			fds[1].fd = -1;
			fds[1].revents = 0;
			continue;
		}
		len = n;
		if (filter(t, data, &len))
			return true;
		if (!put(fd, data, len, true))
			return false;
	}
}

int cmd_console(int argc, char **argv)
{
	struct terminal t = { 0 };
	struct cli_args args;
	struct refusal r;
	struct vmdir d;
	bool detached;
	int fd;

	cli_parse_name(argc, argv,
		       CLI_DOC("Connects the terminal to the console of a running VM, until the VM "
			       "ends or Ctrl-A x is typed, which leaves it running. Ctrl-A Ctrl-A "
			       "sends Ctrl-A."), &args);
	if (vmdir_open(&d, args.name, VMDIR_READ, &r) < 0)
		return cli_refused(&r, args.json);
	fd = connect_console(&d, &r);
	if (fd < 0)
		return cli_refused(&r, args.json);
	go_raw(&t);
	if (t.raw)
		fprintf(stderr, "Console of VM \"%s\"; Ctrl-A x leaves it.\r\n", d.name);
	detached = talk(fd, &t);
	if (t.raw)
		tcsetattr(STDIN_FILENO, TCSADRAIN, &t.saved);
	if (t.raw)
		fprintf(stderr, "\n%s VM \"%s\".\n", detached ? "Left" : "That was the end of", d.name);
	close(fd);
	return EXIT_OK;
}
