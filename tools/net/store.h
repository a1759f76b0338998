/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What is recorded of switches and NAT networks, a file each:
 *
 *   STATE/net/lock			held by whoever reads to change, or changes the host
 *   STATE/net/switches/NAME.json
 *   STATE/net/nats/NAME.json
 *   STATE/net/leases/NAME.json		the addresses a NAT network has given away
 *   STATE/net/forwarding.json		that we switched IPv4 forwarding on
 *
 * An object is recorded before the host is changed for it ("creating"), and again
 * before it is taken away ("removing"). So whatever a crash leaves on the host is
 * recorded, and "nestvm switch repair" knows which way to finish it.
 */
#ifndef NET_STORE_H
#define NET_STORE_H

#include "../conf/reasons.h"

#include <jansson.h>
#include <limits.h>

#define STORE_SWITCHES	"switches"
#define STORE_NATS	"nats"
#define STORE_LEASES	"leases"

enum record_state { RECORD_READY, RECORD_CREATING, RECORD_REMOVING, RECORD_STATES };

const char *record_state_name(enum record_state s);
int record_state_find(const char *name, enum record_state *s);

/* A file descriptor to close(), or -1 with @r. */
int store_lock(struct refusal *r);

/* 1 read, 0 not there, -1 with @r. */
int store_load(const char *kind, const char *name, json_t **out, struct refusal *r);
/* Takes over the reference to @json, NULL for "no memory". */
int store_save(const char *kind, const char *name, json_t *json, struct refusal *r);
int store_remove(const char *kind, const char *name, struct refusal *r);
/* The names of all, sorted; free with store_free_names(). Returns how many or -1. */
int store_names(const char *kind, char ***names, struct refusal *r);
void store_free_names(char **names, int n);
/* All of them, by @load, in an array of @size bytes each, malloc()ed; how many, or -1. */
int store_list(const char *kind, size_t size,
	       int (*load)(const char *name, void *record, struct refusal *r), void **list,
	       struct refusal *r);
/* Removes what was half written when a command was cut off; under the lock. */
int store_sweep(const char *kind, struct refusal *r);
/* What is wrong with a record, for the user. */
int store_damaged(const char *kind, const char *name, const char *why, struct refusal *r);

/*
 * What we put on interfaces and tables to know them again: "nestvm KIND NAME of
 * STATE". 256 bytes; -1 when it does not fit.
 */
int store_mark(const char *kind, const char *name, char out[256], struct refusal *r);
/* The name in a mark of that kind made for our STATE; false if it is none. */
bool store_marked(const char *mark, const char *kind, char *name, size_t room);

#endif
