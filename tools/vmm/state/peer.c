// SPDX-License-Identifier: GPL-2.0
#include "peer.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1000

/* "[::1]:7311", "host:7311", "host", ":7311" */
static int split(const char *where, char host[256], char port[16], struct nvl_error *err)
{
	const char *colon = strrchr(where, ':'), *end;

	if (where[0] == '[') {
		end = strchr(where, ']');
		if (!end || (end[1] && end[1] != ':'))
			goto bad;
		colon = end[1] ? end + 1 : NULL;
		where++;
	} else if (colon && strchr(where, ':') != colon) {
		goto bad;
	} else {
		end = colon ? colon : where + strlen(where);
	}
	if (end - where >= 256 || (colon && (strlen(colon + 1) >= 16 || !colon[1])))
		goto bad;
	snprintf(host, 256, "%.*s", (int)(end - where), where);
	snprintf(port, 16, "%s", colon ? colon + 1 : PEER_PORT);
	return 0;
bad:
	return nvl_fail(err, EINVAL,
			"\"%s\" is not an address: HOST, HOST:PORT or [ADDRESS]:PORT.", where);
}

static struct addrinfo *resolve(const char *where, bool passive, struct nvl_error *err)
{
	struct addrinfo hints = {
		.ai_socktype = SOCK_STREAM, .ai_flags = passive ? AI_PASSIVE : 0,
	}, *ai;
	char host[256], port[16];
	int ret;

	if (split(where, host, port, err) < 0)
		return NULL;
	ret = getaddrinfo(host[0] ? host : NULL, port, &hints, &ai);
	if (ret) {
		nvl_fail(err, EINVAL, "the address \"%s\" cannot be found: %s.", where,
			 gai_strerror(ret));
		return NULL;
	}
	return ai;
}

static void set_options(int fd)
{
	struct timeval limit = { .tv_sec = PEER_TIMEOUT_SECONDS };
	int one = 1;

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

int peer_connect(const char *where, struct nvl_error *err)
{
	struct addrinfo *all = resolve(where, false, err), *ai;
	int fd = -1, errnum = 0;

	if (!all)
		return -EINVAL;
	for (ai = all; ai; ai = ai->ai_next) {
		fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC, ai->ai_protocol);
		if (fd < 0) {
			errnum = errno;
			continue;
		}
		/* Before connecting: the limit holds for that as well. */
		set_options(fd);
		if (connect(fd, ai->ai_addr, ai->ai_addrlen) == 0)
			break;
		errnum = errno == EINPROGRESS ? ETIMEDOUT : errno;
		close(fd);
		fd = -1;
	}
	freeaddrinfo(all);
	if (fd < 0)
		return nvl_fail(err, errnum,
				"no connection to %s: %s. \"nestvm receive NAME\" has to wait there.",
				where, strerror(errnum));
	return fd;
}

int peer_listen(const char *where, struct nvl_error *err)
{
	struct addrinfo *ai = resolve(where, true, err);
	int fd, one = 1, errnum;

	if (!ai)
		return -EINVAL;
	fd = socket(ai->ai_family, ai->ai_socktype | SOCK_CLOEXEC, ai->ai_protocol);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, ai->ai_addr, ai->ai_addrlen) < 0 || listen(fd, 1) < 0) {
		errnum = errno;
		if (fd >= 0)
			close(fd);
		freeaddrinfo(ai);
		return nvl_fail(err, errnum, "%s cannot be listened on: %s.", where,
				strerror(errnum));
	}
	freeaddrinfo(ai);
	return fd;
}

int peer_accept(int listen_fd, struct nvl_error *err)
{
	int fd;

	do
		fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC);
	while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return nvl_fail(err, errno, "no connection came: %s.", strerror(errno));
	set_options(fd);
	return fd;
}

int peer_say(int fd, const char *line, struct nvl_error *err)
{
	char buf[LINE_MAX_BYTES + 2];
	size_t len, done = 0;
	ssize_t n;

	snprintf(buf, LINE_MAX_BYTES, "%s", line);
	len = strlen(buf);
	buf[len++] = '\n';
	while (done < len) {
		n = send(fd, buf + done, len - done, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return nvl_fail(err, n < 0 ? errno : EPIPE,
					"the other side cannot be told anything: %s.",
					strerror(n < 0 ? errno : EPIPE));
		done += n;
	}
	return 0;
}

int peer_say_no(int fd, const char *id, const char *text)
{
	char line[LINE_MAX_BYTES];

	snprintf(line, sizeof(line), "no %s %s", id, text);
	return peer_say(fd, line, NULL);
}

/* Byte by byte: what follows a line may be somebody else's. */
static int read_line(int fd, char *buf, size_t room, struct nvl_error *err)
{
	size_t len = 0;
	ssize_t n;

	while (len + 1 < room) {
		n = recv(fd, buf + len, 1, 0);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return nvl_fail(err, ETIMEDOUT,
					"the other side said nothing for %u seconds.",
					PEER_TIMEOUT_SECONDS);
		if (n <= 0)
			return nvl_fail(err, ECONNRESET,
					"the other side closed the connection.");
		if (buf[len] == '\n') {
			buf[len] = '\0';
			return 0;
		}
		len++;
	}
	return nvl_fail(err, EPROTO, "the other side does not speak nestvm's migration protocol.");
}

int peer_expect(int fd, const char *word, char id[40], struct nvl_error *err)
{
	char line[LINE_MAX_BYTES + 2], *text;
	int ret;

	ret = read_line(fd, line, sizeof(line), err);
	if (ret < 0)
		return ret;
	if (!strcmp(line, word))
		return 0;
	if (strncmp(line, "no ", 3))
		return nvl_fail(err, EPROTO,
				"the other side does not speak nestvm's migration protocol.");
	text = strchr(line + 3, ' ');
	if (text)
		*text++ = '\0';
	snprintf(id, 40, "%.39s", line + 3);
	return nvl_fail(err, EREMOTE, "the other host refused: %s", text ? text : "no reason.");
}
