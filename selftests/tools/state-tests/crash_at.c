// SPDX-License-Identifier: GPL-2.0
/*
 * Preloaded into a command: ends it without a word before the N-th call that
 * changes a file system ($CRASH_AT), as a power cut would.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static void count(void)
{
	static long calls;
	const char *at = getenv("CRASH_AT");

	if (at && ++calls == atol(at))
		raise(SIGKILL);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int rename(const char *from, const char *to)
{
	count();
	return REAL(rename)(from, to);
}

int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned int flags)
{
	count();
	return REAL(renameat2)(from_fd, from, to_fd, to, flags);
}

int unlink(const char *path)
{
	count();
	return REAL(unlink)(path);
}

int unlinkat(int fd, const char *path, int flags)
{
	count();
	return REAL(unlinkat)(fd, path, flags);
}

int rmdir(const char *path)
{
	count();
	return REAL(rmdir)(path);
}

int mkdir(const char *path, mode_t mode)
{
	count();
	return REAL(mkdir)(path, mode);
}

int ftruncate(int fd, off_t size)
{
	count();
	return REAL(ftruncate)(fd, size);
}

int fsync(int fd)
{
	count();
	return REAL(fsync)(fd);
}

ssize_t write(int fd, const void *buf, size_t len)
{
	count();
	return REAL(write)(fd, buf, len);
}

ssize_t pwrite(int fd, const void *buf, size_t len, off_t off)
{
	count();
	return REAL(pwrite)(fd, buf, len, off);
}

int open(const char *path, int flags, ...)
{
	mode_t mode = 0;
	va_list ap;

	va_start(ap, flags);
	if (flags & O_CREAT) {
		mode = va_arg(ap, mode_t);
		count();
	}
	va_end(ap);
	return REAL(open)(path, flags, mode);
}
