// SPDX-License-Identifier: GPL-2.0
/* NAT networks. */
#include "cmd.h"

#include "../net/net.h"
#include "cli.h"
#include "records.h"
#include "sub.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { OPT_SWITCH = 256, OPT_PREFIX, OPT_GATEWAY, OPT_DNS };

struct create_args {
	struct cli_args args;
	struct net_nat n;
	const char *gateway;
};

static const struct argp_child json_child[] = { { .argp = &cli_json_argp }, { 0 } };

static void set_dns(struct net_nat *n, char *arg, struct argp_state *state)
{
	char *save, *word;

	for (word = strtok_r(arg, ",", &save); word; word = strtok_r(NULL, ",", &save)) {
		if (n->ndns == NET_DNS_MAX) {
			argp_error(state, "a network tells its guests of at most %u DNS servers.",
				   NET_DNS_MAX);
			return;
		}
		if (!address_parse(word, &n->dns[n->ndns++]))
			argp_error(state, "\"%s\" is not an IPv4 address of a DNS server.", word);
	}
}

/* ".1" is short for the address with that end in the prefix, as "ADDRESS" is itself. */
static void set_gateway(struct create_args *c, struct argp_state *state)
{
	char *end;
	unsigned long n;

	if (!c->gateway || address_parse(c->gateway, &c->n.gateway))
		return;
	n = strtoul(c->gateway + 1, &end, 10);
	if (*c->gateway != '.' || c->gateway[1] < '0' || c->gateway[1] > '9' || *end || !n ||
	    n > 255)
		argp_error(state, "\"%s\" is not a gateway: an address of the prefix, or its end, as in .1.",
			   c->gateway);
	c->n.gateway = c->n.prefix.address | n;
}

static error_t parse_create(int key, char *arg, struct argp_state *state)
{
	struct create_args *c = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &c->args.json;
		return 0;
	case OPT_SWITCH:
		if (!conf_name_ok(arg))
			argp_error(state, "\"%s\" is not the name of a switch.", arg);
		snprintf(c->n.sw, sizeof(c->n.sw), "%s", arg);
		return 0;
	case OPT_PREFIX:
		if (!prefix_parse(arg, &c->n.prefix))
			argp_error(state, "\"%s\" is not a prefix, such as 192.168.100.0/24.", arg);
		return 0;
	case OPT_GATEWAY:
		c->gateway = arg;
		return 0;
	case OPT_DNS:
		set_dns(&c->n, arg, state);
		return 0;
	case ARGP_KEY_ARG:
		if (c->args.name)
			argp_error(state, "\"%s\" is a second name.", arg);
		c->args.name = arg;
		return 0;
	case ARGP_KEY_END:
		if (!c->args.name || !*c->n.sw || !c->n.prefix.length)
			argp_error(state, "say NAME, --switch and --prefix.");
		set_gateway(c, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int run_create(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "switch", OPT_SWITCH, "SWITCH", 0, "the internal switch whose VMs are on the network",
		  0 },
		{ "prefix", OPT_PREFIX, "ADDRESS/LENGTH", 0,
		  "the network's addresses, such as 192.168.100.0/24", 0 },
		{ "gateway", OPT_GATEWAY, "ADDRESS", 0,
		  "the host's address there (default: the first of the prefix); .1 is short for the "
		  "one that ends so", 0 },
		{ "dns", OPT_DNS, "ADDRESS[,ADDRESS...]", 0,
		  "DNS servers that guests are told of (default: the host's)", 0 },
		{ 0 },
	};
	const struct argp argp = {
		.options = options, .parser = parse_create, .args_doc = "NAME", .children = json_child,
		.doc = CLI_DOC("Makes a NAT network: guests on the switch get addresses by DHCP and reach "
			       "what the host reaches, under its address. IPv4 forwarding is switched "
			       "on for it if it is off. What other tables of the packet filter drop "
			       "(a firewall's, a container engine's) stays dropped."),
	};
	struct create_args c = { 0 };
	struct refusal r;

	cli_name(argv);
	argp_parse(&argp, argc, argv, 0, NULL, &c);
	snprintf(c.n.name, sizeof(c.n.name), "%s", c.args.name);
	if (strlen(c.args.name) >= sizeof(c.n.name)) {
		refuse(&r, NAME_INVALID, c.args.name, "NAT network");
		return cli_refused(&r, c.args.json);
	}
	if (nat_create(&c.n, &r) < 0)
		return cli_refused(&r, c.args.json);
	return cli_done(c.args.json);
}

