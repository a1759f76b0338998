/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of this folder share with each other. */
#ifndef NET_ROOM_H
#define NET_ROOM_H

#include "net.h"

struct nl_sock;

/* Takes the lock and opens rtnetlink; NULL with @r. For what changes the host: root alone. */
struct nl_sock *net_begin(int *lock, struct refusal *r);
void net_end(struct nl_sock *sk, int lock);

/* What libnl said (-NLE_*) as a refusal: "WHAT NAME failed: ..." */
int net_failed(int err, const char *what, const char *name, struct refusal *r);

/* 64 bits that depend on all three. */
uint64_t net_hash(const char *a, const char *b, const char *c);
/* No IPv6 on that interface: it has no business of its own on a switch. */
void net_no_ipv6(const char *ifname);
/* A file of one number, such as a sysctl. */
int net_read_number(const char *path, long *value);
int net_write_number(const char *path, long value);

int net_check_overlap(struct nl_sock *sk, struct prefix network, int except, struct refusal *r);

struct net_repair_say {
	void (*fn)(void *arg, const char *what);
	void *arg;
};

void net_say(const struct net_repair_say *say, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* switch.c */
int switch_repair(struct nl_sock *sk, const struct net_repair_say *say, struct refusal *r);
int switch_repair_orphans(struct nl_sock *sk, const struct net_repair_say *say,
			  struct refusal *r);

/* tap.c */
int tap_repair(struct nl_sock *sk, const struct net_repair_say *say, struct refusal *r);

/* nat.c */
int nat_repair(struct nl_sock *sk, const struct net_repair_say *say, struct refusal *r);
int nat_repair_orphans(const struct net_repair_say *say, struct refusal *r);
/* "NAT network NAME" for those on switch @sw, "" for none. */
int nat_names_on(const char *sw, char *out, size_t room, struct refusal *r);

#endif
