// SPDX-License-Identifier: GPL-2.0
#include "vmdir.h"

#include "journal.h"
#include "leftovers.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

static int failed(struct refusal *r, const char *path, const char *what)
{
	return refuse_text(r, REASON_HOST_FAILED, "%s cannot be %s: %s.", path, what,
			   strerror(errno));
}

int vmdir_sync(const char *dir, struct refusal *r)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return failed(r, dir, "opened");
	if (fsync(fd) < 0) {
		failed(r, dir, "written");
		close(fd);
		return -1;
	}
	close(fd);
	return 0;
}

/* The directory that holds @path. */
static void parent(const char *path, char out[PATH_MAX])
{
	char *slash;

	snprintf(out, PATH_MAX, "%s", path);
	slash = strrchr(out, '/');
	if (slash && slash != out)
		*slash = '\0';
	else
		snprintf(out, PATH_MAX, "%s", slash ? "/" : ".");
}

int vmdir_make(const char *path, struct refusal *r)
{
	char up[PATH_MAX];
	struct stat st;

	if (mkdir(path, 0700) == 0) {
		parent(path, up);
		return vmdir_sync(up, r);
	}
	if (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	return failed(r, path, "made");
}

/* Like mkdir -p. */
static int make_all(const char *path, struct refusal *r)
{
	char part[PATH_MAX];
	struct stat st;
	char *p;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	snprintf(part, sizeof(part), "%s", path);
	for (p = part + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (stat(part, &st) < 0 && vmdir_make(part, r) < 0)
			return -1;
		*p = '/';
	}
	return vmdir_make(path, r);
}

static int usable(const char *path, const char *from, struct refusal *r)
{
	if (path[0] != '/' || strlen(path) > PATH_MAX - 512)
		return refuse_text(r, REASON_HOST_FAILED,
				   "%s is \"%s\", which is not an absolute path of usable length.",
				   from, path);
	return make_all(path, r);
}

static int find_state(char out[PATH_MAX], struct refusal *r)
{
	const char *env = getenv("NESTVM_STATE_DIR"), *from = "NESTVM_STATE_DIR";

	if (env && *env) {
		snprintf(out, PATH_MAX, "%s", env);
	} else if (geteuid() == 0) {
		snprintf(out, PATH_MAX, "/var/lib/nestvm");
	} else if ((env = getenv("XDG_STATE_HOME")) && *env) {
		from = "XDG_STATE_HOME";
		snprintf(out, PATH_MAX, "%s/nestvm", env);
	} else if ((env = getenv("HOME")) && *env) {
		from = "HOME";
		snprintf(out, PATH_MAX, "%s/.local/state/nestvm", env);
	} else {
		return refuse_text(r, REASON_HOST_FAILED,
				   "there is no place for VMs: set HOME or NESTVM_STATE_DIR.");
	}
	return usable(out, from, r);
}

const char *vmdir_state(struct refusal *r)
{
	static char path[PATH_MAX];

	if (!path[0] && find_state(path, r) < 0) {
		path[0] = '\0';
		return NULL;
	}
	return path;
}

static int find_run(char out[PATH_MAX], struct refusal *r)
{
	const char *env = getenv("NESTVM_RUN_DIR"), *from = "NESTVM_RUN_DIR";

	if (env && *env) {
		snprintf(out, PATH_MAX, "%s", env);
	} else if (geteuid() == 0 && !getenv("NESTVM_STATE_DIR")) {
		snprintf(out, PATH_MAX, "/run/nestvm");
	} else if (!getenv("NESTVM_STATE_DIR") && (env = getenv("XDG_RUNTIME_DIR")) && *env) {
		from = "XDG_RUNTIME_DIR";
		snprintf(out, PATH_MAX, "%s/nestvm", env);
	} else {
		env = vmdir_state(r);
		if (!env)
			return -1;
		from = "the state directory";
		snprintf(out, PATH_MAX, "%s/run", env);
	}
	return usable(out, from, r);
}

const char *vmdir_run(struct refusal *r)
{
	static char path[PATH_MAX];

	if (!path[0] && find_run(path, r) < 0) {
		path[0] = '\0';
		return NULL;
	}
	return path;
}

static int vms_dir(char out[PATH_MAX], struct refusal *r)
{
	const char *state = vmdir_state(r);

	if (!state)
		return -1;
	snprintf(out, PATH_MAX, "%s/vms", state);
	return vmdir_make(out, r);
}

char *vmdir_file(const struct vmdir *d, const char *file, char *out)
{
	/* Cannot be: usable() leaves room for far more. An empty path fails wherever it is used. */
	if ((size_t)snprintf(out, PATH_MAX, "%s/%s", d->path, file) >= PATH_MAX)
		*out = '\0';
	return out;
}

int vmdir_socket(const struct vmdir *d, const char *suffix, char *out, size_t room,
		 struct refusal *r)
{
	const char *run = vmdir_run(r);
	size_t most = sizeof(((struct sockaddr_un *)NULL)->sun_path);

	if (!run)
		return -1;
	if (room > most)
		room = most;
	if ((size_t)snprintf(out, room, "%s/%s.%s", run, d->name, suffix) >= room)
		return refuse_text(r, REASON_HOST_FAILED,
				   "%s/%s.%s is too long for the name of a socket: set NESTVM_RUN_DIR "
				   "to a shorter directory.", run, d->name, suffix);
	return 0;
}

static int set_name(struct vmdir *d, const char *name, struct refusal *r)
{
	char vms[PATH_MAX];

	if (!conf_name_ok(name))
		return refuse(r, NAME_INVALID, name, "VM");
	if (vms_dir(vms, r) < 0)
		return -1;
	snprintf(d->name, sizeof(d->name), "%s", name);
	if ((size_t)snprintf(d->path, sizeof(d->path), "%s/%s", vms, name) >= sizeof(d->path))
		return refuse_text(r, REASON_HOST_FAILED, "the path of VM \"%s\" is too long.", name);
	d->lock_fd = -1;
	d->run_fd = -1;
	d->new_fd = -1;
	return 0;
}

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
static int lock(struct vmdir *d, struct refusal *r)
{
	double until = now() + VMDIR_WAIT_SECONDS;
	char path[PATH_MAX], who[48];
	int fd;

	vmdir_file(d, "lock", path);
	for (;;) {
		fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (fd < 0)
			return errno == ENOENT ? refuse(r, VM_NOT_FOUND, d->name) :
						 failed(r, path, "opened");
		while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			if (errno != EWOULDBLOCK && errno != EINTR) {
				failed(r, path, "locked");
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

/* A VM that was to come from another host, and whose process is no more, never came. */
static int end_arrival(struct vmdir *d, struct refusal *r)
{
	char path[PATH_MAX];

	if (access(vmdir_file(d, ARRIVING_FILE, path), F_OK) < 0 || vmdir_running(d, NULL))
		return 0;
	return vmdir_remove(d, r) < 0 ? -1 : refuse(r, VM_NOT_FOUND, d->name);
}

int vmdir_arrived(const struct vmdir *d, struct refusal *r)
{
	char path[PATH_MAX];

	if (unlink(vmdir_file(d, ARRIVING_FILE, path)) < 0)
		return failed(r, path, "removed");
	return vmdir_sync(d->path, r);
}

int vmdir_open(struct vmdir *d, const char *name, enum vmdir_mode mode, struct refusal *r)
{
	char path[PATH_MAX];
	int ret;

	if (set_name(d, name, r) < 0)
		return -1;
	if (access(vmdir_file(d, "config.json", path), F_OK) < 0)
		return refuse(r, VM_NOT_FOUND, name);
	if (mode == VMDIR_READ)
		return 0;
	if (lock(d, r) < 0)
		return -1;
	/* What a command before us had begun when it was cut off. */
	ret = end_arrival(d, r);
	if (ret == 0)
		ret = journal_finish(d, r);
	if (ret == 0)
		leftovers_clear(d);
	else
		vmdir_close(d);
	return ret;
}

void vmdir_close(struct vmdir *d)
{
	if (d->lock_fd >= 0)
		close(d->lock_fd);
	if (d->run_fd >= 0)
		close(d->run_fd);
	if (d->new_fd >= 0)
		close(d->new_fd);
	d->lock_fd = -1;
	d->run_fd = -1;
	d->new_fd = -1;
}

int vmdir_load(const struct vmdir *d, struct vm_conf *c, struct refusal *r)
{
	char path[PATH_MAX];

	return conf_load(c, vmdir_file(d, "config.json", path), r);
}

int vmdir_save(const struct vmdir *d, const struct vm_conf *c, struct refusal *r)
{
	char path[PATH_MAX];

	return conf_save(c, vmdir_file(d, "config.json", path), r);
}

/* @name is that of the VM which may be there already. */
static int put_in_place(const char *from, const char *to, const char *name, struct refusal *r)
{
	char up[PATH_MAX];

	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) < 0)
		return errno == EEXIST ? refuse(r, VM_EXISTS, name) : failed(r, to, "made");
	parent(to, up);
	return vmdir_sync(up, r);
}

/* Held while VMs are made and while leftovers are looked for; -1 with @r. */
static int lock_all(const char *vms, struct refusal *r)
{
	char path[PATH_MAX];
	int fd;

	if ((size_t)snprintf(path, sizeof(path), "%s/.lock", vms) >= sizeof(path))
		return refuse_text(r, REASON_HOST_FAILED, "%s is too long.", vms);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return failed(r, path, "opened");
	while (flock(fd, LOCK_EX) < 0) {
		if (errno == EINTR)
			continue;
		failed(r, path, "locked");
		close(fd);
		return -1;
	}
	return fd;
}

/*
 * Directories that a killed command left half made or half removed. Who makes or
 * removes one has it locked, from before others may take lock_all().
 */
static void sweep(const char *vms)
{
	DIR *dir = opendir(vms);
	struct dirent *e;
	char path[PATH_MAX];
	int fd;

	while (dir && (e = readdir(dir))) {
		if (strncmp(e->d_name, ".new-", 5) && strncmp(e->d_name, ".old-", 5))
			continue;
		if ((size_t)snprintf(path, sizeof(path), "%s/%s", vms, e->d_name) >= sizeof(path))
			continue;
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0)
			continue;
		if (flock(fd, LOCK_EX | LOCK_NB) == 0)
			vmdir_remove_tree(path, NULL);
		close(fd);
	}
	if (dir)
		closedir(dir);
}

/* With lock_all() held. */
static int make_new(struct vmdir *d, const char *vms, struct refusal *r)
{
	if (access(d->path, F_OK) == 0)
		return refuse(r, VM_EXISTS, d->name);
	if ((size_t)snprintf(d->path, PATH_MAX, "%s/.new-%d", vms, (int)getpid()) >= PATH_MAX)
		return refuse_text(r, REASON_HOST_FAILED, "the path of VM \"%s\" is too long.",
				   d->name);
	if (vmdir_make(d->path, r) < 0)
		return -1;
	d->new_fd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->new_fd < 0 || flock(d->new_fd, LOCK_EX | LOCK_NB) < 0)
		failed(r, d->path, "locked");
	else if (lock(d, r) == 0)
		return 0;
	vmdir_abandon(d);
	return -1;
}

