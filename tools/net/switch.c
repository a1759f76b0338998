// SPDX-License-Identifier: GPL-2.0
#include "net.h"

#include "link.h"
#include "nft.h"
#include "room.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <netlink/errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const type_names[SWITCH_TYPES] = { "internal", "private", "external" };

const char *switch_type_name(enum switch_type t)
{
	return type_names[t];
}

enum switch_type switch_type_find(const char *name)
{
	enum switch_type t;

	for (t = 0; t < SWITCH_TYPES; t++)
		if (!strcmp(name, type_names[t]))
			break;
	return t;
}

/* nvs-NAME where that is short enough for an interface, else a hash in its place. */
static void name_bridge(const char *name, char out[IFNAMSIZ])
{
	if (snprintf(out, IFNAMSIZ, "nvs-%s", name) >= IFNAMSIZ)
		snprintf(out, IFNAMSIZ, "nvs-%011llx",
			 (unsigned long long)net_hash(name, "", "") >> 20);
}

/* ---- the record ---- */

static int save(const struct net_switch *s, struct refusal *r)
{
	char mac[18], address[PREFIX_TEXT];
	json_t *json;

	json = json_pack("{s:s, s:s, s:s, s:s}", "state", record_state_name(s->state), "type",
			 switch_type_name(s->type), "bridge", s->bridge, "mac",
			 conf_print_mac(s->mac, mac));
	if (json && s->type == SWITCH_EXTERNAL &&
	    (json_object_set_new(json, "uplink", json_string(s->uplink)) ||
	     json_object_set_new(json, "uplink-was-up", json_boolean(s->uplink_was_up)))) {
		json_decref(json);
		json = NULL;
	}
	if (json && s->has_address &&
	    json_object_set_new(json, "address",
				json_string(prefix_print(s->address, address)))) {
		json_decref(json);
		json = NULL;
	}
	return store_save(STORE_SWITCHES, s->name, json, r);
}

static bool ifname_ok(const char *name)
{
	size_t i, len = strlen(name);

	for (i = 0; i < len; i++)
		if (name[i] == '/' || name[i] == ':' || isspace((unsigned char)name[i]) ||
		    !isprint((unsigned char)name[i]))
			return false;
	return len && len < IFNAMSIZ && strcmp(name, ".") && strcmp(name, "..");
}

/* 1 read, 0 not there, -1 with @r. */
static int load(const char *name, struct net_switch *s, struct refusal *r)
{
	const char *state, *type, *bridge, *mac, *uplink = NULL, *address = NULL;
	json_error_t error;
	int ret, up = 0;
	json_t *json;

	ret = store_load(STORE_SWITCHES, name, &json, r);
	if (ret <= 0)
		return ret;
	memset(s, 0, sizeof(*s));
	snprintf(s->name, sizeof(s->name), "%s", name);
	if (json_unpack_ex(json, &error, JSON_STRICT, "{s:s, s:s, s:s, s:s, s?s, s?b, s?s}",
			   "state", &state, "type", &type, "bridge", &bridge, "mac", &mac,
			   "uplink", &uplink, "uplink-was-up", &up, "address", &address)) {
		ret = store_damaged(STORE_SWITCHES, name, error.text, r);
	} else {
		s->type = switch_type_find(type);
		s->uplink_was_up = up;
		s->has_address = address;
		if (s->type == SWITCH_TYPES || record_state_find(state, &s->state) < 0 ||
		    !ifname_ok(bridge) || !conf_parse_mac(mac, s->mac) ||
		    (s->type == SWITCH_EXTERNAL) != (uplink != NULL) ||
		    (uplink && !ifname_ok(uplink)) ||
		    (address && !prefix_parse(address, &s->address)))
			ret = store_damaged(STORE_SWITCHES, name, "a value in it is not valid", r);
		snprintf(s->bridge, sizeof(s->bridge), "%s", bridge);
		if (uplink)
			snprintf(s->uplink, sizeof(s->uplink), "%s", uplink);
	}
	json_decref(json);
	return ret;
}

int switch_load(const char *name, struct net_switch *s, struct refusal *r)
{
	int ret = conf_name_ok(name) ? load(name, s, r) : 0;

	return ret ? ret < 0 ? -1 : 0 : refuse(r, SWITCH_NOT_FOUND, name);
}

static int load_record(const char *name, void *record, struct refusal *r)
{
	return switch_load(name, record, r);
}

int switch_list(struct net_switch **switches, struct refusal *r)
{
	void *list;
	int n = store_list(STORE_SWITCHES, sizeof(**switches), load_record, &list, r);

	if (n >= 0)
		*switches = list;
	return n;
}

