/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CLI_IMPORT_H
#define CLI_IMPORT_H

#include "ctl.h"
#include "settings.h"

struct import {
	const char *name;		/* of the new VM */
	const char *from;		/* the export's folder */
	const char *disks_to;		/* for its images; NULL: STATE/disks */
	bool keep_macs;
	bool no_state;
	const struct settings *settings;
};

/*
 * A new VM from an export, with an id of its own. What is copied is verified before it gets
 * its name, and the VM is there as a whole or not at all.
 */
int import_vm(const struct import *im, struct ctl_progress *progress, struct refusal *r);

#endif
