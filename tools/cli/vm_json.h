/* SPDX-License-Identifier: GPL-2.0 */
/* A VM as "list" and "show" tell it. */
#ifndef CLI_VM_JSON_H
#define CLI_VM_JSON_H

#include "../conf/vmdir.h"

/* The line of a list; a configuration that cannot be read is told as "problem". */
json_t *vm_json_brief(const struct vmdir *d);
/* All of it; NULL with @r. */
json_t *vm_json_full(const struct vmdir *d, struct refusal *r);

#endif
