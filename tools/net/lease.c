// SPDX-License-Identifier: GPL-2.0
#include "lease.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define OFFER_SECONDS	60
#define LEASES_MAX	65536

/* ---- the record: by address ---- */

static bool read_lease(const json_t *entry, struct lease *l)
{
	const char *mac, *address, *owner;
	json_int_t expires;
	int declined;

	if (json_unpack((json_t *)entry, "{s:s, s:s, s:s, s:I, s:b !}", "address", &address, "mac",
			&mac, "adapter", &owner, "expires", &expires, "declined", &declined) ||
	    !address_parse(address, &l->address) || !conf_parse_mac(mac, l->mac) ||
	    strlen(owner) >= sizeof(l->owner))
		return false;
	l->expires = expires;
	l->declined = declined;
	snprintf(l->owner, sizeof(l->owner), "%s", owner);
	return true;
}

int lease_list(const char *nat, struct lease **leases, struct refusal *r)
{
	json_t *json = NULL, *list, *entry;
	struct lease *l;
	size_t i, n;
	int ret;

	ret = store_load(STORE_LEASES, nat, &json, r);
	if (ret < 0)
		return -1;
	list = json_object_get(json, "leases");
	n = json_array_size(list);
	if ((ret && !json_is_array(list)) || n > LEASES_MAX) {
		json_decref(json);
		return store_damaged(STORE_LEASES, nat, "it is not a list of leases", r);
	}
	/* Room for one more. */
	l = calloc(n + 1, sizeof(*l));
	if (!l) {
		json_decref(json);
		return refuse(r, HOST_FAILED, "no memory left on the host.");
	}
	json_array_foreach(list, i, entry)
		if (!read_lease(entry, &l[i])) {
			json_decref(json);
			free(l);
			return store_damaged(STORE_LEASES, nat, "a lease in it is not valid", r);
		}
	json_decref(json);
	*leases = l;
	return n;
}

static int save(const char *nat, const struct lease *leases, int n, struct refusal *r)
{
	char address[ADDRESS_TEXT], mac[18];
	json_t *list = json_array();
	int i;

	for (i = 0; i < n; i++)
		json_array_append_new(list,
				      json_pack("{s:s, s:s, s:s, s:I, s:b}", "address",
						address_print(leases[i].address, address), "mac",
						conf_print_mac(leases[i].mac, mac), "adapter",
						leases[i].owner, "expires",
						(json_int_t)leases[i].expires, "declined",
						leases[i].declined));
	return store_save(STORE_LEASES, nat, json_pack("{s:o}", "leases", list), r);
}

/* ---- the choice ---- */

static struct lease *by_mac(struct lease *leases, int n, const uint8_t mac[6])
{
	int i;

	for (i = 0; i < n; i++)
		if (!leases[i].declined && !memcmp(leases[i].mac, mac, 6))
			return &leases[i];
	return NULL;
}

static struct lease *by_address(struct lease *leases, int n, uint32_t address)
{
	int i;

	for (i = 0; i < n; i++)
		if (leases[i].address == address)
			return &leases[i];
	return NULL;
}

static bool in_pool(const struct net_nat *nat, uint32_t address)
{
	return prefix_has_host(nat->prefix, address) && address != nat->gateway;
}

static int by_address_order(const void *a, const void *b)
{
	const struct lease *x = a, *y = b;

	return x->address < y->address ? -1 : x->address > y->address;
}

/* The lowest address nobody ever had, 0 for none; @leases are in order. */
static uint32_t never_used(const struct net_nat *nat, const struct lease *leases, int n)
{
	uint32_t address = nat->prefix.address + 1;
	int i = 0;

	for (; in_pool(nat, address) || address == nat->gateway; address++) {
		while (i < n && leases[i].address < address)
			i++;
		if (address != nat->gateway && (i == n || leases[i].address != address))
			return address;
	}
	return 0;
}

/* The lease that ended first; @owner NULL: anybody's. */
static struct lease *longest_over(struct lease *leases, int n, const char *owner, int64_t now)
{
	struct lease *found = NULL;
	int i;

