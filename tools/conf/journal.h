/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Several files of a VM replaced as one: the new ones are made beside the old,
 * then the journal says what takes whose place, then they do. A crash before the
 * journal is there changes nothing; after it, the next command that opens the VM
 * for changing finishes the work (vmdir_open()).
 */
#ifndef CONF_JOURNAL_H
#define CONF_JOURNAL_H

#include "reasons.h"

#include <jansson.h>

struct vmdir;

#define JOURNAL_FILE ".journal"

struct journal {
	json_t *steps;
};

int journal_begin(struct journal *j, struct refusal *r);
/* @from takes the place of @to; "" for @from: @to goes. Absolute paths. */
int journal_add(struct journal *j, const char *from, const char *to, struct refusal *r);
/*
 * Only writes it down: for a VM that is being made (vmdir_begin()), to be done when it
 * has its name.
 */
int journal_write(const struct journal *j, const struct vmdir *d, struct refusal *r);
/* From here on it will be done, now or after a crash. Frees @j. */
int journal_commit(struct journal *j, const struct vmdir *d, struct refusal *r);
/* Frees @j; nothing has happened. */
void journal_drop(struct journal *j);
/* Does what a journal that is there says, if there is one. */
int journal_finish(const struct vmdir *d, struct refusal *r);

#endif
