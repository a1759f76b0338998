// SPDX-License-Identifier: GPL-2.0
/* Virtual switches. */
#include "cmd.h"

#include "../net/net.h"
#include "cli.h"
#include "records.h"
#include "sub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OPT_TYPE = 256, OPT_UPLINK, OPT_ADDRESS, OPT_FORCE };

struct create_args {
	struct cli_args args;
	struct net_switch s;
	bool typed, force;
};

static const struct argp_child json_child[] = { { .argp = &cli_json_argp }, { 0 } };

static void set_type(struct create_args *c, const char *arg, struct argp_state *state)
{
	c->s.type = switch_type_find(arg);
	c->typed = true;
	if (c->s.type == SWITCH_TYPES)
		argp_error(state, "\"%s\" is not a type of switch: internal, private or external.", arg);
}

static error_t parse_create(int key, char *arg, struct argp_state *state)
{
	struct create_args *c = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &c->args.json;
		return 0;
	case OPT_TYPE:
		set_type(c, arg, state);
		return 0;
	case OPT_UPLINK:
		if (!*arg || strlen(arg) >= sizeof(c->s.uplink))
			argp_error(state, "\"%s\" is not the name of an interface.", arg);
		snprintf(c->s.uplink, sizeof(c->s.uplink), "%s", arg);
		return 0;
	case OPT_ADDRESS:
		if (!prefix_parse(arg, &c->s.address))
			argp_error(state, "\"%s\" is not an address with the length of its network, such as 10.0.0.1/24.",
				   arg);
		c->s.has_address = true;
		return 0;
	case OPT_FORCE:
		c->force = true;
		return 0;
	case ARGP_KEY_ARG:
		if (c->args.name)
			argp_error(state, "\"%s\" is a second name.", arg);
		c->args.name = arg;
		return 0;
	case ARGP_KEY_END:
		if (!c->args.name)
			argp_error(state, "say which name the switch gets.");
		if (!c->typed)
			argp_error(state, "say which --type the switch has: internal, private or external.");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int run_create(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "type", OPT_TYPE, "internal|private|external", 0,
		  "internal: the VMs and the host; private: the VMs alone; external: the VMs and what "
		  "is behind an interface of the host", 0 },
		{ "uplink", OPT_UPLINK, "INTERFACE", 0, "the interface of an external switch", 0 },
		{ "address", OPT_ADDRESS, "ADDRESS/LENGTH", 0,
		  "the host's own address on the switch (not on a private one)", 0 },
		{ "force", OPT_FORCE, NULL, 0,
		  "take an uplink that the host itself uses; its addresses stay on it, without use "
		  "until the switch is removed or you move them to the bridge", 0 },
		{ 0 },
	};
	const struct argp argp = {
		.options = options, .parser = parse_create, .args_doc = "NAME", .children = json_child,
		.doc = CLI_DOC("Makes a virtual switch, for adapters of VMs to be connected to."),
	};
	struct create_args c = { 0 };
	struct refusal r;

	cli_name(argv);
	argp_parse(&argp, argc, argv, 0, NULL, &c);
	snprintf(c.s.name, sizeof(c.s.name), "%s", c.args.name);
	if (strlen(c.args.name) >= sizeof(c.s.name)) {
		refuse(&r, NAME_INVALID, c.args.name, "switch");
		return cli_refused(&r, c.args.json);
	}
	if (switch_create(&c.s, c.force, &r) < 0)
		return cli_refused(&r, c.args.json);
	return cli_done(c.args.json);
}

static const char *state_text(const struct net_switch *s, const char *missing)
{
	if (s->state != RECORD_READY)
		return s->state == RECORD_CREATING ? "half made" : "half removed";
	return *missing ? "broken" : "ok";
}

