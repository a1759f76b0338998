/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Several files of a VM replaced as one: a plan says what will take whose place, the
 * new ones are made beside the old, then the plan becomes the journal, then they do
 * it. A crash before that changes nothing, after it the work goes on; the next
 * command that opens the VM for changing clears up or finishes (vmdir_open()).
 */
#ifndef CONF_JOURNAL_H
#define CONF_JOURNAL_H

#include "reasons.h"

#include <jansson.h>

struct vmdir;

#define JOURNAL_FILE ".journal"
#define JOURNAL_PLAN ".journal.new"

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
/* All steps are known, and none of the new files is there: they may be made now. */
int journal_plan(const struct journal *j, const struct vmdir *d, struct refusal *r);
/* From here on it will be done, now or after a crash; needs no room. Frees @j. */
int journal_commit(struct journal *j, const struct vmdir *d, struct refusal *r);
/* Instead: of what was planned and made nothing is left. Frees @j. */
void journal_give_up(struct journal *j, const struct vmdir *d);
/* Frees @j; nothing has happened. */
void journal_drop(struct journal *j);
/* Does what a journal that is there says, and clears up after a plan. */
int journal_finish(const struct vmdir *d, struct refusal *r);

#endif
