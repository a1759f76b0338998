// SPDX-License-Identifier: GPL-2.0
#include "net.h"

#include "link.h"
#include "nft.h"
#include "room.h"

#include <errno.h>
#include <netlink/errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FORWARD		"/proc/sys/net/ipv4/ip_forward"
#define BOOT_ID		"/proc/sys/kernel/random/boot_id"

/* ---- the record ---- */

static int save(const struct net_nat *n, struct refusal *r)
{
	char prefix[PREFIX_TEXT], gateway[ADDRESS_TEXT], dns[ADDRESS_TEXT];
	json_t *json, *list = json_array();
	unsigned int i;

	for (i = 0; i < n->ndns; i++)
		json_array_append_new(list, json_string(address_print(n->dns[i], dns)));
	json = json_pack("{s:s, s:s, s:s, s:s, s:b, s:o}", "state", record_state_name(n->state),
			 "switch", n->sw, "prefix", prefix_print(n->prefix, prefix), "gateway",
			 address_print(n->gateway, gateway), "shares-address", n->shares_address,
			 "dns", list);
	return store_save(STORE_NATS, n->name, json, r);
}

/* An address of @p that leaves room for others. */
static bool gateway_ok(const struct net_nat *n)
{
	return n->prefix.length >= 8 && n->prefix.length <= 30 &&
	       prefix_has_host(n->prefix, n->gateway);
}

static bool read_dns(struct net_nat *n, const json_t *list)
{
	const json_t *entry;
	size_t i;

	if (!json_is_array(list) || json_array_size(list) > NET_DNS_MAX)
		return false;
	json_array_foreach(list, i, entry)
		if (!json_is_string(entry) ||
		    !address_parse(json_string_value(entry), &n->dns[n->ndns++]))
			return false;
	return true;
}

/* 1 read, 0 not there, -1 with @r. */
static int load(const char *name, struct net_nat *n, struct refusal *r)
{
	const char *state, *sw, *prefix, *gateway;
	json_error_t error;
	json_t *json, *dns;
	int ret, shares;

	ret = store_load(STORE_NATS, name, &json, r);
	if (ret <= 0)
		return ret;
	memset(n, 0, sizeof(*n));
	snprintf(n->name, sizeof(n->name), "%s", name);
	if (json_unpack_ex(json, &error, JSON_STRICT, "{s:s, s:s, s:s, s:s, s:b, s:o}", "state",
			   &state, "switch", &sw, "prefix", &prefix, "gateway", &gateway,
			   "shares-address", &shares, "dns", &dns)) {
		ret = store_damaged(STORE_NATS, name, error.text, r);
	} else {
		n->shares_address = shares;
		if (record_state_find(state, &n->state) < 0 || !conf_name_ok(sw) ||
		    !prefix_parse(prefix, &n->prefix) || !address_parse(gateway, &n->gateway) ||
		    !gateway_ok(n) || !read_dns(n, dns))
			ret = store_damaged(STORE_NATS, name, "a value in it is not valid", r);
		snprintf(n->sw, sizeof(n->sw), "%s", sw);
	}
	json_decref(json);
	return ret;
}

int nat_load(const char *name, struct net_nat *n, struct refusal *r)
{
	int ret = conf_name_ok(name) ? load(name, n, r) : 0;

	return ret ? ret < 0 ? -1 : 0 : refuse(r, NAT_NOT_FOUND, name);
}

static int load_record(const char *name, void *record, struct refusal *r)
{
	return nat_load(name, record, r);
}

int nat_list(struct net_nat **nats, struct refusal *r)
{
	void *list;
	int n = store_list(STORE_NATS, sizeof(**nats), load_record, &list, r);

	if (n >= 0)
		*nats = list;
	return n;
}

int nat_of_switch(const char *sw, struct net_nat *n, struct refusal *r)
{
	struct net_nat *nats;
	int i, count;

	count = nat_list(&nats, r);
	if (count < 0)
		return -1;
	for (i = 0; i < count && strcmp(nats[i].sw, sw); i++)
		;
	if (i < count)
		*n = nats[i];
	free(nats);
	return i < count;
}

