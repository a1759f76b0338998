// SPDX-License-Identifier: GPL-2.0
#include "cmd.h"

#include "cli.h"
#include "vm_json.h"

#include <stdio.h>

static int collect(void *arg, const char *name)
{
	struct refusal r;
	struct vmdir d;
	json_t *vm;

	/* Another command may have removed it since. */
	if (vmdir_open(&d, name, VMDIR_READ, &r) < 0)
		return 0;
	vm = vm_json_brief(&d);
	vmdir_close(&d);
	return json_array_append_new(arg, vm);
}

static const char *text(json_t *vm, const char *key)
{
	const char *s = json_string_value(json_object_get(vm, key));

	return s ?: "-";
}

static void print(json_t *list)
{
	size_t i;
	json_t *vm;

	printf("%-24s %-8s %5s %8s %-7s %-7s %s\n", "NAME", "STATE", "VCPUS", "MEMORY", "EXPOSED",
	       "VERSION", "CHECKPOINTS");
	json_array_foreach(list, i, vm) {
		const json_t *vcpus = json_object_get(vm, "vcpus");
		const char *name = text(vm, "name"), *state = text(vm, "state");

		if (!vcpus)
			printf("%-24s %-8s %s\n", name, state, text(vm, "problem"));
		else
			printf("%-24s %-8s %5d %8s %-7s %-7s %d\n", name, state,
			       (int)json_integer_value(vcpus), text(vm, "memory"),
			       json_is_true(json_object_get(vm, "expose_virtualization_extensions")) ?
			       "yes" : "no", text(vm, "version"),
			       (int)json_integer_value(json_object_get(vm, "checkpoints")));
	}
}

int cmd_list(int argc, char **argv)
{
	json_t *list = json_array();
	struct refusal r;
	bool json;

	cli_parse_none(argc, argv, CLI_DOC(
		"Lists the VMs, with their state: off, running, paused, saved, or broken when the "
		"configuration cannot be read. \"nestvm show NAME\" shows one."), &json);
	if (vmdir_each(collect, list, &r) < 0) {
		json_decref(list);
		return cli_refused(&r, json);
	}
	if (json)
		return cli_print_json(list);
	print(list);
	json_decref(list);
	return EXIT_OK;
}
