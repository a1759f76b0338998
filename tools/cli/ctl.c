// SPDX-License-Identifier: GPL-2.0
#include "ctl.h"

#include "cli.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* A VM has this many vCPUs' counters to tell and no more. */
#define ANSWER_MAX (16u << 20)

static int lost(const struct ctl *c, const char *command, struct refusal *r)
{
	char log[PATH_MAX];

	return refuse(r, CONTROL_LOST, c->d->name, command, vmdir_file(c->d, "log", log));
}

int ctl_open(struct ctl *c, const struct vmdir *d, const char *attempt, struct refusal *r)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	memset(c, 0, sizeof(*c));
	c->d = d;
	c->fd = -1;
	if (!vmdir_running(d, NULL))
		return refuse(r, VM_NOT_RUNNING, d->name, attempt);
	if (vmdir_socket(d, "ctl", addr.sun_path, sizeof(addr.sun_path), r) < 0)
		return -1;
	c->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 || connect(c->fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		refuse_text(r, REASON_HOST_FAILED,
			    "VM \"%s\" runs, but its control socket %s cannot be reached: %s.",
			    d->name, addr.sun_path, strerror(errno));
		ctl_close(c);
		return -1;
	}
	return 0;
}

void ctl_close(struct ctl *c)
{
	if (c->fd >= 0)
		close(c->fd);
	free(c->buf);
	c->fd = -1;
	c->buf = NULL;
}

void ctl_hurry(struct ctl *c, unsigned int seconds)
{
	struct timeval limit = { .tv_sec = seconds };

	setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(c->fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}

int ctl_send(struct ctl *c, const char *command, json_t *arguments)
{
	json_t *request = json_pack("{s:s,s:o}", "command", command, "arguments",
				    arguments ?: json_object());
	char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
	size_t len, done = 0;
	ssize_t n;

	json_decref(request);
	if (!text)
		return -1;
	len = strlen(text);
	text[len++] = '\n';
	while (done < len) {
		n = send(c->fd, text + done, len - done, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		done += n;
	}
	free(text);
	return done == len ? 0 : -1;
}

/* The next line as JSON; NULL at the end, or when it is none. */
static json_t *receive(struct ctl *c)
{
	json_t *line;
	char *end, *more;
	ssize_t n;

	while (!(end = memchr(c->buf ?: "", '\n', c->len))) {
		if (c->len == c->room) {
			more = c->room < ANSWER_MAX ? realloc(c->buf, c->room * 2 + 4096) : NULL;
			if (!more)
				return NULL;
			c->buf = more;
			c->room = c->room * 2 + 4096;
		}
		n = recv(c->fd, c->buf + c->len, c->room - c->len, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return NULL;
		c->len += n;
	}
	line = json_loadb(c->buf, end - c->buf, 0, NULL);
	c->len -= end + 1 - c->buf;
	memmove(c->buf, end + 1, c->len);
	return line;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

void progress_draw(struct ctl_progress *p, uint64_t done, uint64_t total, const char *unit)
{
	static const char bar[] = "########################################";
	char a[16], b[16];
	unsigned int part;

	if (!p || !isatty(STDERR_FILENO))
		return;
	if (!p->since)
		p->since = now();
	if (now() - p->since < 1 || !total)
		return;
	part = done >= total ? 40 : done * 40.0 / total;
	if (!strcmp(unit, "bytes"))
		fprintf(stderr, "\r%s [%-40.*s] %s of %s \033[K", p->what, part, bar,
			cli_size(done, a), cli_size(total, b));
	else
		fprintf(stderr, "\r%s [%-40.*s] %llu of %llu %s\033[K", p->what, part, bar,
			(unsigned long long)done, (unsigned long long)total, unit);
	p->drawn = true;
}

bool progress_bytes(void *p, uint64_t done, uint64_t total)
{
	progress_draw(p, done, total, "bytes");
	return true;
}

void progress_end(struct ctl_progress *p)
{
	if (p && p->drawn)
		fprintf(stderr, "\r\033[K");
}

static void show_progress(struct ctl_progress *p, json_t *line)
{
	json_int_t done, total;
	const char *unit;

	if (json_unpack(line, "{s:I,s:I,s:s}", "done", &done, "total", &total, "unit", &unit) == 0 &&
	    done >= 0 && total >= 0)
		progress_draw(p, done, total, unit);
}

json_t *ctl_wait(struct ctl *c, const char *command, struct ctl_progress *progress,
		 struct refusal *r)
{
	json_t *line, *part, *result = NULL;
	const char *id, *text;

	if (progress)
		progress->since = now();
	while ((line = receive(c)) && (part = json_object_get(line, "progress"))) {
		show_progress(progress, part);
		json_decref(line);
	}
	progress_end(progress);
	if (line && json_unpack(line, "{s:{s:s,s:s}}", "error", "id", &id, "text", &text) == 0)
		refuse_said(r, id, text);
	else if (line && (part = json_object_get(line, "return")))
		result = json_incref(part);
	else
		lost(c, command, r);
	json_decref(line);
	return result;
}

json_t *ctl_call(struct ctl *c, const char *command, json_t *arguments,
		 struct ctl_progress *progress, struct refusal *r)
{
	if (ctl_send(c, command, arguments) < 0) {
		lost(c, command, r);
		return NULL;
	}
	return ctl_wait(c, command, progress, r);
}

json_t *ctl_ask(const struct vmdir *d, const char *command, json_t *arguments,
		const char *attempt, struct refusal *r)
{
	json_t *result;
	struct ctl c;

	if (ctl_open(&c, d, attempt, r) < 0) {
		json_decref(arguments);
		return NULL;
	}
	result = ctl_call(&c, command, arguments, NULL, r);
	ctl_close(&c);
	return result;
}
