// SPDX-License-Identifier: GPL-2.0
#include "listen.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* A socket file outlives the process that made it; one that answers is in use. */
static bool abandoned(const struct sockaddr_un *sun)
{
	struct stat st;
	bool refused;
	int fd;

	if (lstat(sun->sun_path, &st) < 0 || !S_ISSOCK(st.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	refused = connect(fd, (const struct sockaddr *)sun, sizeof(*sun)) < 0 &&
		  errno == ECONNREFUSED;
	close(fd);
	return refused;
}

int listen_unix(const char *path, const char *what, struct nvl_error *err)
{
	struct sockaddr_un sun = { .sun_family = AF_UNIX };
	int fd, ret;

	if (strlen(path) >= sizeof(sun.sun_path))
		return nvl_fail(err, ENAMETOOLONG,
				"the path of the %s, %s, is longer than the %zu characters a socket's may have: choose a shorter run-time folder with NESTVM_RUN_DIR.",
				what, path, sizeof(sun.sun_path) - 1);
	memcpy(sun.sun_path, path, strlen(path) + 1);
	if (abandoned(&sun))
		unlink(path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return nvl_fail(err, errno, "no socket for the %s: %s.", what, strerror(errno));
	/* The mode of the file is that of the socket when it is bound: never wider. */
	if (fchmod(fd, 0600) < 0 || bind(fd, (struct sockaddr *)&sun, sizeof(sun)) < 0 ||
	    chmod(path, 0600) < 0 || listen(fd, 16) < 0) {
		ret = nvl_fail(err, errno, "the %s cannot be opened at %s: %s.", what, path,
			       strerror(errno));
		close(fd);
		return ret;
	}
	return fd;
}
