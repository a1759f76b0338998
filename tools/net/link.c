// SPDX-License-Identifier: GPL-2.0
#include "link.h"

#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/route/addr.h>
#include <netlink/route/link.h>
#include <netlink/route/route.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct nl_sock *link_open(void)
{
	struct nl_sock *sk = nl_socket_alloc();

	if (sk && nl_connect(sk, NETLINK_ROUTE) < 0) {
		nl_socket_free(sk);
		sk = NULL;
	}
	return sk;
}

void link_close(struct nl_sock *sk)
{
	nl_socket_free(sk);
}

bool link_not_allowed(int err)
{
	return err == -NLE_PERM || err == -NLE_NOACCESS;
}

/* ---- reading ---- */

static void copy_link(struct rtnl_link *from, struct link *to)
{
	const struct nl_addr *mac = rtnl_link_get_addr(from);
	const char *kind = rtnl_link_get_type(from);
	const char *alias = rtnl_link_get_ifalias(from);

	memset(to, 0, sizeof(*to));
	to->index = rtnl_link_get_ifindex(from);
	to->master = rtnl_link_get_master(from);
	to->flags = rtnl_link_get_flags(from);
	if (mac && nl_addr_get_len(mac) == sizeof(to->mac))
		memcpy(to->mac, nl_addr_get_binary_addr(mac), sizeof(to->mac));
	snprintf(to->name, sizeof(to->name), "%s", rtnl_link_get_name(from));
	snprintf(to->kind, sizeof(to->kind), "%s", kind ? kind : "");
	snprintf(to->alias, sizeof(to->alias), "%s", alias ? alias : "");
}

int link_find(struct nl_sock *sk, const char *name, struct link *link)
{
	struct rtnl_link *found;
	int ret;

	ret = rtnl_link_get_kernel(sk, 0, name, &found);
	if (ret == -NLE_NODEV)
		ret = -NLE_OBJ_NOTFOUND;
	if (ret < 0)
		return ret;
	copy_link(found, link);
	rtnl_link_put(found);
	return 0;
}

int link_list(struct nl_sock *sk, struct link **links)
{
	struct nl_cache *cache;
	struct nl_object *o;
	int ret, n = 0;

	ret = rtnl_link_alloc_cache(sk, AF_UNSPEC, &cache);
	if (ret < 0)
		return ret;
	*links = calloc(nl_cache_nitems(cache) + 1, sizeof(**links));
	for (o = *links ? nl_cache_get_first(cache) : NULL; o; o = nl_cache_get_next(o))
		copy_link((struct rtnl_link *)o, &(*links)[n++]);
	nl_cache_free(cache);
	return *links ? n : -NLE_NOMEM;
}

/* ---- changing ---- */

static struct nl_msg *new_message(int type, int flags, int family, int index)
{
	struct ifinfomsg info = { .ifi_family = family, .ifi_index = index };
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);

	if (msg && nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO) < 0) {
		nlmsg_free(msg);
		msg = NULL;
	}
	return msg;
}

/* Frees @msg. @bad: something did not fit into it. */
static int send_message(struct nl_sock *sk, struct nl_msg *msg, int bad)
{
	if (!msg || bad) {
		nlmsg_free(msg);
		return -NLE_NOMEM;
	}
	return nl_send_sync(sk, msg);
}

int link_add_bridge(struct nl_sock *sk, const char *name, const uint8_t mac[6])
{
	struct nl_msg *msg = new_message(RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, AF_UNSPEC, 0);
	struct nlattr *info = NULL, *data = NULL;
	int bad;

	if (!msg)
		return -NLE_NOMEM;
	bad = nla_put_string(msg, IFLA_IFNAME, name) || nla_put(msg, IFLA_ADDRESS, 6, mac) ||
	      !(info = nla_nest_start(msg, IFLA_LINKINFO)) ||
	      nla_put_string(msg, IFLA_INFO_KIND, "bridge") ||
	      !(data = nla_nest_start(msg, IFLA_INFO_DATA)) ||
	      nla_put_u32(msg, IFLA_BR_STP_STATE, 0);
	if (!bad) {
		nla_nest_end(msg, data);
		nla_nest_end(msg, info);
	}
	return send_message(sk, msg, bad);
}

