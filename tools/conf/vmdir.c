// SPDX-License-Identifier: GPL-2.0
#include "vmdir.h"

#include "files.h"
#include "journal.h"
#include "leftovers.h"
#include "place.h"
#include "vmdir_lock.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/un.h>
#include <unistd.h>

static int vms_dir(char out[PATH_MAX], struct refusal *r)
{
	const char *state = place_state(r);

	if (!state)
		return -1;
	snprintf(out, PATH_MAX, "%s/vms", state);
	return files_make(out, r);
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
	const char *run = place_run(r);
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
		return files_failed(r, path, "removed");
	return files_sync(d->path, r);
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
	if (vmdir_lock(d, r) < 0)
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
		return errno == EEXIST ? refuse(r, VM_EXISTS, name) : files_failed(r, to, "made");
	files_parent(to, up);
	return files_sync(up, r);
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
		return files_failed(r, path, "opened");
	while (flock(fd, LOCK_EX) < 0) {
		if (errno == EINTR)
			continue;
		files_failed(r, path, "locked");
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
			files_remove_tree(path, NULL);
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
	if (files_make(d->path, r) < 0)
		return -1;
	d->new_fd = open(d->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->new_fd < 0 || flock(d->new_fd, LOCK_EX | LOCK_NB) < 0)
		files_failed(r, d->path, "locked");
	else if (vmdir_lock(d, r) == 0)
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
	files_remove_tree(d->path, NULL);
	vmdir_close(d);
}

int vmdir_create(struct vmdir *d, const char *name, const struct vm_conf *c, bool arriving,
		 struct refusal *r)
{
	char path[PATH_MAX];

	if (vmdir_begin(d, name, r) < 0)
		return -1;
	if (conf_save(c, vmdir_file(d, "config.json", path), r) == 0 &&
	    (!arriving || files_write(vmdir_file(d, ARRIVING_FILE, path), "", 0, r) == 0) &&
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
		ret = files_failed(r, d->path, "locked");
	else
		ret = put_in_place(d->path, old, d->name, r);
	if (ret == 0)
		ret = files_remove_tree(old, r);
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
		return files_failed(r, vms, "read");
	for (i = 0; i < n; i++) {
		if (ret == 0)
			ret = fn(arg, list[i]->d_name);
		free(list[i]);
	}
	free(list);
	return ret;
}