int vmdir_begin(struct vmdir *d, const char *name, struct refusal *r)
{
	char vms[PATH_MAX];
	int fd, ret;

	if (set_name(d, name, r) < 0 || vms_dir(vms, r) < 0)
		return -1;
	fd = lock_all(vms, r);
	if (fd < 0)
		return -1;
	sweep(vms);
	ret = make_new(d, vms, r);
	close(fd);
	return ret;
}

int vmdir_place(struct vmdir *d, struct refusal *r)
{
	char vms[PATH_MAX], path[PATH_MAX];

	if (vms_dir(vms, r) < 0)
		return -1;
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", vms, d->name) >= sizeof(path))
		return refuse_text(r, REASON_HOST_FAILED, "the path of VM \"%s\" is too long.",
				   d->name);
	if (put_in_place(d->path, path, d->name, r) < 0)
		return -1;
	memcpy(d->path, path, sizeof(path));
	/* Only now: a sweep must not have met it under the name of one that is left over. */
	close(d->new_fd);
	d->new_fd = -1;
	return 0;
}

void vmdir_abandon(struct vmdir *d)
{
	vmdir_remove_tree(d->path, NULL);
	vmdir_close(d);
}

int vmdir_create(struct vmdir *d, const char *name, const struct vm_conf *c, bool arriving,
		 struct refusal *r)
{
	char path[PATH_MAX];

