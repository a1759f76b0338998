/* SPDX-License-Identifier: GPL-2.0 */
/* The process of a running VM: from a configuration to a machine that runs. */
#ifndef CLI_VM_PROCESS_H
#define CLI_VM_PROCESS_H

#include "../conf/vmdir.h"
#include "../vmm/machine.h"

struct vm_process {
	struct vmdir *d;
	struct vm_conf conf;
	struct machine_config config;
	char control_path[128];
	char console_path[128];
	struct machine *m;
};

/* Told while a saved state is loaded; bytes. */
typedef void vm_progress(void *arg, uint64_t done, uint64_t total);

/*
 * Takes the run lock of @d, for the life of the process, and makes the machine of
 * its configuration; one with a saved state is as it was saved, and the saved state
 * is gone. 0, or -1 with @r and nothing left behind but a saved state. The rules
 * are the caller's to check, as is the lock against other commands.
 */
int vm_process_create(struct vm_process *p, struct vmdir *d, vm_progress *progress, void *arg,
		      struct refusal *r);
/* The same without a saved state: a machine that waits for its state from elsewhere. */
int vm_process_create_empty(struct vm_process *p, struct vmdir *d, struct refusal *r);
/* Runs the guest to its end; the exit status of "nestvm run". */
int vm_process_run(struct vm_process *p);
void vm_process_destroy(struct vm_process *p);

#endif
