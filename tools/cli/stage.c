// SPDX-License-Identifier: GPL-2.0
#include "stage.h"

#include "../vmm/state/disk_copy.h"

#include <stdio.h>
#include <unistd.h>

int stage_copy(const char *from, const char *staged, struct ctl_progress *progress,
	       struct refusal *r)
{
	const struct state_watch watch = { progress_bytes, progress };
	struct nvl_error err;
	enum disk_copy how;

	if (disk_copy(from, staged, &how, &watch, &err) < 0)
		return refuse_text(r, REASON_STATE_FAILED, "%s Nothing was changed.", err.text);
	return 0;
}

int stage(struct journal *j, const char *from, const char *to, struct ctl_progress *progress,
	  struct refusal *r)
{
	char staged[PATH_MAX];

	if (snprintf(staged, sizeof(staged), "%s.nestvm-new", to) >= PATH_MAX)
		return refuse_text(r, REASON_HOST_FAILED, "the path %s is too long.", to);
	/* A leftover of a command that was cut off before its journal. */
	unlink(staged);
	if (stage_copy(from, staged, progress, r) < 0)
		return -1;
	if (journal_add(j, staged, to, r) == 0)
		return 0;
	unlink(staged);
	return -1;
}

void unstage(struct journal *j)
{
	const char *from, *to;
	json_t *entry;
	size_t i;

	json_array_foreach(j->steps, i, entry)
		if (json_unpack(entry, "[s,s]", &from, &to) == 0 && *from)
			unlink(from);
}
