// SPDX-License-Identifier: GPL-2.0
#include "cmd.h"

#include "../conf/conf_keys.h"
#include "cli.h"
#include "vm_json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void line(const char *name, const char *value)
{
	printf("%-34s %s\n", name, value);
}

static void print_disk(const struct vm_disk *disk)
{
	printf("%-34s %s%s\n", "disk", disk->path, disk->read_only ? " (read-only)" : "");
}

static void print_adapter(const struct vm_adapter *a)
{
	char *link = conf_value_print(conf_key_find(adapter_keys, "network"), a), mac[18];

	printf("%-34s %s, %s, %s, mac-spoofing %s\n", "adapter", a->name, link ?: "?",
	       conf_print_mac(a->mac, mac), a->mac_spoofing ? "on" : "off");
	free(link);
}

static void print_settings(const struct vm_conf *c)
{
	const struct conf_key *key;
	char option[64], *value;
	unsigned int i;

	for (key = conf_keys; key->name; key++) {
		if (key->type == CONF_DISKS || key->type == CONF_ADAPTERS ||
		    key->since > c->version)
			continue;
		value = conf_value_print(key, c);
		line(conf_key_option(key, option), value && *value ? value : "-");
		free(value);
	}
	for (i = 0; i < c->ndisks; i++)
		print_disk(&c->disks[i]);
	for (i = 0; i < c->nadapters; i++)
		print_adapter(&c->adapters[i]);
}

/* What the VM's process says, in its order: assigned, demanded, pinned, ... */
static void print_memory(json_t *memory)
{
	char name[64], size[16];
	const char *key;
	json_t *value;

	json_object_foreach(memory, key, value) {
		snprintf(name, sizeof(name), "memory %s", key);
		if (json_is_integer(value))
			line(name, cli_size(json_integer_value(value), size));
	}
}

static int show(const struct vmdir *d, struct refusal *r)
{
	struct vm_conf c;
	json_t *vm;

	if (vmdir_load(d, &c, r) < 0)
		return -1;
	vm = vm_json_full(d, r);
	if (!vm) {
		conf_free(&c);
		return -1;
	}
	line("name", d->name);
	line("state", json_string_value(json_object_get(vm, "state")));
	if (json_is_integer(json_object_get(vm, "pid"))) {
		printf("%-34s %d\n", "process", (int)json_integer_value(json_object_get(vm, "pid")));
		printf("%-34s %.0f s\n", "up for", json_real_value(json_object_get(vm, "uptime")));
	}
	print_memory(json_object_get(vm, "memory"));
	printf("%-34s %u\n", "checkpoints", vmdir_checkpoints(d));
	line("saved state", vmdir_saved(d) ? "yes" : "no");
	print_settings(&c);
	line("log", json_string_value(json_object_get(vm, "log")));
	json_decref(vm);
	conf_free(&c);
	return 0;
}

int cmd_show(int argc, char **argv)
{
	struct cli_args args;
	struct refusal r;
	struct vmdir d;
	json_t *vm;
	int ret;

	cli_parse_name(argc, argv, CLI_DOC("Shows a VM: its state, memory and settings."), &args);
	if (vmdir_open(&d, args.name, VMDIR_READ, &r) < 0)
		return cli_refused(&r, args.json);
	if (args.json) {
		vm = vm_json_full(&d, &r);
		ret = vm ? cli_print_json(vm) : cli_refused(&r, true);
	} else {
		ret = show(&d, &r) < 0 ? cli_refused(&r, false) : EXIT_OK;
	}
	vmdir_close(&d);
	return ret;
}
