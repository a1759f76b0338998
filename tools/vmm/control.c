// SPDX-License-Identifier: GPL-2.0
#include "control.h"

#include "back/listen.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

struct control_client {
	struct control *control;
	int fd;
	bool busy;			/* its command has not been answered */
	bool at_end;			/* ... because it waits for the end */
	bool closing;			/* no more input is wanted or will come */
	bool eof;			/* ... the latter */
	bool cut;			/* what it sent and was sent is thrown away */
	size_t in_len;
	char in[CONTROL_MAX_LINE];
	char *out;
	size_t out_len, out_done;
};

/* -- requests --------------------------------------------------------------- */

/* What a sentence quotes of a request may be no text, or cut in the middle of a letter. */
static void make_text(char *text)
{
	json_t *ok = json_string(text);

	json_decref(ok);
	for (; !ok && *text; text++)
		if (*text & 0x80)
			*text = '?';
}

int control_refuse(struct control_call *call, const char *id, const char *fmt, ...)
{
	va_list ap;

	snprintf(call->error_id, sizeof(call->error_id), "%s", id);
	va_start(ap, fmt);
	vsnprintf(call->error_text, sizeof(call->error_text), fmt, ap);
	va_end(ap);
	make_text(call->error_text);
	return -1;
}

/* How deep brackets are nested outside of strings; the parser recurses as deep. */
static unsigned int depth_of(const char *p, size_t len)
{
	unsigned int depth = 0, max = 0;
	bool string = false;
	size_t i;

	for (i = 0; i < len; i++) {
		if (string && p[i] == '\\')
			i++;
		else if (p[i] == '"')
			string = !string;
		else if (!string && (p[i] == '[' || p[i] == '{'))
			max = ++depth > max ? depth : max;
		else if (!string && (p[i] == ']' || p[i] == '}') && depth)
			depth--;
	}
	return max;
}

static const struct control_command *find_command(const struct control *c, const char *name)
{
	const struct control_command *cmd;
	unsigned int i;

	for (i = 0; i < c->ntables; i++)
		for (cmd = c->table[i]; cmd->name; cmd++)
			if (!strcmp(cmd->name, name))
				return cmd;
	return NULL;
}

static const char *type_name(json_type type)
{
	switch (type) {
	case JSON_STRING:
		return "a string";
	case JSON_INTEGER:
		return "a whole number";
	default:
		return "true or false";
	}
}

static int check_argument(struct control_call *call, const struct control_arg *arg, json_t *v)
{
	json_int_t n;

	if (!v) {
		if (!arg->required)
			return 0;
		return control_refuse(call, "MISSING_ARGUMENT",
				      "The command %s needs the argument \"%s\", %s.",
				      call->command->name, arg->name, type_name(arg->type));
	}
	if (arg->type == JSON_TRUE ? !json_is_boolean(v) : json_typeof(v) != arg->type)
		return control_refuse(call, "BAD_ARGUMENT",
				      "The argument \"%s\" of the command %s must be %s.",
				      arg->name, call->command->name, type_name(arg->type));
	if (arg->type != JSON_INTEGER)
		return 0;
	n = json_integer_value(v);
	if (n < arg->min || n > arg->max)
		return control_refuse(call, "BAD_ARGUMENT",
				      "The argument \"%s\" of the command %s must be from %lld to %lld.",
				      arg->name, call->command->name, (long long)arg->min,
				      (long long)arg->max);
	return 0;
}

static int check_arguments(struct control_call *call)
{
	static const struct control_arg none[] = { { 0 } };
	const struct control_arg *args = call->command->args ? call->command->args : none;
	const struct control_arg *arg;
	const char *key;
	json_t *v;

	for (arg = args; arg->name; arg++)
		if (check_argument(call, arg, json_object_get(call->arguments, arg->name)) < 0)
			return -1;
	json_object_foreach(call->arguments, key, v) {
		for (arg = args; arg->name; arg++)
			if (!strcmp(arg->name, key))
				break;
		if (!arg->name)
			return control_refuse(call, "UNKNOWN_ARGUMENT",
					      "The command %s has no argument \"%.64s\".",
					      call->command->name, key);
	}
	return 0;
}

