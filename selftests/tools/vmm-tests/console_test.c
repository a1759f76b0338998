// SPDX-License-Identifier: GPL-2.0
/*
 * The console's socket: scrollback for who comes late, loss for who does not
 * read, input to a guest that takes some or none.
 *
 * links: vmm/back/socket.c vmm/back/listen.c vmm/loop.c
 */
#include "lib/ktap.h"
#include "vmm/back/socket.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static struct loop loop;
static struct console_socket console;
static char dir[] = "/tmp/nestvm-test-XXXXXX", path[64];
static unsigned int wakes;
static size_t room;
static char typed[1024];
static size_t ntyped;

static size_t sink_room(void *dev)
{
	return room;
}

static void sink_put(void *dev, const uint8_t *data, size_t len)
{
	ASSERT(len <= room, "more than there is room for");
	memcpy(typed + ntyped, data, len);
	ntyped += len;
}

static void wake(void *arg)
{
	wakes++;
}

static void set_up(void)
{
	struct console_sink sink = { sink_room, sink_put, NULL };
	struct nvl_error err;

	ASSERT(mkdtemp(dir), "a folder");
	snprintf(path, sizeof(path), "%s/con", dir);
	loop_init(&loop);
	ASSERT(console_socket_open(&console, &loop, path, sink, wake, NULL, &err) == 0, "%s",
	       err.text);
	console_socket_start(&console);
}

static void tear_down(void)
{
	console_socket_close(&console);
	loop_destroy(&loop);
	rmdir(dir);
}

static void turns(unsigned int n)
{
	struct nvl_error err;

	while (n--) {
		console_socket_prepare(&console);
		ASSERT(loop_turn(&loop, 0, &err) == 0, "%s", err.text);
	}
}

static int client(void)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);

	snprintf(sun.sun_path, sizeof(sun.sun_path), "%s", path);
	ASSERT(connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0, "connected");
	turns(2);
	return fd;
}

/* All that can be had; returns how much. */
static size_t drain(int fd, char *buf, size_t max)
{
	size_t len = 0;
	ssize_t n;
	int idle;

	for (idle = 0; idle < 3 && len < max;) {
		n = read(fd, buf + len, max - len);
		if (n > 0) {
			len += n;
			idle = 0;
		} else {
			turns(1);
			idle++;
		}
	}
	return len;
}

static void write_numbers(unsigned int from, unsigned int to)
{
	char line[16];

	for (; from < to; from++) {
		snprintf(line, sizeof(line), "%07u\n", from);
		console_socket_write(&console, line, 8);
	}
}

static void scrollback(const void *arg)
{
	static char buf[4 * CONSOLE_SCROLLBACK];
	int a, b;

	set_up();
	console_socket_write(&console, "hello ", 6);
	a = client();
	EXPECT_EQ(drain(a, buf, sizeof(buf)), 6, "bytes from before");
	console_socket_write(&console, "world", 5);
	EXPECT_EQ(drain(a, buf, sizeof(buf)), 5, "bytes that came then");
	b = client();
	EXPECT_EQ(drain(b, buf, sizeof(buf)), 11, "bytes for the second");
	EXPECT(!memcmp(buf, "hello world", 11), "all of it");
	/* More than the ring holds: the last is what is kept. */
	write_numbers(0, 20000);
	close(b);
	b = client();
	EXPECT_EQ(drain(b, buf, sizeof(buf)), CONSOLE_SCROLLBACK, "bytes for who comes late");
	EXPECT(!memcmp(buf + CONSOLE_SCROLLBACK - 8, "0019999\n", 8), "the last line");
	EXPECT(!memcmp(buf, "0011808\n", 8), "the first kept: %.8s", buf);
	close(a);
	close(b);
	turns(3);
	EXPECT_EQ(console.client[0].fd == -1 && console.client[1].fd == -1, 1, "places are free");
	tear_down();
}

/* The guest does not wait for a client that does not read, and the client goes on later. */
static void who_does_not_read(const void *arg)
{
	static char buf[16 * CONSOLE_SCROLLBACK], block[100000];
	size_t n;
	int fd, i;

	set_up();
	fd = client();
	memset(block, '.', sizeof(block));
	for (i = 0; i < 100; i++) {
		console_socket_write(&console, block, sizeof(block));
		turns(1);
	}
	console_socket_write(&console, "end", 3);
	n = drain(fd, buf, sizeof(buf));
	EXPECT(n >= CONSOLE_SCROLLBACK && n < sizeof(buf), "%zu bytes", n);
	EXPECT(n >= 3 && !memcmp(buf + n - 3, "end", 3), "the end is there");
	close(fd);
	tear_down();
}

static void input(const void *arg)
{
	int a, b;

	set_up();
	a = client();
	b = client();
	room = 0;
	ASSERT(write(a, "abc", 3) == 3, "typed");
	turns(5);
	EXPECT_EQ(ntyped, 0, "bytes for a guest that does not listen");
	room = 2;
	turns(1);
	EXPECT_EQ(ntyped, 2, "bytes for a guest with room for two");
	turns(5);
	ASSERT(write(b, "d", 1) == 1, "typed");
	turns(5);
	EXPECT(ntyped == 4 && !memcmp(typed, "abcd", 4), "\"%.*s\"", (int)ntyped, typed);
	/* The last word of one who hangs up. */
	ASSERT(write(a, "e", 1) == 1, "typed");
	close(a);
	turns(5);
	EXPECT_EQ(ntyped, 5, "bytes");
	close(b);
	tear_down();
}

/* Output wakes the loop once, until it has looked. */
static void wakes_once(const void *arg)
{
	set_up();
	write_numbers(0, 100);
	EXPECT_EQ(wakes, 1, "wake-ups");
	turns(1);
	write_numbers(0, 100);
	EXPECT_EQ(wakes, 2, "wake-ups");
	tear_down();
}

static void crowd(const void *arg)
{
	int fd[CONSOLE_MAX_CLIENTS + 1], i;
	char c;

	set_up();
	for (i = 0; i <= CONSOLE_MAX_CLIENTS; i++)
		fd[i] = client();
	EXPECT(read(fd[CONSOLE_MAX_CLIENTS], &c, 1) == 0, "one too many is hung up on");
	EXPECT(read(fd[0], &c, 1) < 0, "the first is served");
	for (i = 0; i <= CONSOLE_MAX_CLIENTS; i++)
		close(fd[i]);
	tear_down();
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "scrollback", scrollback },
		{ "who_does_not_read", who_does_not_read },
		{ "input", input },
		{ "wakes_once", wakes_once },
		{ "crowd", crowd },
	};

	return ktap_main(cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
