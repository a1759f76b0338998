// SPDX-License-Identifier: GPL-2.0
/* Network adapters of VMs. */
#include "cmd.h"

#include "../conf/conf_keys.h"
#include "../net/net.h"
#include "cli.h"
#include "ctl.h"
#include "sub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPT_SWITCH = 256, OPT_USER, OPT_NONE, OPT_MAC, OPT_SPOOFING };

struct adapter_args {
	struct cli_args args;		/* the VM */
	const char *adapter;
	bool need_adapter;
	/* What is to be set; NULL: nothing said. */
	const char *mac, *spoofing;
	bool linked;
	struct vm_link link;
};

static const struct argp_child json_child[] = { { .argp = &cli_json_argp }, { 0 } };

static const struct argp_option options[] = {
	{ "switch", OPT_SWITCH, "SWITCH", 0, "connect it to that virtual switch", 0 },
	{ "user", OPT_USER, NULL, 0,
	  "give it a network of its own, which needs no privilege: the guest reaches what the user "
	  "who runs the VM reaches, and nobody reaches the guest", 0 },
	{ "none", OPT_NONE, NULL, 0, "connect it to nothing", 0 },
	{ "mac", OPT_MAC, "MAC", 0, "its address (default: a new one, which stays)", 0 },
	{ "mac-spoofing", OPT_SPOOFING, "on|off", 0,
	  "off (default): only frames from its own address leave it, and only its own unicast, "
	  "multicast and broadcast reach it; on: the guest's own VMs behind it have addresses of "
	  "theirs; may be changed while the VM runs", 0 },
	{ 0 },
};

static void set_link(struct adapter_args *a, enum vm_net net, const char *sw,
		     struct argp_state *state)
{
	if (a->linked)
		argp_error(state, "one of --switch, --user and --none.");
	if (sw && !conf_name_ok(sw))
		argp_error(state, "\"%s\" is not the name of a switch.", sw);
	a->linked = true;
	a->link.net = net;
	snprintf(a->link.sw, sizeof(a->link.sw), "%s", sw ? sw : "");
}

