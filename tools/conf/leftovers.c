// SPDX-License-Identifier: GPL-2.0
#include "leftovers.h"

#include "files.h"
#include "vmdir.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>

/* Where they lie, below the VM's directory, and how their names begin or end. */
static const struct {
	const char *dir;
	const char *name;
	bool begins;
} patterns[] = {
	{ "", "saved.new", true },
	{ "", ".tmp", false },
	{ "checkpoints", ".tmp", false },
	{ "checkpoints", ".current.nestvm-new", true },
	{ "checkpoints", ".new-", true },
	{ "checkpoints", ".gone-", true },
};

static bool fits(const char *name, unsigned int i)
{
	size_t len = strlen(patterns[i].name), all = strlen(name);

	if (patterns[i].begins)
		return !strncmp(name, patterns[i].name, len);
	return all > len && !strcmp(name + all - len, patterns[i].name);
}

static bool is_leftover(const char *dir, const char *name)
{
	unsigned int i;

	for (i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		if (!strcmp(patterns[i].dir, dir) && fits(name, i))
			return true;
	return false;
}

static void clear(const struct vmdir *d, const char *sub)
{
	char path[PATH_MAX], one[PATH_MAX];
	struct dirent *e;
	DIR *dir;

	dir = opendir(vmdir_file(d, sub, path));
	while (dir && (e = readdir(dir)))
		if (is_leftover(sub, e->d_name) &&
		    (size_t)snprintf(one, sizeof(one), "%s/%s", path, e->d_name) < sizeof(one))
			files_remove_tree(one, NULL);
	if (dir)
		closedir(dir);
}

void leftovers_clear(const struct vmdir *d)
{
	clear(d, "");
	clear(d, "checkpoints");
}
