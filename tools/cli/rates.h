/* SPDX-License-Identifier: GPL-2.0 */
/* From two readings of a VM's counters to what happens a second, by level. */
#ifndef CLI_RATES_H
#define CLI_RATES_H

#include <jansson.h>

/*
 * @before and @now are answers to the command "stats"; @before may be NULL: since the
 * VM started. The result:
 *
 *	{"interval": s, "vcpus": n, "rates": {"entries": /s, ...},
 *	 "share": {"l0": %, "l1": %, "l2": %, "halted": %},
 *	 "exits": {"l1": {REASON: /s}, "l2": {REASON: /s}, "launcher": {REASON: /s}}}
 *
 * A counter that the device does not have is not there; shares are of the time that
 * the vCPUs were the kernel's, and null when that is not counted.
 */
json_t *rates_between(json_t *before, json_t *now);

#endif
