// SPDX-License-Identifier: GPL-2.0
/*
 * A connection that breaks: relay PORT TO bytes N | answers N | after N
 * Takes one connection on 127.0.0.1:PORT, passes it on to 127.0.0.1:TO, and closes both
 *	bytes N		after N bytes of who connected
 *	answers N	when N lines of the other side have been passed on and one more comes
 *	after N		... and who connected says something more
 * It ends with 0 when it has cut them, with 4 when they ended before.
 */
#include <arpa/inet.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { ENDED = 4 };

static int open_socket(struct sockaddr_in *addr, const char *port)
{
	int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);

	*addr = (struct sockaddr_in){
		.sin_family = AF_INET, .sin_port = htons(atoi(port)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	return fd;
}

static bool pass(int to, const char *p, ssize_t len)
{
	ssize_t n;

	for (; len; p += n, len -= n) {
		n = send(to, p, len, MSG_NOSIGNAL);
		if (n <= 0)
			return false;
	}
	return true;
}

static int relay(int near, int far, const char *how, uint64_t most)
{
	struct pollfd fds[2] = {
		{ .fd = near, .events = POLLIN }, { .fd = far, .events = POLLIN },
	};
	bool bytes = !strcmp(how, "bytes"), after = !strcmp(how, "after");
	static char buf[65536];
	uint64_t passed = 0, answers = 0;
	ssize_t n;

	for (;;) {
		if (poll(fds, 2, -1) < 0)
			return 1;
		/* Answers are short lines, one at a time. */
		if (fds[1].revents) {
			n = recv(far, buf, sizeof(buf), 0);
			if (n <= 0)
				return ENDED;
			if (!bytes && !after && answers == most)
				return 0;
			if (!pass(near, buf, n))
				return ENDED;
			answers += buf[n - 1] == '\n';
		}
		if (fds[0].revents) {
			n = recv(near, buf, bytes && most - passed < sizeof(buf) ? most - passed :
				 sizeof(buf), 0);
			if (n <= 0)
				return ENDED;
			if (after && answers == most)
				return 0;
			if (!pass(far, buf, n))
				return ENDED;
			passed += n;
			if (bytes && passed == most)
				return 0;
		}
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in here, there;
	int near, far, fd;

	if (argc != 5 || (strcmp(argv[3], "bytes") && strcmp(argv[3], "answers") &&
			  strcmp(argv[3], "after"))) {
		fprintf(stderr, "usage: relay PORT TO bytes|answers|after N\n");
		return 2;
	}
	fd = open_socket(&here, argv[1]);
	far = open_socket(&there, argv[2]);
	if (bind(fd, (struct sockaddr *)&here, sizeof(here)) < 0 || listen(fd, 1) < 0) {
		perror("relay: listen");
		return 2;
	}
	near = accept(fd, NULL, NULL);
	if (near < 0 || connect(far, (struct sockaddr *)&there, sizeof(there)) < 0) {
		perror("relay: connect");
		return 2;
	}
	return relay(near, far, argv[3], strtoull(argv[4], NULL, 10));
}
