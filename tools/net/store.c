// SPDX-License-Identifier: GPL-2.0
#include "store.h"

#include "../conf/files.h"
#include "../conf/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define LOCK_SECONDS	10
#define SUFFIX		".json"

static const char *const state_names[RECORD_STATES] = { "ready", "creating", "removing" };

const char *record_state_name(enum record_state s)
{
	return state_names[s];
}

int record_state_find(const char *name, enum record_state *s)
{
	for (*s = 0; *s < RECORD_STATES; (*s)++)
		if (!strcmp(name, state_names[*s]))
			return 0;
	return -1;
}

/* STATE/net/KIND, made if missing; @kind "" for STATE/net itself. */
static int folder(const char *kind, char out[PATH_MAX], struct refusal *r)
{
	const char *state = place_state(r);

	if (!state)
		return -1;
	if (snprintf(out, PATH_MAX, "%s/net/%s", state, kind) >= PATH_MAX)
		return refuse_text(r, REASON_HOST_FAILED, "the path %s is too long.", state);
	snprintf(out, PATH_MAX, "%s/net", state);
	if (files_make(out, r) < 0)
		return -1;
	if (!*kind)
		return 0;
	snprintf(out, PATH_MAX, "%s/net/%s", state, kind);
	return files_make(out, r);
}

static int file_of(const char *kind, const char *name, char out[PATH_MAX], struct refusal *r)
{
	size_t len;

	if (folder(kind, out, r) < 0)
		return -1;
	len = strlen(out);
	if ((size_t)snprintf(out + len, PATH_MAX - len, "/%s" SUFFIX, name) >= PATH_MAX - len)
		return refuse_text(r, REASON_HOST_FAILED, "the path of %s is too long.", name);
	return 0;
}

int store_lock(struct refusal *r)
{
	static const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };
	char path[PATH_MAX];
	unsigned int i;
	size_t len;
	int fd;

	if (folder("", path, r) < 0)
		return -1;
	len = strlen(path);
	snprintf(path + len, sizeof(path) - len, "/lock");
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return refuse_text(r, REASON_HOST_FAILED, "%s cannot be opened: %m.", path);
	for (i = 0; i < LOCK_SECONDS * 50; i++) {
		if (!flock(fd, LOCK_EX | LOCK_NB))
			return fd;
		nanosleep(&pause, NULL);
	}
	close(fd);
	return refuse(r, NET_BUSY, path);
}

int store_damaged(const char *kind, const char *name, const char *why, struct refusal *r)
{
	char path[PATH_MAX];

	if (file_of(kind, name, path, r) < 0)
		return -1;
	return refuse_text(r, REASON_NET_INVALID, "%s is damaged: %s. Mend it, or remove the file "
			   "and say \"nestvm switch repair\", which takes away what it was for.",
			   path, why);
}

int store_load(const char *kind, const char *name, json_t **out, struct refusal *r)
{
	char path[PATH_MAX];
	json_error_t error;

	if (file_of(kind, name, path, r) < 0)
		return -1;
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return 0;
	*out = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	if (!*out)
		return store_damaged(kind, name, error.text, r);
	return 1;
}

int store_save(const char *kind, const char *name, json_t *json, struct refusal *r)
{
	char path[PATH_MAX];

	if (file_of(kind, name, path, r) == 0)
		return files_write_json(path, json, r);
	json_decref(json);
	return -1;
}

int store_remove(const char *kind, const char *name, struct refusal *r)
{
	char path[PATH_MAX];

	if (file_of(kind, name, path, r) < 0)
		return -1;
	if (unlink(path) < 0 && errno != ENOENT)
		return refuse_text(r, REASON_HOST_FAILED, "%s cannot be removed: %m.", path);
	*strrchr(path, '/') = '\0';
	return files_sync(path, r);
}

static bool ends(const char *name, const char *suffix)
{
	size_t len = strlen(name);

	return len > strlen(suffix) && !strcmp(name + len - strlen(suffix), suffix);
}

int store_sweep(const char *kind, struct refusal *r)
{
	char path[PATH_MAX];
	struct dirent *d;
	DIR *dir;

	if (folder(kind, path, r) < 0)
		return -1;
	dir = opendir(path);
	if (!dir)
		return refuse_text(r, REASON_HOST_FAILED, "%s cannot be read: %m.", path);
	while ((d = readdir(dir)))
		if (ends(d->d_name, ".tmp"))
			unlinkat(dirfd(dir), d->d_name, 0);
	closedir(dir);
	return 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int store_names(const char *kind, char ***names, struct refusal *r)
{
	char path[PATH_MAX], **list = NULL, **grown;
	struct dirent *d;
	int n = 0;
	DIR *dir;

	if (folder(kind, path, r) < 0)
		return -1;
	dir = opendir(path);
	if (!dir)
		return refuse_text(r, REASON_HOST_FAILED, "%s cannot be read: %m.", path);
	while ((d = readdir(dir))) {
		if (*d->d_name == '.' || !ends(d->d_name, SUFFIX))
			continue;
		grown = realloc(list, (n + 1) * sizeof(*list));
		if (!grown)
			break;
		list = grown;
		list[n] = strndup(d->d_name, strlen(d->d_name) - strlen(SUFFIX));
		if (!list[n])
			break;
		n++;
	}
	closedir(dir);
	if (d) {
		store_free_names(list, n);
		return refuse(r, HOST_FAILED, "no memory left on the host.");
	}
	if (n)
		qsort(list, n, sizeof(*list), by_name);
	*names = list;
	return n;
}

void store_free_names(char **names, int n)
{
	while (n > 0)
		free(names[--n]);
	free(names);
}

int store_list(const char *kind, size_t size,
	       int (*load)(const char *name, void *record, struct refusal *r), void **list,
	       struct refusal *r)
{
	char **names, *records;
	int i, n, ret = 0;

	n = store_names(kind, &names, r);
	if (n < 0)
		return -1;
	records = calloc(n + 1, size);
	if (!records)
		ret = refuse(r, HOST_FAILED, "no memory left on the host.");
	for (i = 0; i < n && ret == 0; i++)
		ret = load(names[i], records + i * size, r);
	store_free_names(names, n);
	if (ret < 0)
		free(records);
	else
		*list = records;
	return ret < 0 ? -1 : n;
}

int store_mark(const char *kind, const char *name, char out[256], struct refusal *r)
{
	const char *state = place_state(r);

	if (!state)
		return -1;
	if (snprintf(out, 256, "nestvm %s %s of %s", kind, name, state) >= 256)
		return refuse_text(r, REASON_HOST_FAILED, "the path %s is too long to be put on a "
				   "network interface: set NESTVM_STATE_DIR to a shorter one.", state);
	return 0;
}

bool store_marked(const char *mark, const char *kind, char *name, size_t room)
{
	char start[32], whole[256];
	const char *end;

	snprintf(start, sizeof(start), "nestvm %s ", kind);
	if (strncmp(mark, start, strlen(start)))
		return false;
	mark += strlen(start);
	end = strchr(mark, ' ');
	if (!end || (size_t)(end - mark) >= room)
		return false;
	snprintf(name, room, "%.*s", (int)(end - mark), mark);
	return !store_mark(kind, name, whole, NULL) && !strcmp(whole + strlen(start), mark);
}
