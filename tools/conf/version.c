// SPDX-License-Identifier: GPL-2.0
#include "version.h"

#include <string.h>

static const struct {
	const char *name;
	const char *text;
} versions[VERSION_COUNT] = {
#define X(id, name, text) [VERSION_##id] = { name, text },
	CONF_VERSIONS
#undef X
};

const char *version_name(enum conf_version v)
{
	return versions[v].name;
}

const char *version_text(enum conf_version v)
{
	return versions[v].text;
}

enum conf_version version_find(const char *name)
{
	unsigned int i;

	for (i = 0; i < VERSION_COUNT; i++)
		if (!strcmp(name, versions[i].name))
			break;
	return i;
}
