/* SPDX-License-Identifier: GPL-2.0 */
/* The client of a running VM's control socket; vmm/control.h has the protocol. */
#ifndef CLI_CTL_H
#define CLI_CTL_H

#include "../conf/vmdir.h"

#include <jansson.h>

struct ctl {
	const struct vmdir *d;
	int fd;
	char *buf;			/* received and not yet taken */
	size_t len, room;
};

/*
 * Connects to the VM. Refused with VM_NOT_RUNNING when there is none; @attempt ends
 * that sentence: "it can be paused".
 */
int ctl_open(struct ctl *c, const struct vmdir *d, const char *attempt, struct refusal *r);
void ctl_close(struct ctl *c);
/* Not longer than so for each line; a VM whose process hangs must not hang who looks. */
void ctl_hurry(struct ctl *c, unsigned int seconds);

/* How far a long command is; a progress bar on the terminal. */
struct ctl_progress {
	const char *what;		/* "saving web1" */
	bool drawn;
	double since;
};

/*
 * One command; @arguments (may be NULL) is taken over. The answer is the caller's
 * reference, NULL with @r otherwise. Waits for as long as the VM's process is there;
 * a progress bar is drawn on stderr when that is a terminal and the command takes
 * over a second; @progress NULL: none.
 */
json_t *ctl_call(struct ctl *c, const char *command, json_t *arguments,
		 struct ctl_progress *progress, struct refusal *r);
/* Its two halves; ctl_send() returns 0 or -1 when the VM's process is gone. */
int ctl_send(struct ctl *c, const char *command, json_t *arguments);
json_t *ctl_wait(struct ctl *c, const char *command, struct ctl_progress *progress,
		 struct refusal *r);
/* Open, call, close. */
json_t *ctl_ask(const struct vmdir *d, const char *command, json_t *arguments,
		const char *attempt, struct refusal *r);

/* For commands that do their work themselves. */
void progress_draw(struct ctl_progress *p, uint64_t done, uint64_t total, const char *unit);
/* The same as what a struct state_watch calls, with a struct ctl_progress; never says stop. */
bool progress_bytes(void *p, uint64_t done, uint64_t total);
void progress_end(struct ctl_progress *p);

#endif
