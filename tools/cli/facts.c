// SPDX-License-Identifier: GPL-2.0
#include "facts.h"

#include "host.h"

#include <string.h>

void facts_of_none(const char *name, struct vm_facts *f)
{
	memset(f, 0, sizeof(*f));
	f->name = name;
	host_facts(&f->host);
}

void facts_of_vm(const struct vmdir *d, struct vm_facts *f)
{
	facts_of_none(d->name, f);
	f->running = vmdir_running(d, NULL);
	f->saved = vmdir_saved(d);
	f->checkpoints = vmdir_checkpoints(d);
}
