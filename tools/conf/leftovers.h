/* SPDX-License-Identifier: GPL-2.0 */
/* What a command, or a VM's process, that was killed in the middle left of its files. */
#ifndef CONF_LEFTOVERS_H
#define CONF_LEFTOVERS_H

struct vmdir;

/*
 * Removes files and folders that never got their names. The VM is locked: nobody
 * makes any, except a VM's process for a command that was killed, which then
 * finds its file gone and gives up, as it should.
 */
void leftovers_clear(const struct vmdir *d);

#endif