static void set_name(struct adapter_args *a, const char *arg, struct argp_state *state)
{
	if (!a->args.name)
		a->args.name = arg;
	else if (!a->adapter)
		a->adapter = arg;
	else
		argp_error(state, "\"%s\" is a third name.", arg);
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct adapter_args *a = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->args.json;
		return 0;
	case OPT_SWITCH:
		set_link(a, VM_NET_SWITCH, arg, state);
		return 0;
	case OPT_USER:
		set_link(a, VM_NET_USER, NULL, state);
		return 0;
	case OPT_NONE:
		set_link(a, VM_NET_NONE, NULL, state);
		return 0;
	case OPT_MAC:
		a->mac = arg;
		return 0;
	case OPT_SPOOFING:
		a->spoofing = arg;
		return 0;
	case ARGP_KEY_ARG:
		set_name(a, arg, state);
		return 0;
	case ARGP_KEY_END:
		if (!a->args.name)
			argp_error(state, "name a VM; \"nestvm list\" lists them.");
		if (a->need_adapter && !a->adapter)
			argp_error(state, "name an adapter; \"nestvm adapter list %s\" lists them.",
				   a->args.name);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static struct vm_adapter *find(struct vm_conf *c, const char *name)
{
	unsigned int i;

	for (i = 0; i < c->nadapters; i++)
		if (!strcmp(c->adapters[i].name, name))
			return &c->adapters[i];
	return NULL;
}

/* The options into @a; the switch has to be there. */
static int apply(const struct adapter_args *args, const struct vm_conf *c, struct vm_adapter *a,
		 struct refusal *r)
{
	struct net_switch sw;
	unsigned int i;
	char why[256];

	if (args->linked && args->link.net == VM_NET_SWITCH &&
	    switch_load(args->link.sw, &sw, r) < 0)
		return -1;
	if (args->linked)
		a->link = args->link;
	if (args->mac && !conf_value_set(conf_key_find(adapter_keys, "mac"), a, args->mac, why,
					 sizeof(why)))
		return refuse(r, VALUE_INVALID, "mac", why);
	if (args->spoofing && !conf_value_set(conf_key_find(adapter_keys, "mac_spoofing"), a,
					      args->spoofing, why, sizeof(why)))
		return refuse(r, VALUE_INVALID, "mac-spoofing", why);
	for (i = 0; i < c->nadapters; i++)
		if (strcmp(c->adapters[i].name, a->name) && !memcmp(c->adapters[i].mac, a->mac, 6))
			return refuse_text(r, REASON_NET_CONFLICT, "adapter \"%s\" has that address "
					   "already: leave out --mac, and a new one is made.",
					   c->adapters[i].name);
	return 0;
}

/* The guest sees its adapters, and a saved one goes on with those it had. */
static int check_rest(const struct vmdir *d, const char *attempt, struct refusal *r)
{
	if (vmdir_running(d, NULL))
		return refuse(r, VM_RUNNING, d->name, attempt);
	if (vmdir_saved(d))
		return refuse(r, VM_SAVED, d->name, "another set of adapters");
	return 0;
}

static int add(const struct adapter_args *args, const struct vmdir *d, struct vm_conf *c,
	       char *added, struct refusal *r)
{
	struct vm_adapter a = { .link.net = VM_NET_NONE };
	char most[8];
	unsigned int i;

	if (check_rest(d, "an adapter can be added", r) < 0)
		return -1;
	if (c->nadapters == VM_ADAPTERS_MAX) {
		snprintf(most, sizeof(most), "%u", VM_ADAPTERS_MAX);
		return refuse(r, TOO_MANY, d->name, most, "adapters");
	}
	for (i = 0; !args->adapter && (!i || find(c, a.name)); i++)
		snprintf(a.name, sizeof(a.name), "eth%u", i);
	if (args->adapter && !conf_name_ok(args->adapter))
		return refuse(r, NAME_INVALID, args->adapter, "network adapter");
	if (args->adapter)
		snprintf(a.name, sizeof(a.name), "%s", args->adapter);
	if (find(c, a.name))
		return refuse(r, ADAPTER_EXISTS, d->name, a.name);
	conf_new_mac(a.mac);
	if (apply(args, c, &a, r) < 0)
		return -1;
	c->adapters[c->nadapters++] = a;
	snprintf(added, VM_NAME_MAX + 1, "%s", a.name);
	return vmdir_save(d, c, r);
}

/*
 * Of a running VM: the bridge's port and the adapter's own filter, the one that
 * keeps frames in first when it closes and last when it opens.
 */
static int set_running(const struct vmdir *d, const struct vm_adapter *a, struct refusal *r)
{
	bool tap = a->link.net == VM_NET_SWITCH;
	json_t *answer;

	if (tap && !a->mac_spoofing && net_tap_set_spoofing(d->name, a, r) < 0)
		return -1;
	answer = ctl_ask(d, "set-spoofing",
			 json_pack("{s:s, s:b}", "adapter", a->name, "on", a->mac_spoofing),
			 "its adapters can be changed", r);
	json_decref(answer);
	if (!answer)
		return -1;
	return tap && a->mac_spoofing ? net_tap_set_spoofing(d->name, a, r) : 0;
}

static int set(const struct adapter_args *args, const struct vmdir *d, struct vm_conf *c,
	       struct refusal *r)
{
	struct vm_adapter *a = find(c, args->adapter), changed;
	bool running = vmdir_running(d, NULL);

	if (!a)
		return refuse(r, ADAPTER_NOT_FOUND, d->name, args->adapter);
	if ((args->linked || args->mac) &&
	    check_rest(d, "all of an adapter but --mac-spoofing is set", r) < 0)
		return -1;
	changed = *a;
	if (apply(args, c, &changed, r) < 0)
		return -1;
	if (running && set_running(d, &changed, r) < 0)
		return -1;
	*a = changed;
	return vmdir_save(d, c, r);
}

static int take_away(const struct adapter_args *args, const struct vmdir *d, struct vm_conf *c,
		     struct refusal *r)
{
	struct vm_adapter *a = find(c, args->adapter);

	if (!a)
		return refuse(r, ADAPTER_NOT_FOUND, d->name, args->adapter);
	if (check_rest(d, "an adapter can be removed", r) < 0)
		return -1;
	c->nadapters--;
	memmove(a, a + 1, (c->adapters + c->nadapters - a) * sizeof(*a));
	return vmdir_save(d, c, r);
}

static json_t *adapter_json(const struct vmdir *d, const struct vm_adapter *a, json_t *stats)
{
	json_t *json = json_object(), *list, *one;
	char ifname[IFNAMSIZ];
	const struct conf_key *key;
	size_t i;

	for (key = adapter_keys; key->name; key++)
		json_object_set_new(json, key->name, conf_value_to_json(key, a));
	list = json_object_get(stats, "adapters");
	json_array_foreach(list, i, one) {
		const char *name = json_string_value(json_object_get(one, "name"));

		if (name && !strcmp(name, a->name))
			json_object_set(json, "frames", one);
	}
	if (json_object_get(json, "frames") && a->link.net == VM_NET_SWITCH) {
		net_tap_name(d->name, a->name, ifname);
		json_object_set_new(json, "interface", json_string(ifname));
	}
	return json;
}

/* What the VM's process counts; NULL when it does not run. */
static json_t *ask_stats(const struct vmdir *d)
{
	struct refusal r;

	if (!vmdir_running(d, NULL))
		return NULL;
	return ctl_ask(d, "stats", NULL, "it counts frames", &r);
}

static void print_adapter(const struct vm_adapter *a)
{
	char *link = conf_value_print(conf_key_find(adapter_keys, "network"), a), mac[18];

	printf("%-16s %-24s %-18s %s\n", a->name, link ? link : "?", conf_print_mac(a->mac, mac),
	       a->mac_spoofing ? "on" : "off");
	free(link);
}

static void print_all(const json_t *json, const char *indent)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)json, key, value) {
		if (json_is_object(value)) {
			printf("%s%s\n", indent, key);
			print_all(value, "  ");
		} else if (json_is_string(value)) {
			printf("%s%-14s %s\n", indent, key, json_string_value(value));
		} else if (json_is_integer(value)) {
			printf("%s%-14s %lld\n", indent, key,
			       (long long)json_integer_value(value));
		} else if (json_is_boolean(value)) {
			printf("%s%-14s %s\n", indent, key, json_is_true(value) ? "on" : "off");
		}
	}
}