/* ---- the host ---- */

/* A private switch: nothing between the bridge and the host's network stack. */
static int set_wall(const struct net_switch *s, const char *mark, struct refusal *r)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "add table netdev nestvm_sw_%1$s\n"
		 "delete table netdev nestvm_sw_%1$s\n"
		 "table netdev nestvm_sw_%1$s {\n"
		 "comment \"%2$s\"\n"
		 "chain in {\n"
		 "type filter hook ingress device \"%3$s\" priority -500; policy drop;\n"
		 "}\n"
		 "chain out {\n"
		 "type filter hook egress device \"%3$s\" priority -500; policy drop;\n"
		 "}\n"
		 "}\n", s->name, mark, s->bridge);
	return nft_run(text, "keeping the host off the private switch", r);
}

/* The bridge of @s in @link: 1, 0 when there is none, -1 when its name is somebody else's. */
static int find_bridge(struct nl_sock *sk, const struct net_switch *s, struct link *link,
		       struct refusal *r)
{
	char name[VM_NAME_MAX + 1];
	int ret;

	ret = link_find(sk, s->bridge, link);
	if (ret == -NLE_OBJ_NOTFOUND)
		return 0;
	if (ret < 0)
		return net_failed(ret, "looking for the bridge", s->bridge, r);
	if (store_marked(link->alias, "switch", name, sizeof(name)) && !strcmp(name, s->name))
		return 1;
	/* Cut off between making and marking it. */
	if (!*link->alias && !strcmp(link->kind, "bridge") && !memcmp(link->mac, s->mac, 6))
		return 1;
	return refuse_text(r, REASON_NET_CONFLICT, "there is an interface \"%s\" on this host which "
			   "is not ours, and switch \"%s\" needs the name: rename it (\"ip link set "
			   "%s name NAME\"), or take another name for the switch.", s->bridge,
			   s->name, s->bridge);
}

static int take_uplink(struct nl_sock *sk, const struct net_switch *s, int bridge,
		       struct refusal *r)
{
	struct link up;
	int ret;

	ret = link_find(sk, s->uplink, &up);
	if (ret < 0)
		return net_failed(ret, "looking for the uplink", s->uplink, r);
	if (up.master && up.master != bridge)
		return refuse_text(r, REASON_NET_CONFLICT, "interface \"%s\" is part of another bridge "
				   "or bond already: take it out of that first (\"ip link set %s "
				   "nomaster\"), or take another uplink.", s->uplink, s->uplink);
	if (!up.master) {
		ret = link_set_master(sk, up.index, bridge);
		if (ret < 0)
			return net_failed(ret, "connecting the uplink", s->uplink, r);
	}
	ret = link_set_up(sk, up.index, true);
	return ret < 0 ? net_failed(ret, "switching on", s->uplink, r) : 0;
}

/* Makes what is not there yet; may be repeated. 1 when something had to be made. */
static int apply(struct nl_sock *sk, const struct net_switch *s, struct refusal *r)
{
	char mark[256];
	struct link br;
	int ret, found;

	if (store_mark("switch", s->name, mark, r) < 0)
		return -1;
	found = find_bridge(sk, s, &br, r);
	if (found < 0)
		return -1;
	if (!found) {
		ret = link_add_bridge(sk, s->bridge, s->mac);
		if (!ret)
			ret = link_find(sk, s->bridge, &br);
		if (ret < 0)
			return net_failed(ret, "making the bridge", s->bridge, r);
	}
	ret = strcmp(br.alias, mark) ? link_set_alias(sk, br.index, mark) : 0;
	if (ret < 0)
		return net_failed(ret, "marking the bridge", s->bridge, r);
	if (s->type == SWITCH_PRIVATE) {
		if (set_wall(s, mark, r) < 0)
			return -1;
		net_no_ipv6(s->bridge);
	}
	ret = s->has_address ? link_add_address(sk, br.index, s->address) : 0;
	if (!ret)
		ret = link_set_up(sk, br.index, true);
	if (ret < 0)
		return net_failed(ret, "setting up the bridge", s->bridge, r);
	if (s->type == SWITCH_EXTERNAL && take_uplink(sk, s, br.index, r) < 0)
		return -1;
	return !found;
}

