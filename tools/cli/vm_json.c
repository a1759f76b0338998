// SPDX-License-Identifier: GPL-2.0
#include "vm_json.h"

#include "ctl.h"

#include <string.h>

#define ANSWER_SECONDS 2

/*
 * A running VM tells whether it is paused; one that ends while it is asked, or
 * does not answer, is told as it was found.
 */
static json_t *ask(const struct vmdir *d, const char *command)
{
	struct refusal r;
	json_t *answer;
	struct ctl c;

	if (ctl_open(&c, d, "it can be asked", &r) < 0)
		return NULL;
	ctl_hurry(&c, ANSWER_SECONDS);
	answer = ctl_call(&c, command, NULL, NULL, &r);
	ctl_close(&c);
	return answer;
}

/* @pid is 0 unless the VM runs and its process is known. */
static const char *state_of(const struct vmdir *d, bool *running, pid_t *pid)
{
	const char *state = "running", *told;
	json_t *status;

	*pid = 0;
	*running = vmdir_running(d, pid);
	if (!*running)
		return vmdir_saved(d) ? "saved" : "off";
	status = ask(d, "status");
	told = json_string_value(json_object_get(status, "state"));
	if (told && !strcmp(told, "paused"))
		state = "paused";
	json_decref(status);
	return state;
}

json_t *vm_json_brief(const struct vmdir *d)
{
	struct refusal r;
	struct vm_conf c;
	char size[24];
	bool running;
	json_t *vm;
	pid_t pid;

	if (vmdir_load(d, &c, &r) < 0)
		return json_pack("{s:s,s:s,s:s}", "name", d->name, "state", "broken", "problem",
				 r.text);
	vm = json_pack("{s:s,s:s,s:i,s:s,s:b,s:s,s:i}", "name", d->name, "state",
		       state_of(d, &running, &pid), "vcpus", (int)c.vcpus, "memory",
		       conf_print_size(c.memory, size), "expose_virtualization_extensions",
		       (int)c.expose, "version", version_name(c.version), "checkpoints",
		       (int)vmdir_checkpoints(d));
	conf_free(&c);
	return vm;
}

json_t *vm_json_full(const struct vmdir *d, struct refusal *r)
{
	char path[PATH_MAX];
	const char *state;
	struct vm_conf c;
	bool running;
	json_t *vm;
	pid_t pid;

	if (vmdir_load(d, &c, r) < 0)
		return NULL;
	state = state_of(d, &running, &pid);
	vm = json_pack("{s:s,s:s,s:o,s:b,s:i,s:s,s:o}", "name", d->name, "state", state, "pid",
		       pid ? json_integer(pid) : json_null(), "saved", (int)vmdir_saved(d),
		       "checkpoints", (int)vmdir_checkpoints(d), "log", vmdir_file(d, "log", path),
		       "configuration", conf_to_json(&c));
	conf_free(&c);
	if (vm && running) {
		json_t *memory = ask(d, "memory"), *status = ask(d, "status");

		json_object_set_new(vm, "memory", memory ?: json_null());
		json_object_set_new(vm, "uptime",
				    json_incref(json_object_get(status, "uptime")) ?: json_null());
		json_decref(status);
	} else if (vm) {
		json_object_set_new(vm, "memory", json_null());
		json_object_set_new(vm, "uptime", json_null());
	}
	if (!vm)
		refuse_text(r, REASON_HOST_FAILED, "no memory left on the host.");
	return vm;
}
