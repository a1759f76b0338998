/* SPDX-License-Identifier: GPL-2.0 */
/* What the rules want to know about a VM and this host, gathered. */
#ifndef CLI_FACTS_H
#define CLI_FACTS_H

#include "../conf/rules.h"
#include "../conf/vmdir.h"

/* The facts keep a pointer to @d's name. */
void facts_of_vm(const struct vmdir *d, struct vm_facts *f);
/* Of a VM that is not there yet. */
void facts_of_none(const char *name, struct vm_facts *f);

#endif