int nat_names_on(const char *sw, char *out, size_t room, struct refusal *r)
{
	struct net_nat n;
	int ret;

	*out = '\0';
	ret = nat_of_switch(sw, &n, r);
	if (ret > 0)
		snprintf(out, room, "NAT network \"%s\"", n.name);
	return ret < 0 ? -1 : 0;
}

/* ---- forwarding ---- */

static void boot_id(char out[64])
{
	FILE *f = fopen(BOOT_ID, "re");

	*out = '\0';
	if (f && fgets(out, 64, f))
		out[strcspn(out, "\n")] = '\0';
	if (f)
		fclose(f);
}

/*
 * Forwarding between interfaces is the host's, not a network's. It is switched on
 * if it is off, and that it was us is recorded first, with the boot it was in: a
 * record of an earlier one says nothing about today's setting.
 */
static int forward_on(struct refusal *r)
{
	char id[64];
	long now;

	if (net_read_number(FORWARD, &now) < 0)
		return refuse_text(r, REASON_NET_FAILED, "%s cannot be read: is /proc mounted?", FORWARD);
	if (now)
		return 0;
	boot_id(id);
	if (store_save("", "forwarding", json_pack("{s:s}", "switched-on-in-boot", id), r) < 0)
		return -1;
	if (net_write_number(FORWARD, 1) < 0)
		return refuse_text(r, REASON_NET_FAILED, "%s cannot be written: %m.", FORWARD);
	return 0;
}

/* Off again, if it was us and no NAT network is left but the one that goes. */
static int forward_off(const char *going, struct refusal *r)
{
	const char *was = "";
	char id[64], **names;
	json_t *json;
	int i, n, ret;

	n = store_names(STORE_NATS, &names, r);
	if (n < 0)
		return -1;
	for (i = 0; i < n && !strcmp(names[i], going); i++)
		;
	store_free_names(names, n);
	if (i < n)
		return 0;
	ret = store_load("", "forwarding", &json, r);
	if (ret <= 0)
		return ret;
	boot_id(id);
	json_unpack(json, "{s:s}", "switched-on-in-boot", &was);
	ret = strcmp(was, id) ? 0 : net_write_number(FORWARD, 0);
	json_decref(json);
	if (ret < 0)
		return refuse_text(r, REASON_NET_FAILED, "%s cannot be written: %s.", FORWARD,
				   strerror(-ret));
	return store_remove("", "forwarding", r);
}

/* ---- the host ---- */

/*
 * Of what concerns the bridge: its own addresses may go out, what belongs to it
 * may come back, and the rest stays out. Of what leaves for elsewhere the source
 * becomes the host's. A table of somebody else may still drop what this accepts.
 */
static int set_table(const struct net_nat *n, const struct net_switch *s, struct refusal *r)
{
	char text[2048], mark[256], prefix[PREFIX_TEXT];

	if (store_mark("nat", n->name, mark, r) < 0)
		return -1;
	snprintf(text, sizeof(text),
		 "add table ip nestvm_nat_%1$s\n"
		 "delete table ip nestvm_nat_%1$s\n"
		 "table ip nestvm_nat_%1$s {\n"
		 "comment \"%2$s\"\n"
		 "chain out {\n"
		 "type nat hook postrouting priority srcnat; policy accept;\n"
		 "ip saddr %3$s oifname != \"%4$s\" masquerade\n"
		 "}\n"
		 "chain pass {\n"
		 "type filter hook forward priority filter; policy accept;\n"
		 "iifname \"%4$s\" ip saddr != %3$s drop\n"
		 "iifname \"%4$s\" accept\n"
		 "oifname \"%4$s\" ip daddr %3$s ct state established,related accept\n"
		 "oifname \"%4$s\" drop\n"
		 "}\n"
		 "}\n", n->name, mark, prefix_print(n->prefix, prefix), s->bridge);
	return nft_run(text, "setting up address translation", r);
}