int link_delete(struct nl_sock *sk, int index)
{
	return send_message(sk, new_message(RTM_DELLINK, 0, AF_UNSPEC, index), 0);
}

int link_set_alias(struct nl_sock *sk, int index, const char *alias)
{
	struct nl_msg *msg = new_message(RTM_NEWLINK, 0, AF_UNSPEC, index);

	/* Without the terminating zero, as the kernel wants it. */
	return send_message(sk, msg, msg && nla_put(msg, IFLA_IFALIAS, strlen(alias), alias));
}

int link_set_up(struct nl_sock *sk, int index, bool up)
{
	struct ifinfomsg info = {
		.ifi_index = index, .ifi_flags = up ? IFF_UP : 0, .ifi_change = IFF_UP,
	};
	struct nl_msg *msg = nlmsg_alloc_simple(RTM_NEWLINK, 0);

	return send_message(sk, msg, msg && nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO));
}

int link_set_master(struct nl_sock *sk, int index, int master)
{
	struct nl_msg *msg = new_message(RTM_NEWLINK, 0, AF_UNSPEC, index);

	return send_message(sk, msg, msg && nla_put_u32(msg, IFLA_MASTER, master));
}

static int set_port(struct nl_sock *sk, int index, bool locked)
{
	struct nl_msg *msg = new_message(RTM_SETLINK, 0, AF_BRIDGE, index);
	struct nlattr *info;
	int bad;

	if (!msg)
		return -NLE_NOMEM;
	info = nla_nest_start(msg, IFLA_PROTINFO | NLA_F_NESTED);
	bad = !info || nla_put_u8(msg, IFLA_BRPORT_LOCKED, locked) ||
	      nla_put_u8(msg, IFLA_BRPORT_LEARNING, !locked) ||
	      nla_put_u8(msg, IFLA_BRPORT_UNICAST_FLOOD, !locked);
	if (!bad)
		nla_nest_end(msg, info);
	return send_message(sk, msg, bad);
}

/* Forgets what was learned from it: a station that is known there passes a locked port. */
static int flush_port(struct nl_sock *sk, int index)
{
	struct nl_msg *msg = new_message(RTM_SETLINK, 0, AF_BRIDGE, index);
	struct nlattr *info;
	int bad;

	if (!msg)
		return -NLE_NOMEM;
	info = nla_nest_start(msg, IFLA_PROTINFO | NLA_F_NESTED);
	bad = !info || nla_put_flag(msg, IFLA_BRPORT_FLUSH);
	if (!bad)
		nla_nest_end(msg, info);
	return send_message(sk, msg, bad);
}

static int set_station(struct nl_sock *sk, int index, const uint8_t mac[6], int type, int flags)
{
	struct ndmsg nd = {
		.ndm_family = AF_BRIDGE,
		.ndm_ifindex = index,
		.ndm_state = NUD_NOARP | NUD_REACHABLE,
		.ndm_flags = NTF_MASTER,
	};
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);
	int bad;

	bad = !msg || nlmsg_append(msg, &nd, sizeof(nd), NLMSG_ALIGNTO) ||
	      nla_put(msg, NDA_LLADDR, 6, mac);
	return send_message(sk, msg, bad);
}

int link_lock_port(struct nl_sock *sk, int index, const uint8_t mac[6])
{
	int ret = set_port(sk, index, true);

	if (!ret)
		ret = flush_port(sk, index);
	if (ret < 0)
		return ret;
	return set_station(sk, index, mac, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE);
}

int link_unlock_port(struct nl_sock *sk, int index, const uint8_t mac[6])
{
	int ret = set_station(sk, index, mac, RTM_DELNEIGH, 0);

	if (ret < 0 && ret != -NLE_OBJ_NOTFOUND)
		return ret;
	return set_port(sk, index, false);
}

/* ---- addresses and routes ---- */

