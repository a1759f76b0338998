// SPDX-License-Identifier: GPL-2.0
/*
 * Preloaded into a command: kills it, as a power cut would, before the step that
 * CRASH_AT counts to; a step is what changes the host or a file.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int rename(const char *from, const char *to);

static void step(void)
{
	const char *at = getenv("CRASH_AT");
	static int n;

	if (at && ++n == atoi(at))
		kill(getpid(), SIGKILL);
}

ssize_t sendmsg(int fd, const struct msghdr *msg, int flags)
{
	ssize_t (*next)(int, const struct msghdr *, int) = dlsym(RTLD_NEXT, "sendmsg");

	step();
	return next(fd, msg, flags);
}

int rename(const char *from, const char *to)
{
	int (*next)(const char *, const char *) = dlsym(RTLD_NEXT, "rename");

	step();
	return next(from, to);
}

int unlink(const char *path)
{
	int (*next)(const char *) = dlsym(RTLD_NEXT, "unlink");

	step();
	return next(path);
}

/* Only the kernel's settings are written so: files are renamed into place. */
ssize_t write(int fd, const void *buf, size_t len)
{
	ssize_t (*next)(int, const void *, size_t) = dlsym(RTLD_NEXT, "write");

	step();
	return next(fd, buf, len);
}