static int show(const struct adapter_args *args, const struct vmdir *d, struct vm_conf *c,
		struct refusal *r)
{
	const struct vm_adapter *a = find(c, args->adapter);
	json_t *stats, *json;

	if (!a)
		return refuse(r, ADAPTER_NOT_FOUND, d->name, args->adapter);
	stats = ask_stats(d);
	json = adapter_json(d, a, stats);
	json_decref(stats);
	if (args->args.json)
		return cli_print_json(json);
	print_all(json, "");
	json_decref(json);
	return 0;
}

static int list(const struct adapter_args *args, const struct vmdir *d, struct vm_conf *c)
{
	json_t *stats, *all;
	unsigned int i;

	if (!args->args.json) {
		printf("%-16s %-24s %-18s %s\n", "NAME", "NETWORK", "MAC", "SPOOFING");
		for (i = 0; i < c->nadapters; i++)
			print_adapter(&c->adapters[i]);
		return 0;
	}
	stats = ask_stats(d);
	all = json_array();
	for (i = 0; i < c->nadapters; i++)
		json_array_append_new(all, adapter_json(d, &c->adapters[i], stats));
	json_decref(stats);
	return cli_print_json(all);
}

enum what { ADD, SET, REMOVE, LIST, SHOW };

static int run(int argc, char **argv, enum what what, const struct argp *argp,
	       struct adapter_args *args)
{
	bool reads = what == LIST || what == SHOW;
	char added[VM_NAME_MAX + 1] = "";
	struct vm_conf conf;
	struct refusal r;
	struct vmdir d;
	int ret;

