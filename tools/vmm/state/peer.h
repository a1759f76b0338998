/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The connection of a migration. The source sends a state stream, and a line at the
 * end; the target answers by lines:
 *
 *	source: header, "config", "machine", "features"	what comes
 *	target: ok | no ID SENTENCE			whether this host takes it
 *	source: "memory"... "machine" parts, "end"	the last of it with the VM paused
 *	target: ready | no ...				all is here, verified and loaded
 *	source: go					from here on it is the target's
 *	target: running | no ...
 *
 * Until "go" the source goes on with the VM when anything fails. Neither encrypted
 * nor authenticated: for a network that is trusted, or through a tunnel.
 */
#ifndef VMM_STATE_PEER_H
#define VMM_STATE_PEER_H

#include "../../lib/libnestvm.h"

#define PEER_PORT "7311"
#define PEER_DEFAULT_LISTEN "127.0.0.1:" PEER_PORT
/* How long the other side may say nothing, and how long "go" may take to come. */
#define PEER_TIMEOUT_SECONDS 30

/* @where: HOST, HOST:PORT, [ADDRESS]:PORT. A socket or a negative errno. */
int peer_connect(const char *where, struct nvl_error *err);
/* Listens, waits for one connection and returns it. */
int peer_accept(int listen_fd, struct nvl_error *err);
int peer_listen(const char *where, struct nvl_error *err);
/* With an end by itself; a line is at most 1000 bytes. */
int peer_say(int fd, const char *line, struct nvl_error *err);
int peer_say_no(int fd, const char *id, const char *text);
/*
 * Waits for @word. Another answer is -EPROTO, "no" is -EREMOTE with the other side's
 * sentence, silence -ETIMEDOUT, an end of the connection -ECONNRESET.
 */
int peer_expect(int fd, const char *word, char id[40], struct nvl_error *err);

#endif