static int apply(struct nl_sock *sk, const struct net_nat *n, struct refusal *r)
{
	const struct prefix gateway = { n->gateway, n->prefix.length };
	struct net_switch s;
	struct link br;
	int ret;

	if (switch_load(n->sw, &s, r) < 0)
		return -1;
	ret = link_find(sk, s.bridge, &br);
	if (ret < 0)
		return net_failed(ret, "looking for the bridge", s.bridge, r);
	ret = n->shares_address ? 0 : link_add_address(sk, br.index, gateway);
	if (ret < 0)
		return net_failed(ret, "giving the gateway's address to", s.bridge, r);
	if (set_table(n, &s, r) < 0)
		return -1;
	return forward_on(r);
}

static int undo(struct nl_sock *sk, const struct net_nat *n, struct refusal *r)
{
	const struct prefix gateway = { n->gateway, n->prefix.length };
	struct net_switch s;
	char text[256];
	struct link br;
	int ret;

	if (forward_off(n->name, r) < 0)
		return -1;
	snprintf(text, sizeof(text), "add table ip nestvm_nat_%1$s\n"
		 "delete table ip nestvm_nat_%1$s\n", n->name);
	if (nft_run(text, "removing address translation", r) < 0)
		return -1;
	/* Without the switch the address is gone with the bridge. */
	if (n->shares_address || switch_load(n->sw, &s, NULL) < 0 || link_find(sk, s.bridge, &br))
		return 0;
	ret = link_delete_address(sk, br.index, gateway);
	return ret < 0 ? net_failed(ret, "taking the gateway's address from", s.bridge, r) : 0;
}

static int remove_record(const char *name, struct refusal *r)
{
	if (store_remove(STORE_LEASES, name, r) < 0)
		return -1;
	return store_remove(STORE_NATS, name, r);
}

/* The name servers of the host that a guest can reach: not those on the loopback. */
static void host_dns(struct net_nat *n)
{
	FILE *f = fopen("/etc/resolv.conf", "re");
	char line[512], text[64];
	uint32_t address;

	while (f && n->ndns < NET_DNS_MAX && fgets(line, sizeof(line), f))
		if (sscanf(line, " nameserver %63s", text) == 1 && address_parse(text, &address) &&
		    address >> 24 != 127 && address)
			n->dns[n->ndns++] = address;
	if (f)
		fclose(f);
}

static int check_words(struct net_nat *n, struct refusal *r)
{
	char prefix[PREFIX_TEXT], other[PREFIX_TEXT], gateway[ADDRESS_TEXT];

	if (!conf_name_ok(n->name))
		return refuse(r, NAME_INVALID, n->name, "NAT network");
	if (n->prefix.length < 8 || n->prefix.length > 30)
		return refuse_text(r, REASON_NET_INVALID, "--prefix %s has no room for a network, or too "
				   "much: from /8 to /30, such as 192.168.100.0/24.",
				   prefix_print(n->prefix, prefix));
	if (prefix_network(n->prefix).address != n->prefix.address)
		return refuse_text(r, REASON_NET_INVALID, "--prefix %s is not a network's: its bits past "
				   "/%u are not 0. The network is %s.", prefix_print(n->prefix, prefix),
				   n->prefix.length,
				   prefix_print(prefix_network(n->prefix), other));
	if (n->prefix.address >> 28 >= 0xe || n->prefix.address >> 24 == 127 ||
	    n->prefix.address >> 24 == 0 || n->prefix.address >> 16 == 0xa9fe)
		return refuse_text(r, REASON_NET_INVALID, "--prefix %s is reserved (loopback, "
				   "link-local, multicast): take one of 10.0.0.0/8, 172.16.0.0/12 or "
				   "192.168.0.0/16.", prefix_print(n->prefix, prefix));
	if (!n->gateway)
		n->gateway = n->prefix.address + 1;
	if (!prefix_has_host(n->prefix, n->gateway))
		return refuse_text(r, REASON_NET_INVALID, "--gateway %s is not an address of a host in "
				   "%s: the first is usual, .1.", address_print(n->gateway, gateway),
				   prefix_print(n->prefix, prefix));
	return 0;
}

