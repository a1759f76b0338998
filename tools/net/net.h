/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Virtual switches, NAT networks, and what an adapter of a VM is on the host.
 *
 * A switch is a bridge of the kernel. Who is on it besides the VMs:
 *
 *   internal	the host, with an address on the bridge if it was given one
 *   private	nobody: whatever passes between the bridge and the host's own network
 *		stack is dropped, both ways (a netdev table of the packet filter)
 *   external	an interface of the host, the uplink, and what is behind it
 *
 * A NAT network is an address range on an internal switch: the host is its
 * gateway and sends what leaves it under its own address. The process of each VM
 * answers its guest's DHCP requests from the network's leases (dhcp_port_take).
 *
 * Whoever changes something holds the lock of STATE/net/lock meanwhile; the
 * functions here take it themselves.
 */
#ifndef NET_NET_H
#define NET_NET_H

#include "../conf/conf.h"
#include "../conf/reasons.h"
#include "prefix.h"
#include "store.h"

#include <net/if.h>

#define NET_DNS_MAX	3

/* ---- switches: switch.c ---- */

enum switch_type { SWITCH_INTERNAL, SWITCH_PRIVATE, SWITCH_EXTERNAL, SWITCH_TYPES };

struct net_switch {
	char name[VM_NAME_MAX + 1];
	enum switch_type type;
	enum record_state state;
	char bridge[IFNAMSIZ];
	uint8_t mac[6];			/* the bridge's */
	char uplink[IFNAMSIZ];		/* of an external one */
	bool uplink_was_up;
	bool has_address;
	struct prefix address;		/* the host's on the bridge */
};

const char *switch_type_name(enum switch_type t);
/* SWITCH_TYPES when there is none of that name. */
enum switch_type switch_type_find(const char *name);

/* @s: name, type, uplink, address. @force: even an uplink that the host itself uses. */
int switch_create(struct net_switch *s, bool force, struct refusal *r);
int switch_remove(const char *name, struct refusal *r);
int switch_load(const char *name, struct net_switch *s, struct refusal *r);
/* malloc()ed, by name; how many, or -1. */
int switch_list(struct net_switch **switches, struct refusal *r);

/* An interface on a switch. */
struct switch_port {
	char ifname[IFNAMSIZ];
	char owner[2 * VM_NAME_MAX + 2];	/* VM/ADAPTER, "" for the uplink and foreign ones */
};

/* What is missing on the host, "" if nothing; and the ports, malloc()ed. */
int switch_look(const struct net_switch *s, char missing[128], struct switch_port **ports,
		unsigned int *nports, struct refusal *r);

/*
 * Compares what is recorded with what is there: finishes what a crash left half
 * made or half removed, makes again what is gone, takes away what has our mark
 * and is not recorded. Calls @say for each thing it does.
 */
int net_repair(void (*say)(void *arg, const char *what), void *arg, struct refusal *r);

/* ---- NAT networks: nat.c ---- */

#define NAT_LEASE_SECONDS	3600

struct net_nat {
	char name[VM_NAME_MAX + 1];
	char sw[VM_NAME_MAX + 1];	/* an internal switch */
	enum record_state state;
	struct prefix prefix;
	uint32_t gateway;		/* the host, in the prefix */
	bool shares_address;		/* the switch's own address is the gateway */
	unsigned int ndns;
	uint32_t dns[NET_DNS_MAX];
};

/* @n: name, sw, prefix, gateway (0: the first of the prefix), dns (none: the host's). */
int nat_create(struct net_nat *n, struct refusal *r);
int nat_remove(const char *name, struct refusal *r);
int nat_load(const char *name, struct net_nat *n, struct refusal *r);
/* malloc()ed, by name; how many, or -1. */
int nat_list(struct net_nat **nats, struct refusal *r);
/* The NAT network on switch @sw: 1, 0 when there is none, -1 with @r. */
int nat_of_switch(const char *sw, struct net_nat *n, struct refusal *r);
/* What is missing on the host, "" if nothing. */
int nat_look(const struct net_nat *n, char missing[128], struct refusal *r);

/* ---- leases: lease.c ---- */

#define LEASES_PER_ADAPTER	32	/* with MAC spoofing; without there is one MAC to ask */

struct lease {
	uint8_t mac[6];
	uint32_t address;
	int64_t expires;		/* seconds since 1970 */
	bool declined;			/* the guest found somebody else at it */
	char owner[2 * VM_NAME_MAX + 2];	/* VM/ADAPTER */
};

/* malloc()ed, by address; how many, or -1. */
int lease_list(const char *nat, struct lease **leases, struct refusal *r);

/* ---- the host's end of an adapter: tap.c ---- */

struct net_tap {
	int fd;				/* -1: none */
	char ifname[IFNAMSIZ];
};

/*
 * The tap of adapter @a of VM @vm, connected to its switch, up, and locked to its
 * MAC unless it may spoof. It goes away when the descriptor is closed.
 */
int net_tap_open(const char *vm, const struct vm_adapter *a, struct net_tap *t,
		 struct refusal *r);
void net_tap_close(struct net_tap *t);
/* What net_tap_open() would be refused for, as far as it can be told before. */
int net_tap_check(const struct vm_adapter *a, struct refusal *r);
/* The same while it is open, by whoever may: MAC spoofing on or off. */
int net_tap_set_spoofing(const char *vm, const struct vm_adapter *a, struct refusal *r);
void net_tap_name(const char *vm, const char *adapter, char out[IFNAMSIZ]);

/* ---- addresses for guests: answer.c ---- */

#define DHCP_REPLY_MAX 1024

/* Answers what one adapter's guests ask; in the VM's process, one thread at a time. */
struct dhcp_port {
	char owner[2 * VM_NAME_MAX + 2];	/* VM/ADAPTER */
	char sw[VM_NAME_MAX + 1];	/* "": one without NAT networks */
	unsigned int tokens;		/* requests that may still come this second */
	int64_t second;
	uint64_t requests, replies, dropped;
};

void dhcp_port_init(struct dhcp_port *p, const char *vm, const struct vm_adapter *a);
/*
 * A frame that a guest sends, from its Ethernet header on. True when it was for us,
 * and then @reply has *@reply_len bytes of a frame for the guest, 0 for none.
 */
bool dhcp_port_take(struct dhcp_port *p, const uint8_t *frame, size_t len,
		    uint8_t reply[DHCP_REPLY_MAX], size_t *reply_len);

#endif
