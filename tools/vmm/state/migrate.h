/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Live migration; peer.h has the order of what is said. Memory goes over while the
 * guest runs, again and again what it has written meanwhile, until the rest can
 * go in the time that the guest may stand still.
 */
#ifndef VMM_STATE_MIGRATE_H
#define VMM_STATE_MIGRATE_H

#include "state.h"

#define MIGRATE_DOWNTIME_MS 300
/* A guest that writes faster than the network is paused for longer after so many. */
#define MIGRATE_ROUNDS_MAX 30

struct migrate_result {
	uint64_t bytes;			/* on the connection */
	unsigned int rounds;
	uint64_t downtime_ms;		/* from the pause to the other side's "running" */
	uint64_t total_ms;
	char id[40];			/* the reason's name on failure */
	bool uncertain;			/* ... and nobody knows which side has the VM */
};

/*
 * @config is the VM's configuration as text, for a target that has none; NULL: the
 * target knows. On 0 the VM runs there and the machine here must end; on failure it
 * is as it was, except that it stays paused when the result says uncertain.
 */
int migrate_out(struct machine *m, const char *where, const char *config,
		unsigned int downtime_ms, const struct state_watch *watch,
		struct migrate_result *result, struct nvl_error *err);

struct migration;

/* Listens; the first connection's header and configuration are here when it returns. */
int migration_accept(const char *where, struct migration **out, struct nvl_error *err);
/* The same from a connection that is there; it is closed on failure. */
int migration_from(int fd, struct migration **out, struct nvl_error *err);
/* "" when the source sent none. */
const char *migration_config(const struct migration *mi);
/* What stands in the way of it, before a machine was made: tells the source. */
void migration_refuse(struct migration *mi, const char *id, const char *text);
/*
 * All of it into a machine that was made with @arrives and @disks_later, up to the
 * source's "go". Afterwards the machine can run, and on failure it must not.
 */
int migration_load(struct migration *mi, struct machine *m, const struct state_watch *watch,
		   struct nvl_error *err);
/* The vCPUs run: the source may end. Fits machine_config.started. */
void migration_started(void *mi);
void migration_free(struct migration *mi);

#endif