	if (vmdir_begin(d, name, r) < 0)
		return -1;
	if (conf_save(c, vmdir_file(d, "config.json", path), r) == 0 &&
	    (!arriving || vmdir_write_file(vmdir_file(d, ARRIVING_FILE, path), "", 0, r) == 0) &&
	    vmdir_place(d, r) == 0)
		return 0;
	vmdir_abandon(d);
	return -1;
}

int vmdir_remove(struct vmdir *d, struct refusal *r)
{
	char vms[PATH_MAX], old[PATH_MAX];
	int fd, ret;

	if (vms_dir(vms, r) < 0)
		return -1;
	if ((size_t)snprintf(old, sizeof(old), "%s/.old-%d", vms, (int)getpid()) >= sizeof(old))
		return refuse_text(r, REASON_HOST_FAILED, "%s is too long.", vms);
	/* Nobody else's sweep takes it away under us. */
	fd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || flock(fd, LOCK_EX | LOCK_NB) < 0)
		ret = failed(r, d->path, "locked");
	else
		ret = put_in_place(d->path, old, d->name, r);
	if (ret == 0)
		ret = vmdir_remove_tree(old, r);
	if (fd >= 0)
		close(fd);
	if (ret == 0)
		vmdir_close(d);
	return ret;
}

int vmdir_rename(struct vmdir *d, const char *name, struct refusal *r)
{
	struct vmdir to;

	if (set_name(&to, name, r) < 0)
		return -1;
	if (put_in_place(d->path, to.path, name, r) < 0)
		return -1;
	to.lock_fd = d->lock_fd;
	to.run_fd = d->run_fd;
	*d = to;
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
		return failed(r, path, "opened");
	if (fcntl(fd, F_OFD_SETLK, &lk) < 0) {
		if (errno == EAGAIN || errno == EACCES)
			refuse(r, VM_RUNNING, d->name, "it starts");
		else
			failed(r, path, "locked");
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

bool vmdir_saved(const struct vmdir *d)
{
	char path[PATH_MAX];

	return access(vmdir_file(d, "saved", path), F_OK) == 0;
}

unsigned int vmdir_checkpoints(const struct vmdir *d)
{
	char path[PATH_MAX], meta[PATH_MAX];
	unsigned int n = 0;
	struct dirent *e;
	DIR *dir;

	dir = opendir(vmdir_file(d, "checkpoints", path));
	while (dir && (e = readdir(dir))) {
		if (e->d_name[0] == '.' ||
		    (size_t)snprintf(meta, sizeof(meta), "%s/%s/meta.json", path, e->d_name) >=
		    sizeof(meta))
			continue;
		n += access(meta, F_OK) == 0;
	}
	if (dir)
		closedir(dir);
	return n;
}

static int is_vm(const struct dirent *e)
{
	return conf_name_ok(e->d_name);
}

int vmdir_each(int (*fn)(void *arg, const char *name), void *arg, struct refusal *r)
{
	struct dirent **list;
	char vms[PATH_MAX];
	int i, n, ret = 0;

	if (vms_dir(vms, r) < 0)
		return -1;
	n = scandir(vms, &list, is_vm, alphasort);
	if (n < 0)
		return failed(r, vms, "read");
	for (i = 0; i < n; i++) {
		if (ret == 0)
			ret = fn(arg, list[i]->d_name);
		free(list[i]);
	}
	free(list);
	return ret;
}

static int write_all(int fd, const char *data, size_t len)
{
	ssize_t n;

	while (len) {
		n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return -1;
		data += n;
		len -= n;
	}
	return 0;
}

int vmdir_write_file(const char *path, const void *data, size_t len, struct refusal *r)
{
	char tmp[PATH_MAX + 16], up[PATH_MAX];
	int fd;

	snprintf(tmp, sizeof(tmp), "%s.%d.tmp", path, (int)getpid());
	fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return failed(r, tmp, "made");
	if (write_all(fd, data, len) < 0 || fsync(fd) < 0) {
		failed(r, path, "written");
		close(fd);
		goto undo;
	}
	if (close(fd) < 0 || rename(tmp, path) < 0) {
		failed(r, path, "written");
		goto undo;
	}
	parent(path, up);
	return vmdir_sync(up, r);
undo:
	unlink(tmp);
	return -1;
}

int vmdir_write_json(const char *path, json_t *json, struct refusal *r)
{
	char *text = json ? json_dumps(json, JSON_INDENT(2)) : NULL;
	size_t len;
	int ret;

	json_decref(json);
	if (!text)
		return refuse_text(r, REASON_HOST_FAILED, "no memory left on the host.");
	/* The end of the string becomes the end of the line. */
	len = strlen(text);
	text[len] = '\n';
	ret = vmdir_write_file(path, text, len + 1, r);
	free(text);
	return ret;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st, (void)type, (void)ftw;
	return remove(path);
}

int vmdir_remove_tree(const char *path, struct refusal *r)
{
	if (nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT) < 0 && errno != ENOENT)
		return failed(r, path, "removed");
	return 0;
}
