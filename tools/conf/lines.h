/* SPDX-License-Identifier: GPL-2.0 */
/* In which line of a JSON text a key is: what jansson does not keep. */
#ifndef CONF_LINES_H
#define CONF_LINES_H

#include <stddef.h>

/*
 * @text is valid JSON, @path such as "vcpus", "disks[1]" or "disks[1].path". The
 * line of the key, of the element for "disks[1]"; 1 when there is none.
 */
unsigned int line_of_key(const char *text, size_t len, const char *path);

#endif
