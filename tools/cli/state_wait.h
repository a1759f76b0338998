/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CLI_STATE_WAIT_H
#define CLI_STATE_WAIT_H

#include "../conf/rules.h"
#include "../conf/vmdir.h"

/* The rules of @when for a VM that is open; 0, or -1 with @r. */
int state_rules(const struct vmdir *d, enum rule_when when, struct refusal *r);
#define GONE_SECONDS	60		/* the kernel unpins the memory of a big VM */

/*
 * Waits for the end of a VM's process that has said its last word and has some cleaning
 * up to do; false when it is still there after @seconds.
 */
bool state_wait_gone(const struct vmdir *d, unsigned int seconds);

#endif