static json_t *load(const char *name, struct refusal *r)
{
	char missing[128], prefix[PREFIX_TEXT], address[ADDRESS_TEXT], mac[18];
	json_t *json, *dns, *leases;
	struct lease *list;
	struct net_nat n;
	unsigned int i;
	int j, count;

	if (nat_load(name, &n, r) < 0 || nat_look(&n, missing, r) < 0)
		return NULL;
	count = lease_list(n.name, &list, r);
	if (count < 0)
		return NULL;
	dns = json_array();
	leases = json_array();
	for (i = 0; i < n.ndns; i++)
		json_array_append_new(dns, json_string(address_print(n.dns[i], address)));
	for (j = 0; j < count; j++)
		json_array_append_new(leases,
				      json_pack("{s:s, s:s, s:s, s:I, s:b}", "address",
						address_print(list[j].address, address), "mac",
						conf_print_mac(list[j].mac, mac), "adapter",
						list[j].owner, "expires",
						(json_int_t)list[j].expires, "declined",
						list[j].declined));
	free(list);
	json = json_pack("{s:s, s:s, s:s}", "name", n.name, "switch", n.sw, "prefix",
			 prefix_print(n.prefix, prefix));
	json_object_set_new(json, "gateway", json_string(address_print(n.gateway, address)));
	json_object_set_new(json, "dns", dns);
	json_object_set_new(json, "state",
			    json_string(n.state == RECORD_CREATING ? "half made" :
					n.state == RECORD_REMOVING ? "half removed" :
					*missing ? "broken" : "ok"));
	json_object_set_new(json, "problem", json_string(missing));
	json_object_set_new(json, "leases", leases);
	return json;
}

static void print_lease(const json_t *lease)
{
	time_t expires = json_integer_value(json_object_get(lease, "expires"));
	char until[32] = "";
	struct tm tm;

	if (localtime_r(&expires, &tm))
		strftime(until, sizeof(until), "%F %T", &tm);
	printf("%-10s %-15s %s %s until %s%s\n", "lease", record_text(lease, "address"), record_text(lease, "mac"),
	       record_text(lease, "adapter"), until,
	       json_is_true(json_object_get(lease, "declined")) ? ", in use by somebody else" : "");
}

static void print_more(const json_t *nat)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(nat, "dns"), i, entry)
		printf("%-10s %s\n", "dns", json_string_value(entry));
	json_array_foreach(json_object_get(nat, "leases"), i, entry)
		print_lease(entry);
}

static const struct record_column columns[] = {
	{ "NAME", "name", -16 },
	{ "SWITCH", "switch", -16 },
	{ "PREFIX", "prefix", -18 },
	{ "GATEWAY", "gateway", -15 },
	{ "LEASES", "leases", 6 },
	{ "STATE", "state", 0 },
	{ 0 },
};

static const char *const keys[] = {
	"name", "switch", "prefix", "gateway", "state", "problem", NULL,
};

static const struct record_kind nats = {
	.store = STORE_NATS, .what = "NAT network", .load = load, .remove = nat_remove,
	.columns = columns, .keys = keys, .print_more = print_more,
	.list_doc = CLI_DOC("Lists the NAT networks. A \"broken\" or \"half\" one is mended by "
			    "\"nestvm switch repair\"."),
	.show_doc = CLI_DOC("Shows a NAT network and the addresses its guests have."),
	.remove_doc = CLI_DOC("Removes a NAT network, and everything that was made on the host for it. "
			      "IPv4 forwarding is switched off with the last one if it was switched on "
			      "for one."),
};

static int run_list(int argc, char **argv)
{
	return record_list(&nats, argc, argv);
}

static int run_show(int argc, char **argv)
{
	return record_show(&nats, argc, argv);
}

static int run_remove(int argc, char **argv)
{
	return record_remove(&nats, argc, argv);
}

int cmd_nat(int argc, char **argv)
{
	static const struct sub_command table[] = {
		{ "create", run_create, "make a NAT network on an internal switch" },
		{ "list", run_list, "list the NAT networks" },
		{ "show", run_show, "show a NAT network and its leases" },
		{ "remove", run_remove, "remove a NAT network" },
	};

	return sub_run(table, sizeof(table) / sizeof(table[0]), argc, argv);
}