/* Takes away what is there of it; may be repeated. */
static int undo(struct nl_sock *sk, const struct net_switch *s, struct refusal *r)
{
	char text[256];
	struct link br, up;
	int ret, found;

	found = find_bridge(sk, s, &br, r);
	if (found < 0)
		return -1;
	if (found && s->type == SWITCH_EXTERNAL && !link_find(sk, s->uplink, &up) &&
	    up.master == br.index) {
		ret = link_set_master(sk, up.index, 0);
		if (!ret && !s->uplink_was_up)
			ret = link_set_up(sk, up.index, false);
		if (ret < 0)
			return net_failed(ret, "releasing the uplink", s->uplink, r);
	}
	ret = found ? link_delete(sk, br.index) : 0;
	if (ret < 0)
		return net_failed(ret, "removing the bridge", s->bridge, r);
	if (s->type != SWITCH_PRIVATE)
		return 0;
	/* "add" first, so that there is something to delete in any case. */
	snprintf(text, sizeof(text), "add table netdev nestvm_sw_%1$s\n"
		 "delete table netdev nestvm_sw_%1$s\n", s->name);
	return nft_run(text, "removing the packet filter's table of the switch", r);
}

static int check_uplink(struct nl_sock *sk, struct net_switch *s, bool force, struct refusal *r)
{
	struct link up;
	int ret;

	ret = link_find(sk, s->uplink, &up);
	if (ret == -NLE_OBJ_NOTFOUND)
		return refuse_text(r, REASON_NET_INVALID, "there is no interface \"%s\" on this host: "
				   "\"ip link\" lists them.", s->uplink);
	if (ret < 0)
		return net_failed(ret, "looking for the uplink", s->uplink, r);
	if (up.flags & IFF_LOOPBACK)
		return refuse_text(r, REASON_NET_INVALID, "\"%s\" is the loopback interface, behind which "
				   "there is no network: take another uplink, or --type internal.",
				   s->uplink);
	if (up.master)
		return refuse_text(r, REASON_NET_CONFLICT, "interface \"%s\" is part of another bridge "
				   "or bond already: take it out of that first (\"ip link set %s "
				   "nomaster\"), or take another uplink.", s->uplink, s->uplink);
	s->uplink_was_up = up.flags & IFF_UP;
	if (force)
		return 0;
	ret = link_has_default_route(sk, up.index);
	if (ret > 0)
		return refuse_text(r, REASON_UPLINK_IN_USE, "the host's default route goes through \"%s\", "
				   "and an uplink belongs to the switch: the host would lose its "
				   "network. Take another interface, or an internal switch with "
				   "\"nestvm nat create\"; with --force it is taken all the same, the "
				   "addresses stay on it without use until you move them to the "
				   "bridge.", s->uplink);
	if (!ret)
		ret = link_has_address(sk, up.index);
	if (ret > 0)
		return refuse_text(r, REASON_UPLINK_IN_USE, "the host has an address on \"%s\", which "
				   "would be without use once it is an uplink: remove the address "
				   "(\"ip address del\") and give it to the switch with --address, or "
				   "say --force.", s->uplink);
	return ret < 0 ? net_failed(ret, "looking at the uplink", s->uplink, r) : 0;
}

/* @network is free on this host but for interface @except (0: none). */
int net_check_overlap(struct nl_sock *sk, struct prefix network, int except, struct refusal *r)
{
	char name[IFNAMSIZ], wanted[PREFIX_TEXT], found[PREFIX_TEXT];
	struct prefix address;
	int ret;

	ret = link_find_overlap(sk, network, except, name, &address);
	if (ret > 0)
		return refuse_text(r, REASON_PREFIX_OVERLAP, "%s overlaps with %s, which this host has on "
				   "\"%s\": it could not tell where to send a packet. Take a prefix "
				   "that is free (\"ip address\" lists those in use).",
				   prefix_print(network, wanted), prefix_print(address, found),
				   name);
	return ret < 0 ? net_failed(ret, "reading the host's addresses", "", r) : 0;
}

static int check_new(struct nl_sock *sk, struct net_switch *s, bool force, struct refusal *r)
{
	struct net_switch other;
	struct link link;
	int ret;

	ret = load(s->name, &other, r);
	if (ret)
		return ret < 0 ? -1 : refuse(r, SWITCH_EXISTS, s->name);
	name_bridge(s->name, s->bridge);
	conf_new_mac(s->mac);
	/* Its MAC is new, so a bridge that is ours by its mark is what is left of a lost record. */
	ret = find_bridge(sk, s, &link, r);
	if (ret)
		return ret < 0 ? -1 :
		       refuse_text(r, REASON_NET_CONFLICT, "bridge \"%s\" is left of a switch \"%s\" whose "
				   "record is gone: \"nestvm switch repair\" removes it.", s->bridge,
				   s->name);
	if (s->has_address && net_check_overlap(sk, prefix_network(s->address), 0, r) < 0)
		return -1;
	return s->type == SWITCH_EXTERNAL ? check_uplink(sk, s, force, r) : 0;
}