static int check_others(const struct net_nat *n, struct refusal *r)
{
	char mine[PREFIX_TEXT], theirs[PREFIX_TEXT];
	struct net_nat *nats;
	int i, count, ret = 0;

	count = nat_list(&nats, r);
	if (count < 0)
		return -1;
	for (i = 0; i < count && !ret; i++) {
		if (!strcmp(nats[i].sw, n->sw))
			ret = refuse_text(r, REASON_NET_CONFLICT, "switch \"%s\" has a NAT network already, "
					  "\"%s\", and can have one: \"nestvm nat remove %s\", or make "
					  "another switch.", n->sw, nats[i].name, nats[i].name);
		else if (prefix_overlap(nats[i].prefix, n->prefix))
			ret = refuse_text(r, REASON_PREFIX_OVERLAP, "%s overlaps with %s of NAT network "
					  "\"%s\": take a prefix that is free.",
					  prefix_print(n->prefix, mine),
					  prefix_print(nats[i].prefix, theirs), nats[i].name);
	}
	free(nats);
	return ret;
}

static int check_new(struct nl_sock *sk, struct net_nat *n, struct refusal *r)
{
	char prefix[PREFIX_TEXT], address[PREFIX_TEXT];
	struct net_nat other;
	struct net_switch s;
	struct link br;
	int ret;

	ret = load(n->name, &other, r);
	if (ret)
		return ret < 0 ? -1 : refuse(r, NAT_EXISTS, n->name);
	if (switch_load(n->sw, &s, r) < 0)
		return -1;
	if (s.type != SWITCH_INTERNAL)
		return refuse_text(r, REASON_NET_CONFLICT, "switch \"%s\" is %s, and the gateway of a NAT "
				   "network is the host on an internal one: \"nestvm switch create NAME "
				   "--type internal\".", s.name, switch_type_name(s.type));
	ret = link_find(sk, s.bridge, &br);
	if (ret == -NLE_OBJ_NOTFOUND)
		return refuse_text(r, REASON_NET_CONFLICT, "bridge %s of switch \"%s\" is gone from this "
				   "host: \"nestvm switch repair\" makes it again.", s.bridge, s.name);
	if (ret < 0)
		return net_failed(ret, "looking for the bridge", s.bridge, r);
	n->shares_address = s.has_address && s.address.address == n->gateway &&
			    s.address.length == n->prefix.length;
	if (s.has_address && !n->shares_address && prefix_overlap(s.address, n->prefix))
		return refuse_text(r, REASON_PREFIX_OVERLAP, "%s overlaps with %s, the host's address on "
				   "switch \"%s\": take that address as --gateway and its network as "
				   "--prefix, or another prefix.", prefix_print(n->prefix, prefix),
				   prefix_print(s.address, address), s.name);
	if (check_others(n, r) < 0)
		return -1;
	return net_check_overlap(sk, n->prefix, br.index, r);
}

int nat_create(struct net_nat *n, struct refusal *r)
{
	struct nl_sock *sk;
	int lock, ret;

	if (check_words(n, r) < 0)
		return -1;
	sk = net_begin(&lock, r);
	if (!sk)
		return -1;
	if (!n->ndns)
		host_dns(n);
	n->state = RECORD_CREATING;
	ret = check_new(sk, n, r);
	if (!ret)
		ret = save(n, r);
	if (ret < 0)
		goto out;
	ret = apply(sk, n, r);
	if (ret < 0) {
		if (!undo(sk, n, NULL))
			remove_record(n->name, NULL);
		goto out;
	}
	n->state = RECORD_READY;
	ret = save(n, r);
out:
	net_end(sk, lock);
	return ret;
}

int nat_remove(const char *name, struct refusal *r)
{
	struct nl_sock *sk;
	struct net_nat n;
	int lock, ret;

	sk = net_begin(&lock, r);
	if (!sk)
		return -1;
	ret = nat_load(name, &n, r);
	if (!ret) {
		n.state = RECORD_REMOVING;
		ret = save(&n, r);
	}
	if (!ret)
		ret = undo(sk, &n, r);
	if (!ret)
		ret = remove_record(name, r);
	net_end(sk, lock);
	return ret;
}