	for (i = 0; i < n; i++)
		if (leases[i].expires <= now && (!owner || !strcmp(leases[i].owner, owner)) &&
		    (!found || leases[i].expires < found->expires))
			found = &leases[i];
	return found;
}

/*
 * A lease for one that has none: the address it wants if nobody ever had it, else
 * one of those that nobody had, else the one that has been over for longest. At its
 * limit an owner gives up one of its own that is over. @leases has room for one more.
 */
static struct lease *new_lease(const struct net_nat *nat, struct lease *leases, int *n,
			       const struct lease_request *q, int64_t now)
{
	uint32_t address = in_pool(nat, q->address) ? q->address : 0;
	struct lease *l = NULL;
	unsigned int owned = 0;
	int i;

	for (i = 0; i < *n; i++)
		owned += !strcmp(leases[i].owner, q->owner);
	if (owned >= q->limit) {
		l = longest_over(leases, *n, q->owner, now);
		if (!l)
			return NULL;
	} else {
		if (!address || by_address(leases, *n, address))
			address = never_used(nat, leases, *n);
		if (address && *n < LEASES_MAX)
			l = &leases[(*n)++];
		else
			l = longest_over(leases, *n, NULL, now);
		if (!l)
			return NULL;
		if (address)
			l->address = address;
	}
	memcpy(l->mac, q->mac, 6);
	snprintf(l->owner, sizeof(l->owner), "%s", q->owner);
	l->declined = false;
	l->expires = 0;
	return l;
}

/* As lease_do(), in memory; @changed when it has to be recorded. */
static int choose(const struct net_nat *nat, struct lease *leases, int *n,
		  const struct lease_request *q, int64_t now, uint32_t *address, uint32_t *seconds,
		  bool *changed)
{
	const int64_t term = q->step == LEASE_OFFER ? OFFER_SECONDS : NAT_LEASE_SECONDS;
	struct lease *l = by_mac(leases, *n, q->mac);

	*changed = false;
	/* The network may have another prefix than when this was given. */
	if (l && !in_pool(nat, l->address))
		l->address = q->step == LEASE_OFFER ? never_used(nat, leases, *n) : 0;
	switch (q->step) {
	case LEASE_RELEASE:
	case LEASE_DECLINE:
		if (!l || l->address != q->address || strcmp(l->owner, q->owner))
			return 0;
		*changed = true;
		l->declined = q->step == LEASE_DECLINE;
		l->expires = l->declined ? now + NAT_LEASE_SECONDS : now;
		return 1;
	case LEASE_TAKE:
		/* One that has none may have what it wants, if that is free. */
		if (l ? l->address != q->address :
			!in_pool(nat, q->address) || by_address(leases, *n, q->address))
			return 0;
		break;
	case LEASE_OFFER:
		break;
	}
	if (!l)
		l = new_lease(nat, leases, n, q, now);
	if (!l || !l->address)
		return 0;
	/* Whoever asks again and again does not make us write each time. */
	if (l->expires - now < term * 3 / 4 || strcmp(l->owner, q->owner)) {
		*changed = true;
		l->expires = now + term;
		snprintf(l->owner, sizeof(l->owner), "%s", q->owner);
	}
	*address = l->address;
	*seconds = q->step == LEASE_OFFER ? NAT_LEASE_SECONDS : l->expires - now;
	return 1;
}

int lease_do(const struct net_nat *nat, const struct lease_request *q, uint32_t *address,
	     uint32_t *seconds, struct refusal *r)
{
	struct lease *leases;
	int lock, n, ret;
	bool changed;

	lock = store_lock(r);
	if (lock < 0)
		return -1;
	n = lease_list(nat->name, &leases, r);
	if (n < 0) {
		close(lock);
		return -1;
	}
	qsort(leases, n, sizeof(*leases), by_address_order);
	ret = choose(nat, leases, &n, q, time(NULL), address, seconds, &changed);
	qsort(leases, n, sizeof(*leases), by_address_order);
	if (changed && save(nat->name, leases, n, r) < 0)
		ret = -1;
	free(leases);
	close(lock);
	return ret;
}