static int check_words(const struct net_switch *s, struct refusal *r)
{
	char address[PREFIX_TEXT];

	if (!conf_name_ok(s->name))
		return refuse(r, NAME_INVALID, s->name, "switch");
	if (s->type == SWITCH_EXTERNAL && !*s->uplink)
		return refuse_text(r, REASON_NET_INVALID, "an external switch has an uplink: name an "
				   "interface of the host with --uplink, or take --type internal.");
	if (s->type != SWITCH_EXTERNAL && *s->uplink)
		return refuse_text(r, REASON_NET_INVALID, "%s switch has no uplink: leave out --uplink, "
				   "or take --type external.",
				   s->type == SWITCH_PRIVATE ? "a private" : "an internal");
	if (s->type == SWITCH_PRIVATE && s->has_address)
		return refuse_text(r, REASON_NET_INVALID, "the host is not on a private switch and has no "
				   "address there: leave out --address, or take --type internal.");
	if (s->has_address && (s->address.length < 8 || s->address.length > 30 ||
			       !prefix_has_host(s->address, s->address.address)))
		return refuse_text(r, REASON_NET_INVALID, "%s is not an address of a host in a network of "
				   "/8 to /30: give one such as 10.0.0.1/24.",
				   prefix_print(s->address, address));
	return 0;
}

int switch_create(struct net_switch *s, bool force, struct refusal *r)
{
	struct nl_sock *sk;
	int lock, ret;

	if (check_words(s, r) < 0)
		return -1;
	sk = net_begin(&lock, r);
	if (!sk)
		return -1;
	s->state = RECORD_CREATING;
	ret = check_new(sk, s, force, r);
	if (!ret)
		ret = save(s, r);
	if (ret < 0)
		goto out;
	ret = apply(sk, s, r);
	if (ret < 0) {
		if (!undo(sk, s, NULL))
			store_remove(STORE_SWITCHES, s->name, NULL);
		goto out;
	}
	s->state = RECORD_READY;
	ret = save(s, r);
out:
	net_end(sk, lock);
	return ret;
}

int switch_look(const struct net_switch *s, char missing[128], struct switch_port **ports,
		unsigned int *nports, struct refusal *r)
{
	struct link *links = NULL, br;
	char name[VM_NAME_MAX + 1];
	struct nl_sock *sk;
	int i, n, ret;
	bool uplink;

	*ports = NULL;
	*nports = 0;
	*missing = '\0';
	sk = link_open();
	if (!sk)
		return refuse(r, NET_FAILED, "this host lets us have no rtnetlink socket.");
	ret = link_find(sk, s->bridge, &br);
	if (ret == -NLE_OBJ_NOTFOUND) {
		snprintf(missing, 128, "bridge %s is gone", s->bridge);
		link_close(sk);
		return 0;
	}
	n = ret < 0 ? ret : link_list(sk, &links);
	link_close(sk);
	*ports = n < 0 ? NULL : calloc(n + 1, sizeof(**ports));
	if (!*ports) {
		if (n >= 0)
			free(links);
		return refuse(r, NET_FAILED, "the host's interfaces cannot be read.");
	}
	uplink = s->type != SWITCH_EXTERNAL;
	for (i = 0; i < n; i++) {
		struct switch_port *p = &(*ports)[*nports];

		if (links[i].master != br.index)
			continue;
		snprintf(p->ifname, sizeof(p->ifname), "%s", links[i].name);
		store_marked(links[i].alias, "adapter", p->owner, sizeof(p->owner));
		uplink |= !strcmp(p->ifname, s->uplink);
		(*nports)++;
	}
	free(links);
	if (!store_marked(br.alias, "switch", name, sizeof(name)) || strcmp(name, s->name))
		snprintf(missing, 128, "bridge %s does not have our mark", s->bridge);
	else if (!(br.flags & IFF_UP))
		snprintf(missing, 128, "bridge %s is down", s->bridge);
	else if (!uplink)
		snprintf(missing, 128, "uplink %s is not connected", s->uplink);
	return 0;
}