static int change_address(struct nl_sock *sk, int index, struct prefix address, int type,
			  int flags)
{
	struct ifaddrmsg info = {
		.ifa_family = AF_INET, .ifa_prefixlen = address.length, .ifa_index = index,
	};
	uint32_t local = htonl(address.address), broadcast = htonl(prefix_broadcast(address));
	struct nl_msg *msg = nlmsg_alloc_simple(type, flags);
	int bad;

	bad = !msg || nlmsg_append(msg, &info, sizeof(info), NLMSG_ALIGNTO) ||
	      nla_put(msg, IFA_LOCAL, 4, &local) || nla_put(msg, IFA_ADDRESS, 4, &local) ||
	      (address.length < 31 && nla_put(msg, IFA_BROADCAST, 4, &broadcast));
	return send_message(sk, msg, bad);
}

int link_add_address(struct nl_sock *sk, int index, struct prefix address)
{
	int ret = change_address(sk, index, address, RTM_NEWADDR, NLM_F_CREATE | NLM_F_EXCL);

	return ret == -NLE_EXIST ? 0 : ret;
}

int link_delete_address(struct nl_sock *sk, int index, struct prefix address)
{
	int ret = change_address(sk, index, address, RTM_DELADDR, 0);

	return ret == -NLE_NOADDR || ret == -NLE_OBJ_NOTFOUND ? 0 : ret;
}

static struct prefix address_of(struct rtnl_addr *a)
{
	struct nl_addr *local = rtnl_addr_get_local(a);
	struct prefix p = { .length = rtnl_addr_get_prefixlen(a) };

	if (local && nl_addr_get_len(local) == 4)
		memcpy(&p.address, nl_addr_get_binary_addr(local), 4);
	p.address = ntohl(p.address);
	return p;
}

/* Whether @is holds for one of them; @ret is what filled the cache, which is freed. */
static int any_of(int ret, struct nl_cache *cache, bool (*is)(struct nl_object *o, void *arg),
		  void *arg)
{
	struct nl_object *o;

	if (ret < 0)
		return ret;
	ret = 0;
	for (o = nl_cache_get_first(cache); o && !ret; o = nl_cache_get_next(o))
		ret = is(o, arg);
	nl_cache_free(cache);
	return ret;
}

struct overlap {
	struct prefix network, *address;
	int except;
	char *name;
};

static bool is_overlap(struct nl_object *o, void *arg)
{
	struct rtnl_addr *a = (struct rtnl_addr *)o;
	int index = rtnl_addr_get_ifindex(a);
	struct overlap *look = arg;

	if (rtnl_addr_get_family(a) != AF_INET || index == look->except ||
	    !prefix_overlap(look->network, address_of(a)))
		return false;
	*look->address = address_of(a);
	if (!if_indextoname(index, look->name))
		snprintf(look->name, IFNAMSIZ, "%d", index);
	return true;
}

int link_find_overlap(struct nl_sock *sk, struct prefix network, int except, char name[IFNAMSIZ],
		      struct prefix *address)
{
	struct overlap look = { network, address, except, name };
	struct nl_cache *cache = NULL;
	int ret = rtnl_addr_alloc_cache(sk, &cache);

	return any_of(ret, cache, is_overlap, &look);
}

static bool is_address_on(struct nl_object *o, void *arg)
{
	struct rtnl_addr *a = (struct rtnl_addr *)o;

	return rtnl_addr_get_ifindex(a) == *(int *)arg &&
	       rtnl_addr_get_scope(a) == RT_SCOPE_UNIVERSE;
}

int link_has_address(struct nl_sock *sk, int index)
{
	struct nl_cache *cache = NULL;
	int ret = rtnl_addr_alloc_cache(sk, &cache);

	return any_of(ret, cache, is_address_on, &index);
}

static bool is_default_route_over(struct nl_object *o, void *arg)
{
	struct rtnl_route *route = (struct rtnl_route *)o;
	struct nl_addr *to = rtnl_route_get_dst(route);
	int i;

	if (rtnl_route_get_type(route) != RTN_UNICAST || (to && nl_addr_get_prefixlen(to)))
		return false;
	for (i = 0; i < rtnl_route_get_nnexthops(route); i++)
		if (rtnl_route_nh_get_ifindex(rtnl_route_nexthop_n(route, i)) == *(int *)arg)
			return true;
	return false;
}

int link_has_default_route(struct nl_sock *sk, int index)
{
	struct nl_cache *cache = NULL;
	int ret = rtnl_route_alloc_cache(sk, AF_UNSPEC, 0, &cache);

	return any_of(ret, cache, is_default_route_over, &index);
}
