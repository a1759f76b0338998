// SPDX-License-Identifier: GPL-2.0
/*
 * The target's side of a migration: whatever comes over the connection, no VM.
 * The first byte says whether it is the connection's bytes, or records that are
 * framed as the source would.
 */
#include "vmm/state/migrate.h"
#include "vmm/state/peer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void send_all(int fd, const uint8_t *data, size_t size)
{
	ssize_t n;

	while (size) {
		n = send(fd, data, size, MSG_NOSIGNAL);
		if (n <= 0)
			return;
		data += n;
		size -= n;
	}
}

static void send_framed(int fd, const uint8_t *data, size_t size)
{
	static const char * const names[] = {
		"config", "machine", "features", "memory", "cpu0", "com1", "x",
	};
	const struct stream_head head = { .kind = size ? 1 + data[0] % 3 : 3 };
	struct stream_out o;
	size_t len;

	if (stream_out_init(&o, fd, &head, NULL) < 0)
		abort();
	while (size >= 3) {
		len = data[1] | data[2] << 8;
		if (len > size - 3)
			len = size - 3;
		stream_put(&o, names[data[0] % 7], 1 + (data[0] >> 7), data + 3, len, NULL);
		data += 3 + len;
		size -= 3 + len;
	}
	stream_put_end(&o, NULL);
	stream_out_free(&o);
}

struct source {
	int fd;
	const uint8_t *data;
	size_t size;
};

static void *be_source(void *arg)
{
	struct source *s = arg;

	if (s->size && s->data[0] & 1)
		send_framed(s->fd, s->data + 1, s->size - 1);
	else if (s->size)
		send_all(s->fd, s->data + 1, s->size - 1);
	shutdown(s->fd, SHUT_WR);
	return NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source source = { .data = data, .size = size };
	struct migration *mi;
	struct nvl_error err = { 0 };
	char id[40] = "";
	pthread_t thread;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		abort();
	source.fd = pair[0];
	/* What the source hears is looked at the same way. */
	if (size && data[0] & 2) {
		send_all(pair[0], data + 1, size - 1 < 4096 ? size - 1 : 4096);
		shutdown(pair[0], SHUT_WR);
		if (peer_expect(pair[1], "ready", id, &err) < 0 && !err.text[0])
			abort();
		close(pair[0]);
		close(pair[1]);
		return 0;
	}
	if (pthread_create(&thread, NULL, be_source, &source))
		abort();
	if (migration_from(pair[1], &mi, &err) == 0) {
		if (!migration_config(mi))
			abort();
		migration_free(mi);
	} else if (!err.text[0]) {
		abort();
	}
	pthread_join(thread, NULL);
	close(pair[0]);
	return 0;
}
