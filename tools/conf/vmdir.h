/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Where VMs are on disk, and who may touch them now.
 *
 *   STATE/vms/NAME/config.json	the configuration
 *   STATE/vms/NAME/lock	held by a command while it changes the VM
 *   STATE/vms/NAME/run.lock	held by the VM's process for all its life
 *   STATE/vms/NAME/saved	the saved state, if any
 *   STATE/vms/NAME/checkpoints/ID/
 *   STATE/vms/NAME/log		what the VM's process said
 *   STATE/net/			switches and NAT networks
 *   RUN/NAME.ctl, NAME.con	sockets of a running VM
 *
 * STATE and RUN are place.h's.
 *
 * A VM's directory appears under its name, goes away from it and changes its
 * name by one rename() each; names that begin with "." are being made or removed.
 */
#ifndef CONF_VMDIR_H
#define CONF_VMDIR_H

#include "conf.h"
#include "reasons.h"

#include <limits.h>
#include <sys/types.h>

struct vmdir {
	char name[VM_NAME_MAX + 1];
	char path[PATH_MAX];		/* STATE/vms/NAME */
	int lock_fd;			/* -1 when opened for reading */
	int run_fd;			/* -1 unless this process is the VM */
	int new_fd;			/* of a VM that is being made: keeps sweeps off; else -1 */
};

/*
 * VMDIR_READ takes no lock: config.json is always a whole one. VMDIR_CHANGE waits
 * up to VMDIR_WAIT_SECONDS for other commands, then refuses with VM_BUSY and
 * their name; it does not exclude that the VM runs. Close with vmdir_close().
 */
enum vmdir_mode { VMDIR_READ, VMDIR_CHANGE };
#define VMDIR_WAIT_SECONDS 5

int vmdir_open(struct vmdir *d, const char *name, enum vmdir_mode mode, struct refusal *r);
void vmdir_close(struct vmdir *d);
/* PATH_MAX bytes; returns @out. */
char *vmdir_file(const struct vmdir *d, const char *file, char *out);
/* The path of RUN/NAME.ctl ("ctl") or NAME.con, -1 with @r if too long for a socket. */
int vmdir_socket(const struct vmdir *d, const char *suffix, char *out, size_t room,
		 struct refusal *r);

int vmdir_load(const struct vmdir *d, struct vm_conf *c, struct refusal *r);
int vmdir_save(const struct vmdir *d, const struct vm_conf *c, struct refusal *r);

/*
 * A new VM in two steps: vmdir_begin() makes @d->path, which nobody else sees, and what
 * the VM is to have is written there; vmdir_place() gives it its name, and it is a VM,
 * open for changing. vmdir_abandon() instead, and after a failure: nothing is left.
 */
int vmdir_begin(struct vmdir *d, const char *name, struct refusal *r);
int vmdir_place(struct vmdir *d, struct refusal *r);
void vmdir_abandon(struct vmdir *d);
/*
 * A new VM that has a configuration and nothing else, open for changing. One that is
 * @arriving from another host is not there until vmdir_arrived(): when its process has
 * ended before, the next vmdir_open() for changing removes it.
 */
int vmdir_create(struct vmdir *d, const char *name, const struct vm_conf *c, bool arriving,
		 struct refusal *r);
int vmdir_arrived(const struct vmdir *d, struct refusal *r);
#define ARRIVING_FILE ".arriving"
/* All of it is gone, and @d closed, when it returns 0. */
int vmdir_remove(struct vmdir *d, struct refusal *r);
int vmdir_rename(struct vmdir *d, const char *name, struct refusal *r);

/* Only the VM's own process: it is "running" until the process ends. */
int vmdir_run_lock(struct vmdir *d, struct refusal *r);
/* Whether the VM runs; @pid (may be NULL) is its process then. */
bool vmdir_running(const struct vmdir *d, pid_t *pid);
bool vmdir_saved(const struct vmdir *d);
unsigned int vmdir_checkpoints(const struct vmdir *d);

/* Calls @fn for every VM, sorted by name, until one returns other than 0: that is returned. */
int vmdir_each(int (*fn)(void *arg, const char *name), void *arg, struct refusal *r);

#endif
