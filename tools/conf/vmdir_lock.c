// SPDX-License-Identifier: GPL-2.0
/* Who may touch a VM: the commands' lock, and the one of the VM's own process. */
#include "vmdir_lock.h"

#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void wait_a_little(void)
{
	struct timespec t = { .tv_nsec = 20 * 1000 * 1000 };

	nanosleep(&t, NULL);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

/* Who holds a lock leaves its process id and command in the file. */
static void sign(int fd)
{
	char text[64];
	int len = snprintf(text, sizeof(text), "%d %s\n", (int)getpid(),
			   program_invocation_short_name);

	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, len, 0) != len)
		return;			/* it only makes a sentence longer */
}

static void signed_by(int fd, char *out, size_t room)
{
	char text[64] = "";
	int pid;

	if (pread(fd, text, sizeof(text) - 1, 0) > 0 && sscanf(text, "%d", &pid) == 1)
		snprintf(out, room, " (process %d)", pid);
	else
		*out = '\0';
}

/* True while the open file is the one under that path. */
static bool same_file(int fd, const char *path)
{
	struct stat a, b;

	return fstat(fd, &a) == 0 && stat(path, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

/*
 * The VM may be removed or renamed, and another made under its name, until the
 * lock is ours: then look again what the path says.
 */
int vmdir_lock(struct vmdir *d, struct refusal *r)
{
	double until = now() + VMDIR_WAIT_SECONDS;
	char path[PATH_MAX], who[48];
	int fd;

	vmdir_file(d, "lock", path);
	for (;;) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0)
			return errno == ENOENT ? refuse(r, VM_NOT_FOUND, d->name) :
						 files_failed(r, path, "opened");
		while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			if (errno != EWOULDBLOCK && errno != EINTR) {
				files_failed(r, path, "locked");
				close(fd);
				return -1;
			}
			if (now() > until) {
				signed_by(fd, who, sizeof(who));
				close(fd);
				return refuse(r, VM_BUSY, d->name, who);
			}
			wait_a_little();
		}
		if (same_file(fd, path))
			break;
		close(fd);
	}
	sign(fd);
	d->lock_fd = fd;
	return 0;
}

/*
 * A lock of the open file, not of the process, that others can ask about without
 * taking it: who only looks never makes a start fail.
 */
static struct flock whole_file(short type)
{
	return (struct flock){ .l_type = type, .l_whence = SEEK_SET };
}

int vmdir_run_lock(struct vmdir *d, struct refusal *r)
{
	struct flock lk = whole_file(F_WRLCK);
	char path[PATH_MAX];
	int fd;

	fd = open(vmdir_file(d, "run.lock", path), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return files_failed(r, path, "opened");
	if (fcntl(fd, F_OFD_SETLK, &lk) < 0) {
		if (errno == EAGAIN || errno == EACCES)
			refuse(r, VM_RUNNING, d->name, "it starts");
		else
			files_failed(r, path, "locked");
		close(fd);
		return -1;
	}
	sign(fd);
	d->run_fd = fd;
	return 0;
}

bool vmdir_running(const struct vmdir *d, pid_t *pid)
{
	struct flock lk = whole_file(F_RDLCK);
	char path[PATH_MAX], text[64] = "";
	bool running;
	int fd;

	fd = open(vmdir_file(d, "run.lock", path), O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	running = fcntl(fd, F_OFD_GETLK, &lk) == 0 && lk.l_type != F_UNLCK;
	if (running && pid)
		*pid = pread(fd, text, sizeof(text) - 1, 0) > 0 ? atoi(text) : 0;
	close(fd);
	return running;
}