static int check_request(const struct control *c, json_t *request, struct control_call *call)
{
	json_t *name, *arguments, *v;
	const char *key;

	if (!json_is_object(request))
		return control_refuse(call, "BAD_REQUEST", "A request is a JSON object.");
	json_object_foreach(request, key, v)
		if (strcmp(key, "command") && strcmp(key, "arguments"))
			return control_refuse(call, "BAD_REQUEST",
					      "A request has \"command\" and \"arguments\", and no \"%.64s\".",
					      key);
	name = json_object_get(request, "command");
	arguments = json_object_get(request, "arguments");
	if (!json_is_string(name) || (arguments && !json_is_object(arguments)))
		return control_refuse(call, "BAD_REQUEST",
				      "A request's \"command\" is a string, its \"arguments\" an object.");
	call->command = find_command(c, json_string_value(name));
	if (!call->command)
		return control_refuse(call, "NO_SUCH_COMMAND",
				      "A running VM knows no command \"%.64s\".",
				      json_string_value(name));
	call->arguments = arguments ? json_incref(arguments) : json_object();
	return check_arguments(call);
}

int control_parse(const struct control *c, const char *line, size_t len,
		  struct control_call *call)
{
	json_error_t error;
	json_t *request;
	int ret;

	*call = (struct control_call) { 0 };
	if (depth_of(line, len) > CONTROL_MAX_DEPTH)
		return control_refuse(call, "BAD_REQUEST",
				      "A request may be nested %d deep.", CONTROL_MAX_DEPTH);
	request = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);
	if (!request)
		return control_refuse(call, "BAD_REQUEST", "The request is not JSON: %s.",
				      error.text);
	ret = check_request(c, request, call);
	json_decref(request);
	return ret;
}

const char *control_string(const struct control_call *call, const char *name,
			   const char *otherwise)
{
	json_t *v = json_object_get(call->arguments, name);

	return v ? json_string_value(v) : otherwise;
}

json_int_t control_integer(const struct control_call *call, const char *name,
			   json_int_t otherwise)
{
	json_t *v = json_object_get(call->arguments, name);

	return v ? json_integer_value(v) : otherwise;
}

bool control_boolean(const struct control_call *call, const char *name, bool otherwise)
{
	json_t *v = json_object_get(call->arguments, name);

	return v ? json_is_true(v) : otherwise;
}

/* -- clients ---------------------------------------------------------------- */

static void on_client(void *ctx, int fd, short revents);

static void drop(struct control_client *cl)
{
	struct control *c = cl->control;
	unsigned int i;

	for (i = 0; i < CONTROL_MAX_CLIENTS; i++)
		if (c->client[i] == cl)
			c->client[i] = NULL;
	if (c->work_for == cl)
		c->work_for = NULL;
	loop_remove(c->loop, cl->fd);
	close(cl->fd);
	free(cl->out);
	free(cl);
}

