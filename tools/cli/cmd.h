/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CLI_CMD_H
#define CLI_CMD_H

/*
 * Exit status of every command. A run's also tells how the guest ended; what it
 * wrote to the debug-exit port comes back as STATUS_DEBUG_EXIT plus the value.
 */
enum {
	STATUS_OK = 0,			/* the guest powered off */
	STATUS_ERROR = 1,		/* wrong use, or the host could not */
	STATUS_DIED = 2,		/* triple fault, failed entry, internal error */
	STATUS_RESET = 3,		/* the guest asked for a reset */
	STATUS_TIMEOUT = 4,		/* --timeout passed */
	STATUS_DEBUG_EXIT = 64,		/* 64 to 127: value 0 to 62, 63 or more */
	STATUS_SIGNAL = 128,		/* plus the number of the signal */
};

struct machine;
struct refusal;
struct vmdir;

int cmd_check(int argc, char **argv);
int cmd_checkpoint(int argc, char **argv);
int cmd_console(int argc, char **argv);
int cmd_adapter(int argc, char **argv);
int cmd_create(int argc, char **argv);
int cmd_host_versions(int argc, char **argv);
int cmd_kill(int argc, char **argv);
int cmd_list(int argc, char **argv);
int cmd_migrate(int argc, char **argv);
int cmd_nat(int argc, char **argv);
int cmd_pause(int argc, char **argv);
int cmd_receive(int argc, char **argv);
int cmd_remove(int argc, char **argv);
int cmd_remove_saved_state(int argc, char **argv);
int cmd_rename(int argc, char **argv);
int cmd_restart(int argc, char **argv);
int cmd_run(int argc, char **argv);
int cmd_save(int argc, char **argv);
int cmd_set(int argc, char **argv);
int cmd_show(int argc, char **argv);
int cmd_switch(int argc, char **argv);
int cmd_stat(int argc, char **argv);
int cmd_start(int argc, char **argv);
int cmd_stop(int argc, char **argv);
int cmd_top(int argc, char **argv);
int cmd_unpause(int argc, char **argv);
int cmd_update_version(int argc, char **argv);
int cmd_vmm(int argc, char **argv);

/* cmd_run.c: the exit status that tells how the guest ended */
int run_status(const struct machine *m);
/* cmd_start.c: the rules, then a process; @d is open for changing */
int vm_start(struct vmdir *d, struct refusal *r);

#endif