/* Refuses while somebody uses it. */
static int check_idle(const struct net_switch *s, struct refusal *r)
{
	char missing[128], what[256] = "", nats[256];
	struct switch_port *ports;
	unsigned int i, n;

	if (nat_names_on(s->name, nats, sizeof(nats), r) < 0)
		return -1;
	if (*nats)
		return refuse(r, SWITCH_IN_USE, s->name, nats,
			      "remove that with \"nestvm nat remove\" first");
	if (switch_look(s, missing, &ports, &n, r) < 0)
		return -1;
	/* Adapters say more than interfaces. */
	for (i = 0; i < n; i++)
		if (strcmp(ports[i].ifname, s->uplink) && (!*what || *ports[i].owner))
			snprintf(what, sizeof(what), "%s %s", *ports[i].owner ? "adapter" : "interface",
				 *ports[i].owner ? ports[i].owner : ports[i].ifname);
	free(ports);
	if (*what)
		return refuse(r, SWITCH_IN_USE, s->name, what,
			      "stop the VM first, or take the interface off the bridge");
	return 0;
}

int switch_remove(const char *name, struct refusal *r)
{
	struct net_switch s;
	struct nl_sock *sk;
	int lock, ret;

	sk = net_begin(&lock, r);
	if (!sk)
		return -1;
	ret = switch_load(name, &s, r);
	if (!ret)
		ret = check_idle(&s, r);
	s.state = RECORD_REMOVING;
	if (!ret)
		ret = save(&s, r);
	if (!ret)
		ret = undo(sk, &s, r);
	if (!ret)
		ret = store_remove(STORE_SWITCHES, name, r);
	net_end(sk, lock);
	return ret;
}

/* ---- repair ---- */

static int repair_one(struct nl_sock *sk, const char *name, const struct net_repair_say *say,
		      struct refusal *r)
{
	char missing[128];
	struct switch_port *ports;
	struct net_switch s;
	unsigned int n;
	int made;

	if (load(name, &s, r) < 0)
		return -1;
	if (s.state == RECORD_REMOVING) {
		if (undo(sk, &s, r) < 0 || store_remove(STORE_SWITCHES, name, r) < 0)
			return -1;
		net_say(say, "switch \"%s\": its removal is finished", name);
		return 0;
	}
	if (switch_look(&s, missing, &ports, &n, r) < 0)
		return -1;
	free(ports);
	made = apply(sk, &s, r);
	if (made < 0)
		return -1;
	if (*missing)
		net_say(say, "switch \"%s\": %s, and is mended", name, missing);
	if (s.state == RECORD_CREATING) {
		s.state = RECORD_READY;
		if (save(&s, r) < 0)
			return -1;
		net_say(say, "switch \"%s\": its creation is finished", name);
	}
	return 0;
}

int switch_repair(struct nl_sock *sk, const struct net_repair_say *say, struct refusal *r)
{
	struct refusal first = { REASON_NONE, "" }, *why = &first;
	char **names;
	int i, n;

	if (store_sweep(STORE_SWITCHES, r) < 0)
		return -1;
	n = store_names(STORE_SWITCHES, &names, r);
	if (n < 0)
		return -1;
	/* One that cannot be mended does not keep the others from it. */
	for (i = 0; i < n; i++)
		if (repair_one(sk, names[i], say, why) < 0)
			why = NULL;
	store_free_names(names, n);
	if (!why && r)
		*r = first;
	return why ? 0 : -1;
}

/* Bridges and tables that carry our mark, and no record tells of them. */
int switch_repair_orphans(struct nl_sock *sk, const struct net_repair_say *say, struct refusal *r)
{
	char name[VM_NAME_MAX + 1], text[256];
	struct nft_table *tables;
	struct net_switch s;
	struct link *links;
	int i, n, ret = 0;

	n = link_list(sk, &links);
	if (n < 0)
		return net_failed(n, "reading the host's interfaces", "", r);
	for (i = 0; i < n && ret >= 0; i++) {
		if (strcmp(links[i].kind, "bridge") ||
		    !store_marked(links[i].alias, "switch", name, sizeof(name)))
			continue;
		ret = load(name, &s, r);
		if (ret || (ret = link_delete(sk, links[i].index)))
			continue;
		net_say(say, "bridge %s, left of a switch \"%s\" without a record, is removed",
			links[i].name, name);
	}
	free(links);
	n = ret < 0 ? ret : nft_tables("nestvm_sw_", &tables, r);
	if (n < 0)
		return -1;
	for (i = 0; i < n && ret >= 0; i++) {
		if (!store_marked(tables[i].comment, "switch", name, sizeof(name)))
			continue;
		ret = load(name, &s, r);
		if (ret < 0 || (ret && s.type == SWITCH_PRIVATE))
			continue;
		snprintf(text, sizeof(text), "delete table %s %s\n", tables[i].family,
			 tables[i].name);
		ret = nft_run(text, "removing a table of the packet filter", r);
		if (!ret)
			net_say(say, "the packet filter's table %s, without a switch, is removed",
				tables[i].name);
	}
	free(tables);
	return ret < 0 ? -1 : 0;
}
