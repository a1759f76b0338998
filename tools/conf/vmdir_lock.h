/* SPDX-License-Identifier: GPL-2.0 */
/* Of vmdir.c and vmdir_lock.c only. */
#ifndef CONF_VMDIR_LOCK_H
#define CONF_VMDIR_LOCK_H

#include "vmdir.h"

/* The lock of commands; waits up to VMDIR_WAIT_SECONDS. */
int vmdir_lock(struct vmdir *d, struct refusal *r);

#endif
