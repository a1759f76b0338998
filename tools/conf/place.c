// SPDX-License-Identifier: GPL-2.0
#include "place.h"

#include "files.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int usable(const char *path, const char *from, struct refusal *r)
{
	if (path[0] != '/' || strlen(path) > PATH_MAX - 512)
		return refuse_text(r, REASON_HOST_FAILED,
				   "%s is \"%s\", which is not an absolute path of usable length.",
				   from, path);
	return files_make_all(path, r);
}

static int find_state(char out[PATH_MAX], struct refusal *r)
{
	const char *env = getenv("NESTVM_STATE_DIR"), *from = "NESTVM_STATE_DIR";

	if (env && *env) {
		snprintf(out, PATH_MAX, "%s", env);
	} else if (geteuid() == 0) {
		snprintf(out, PATH_MAX, "/var/lib/nestvm");
	} else if ((env = getenv("XDG_STATE_HOME")) && *env) {
		from = "XDG_STATE_HOME";
		snprintf(out, PATH_MAX, "%s/nestvm", env);
	} else if ((env = getenv("HOME")) && *env) {
		from = "HOME";
		snprintf(out, PATH_MAX, "%s/.local/state/nestvm", env);
	} else {
		return refuse_text(r, REASON_HOST_FAILED,
				   "there is no place for VMs: set HOME or NESTVM_STATE_DIR.");
	}
	return usable(out, from, r);
}

const char *place_state(struct refusal *r)
{
	static char path[PATH_MAX];

	if (!path[0] && find_state(path, r) < 0) {
		path[0] = '\0';
		return NULL;
	}
	return path;
}

static int find_run(char out[PATH_MAX], struct refusal *r)
{
	const char *env = getenv("NESTVM_RUN_DIR"), *from = "NESTVM_RUN_DIR";

	if (env && *env) {
		snprintf(out, PATH_MAX, "%s", env);
	} else if (geteuid() == 0 && !getenv("NESTVM_STATE_DIR")) {
		snprintf(out, PATH_MAX, "/run/nestvm");
	} else if (!getenv("NESTVM_STATE_DIR") && (env = getenv("XDG_RUNTIME_DIR")) && *env) {
		from = "XDG_RUNTIME_DIR";
		snprintf(out, PATH_MAX, "%s/nestvm", env);
	} else {
		env = place_state(r);
		if (!env)
			return -1;
		from = "the state directory";
		snprintf(out, PATH_MAX, "%s/run", env);
	}
	return usable(out, from, r);
}

const char *place_run(struct refusal *r)
{
	static char path[PATH_MAX];

	if (!path[0] && find_run(path, r) < 0) {
		path[0] = '\0';
		return NULL;
	}
	return path;
}