	cli_name(argv);
	argp_parse(argp, argc, argv, 0, NULL, args);
	if (vmdir_open(&d, args->args.name, reads ? VMDIR_READ : VMDIR_CHANGE, &r) < 0)
		return cli_refused(&r, args->args.json);
	ret = vmdir_load(&d, &conf, &r);
	if (!ret) {
		switch (what) {
		case ADD:
			ret = add(args, &d, &conf, added, &r);
			break;
		case SET:
			ret = set(args, &d, &conf, &r);
			break;
		case REMOVE:
			ret = take_away(args, &d, &conf, &r);
			break;
		case LIST:
			ret = list(args, &d, &conf);
			break;
		case SHOW:
			ret = show(args, &d, &conf, &r);
			break;
		}
		conf_free(&conf);
	}
	vmdir_close(&d);
	if (ret < 0)
		return cli_refused(&r, args->args.json);
	if (what == ADD && args->args.json)
		return cli_print_json(json_pack("{s:s}", "name", added));
	return reads ? ret : cli_done(args->args.json);
}

static int run_add(int argc, char **argv)
{
	const struct argp argp = {
		.options = options, .parser = parse, .args_doc = "VM [ADAPTER]",
		.children = json_child,
		.doc = CLI_DOC("Gives a VM that is off a network adapter (default name: eth0, eth1, ...)."),
	};
	struct adapter_args args = { 0 };

	return run(argc, argv, ADD, &argp, &args);
}

static int run_set(int argc, char **argv)
{
	const struct argp argp = {
		.options = options, .parser = parse, .args_doc = "VM ADAPTER", .children = json_child,
		.doc = CLI_DOC("Changes a network adapter of a VM that is off; --mac-spoofing also while "
			       "it runs."),
	};
	struct adapter_args args = { .need_adapter = true };

	return run(argc, argv, SET, &argp, &args);
}

static int run_remove(int argc, char **argv)
{
	const struct argp argp = {
		.parser = parse, .args_doc = "VM ADAPTER", .children = json_child,
		.doc = CLI_DOC("Takes a network adapter from a VM that is off."),
	};
	struct adapter_args args = { .need_adapter = true };

	return run(argc, argv, REMOVE, &argp, &args);
}

static int run_list(int argc, char **argv)
{
	const struct argp argp = {
		.parser = parse, .args_doc = "VM", .children = json_child,
		.doc = CLI_DOC("Lists the network adapters of a VM."),
	};
	struct adapter_args args = { 0 };

	return run(argc, argv, LIST, &argp, &args);
}

static int run_show(int argc, char **argv)
{
	const struct argp argp = {
		.parser = parse, .args_doc = "VM ADAPTER", .children = json_child,
		.doc = CLI_DOC("Shows a network adapter; while the VM runs, with the frames it has sent "
			       "and received: tx-spoofed counts those that were dropped because they "
			       "did not come from the adapter's own address."),
	};
	struct adapter_args args = { .need_adapter = true };

	return run(argc, argv, SHOW, &argp, &args);
}

int cmd_adapter(int argc, char **argv)
{
	static const struct sub_command table[] = {
		{ "add", run_add, "give a VM a network adapter" },
		{ "set", run_set, "change a network adapter" },
		{ "remove", run_remove, "take a network adapter away" },
		{ "list", run_list, "list the network adapters of a VM" },
		{ "show", run_show, "show a network adapter and its counters" },
	};

	return sub_run(table, sizeof(table) / sizeof(table[0]), argc, argv);
}
