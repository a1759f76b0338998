// SPDX-License-Identifier: GPL-2.0
#include "cmd.h"

#include "cli.h"
#include "ctl.h"

#include <stdio.h>

static void print(const struct vmdir *d, json_t *stats)
{
	const char *name;
	json_t *value;

	printf("%-40s %s\n", "name", d->name);
	printf("%-40s %.1f s\n", "uptime", json_real_value(json_object_get(stats, "uptime")));
	printf("%-40s %zu\n", "vcpus", json_array_size(json_object_get(stats, "vcpus")));
	json_object_foreach(json_object_get(stats, "vm"), name, value)
		if (json_integer_value(value))
			printf("%-40s %lld\n", name, (long long)json_integer_value(value));
}

int cmd_stat(int argc, char **argv)
{
	struct cli_args args;
	struct refusal r;
	struct vmdir d;
	json_t *stats;

	cli_parse_name(argc, argv,
		       CLI_DOC("Prints the counters of a running VM since it started: with --json all "
			       "of them, of the VM and of each vCPU, else those of the VM that are not "
			       "0."), &args);
	if (vmdir_open(&d, args.name, VMDIR_READ, &r) < 0)
		return cli_refused(&r, args.json);
	stats = ctl_ask(&d, "stats", NULL, "it counts", &r);
	if (!stats)
		return cli_refused(&r, args.json);
	if (args.json) {
		json_object_set_new(stats, "name", json_string(d.name));
		return cli_print_json(stats);
	}
	print(&d, stats);
	json_decref(stats);
	return EXIT_OK;
}