/* Writes what the client takes; false when it has gone. */
static bool flush(struct control_client *cl)
{
	ssize_t n;

	while (cl->out_done < cl->out_len) {
		n = send(cl->fd, cl->out + cl->out_done, cl->out_len - cl->out_done,
			 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN;
		cl->out_done += n;
	}
	free(cl->out);
	cl->out = NULL;
	cl->out_len = 0;
	cl->out_done = 0;
	return true;
}

/* Without what it has not read yet. */
static void cut_off(struct control_client *cl)
{
	cl->closing = true;
	cl->cut = true;
	free(cl->out);
	cl->out = NULL;
	cl->out_len = 0;
	cl->out_done = 0;
}

/* A line for the client; one that does not read its answers is cut off. */
static void put_line(struct control_client *cl, const char *text, size_t len)
{
	char *p = NULL;

	if (cl->out_len + len + 1 <= CONTROL_MAX_UNREAD)
		p = realloc(cl->out, cl->out_len + len + 1);
	if (!p) {
		cut_off(cl);
		return;
	}
	memcpy(p + cl->out_len, text, len);
	p[cl->out_len + len] = '\n';
	cl->out = p;
	cl->out_len += len + 1;
}

/* Takes over @answer. */
static void put_answer(struct control_client *cl, json_t *answer)
{
	char *text = answer ? json_dumps(answer, JSON_COMPACT) : NULL;

	if (text)
		put_line(cl, text, strlen(text));
	else
		cut_off(cl);
	free(text);
	json_decref(answer);
}

static void put_error(struct control_client *cl, const struct control_call *call)
{
	put_answer(cl, json_pack("{s:{s:s,s:s}}", "error", "id", call->error_id, "text",
				 call->error_text));
}

/* Takes over @result. */
static void put_return(struct control_client *cl, json_t *result)
{
	put_answer(cl, json_pack("{s:o}", "return", result ? result : json_object()));
}

/* Answers a call that is over, unless its client has gone, and releases it. */
static void answer(struct control_client *cl, struct control_call *call, int ret)
{
	if (cl && ret < 0)
		put_error(cl, call);
	else if (cl)
		put_return(cl, json_incref(call->result));
	json_decref(call->result);
	json_decref(call->arguments);
	*call = (struct control_call) { 0 };
}

static size_t serve_lines(struct control_client *cl);

/* After anything that may let the client's business go on; may free it. */
static void settle(struct control_client *cl)
{
	short events = POLLHUP;		/* comes anyway, but says that we look */
	size_t served;

	do {
		served = serve_lines(cl);
		if (!flush(cl)) {
			drop(cl);
			return;
		}
	} while (served && !cl->out_len);
	if (cl->closing && !cl->out_len && !cl->busy) {
		if (cl->eof) {
			drop(cl);
			return;
		}
		/* Closed with input unread, it would not get to read our last line. */
		shutdown(cl->fd, SHUT_WR);
	}
	if (!cl->busy && !cl->out_len)
		events |= POLLIN;
	if (cl->out_len)
		events |= POLLOUT;
	loop_change(cl->control->loop, cl->fd, events);
}

/* -- work ------------------------------------------------------------------- */

void control_progress(struct control_call *call, uint64_t done, uint64_t total,
		      const char *unit)
{
	struct control *c = call->control;
	uint64_t one = 1;
	bool tell;

	pthread_mutex_lock(&c->lock);
	tell = !c->has_progress;
	c->has_progress = true;
	c->done = done;
	c->total = total;
	snprintf(c->unit, sizeof(c->unit), "%s", unit);
	pthread_mutex_unlock(&c->lock);
	if (tell && write(c->event_fd, &one, sizeof(one)) < 0)
		return;		/* the counter is full: the loop is awake */
}

bool control_cancelled(const struct control_call *call)
{
	return __atomic_load_n(&call->control->cancelled, __ATOMIC_ACQUIRE);
}

static void *work(void *arg)
{
	struct control *c = arg;
	uint64_t one = 1;
	int ret;

	ret = c->work.command->run(c->m, &c->work);
	pthread_mutex_lock(&c->lock);
	c->work_ret = ret;
	c->finished = true;
	pthread_mutex_unlock(&c->lock);
	if (write(c->event_fd, &one, sizeof(one)) < 0)
		return NULL;
	return NULL;
}

static void start_work(struct control_client *cl, struct control_call *call)
{
	struct control *c = cl->control;
	int ret;

	if (c->working) {
		control_refuse(call, "VM_BUSY",
			       "The VM is busy with the command %s: wait until it is done.",
			       c->work.command->name);
		answer(cl, call, -1);
		return;
	}
	c->work = *call;
	c->finished = false;
	c->has_progress = false;
	__atomic_store_n(&c->cancelled, false, __ATOMIC_RELEASE);
	ret = pthread_create(&c->worker, NULL, work, c);
	if (ret) {
		control_refuse(call, "HOST_FAILED", "There is no thread for the command %s: %s.",
			       call->command->name, strerror(ret));
		answer(cl, call, -1);
		return;
	}
	c->working = true;
	c->work_for = cl;
	cl->busy = true;
}

static void take_result(struct control *c)
{
	struct control_client *cl = c->work_for;

	pthread_join(c->worker, NULL);
	c->working = false;
	c->work_for = NULL;
	if (cl)
		cl->busy = false;
	answer(cl, &c->work, c->work_ret);
}

static void on_work(void *ctx, int fd, short revents)
{
	struct control *c = ctx;
	struct control_client *cl = c->work_for;
	bool finished, has_progress;
	uint64_t n, done, total;
	char unit[sizeof(c->unit)];

	(void)revents;
	if (read(fd, &n, sizeof(n)) < 0 || !c->working)
		return;
	pthread_mutex_lock(&c->lock);
	finished = c->finished;
	has_progress = c->has_progress;
	c->has_progress = false;
	done = c->done;
	total = c->total;
	memcpy(unit, c->unit, sizeof(unit));
	pthread_mutex_unlock(&c->lock);

	/* News for one who has not read the last is not worth keeping. */
	if (has_progress && cl && !cl->out_len)
		put_answer(cl, json_pack("{s:{s:I,s:I,s:s}}", "progress", "done",
					 (json_int_t)done, "total", (json_int_t)total, "unit",
					 unit));
	if (finished)
		take_result(c);
	if (cl)
		settle(cl);
}

void control_finish_work(struct control *c)
{
	struct control_client *cl = c->work_for;

	if (!c->working)
		return;
	__atomic_store_n(&c->cancelled, true, __ATOMIC_RELEASE);
	take_result(c);
	if (cl)
		settle(cl);
}

/* -- lines ------------------------------------------------------------------ */

static void serve_line(struct control_client *cl, const char *line, size_t len)
{
	struct control *c = cl->control;
	struct control_call call;

	if (control_parse(c, line, len, &call) < 0) {
		answer(cl, &call, -1);
		return;
	}
	call.control = c;
	switch (call.command->where) {
	case CONTROL_LOOP:
		answer(cl, &call, call.command->run(c->m, &call));
		break;
	case CONTROL_WORKER:
		start_work(cl, &call);
		break;
	case CONTROL_AT_END:
		cl->busy = true;
		cl->at_end = true;
		json_decref(call.arguments);
		break;
	}
}

/*
 * One command after the other: the next waits until the last is answered and
 * its answer, if it is long, has been read. Returns how much input that was.
 */
static size_t serve_lines(struct control_client *cl)
{
	size_t used = 0, len;
	char *end;

	while (!cl->busy && !cl->cut && cl->out_len < CONTROL_MAX_UNREAD / 8) {
		end = memchr(cl->in + used, '\n', cl->in_len - used);
		if (!end)
			break;
		len = end - (cl->in + used);
		if (len)
			serve_line(cl, cl->in + used, len);
		used += len + 1;
	}
	if (cl->cut) {
		cl->in_len = 0;
		return 0;
	}
	cl->in_len -= used;
	memmove(cl->in, cl->in + used, cl->in_len);
	if (cl->in_len == sizeof(cl->in) && !memchr(cl->in, '\n', cl->in_len)) {
		struct control_call call = { 0 };

		control_refuse(&call, "BAD_REQUEST", "A request may have %u bytes.",
			       CONTROL_MAX_LINE - 1);
		put_error(cl, &call);
		cl->in_len = 0;
		cl->closing = true;
	}
	return used;
}

static void on_client(void *ctx, int fd, short revents)
{
	struct control_client *cl = ctx;
	struct control *c = cl->control;
	ssize_t n;

	if (revents & (POLLHUP | POLLERR | POLLNVAL) && !(revents & POLLIN)) {
		/* Nobody is there any more to want what is being done. */
		if (c->work_for == cl)
			__atomic_store_n(&c->cancelled, true, __ATOMIC_RELEASE);
		drop(cl);
		return;
	}
	if (revents & POLLIN) {
		n = recv(fd, cl->in + cl->in_len, sizeof(cl->in) - cl->in_len, MSG_DONTWAIT);
		if (n > 0 && !cl->closing)
			cl->in_len += n;
		/* It may have said all it wants to and wait for answers. */
		if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
			cl->closing = cl->eof = true;
	}
	settle(cl);
}

int control_accept(struct control *c, int fd)
{
	struct control_client *cl;
	unsigned int i;

	for (i = 0; i < CONTROL_MAX_CLIENTS; i++)
		if (!c->client[i])
			break;
	cl = i < CONTROL_MAX_CLIENTS ? malloc(sizeof(*cl)) : NULL;
	if (!cl || loop_add(c->loop, fd, POLLIN, on_client, cl) < 0) {
		free(cl);
		close(fd);
		return -ENOMEM;
	}
	*cl = (struct control_client) { .control = c, .fd = fd };
	c->client[i] = cl;
	return 0;
}

static void on_connect(void *ctx, int fd, short revents)
{
	int new;

	(void)revents;
	new = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (new >= 0)
		control_accept(ctx, new);
}

/* --------------------------------------------------------------------------- */

int control_init(struct control *c, struct loop *loop, struct machine *m, struct nvl_error *err)
{
	*c = (struct control) { .loop = loop, .m = m, .listen_fd = -1 };
	pthread_mutex_init(&c->lock, NULL);
	c->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (c->event_fd < 0 || loop_add(loop, c->event_fd, POLLIN, on_work, c) < 0)
		return nvl_fail(err, errno, "no eventfd for the control socket: %s.",
				strerror(errno));
	return 0;
}

int control_add(struct control *c, const struct control_command *table, struct nvl_error *err)
{
	if (c->ntables == CONTROL_MAX_TABLES)
		return nvl_fail(err, ENOSPC, "the control socket has all its %d tables.",
				CONTROL_MAX_TABLES);
	c->table[c->ntables++] = table;
	return 0;
}

int control_listen(struct control *c, const char *path, struct nvl_error *err)
{
	c->path = strdup(path);
	if (!c->path)
		return nvl_fail(err, ENOMEM, "no memory left for the control socket.");
	c->listen_fd = listen_unix(path, "control socket", err);
	if (c->listen_fd < 0)
		return c->listen_fd;
	if (loop_add(c->loop, c->listen_fd, POLLIN, on_connect, c) < 0)
		return nvl_fail(err, ENOMEM, "no memory left for the control socket.");
	return 0;
}

void control_end(struct control *c, json_t *result)
{
	unsigned int i;

	control_finish_work(c);
	for (i = 0; i < CONTROL_MAX_CLIENTS; i++) {
		struct control_client *cl = c->client[i];

		if (!cl)
			continue;
		if (cl->at_end)
			put_return(cl, json_incref(result));
		cl->busy = false;
		cl->closing = cl->eof = true;
		settle(cl);
	}
	json_decref(result);
}

void control_destroy(struct control *c)
{
	unsigned int i;

	control_finish_work(c);
	for (i = 0; i < CONTROL_MAX_CLIENTS; i++)
		if (c->client[i])
			drop(c->client[i]);
	if (c->listen_fd >= 0) {
		loop_remove(c->loop, c->listen_fd);
		close(c->listen_fd);
		unlink(c->path);
	}
	free(c->path);
	c->path = NULL;
	if (c->event_fd > 0) {
		loop_remove(c->loop, c->event_fd);
		close(c->event_fd);
	}
	pthread_mutex_destroy(&c->lock);
}
