/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's network interfaces, by rtnetlink. Every function that can fail
 * returns 0 or a negative number of libnl's (-NLE_*), which nl_geterror() words.
 */
#ifndef NET_LINK_H
#define NET_LINK_H

#include "prefix.h"

#include <net/if.h>
#include <netlink/netlink.h>
#include <stdbool.h>
#include <stdint.h>

#define LINK_ALIAS_MAX	256

struct link {
	int index;
	int master;			/* 0: none */
	unsigned int flags;		/* IFF_* */
	uint8_t mac[6];
	char name[IFNAMSIZ];
	char kind[16];			/* "bridge", "tun"; "" for a device of hardware */
	char alias[LINK_ALIAS_MAX];
};

/* NULL when the host has no rtnetlink for us. */
struct nl_sock *link_open(void);
void link_close(struct nl_sock *sk);

/* -NLE_OBJ_NOTFOUND when there is none. */
int link_find(struct nl_sock *sk, const char *name, struct link *link);
/* malloc()ed in @links; returns how many. */
int link_list(struct nl_sock *sk, struct link **links);

/* A bridge without spanning tree, so that a port forwards as soon as it is up; it is down. */
int link_add_bridge(struct nl_sock *sk, const char *name, const uint8_t mac[6]);
int link_delete(struct nl_sock *sk, int index);
int link_set_alias(struct nl_sock *sk, int index, const char *alias);
int link_set_up(struct nl_sock *sk, int index, bool up);
/* @master 0 releases it. */
int link_set_master(struct nl_sock *sk, int index, int master);

/*
 * Bridge port @index for the one station @mac: frames of other source addresses
 * are dropped at it (locked), nothing is learned from it, and unicast is sent to
 * it only by the static entry for @mac. Or, with unlock, as any port.
 */
int link_lock_port(struct nl_sock *sk, int index, const uint8_t mac[6]);
int link_unlock_port(struct nl_sock *sk, int index, const uint8_t mac[6]);

int link_add_address(struct nl_sock *sk, int index, struct prefix address);
int link_delete_address(struct nl_sock *sk, int index, struct prefix address);
/*
 * 1 when an interface other than @except has an address whose network overlaps
 * @network; @name is the interface's then, @address what it has.
 */
int link_find_overlap(struct nl_sock *sk, struct prefix network, int except, char name[IFNAMSIZ],
		      struct prefix *address);
/* 1 when @index has an address of its own, loopback and link-local ones apart. */
int link_has_address(struct nl_sock *sk, int index);
/* 1 when a default route goes through @index. */
int link_has_default_route(struct nl_sock *sk, int index);

/* Whether libnl's number says that the caller lacks a privilege. */
bool link_not_allowed(int err);

#endif
