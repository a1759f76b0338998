/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The control socket of a running VM: a unix socket that takes commands, a JSON
 * object a line, and answers each with a line.
 *
 *	{"command": "set-memory", "arguments": {"bytes": 1073741824}}
 *	{"return": {...}}
 *	{"error": {"id": "STATIC_MEMORY", "text": "a sentence"}}
 *	{"progress": {"done": N, "total": N, "unit": "bytes"}}	any number, before the answer
 *
 * Commands are rows of tables; each room of the launcher adds its own. A row's
 * arguments are checked before its function is called. Who connects is not
 * trusted: lines, nesting, clients and unread answers are bounded.
 */
#ifndef VMM_CONTROL_H
#define VMM_CONTROL_H

#include "loop.h"

#include <jansson.h>
#include <pthread.h>

#define CONTROL_MAX_LINE	65536u
#define CONTROL_MAX_DEPTH	8
#define CONTROL_MAX_CLIENTS	32
#define CONTROL_MAX_UNREAD	(8u << 20)
#define CONTROL_MAX_TABLES	8

struct machine;
struct control;
struct control_client;
struct control_call;

struct control_arg {
	const char *name;		/* NULL ends the list */
	json_type type;			/* JSON_STRING, JSON_INTEGER or JSON_TRUE (a boolean) */
	bool required;
	json_int_t min, max;		/* of an integer */
};

enum control_where {
	CONTROL_LOOP,			/* in the loop's thread: answers at once */
	CONTROL_WORKER,			/* in a thread of its own, one at a time */
	CONTROL_AT_END,			/* answered when the guest's run ends; no function */
};

struct control_command {
	const char *name;		/* NULL ends the table */
	enum control_where where;
	const struct control_arg *args;	/* NULL: none */
	/* 0, or a negative number after control_refuse(). */
	int (*run)(struct machine *m, struct control_call *call);
};

struct control_call {
	struct control *control;
	const struct control_command *command;
	json_t *arguments;		/* an object, checked; borrowed by the function */
	json_t *result;			/* what the function leaves; NULL is {} */
	char error_id[40];
	char error_text[1024];
};

struct control {
	struct loop *loop;
	struct machine *m;
	char *path;
	int listen_fd;
	struct control_client *client[CONTROL_MAX_CLIENTS];
	unsigned int ntables;
	const struct control_command *table[CONTROL_MAX_TABLES];

	/* The long command that runs. */
	bool working;
	pthread_t worker;
	struct control_call work;
	struct control_client *work_for;	/* NULL once it has gone */
	int work_ret;
	int event_fd;			/* its worker has news for the loop */
	bool cancelled;			/* atomic */
	pthread_mutex_t lock;		/* the rest */
	bool finished, has_progress;
	uint64_t done, total;
	char unit[16];
};

/* Everything but the functions for workers belongs to the loop's thread. */
int control_init(struct control *c, struct loop *loop, struct machine *m, struct nvl_error *err);
int control_add(struct control *c, const struct control_command *table, struct nvl_error *err);
int control_listen(struct control *c, const char *path, struct nvl_error *err);
/* Serves a connection; its file belongs to the control from here. */
int control_accept(struct control *c, int fd);
/* Tells a worker to give up, waits for it, and answers for it. */
void control_finish_work(struct control *c);
/* The run has ended, @result says how (taken over): answers who waits, says no more. */
void control_end(struct control *c, json_t *result);
void control_destroy(struct control *c);

/* A command's function, in any thread. The text is a sentence; returns -1. */
int control_refuse(struct control_call *call, const char *id, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* A worker: how far it is; and whether it should give up. */
void control_progress(struct control_call *call, uint64_t done, uint64_t total,
		      const char *unit);
bool control_cancelled(const struct control_call *call);
/* Arguments that may be left out. */
const char *control_string(const struct control_call *call, const char *name,
			   const char *otherwise);
json_int_t control_integer(const struct control_call *call, const char *name,
			   json_int_t otherwise);
bool control_boolean(const struct control_call *call, const char *name, bool otherwise);

/*
 * A request of @len bytes: fills @call, whose arguments the caller releases with
 * json_decref(). A bad one returns -1 and leaves the reason in @call.
 */
int control_parse(const struct control *c, const char *line, size_t len,
		  struct control_call *call);

#endif
