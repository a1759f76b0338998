// SPDX-License-Identifier: GPL-2.0
/*
 * The tables that the program works by, as rows for its manual pages:
 *
 *	tables keys|disk-keys|adapter-keys|versions|features|reasons
 */
#include "../conf/conf_keys.h"
#include "../conf/vtx.h"

#include <stdio.h>
#include <string.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* A sentence a line; "-" in front of options stays a minus. */
static void text(const char *s)
{
	const char *p;

	if (*s == '.' || *s == '\'')
		printf("\\&");
	for (p = s; *p; p++) {
		if (*p == '\\')
			printf("\\e");
		else if (*p == '-' && p[1] == '-')
			printf("\\-");
		else if (p > s && *p == '-' && p[-1] == '-')
			printf("\\-");
		else if (*p == ' ' && p > s && p[-1] == '.' && p[1] >= 'A' && p[1] <= 'Z')
			putchar('\n');
		else
			putchar(*p);
	}
	putchar('\n');
}

static void print_keys(const struct conf_key *keys)
{
	char range[256], option[64];

	for (; keys->name; keys++) {
		printf(".It Cm %s\n", keys->name);
		text(keys->help);
		printf(".Pp\nValue: ");
		text(conf_value_range(keys, range, sizeof(range)));
		if (keys->initial)
			printf(".br\nDefault: %s\n", keys->initial);
		if (keys->since != VERSION_7_0)
			printf(".br\nFrom configuration version %s on\n", version_name(keys->since));
		if (keys->option != OPTION_NONE)
			printf(".br\nOption of create and set: \\-\\-%s\n",
			       conf_key_option(keys, option));
	}
}

static void print_all_keys(void)
{
	print_keys(conf_keys);
}

static void print_disk_keys(void)
{
	print_keys(disk_keys);
}

static void print_adapter_keys(void)
{
	print_keys(adapter_keys);
}

static void print_versions(void)
{
	unsigned int i;

	for (i = 0; i < VERSION_COUNT; i++) {
		printf(".It %s\n", version_name(i));
		text(version_text(i));
	}
}

static void print_features(void)
{
	unsigned int i;

	for (i = 0; i < VTX_COUNT; i++) {
		printf(".It Cm %s\n", vtx_features[i].name);
		text(vtx_features[i].help);
	}
}

static void print_reasons(void)
{
	static const struct {
		const char *name;
		int status;
		const char *sentence;
	} reasons[] = {
#define X(id, status, sentence) { #id, status, sentence },
		REASONS(X)
#undef X
	};
	unsigned int i;

	for (i = 0; i < ARRAY_LEN(reasons); i++) {
		printf(".It Er %s Pq exit status %d\n", reasons[i].name, reasons[i].status);
		/* Some have their sentence from where it happens, and no template. */
		text(strcmp(reasons[i].sentence, "{0}") ? reasons[i].sentence :
		     "The sentence depends on what happened.");
	}
}

static const struct {
	const char *name;
	void (*print)(void);
} tables[] = {
	{ "keys", print_all_keys },
	{ "disk-keys", print_disk_keys },
	{ "adapter-keys", print_adapter_keys },
	{ "versions", print_versions },
	{ "features", print_features },
	{ "reasons", print_reasons },
};

int main(int argc, char **argv)
{
	unsigned int i;

	for (i = 0; argc == 2 && i < ARRAY_LEN(tables); i++)
		if (!strcmp(argv[1], tables[i].name)) {
			tables[i].print();
			return 0;
		}
	fprintf(stderr, "tables: name one table.\n");
	return 1;
}