static json_t *load(const char *name, struct refusal *r)
{
	char missing[128], mac[18], address[PREFIX_TEXT];
	json_t *json, *list, *value;
	struct switch_port *ports;
	struct net_switch s;
	struct net_nat nat;
	unsigned int i, n;
	int has_nat;

	if (switch_load(name, &s, r) < 0 || switch_look(&s, missing, &ports, &n, r) < 0)
		return NULL;
	list = json_array();
	for (i = 0; i < n; i++)
		json_array_append_new(list, json_pack("{s:s, s:s}", "interface", ports[i].ifname,
						      "adapter", ports[i].owner));
	free(ports);
	has_nat = nat_of_switch(s.name, &nat, r);
	if (has_nat < 0)
		return NULL;
	json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o}", "name", s.name, "type",
			 switch_type_name(s.type), "state", state_text(&s, missing), "problem",
			 s.state == RECORD_READY ? missing :
			 "a command was cut off: \"nestvm switch repair\" finishes it", "bridge",
			 s.bridge, "mac", conf_print_mac(s.mac, mac), "ports", list);
	value = s.type == SWITCH_EXTERNAL ? json_string(s.uplink) : json_null();
	json_object_set_new(json, "uplink", value);
	value = s.has_address ? json_string(prefix_print(s.address, address)) : json_null();
	json_object_set_new(json, "address", value);
	json_object_set_new(json, "nat", has_nat ? json_string(nat.name) : json_null());
	return json;
}

static void print_more(const json_t *s)
{
	const json_t *port;
	size_t n;

	json_array_foreach(json_object_get(s, "ports"), n, port)
		printf("%-10s %s %s\n", "port", record_text(port, "interface"),
		       record_text(port, "adapter"));
}

static const struct record_column columns[] = {
	{ "NAME", "name", -16 },
	{ "TYPE", "type", -8 },
	{ "BRIDGE", "bridge", -15 },
	{ "UPLINK", "uplink", -15 },
	{ "ADDRESS", "address", -18 },
	{ "PORTS", "ports", 5 },
	{ "STATE", "state", 0 },
	{ 0 },
};

static const char *const keys[] = {
	"name", "type", "state", "problem", "bridge", "mac", "uplink", "address", "nat", NULL,
};

static const struct record_kind switches = {
	.store = STORE_SWITCHES, .what = "switch", .load = load, .remove = switch_remove,
	.columns = columns, .keys = keys, .print_more = print_more,
	.list_doc = CLI_DOC("Lists the virtual switches. A \"broken\" or \"half\" one is mended by "
			    "\"nestvm switch repair\"."),
	.show_doc = CLI_DOC("Shows a virtual switch: what it is on the host, and who is connected to "
			    "it."),
	.remove_doc = CLI_DOC("Removes a virtual switch that nobody is connected to, and everything "
			      "that was made on the host for it. An uplink is given back as it was."),
};

static int run_list(int argc, char **argv)
{
	return record_list(&switches, argc, argv);
}

static int run_show(int argc, char **argv)
{
	return record_show(&switches, argc, argv);
}

static int run_remove(int argc, char **argv)
{
	return record_remove(&switches, argc, argv);
}

static void say(void *arg, const char *what)
{
	json_t *done = arg;

	json_array_append_new(done, json_string(what));
}

static int run_repair(int argc, char **argv)
{
	json_t *done = json_array(), *line;
	struct refusal r;
	bool json;
	size_t i;
	int ret;

	cli_parse_none(argc, argv, CLI_DOC(
			  "Compares the switches and NAT networks that are recorded with what is on the "
			  "host, and mends the difference: what a crash left half made or half removed "
			  "is finished, what is gone is made again (after a restart of the host, all of "
			  "it), what is ours and not recorded is removed."), &json);
	ret = net_repair(say, done, &r);
	if (!json) {
		json_array_foreach(done, i, line)
			printf("%s\n", json_string_value(line));
		if (!ret && !json_array_size(done))
			printf("nothing to repair\n");
	} else if (!ret) {
		return cli_print_json(json_pack("{s:o}", "repaired", done));
	}
	json_decref(done);
	return ret < 0 ? cli_refused(&r, json) : EXIT_OK;
}

int cmd_switch(int argc, char **argv)
{
	static const struct sub_command table[] = {
		{ "create", run_create, "make a virtual switch" },
		{ "list", run_list, "list the virtual switches" },
		{ "show", run_show, "show a virtual switch" },
		{ "remove", run_remove, "remove a virtual switch" },
		{ "repair", run_repair, "mend switches and NAT networks after a crash or a restart" },
	};

	return sub_run(table, sizeof(table) / sizeof(table[0]), argc, argv);
}
