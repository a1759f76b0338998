/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What this host says about itself: files under /proc, /sys and /dev, and nothing
 * that needs privilege or changes anything. $NESTVM_HOST_ROOT, for tests, is put in
 * front of every path; it lies to the checks only, the module asks the CPU itself.
 */
#ifndef CLI_HOST_H
#define CLI_HOST_H

#include "../conf/rules.h"

#include <limits.h>

void host_facts(struct host_facts *f);

/* The path below the root; returns @out. */
const char *host_path(const char *path, char out[PATH_MAX]);
/* The beginning of a small file without the newline at its end; false: cannot be read. */
bool host_read(const char *path, char *out, size_t room);
/* A field of the first CPU in /proc/cpuinfo; false: there is none. */
bool host_cpu_field(const char *name, char *out, size_t room);
/* Who made the hypervisor that this host runs on; false: it does not say. */
bool host_hypervisor(char *out, size_t room);
/* Whether a list of words with blanks between them has @word. */
bool host_has_word(const char *list, const char *word);

#endif