int nat_look(const struct net_nat *n, char missing[128], struct refusal *r)
{
	char ifname[IFNAMSIZ], prefix[PREFIX_TEXT], table[96];
	struct nft_table *tables;
	struct prefix address;
	struct nl_sock *sk;
	long forward = 0;
	int ret, count;

	*missing = '\0';
	sk = link_open();
	if (!sk)
		return refuse(r, NET_FAILED, "this host lets us have no rtnetlink socket.");
	ret = link_find_overlap(sk, n->prefix, 0, ifname, &address);
	link_close(sk);
	if (ret <= 0 || address.address != n->gateway)
		snprintf(missing, 128, "the host does not have the gateway's address in %s",
			 prefix_print(n->prefix, prefix));
	else if (net_read_number(FORWARD, &forward) < 0 || !forward)
		snprintf(missing, 128, "forwarding is switched off (net.ipv4.ip_forward)");
	/* Only root may look at the packet filter. */
	if (*missing || geteuid())
		return 0;
	snprintf(table, sizeof(table), "nestvm_nat_%s", n->name);
	count = nft_tables(table, &tables, r);
	if (count < 0)
		return -1;
	for (ret = 0; ret < count && strcmp(tables[ret].name, table); ret++)
		;
	free(tables);
	if (ret == count)
		snprintf(missing, 128, "the packet filter's table %.80s is gone", table);
	return 0;
}

/* ---- repair ---- */

static int repair_one(struct nl_sock *sk, const char *name, const struct net_repair_say *say,
		      struct refusal *r)
{
	char missing[128];
	struct net_nat n;

	if (load(name, &n, r) < 0)
		return -1;
	if (n.state == RECORD_REMOVING) {
		if (undo(sk, &n, r) < 0 || remove_record(name, r) < 0)
			return -1;
		net_say(say, "NAT network \"%s\": its removal is finished", name);
		return 0;
	}
	if (nat_look(&n, missing, r) < 0 || apply(sk, &n, r) < 0)
		return -1;
	if (*missing)
		net_say(say, "NAT network \"%s\": %s, and that is mended", name, missing);
	if (n.state == RECORD_CREATING) {
		n.state = RECORD_READY;
		if (save(&n, r) < 0)
			return -1;
		net_say(say, "NAT network \"%s\": its creation is finished", name);
	}
	return 0;
}

int nat_repair(struct nl_sock *sk, const struct net_repair_say *say, struct refusal *r)
{
	struct refusal first = { REASON_NONE, "" }, *why = &first;
	char **names;
	int i, n;

	if (store_sweep(STORE_NATS, r) < 0 || store_sweep(STORE_LEASES, r) < 0 ||
	    store_sweep("", r) < 0)
		return -1;
	n = store_names(STORE_NATS, &names, r);
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

/* Tables with our mark that no record tells of, and leases of networks that are gone. */
int nat_repair_orphans(const struct net_repair_say *say, struct refusal *r)
{
	char name[VM_NAME_MAX + 1], text[256], **names;
	struct nft_table *tables;
	struct net_nat nat;
	int i, n, ret;

	n = nft_tables("nestvm_nat_", &tables, r);
	if (n < 0)
		return -1;
	for (i = 0, ret = 0; i < n && ret >= 0; i++) {
		if (!store_marked(tables[i].comment, "nat", name, sizeof(name)))
			continue;
		ret = load(name, &nat, r);
		if (ret)
			continue;
		snprintf(text, sizeof(text), "delete table %s %s\n", tables[i].family,
			 tables[i].name);
		ret = nft_run(text, "removing a table of the packet filter", r);
		if (!ret)
			net_say(say, "the packet filter's table %s, without a NAT network, is removed",
				tables[i].name);
	}
	free(tables);
	n = ret < 0 ? -1 : store_names(STORE_LEASES, &names, r);
	if (n < 0)
		return -1;
	for (i = 0, ret = 0; i < n && ret >= 0; i++) {
		ret = load(names[i], &nat, r);
		if (ret)
			continue;
		ret = store_remove(STORE_LEASES, names[i], r);
		net_say(say, "leases of a NAT network \"%s\" that is gone are removed", names[i]);
	}
	store_free_names(names, n);
	return ret < 0 ? -1 : forward_off("", r);
}
