// SPDX-License-Identifier: GPL-2.0
/* What a running VM can be asked and told over its control socket. */
#include "machine.h"

#include "../conf/reasons.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static const char * const end_names[] = {
	[END_NONE] = "running",
	[END_POWEROFF] = "poweroff",
	[END_RESET] = "reset",
	[END_DIED] = "died",
	[END_DEBUG_EXIT] = "debug-exit",
	[END_TIMEOUT] = "timeout",
	[END_STOPPED] = "stopped",
	[END_HOST_ERROR] = "host-error",
	[END_SAVED] = "saved",
	[END_MIGRATED] = "migrated",
};

json_t *machine_end_json(struct machine *m)
{
	return json_pack("{s:s,s:s,s:I}", "end", end_names[m->end], "text", m->end_text, "value",
			 (json_int_t)m->end_value);
}

static double uptime(const struct machine *m)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (ts.tv_sec * 1000000000ull + ts.tv_nsec - m->started_ns) / 1e9;
}

static int run_status(struct machine *m, struct control_call *call)
{
	call->result = json_pack("{s:s?,s:s,s:I,s:I,s:I,s:b,s:s,s:s,s:f,s:I}",
				 "name", m->conf->name,
				 "state", machine_is_paused(m) ? "paused" : "running",
				 "pid", (json_int_t)getpid(),
				 "vcpus", (json_int_t)m->ncpus,
				 "memory", (json_int_t)m->conf->memory,
				 "exposed", m->conf->expose,
				 "memory-mode", m->conf->dynamic_memory ? "dynamic" : "static",
				 "device", m->conf->device,
				 "uptime", uptime(m),
				 "resets", (json_int_t)m->resets);
	return 0;
}

static const char *vm_name(const struct machine *m)
{
	return m->conf->name ? m->conf->name : "(unnamed)";
}

static int refused(struct control_call *call, const struct refusal *r)
{
	return control_refuse(call, reason_name(r->id), "%s", r->text);
}

static int refuse_paused(struct machine *m, struct control_call *call, const char *what)
{
	struct refusal r;

	if (!machine_is_paused(m))
		return 0;
	refuse(&r, VM_PAUSED, vm_name(m), what);
	return refused(call, &r);
}

static int run_pause(struct machine *m, struct control_call *call)
{
	struct nvl_error err;

	if (m->operator_paused)
		return refuse_paused(m, call, "pauses");
	if (machine_pause(m, &err) < 0)
		return control_refuse(call, "HOST_FAILED", "the VM cannot be paused: %s", err.text);
	m->operator_paused = true;
	return 0;
}

static int run_unpause(struct machine *m, struct control_call *call)
{
	struct refusal r;

	if (!m->operator_paused) {
		refuse(&r, VM_NOT_PAUSED, vm_name(m));
		return refused(call, &r);
	}
	m->operator_paused = false;
	machine_unpause(m);
	return 0;
}

static int run_powerdown(struct machine *m, struct control_call *call)
{
	if (refuse_paused(m, call, "its power button works") < 0)
		return -1;
	pm_power_button(&m->pm);
	return 0;
}

static int run_reset(struct machine *m, struct control_call *call)
{
	if (refuse_paused(m, call, "it is reset") < 0)
		return -1;
	machine_end(m, END_RESET, 0, NULL, "reset by the operator");
	return 0;
}

static int run_quit(struct machine *m, struct control_call *call)
{
	(void)call;
	machine_end(m, END_STOPPED, 15, NULL, "stopped by the operator");
	return 0;
}

/* -- counters --------------------------------------------------------------- */

static void add_counter(void *object, const char *name, uint64_t value)
{
	json_object_set_new(object, name, json_integer((json_int_t)value));
}

static json_t *cpu_stats(struct cpu *cpu)
{
	json_t *counters = json_object(), *exits = json_object();
	unsigned int r;

	nvl_vcpu_stats(cpu->vcpu, add_counter, counters, NULL);
	for (r = 0; r < sizeof(cpu->exits) / sizeof(cpu->exits[0]); r++)
		if (cpu->exits[r])
			add_counter(exits, report_exit_name(r), cpu->exits[r]);
	return json_pack("{s:I,s:o,s:o,s:I}", "id", (json_int_t)nvl_vcpu_id(cpu->vcpu),
			 "counters", counters, "launcher-exits", exits, "unclaimed",
			 (json_int_t)cpu->unclaimed);
}

static json_t *adapter_json(struct virtio_net *n)
{
	struct net_counters count;
	struct frame_filter filter;
	char mac[MAC_TEXT];
	json_t *j;

	virtio_net_get(n, &filter, &count);
	mac_print(filter.mac, mac);
	j = json_pack("{s:s?,s:s,s:b}", "name", n->name, "mac", mac, "mac-spoofing",
		      filter.spoofing);
#define X(member, name) json_object_set_new(j, name, json_integer((json_int_t)count.member));
	NET_COUNTERS(X)
#undef X
	return j;
}

static int run_stats(struct machine *m, struct control_call *call)
{
	json_t *vm = json_object(), *vcpus = json_array(), *adapters = json_array();
	unsigned int i;

	nvl_vm_stats(m->vm, add_counter, vm, NULL);
	for (i = 0; i < m->ncpus; i++)
		json_array_append_new(vcpus, cpu_stats(&m->cpus[i]));
	for (i = 0; i < m->nnets; i++)
		json_array_append_new(adapters, adapter_json(&m->nets[i]));
	call->result = json_pack("{s:f,s:o,s:o,s:o}", "uptime", uptime(m), "vm", vm, "vcpus",
				 vcpus, "adapters", adapters);
	return 0;
}

static int run_set_spoofing(struct machine *m, struct control_call *call)
{
	const char *name = control_string(call, "adapter", "");
	unsigned int i;

	for (i = 0; i < m->nnets; i++)
		if (m->nets[i].name && !strcmp(m->nets[i].name, name)) {
			virtio_net_set_spoofing(&m->nets[i], control_boolean(call, "on", false));
			return 0;
		}
	return control_refuse(call, "NET_INVALID", "the VM has no network adapter \"%.64s\".", name);
}

static const struct control_arg set_spoofing_args[] = {
	{ "adapter", JSON_STRING, true, 0, 0 },
	{ "on", JSON_TRUE, true, 0, 0 },
	{ 0 }
};

/* -- memory ----------------------------------------------------------------- */

static const struct {
	unsigned int tag;
	const char *name;
} guest_stats[] = {
	{ VIRTIO_BALLOON_S_MEMTOT, "total" },
	{ VIRTIO_BALLOON_S_MEMFREE, "free" },
	{ VIRTIO_BALLOON_S_AVAIL, "available" },
	{ VIRTIO_BALLOON_S_CACHES, "caches" },
	{ VIRTIO_BALLOON_S_SWAP_IN, "swapped-in" },
	{ VIRTIO_BALLOON_S_SWAP_OUT, "swapped-out" },
	{ VIRTIO_BALLOON_S_MAJFLT, "major-faults" },
	{ VIRTIO_BALLOON_S_MINFLT, "minor-faults" },
};

static json_t *guest_json(const struct balloon_info *info)
{
	json_t *j = json_object();
	unsigned int i;

	for (i = 0; i < sizeof(guest_stats) / sizeof(guest_stats[0]); i++)
		if (info->stats[guest_stats[i].tag] != UINT64_MAX)
			add_counter(j, guest_stats[i].name, info->stats[guest_stats[i].tag]);
	return j;
}

/*
 * What the guest needs: all it could have, less what is in the balloon and what it
 * could do without. One that does not say needs what it holds.
 */
static uint64_t demanded(const struct machine *m, const struct balloon_info *info,
			 uint64_t resident)
{
	uint64_t spare = info->stats[VIRTIO_BALLOON_S_AVAIL] + info->actual;

	if (!info->has_stats || info->stats[VIRTIO_BALLOON_S_AVAIL] == UINT64_MAX ||
	    spare > m->conf->memory)
		return resident;
	return m->conf->memory - spare;
}

static int run_memory(struct machine *m, struct control_call *call)
{
	uint64_t resident = nvl_vm_resident(m->vm), pinned = 0, tables = 0;
	struct balloon_info balloon = { 0 };
	struct nestvm_vm_info info;

	if (nvl_vm_info(m->vm, &info, NULL) == 0) {
		pinned = info.pinned_pages * 4096;
		tables = info.table_pages * 4096;
	}
	if (m->has_balloon)
		virtio_balloon_get(&m->balloon, &balloon);
	call->result = json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:I}",
				 "mode", m->conf->dynamic_memory ? "dynamic" : "static",
				 "maximum", (json_int_t)m->conf->memory,
				 "assigned", (json_int_t)(m->conf->memory - balloon.actual),
				 "demanded", (json_int_t)demanded(m, &balloon, resident),
				 "pinned", (json_int_t)pinned,
				 "tables", (json_int_t)tables,
				 "resident", (json_int_t)resident);
	if (!m->has_balloon)
		return 0;
	json_object_update_new(call->result, json_pack("{s:I,s:I,s:I,s:I,s:o}",
		"minimum", (json_int_t)m->conf->memory_min,
		"target", (json_int_t)(m->conf->memory - balloon.target),
		"inflated", (json_int_t)balloon.inflated,
		"reported", (json_int_t)balloon.reported,
		"guest", balloon.has_stats ? guest_json(&balloon) : json_null()));
	return 0;
}

static int run_set_memory(struct machine *m, struct control_call *call)
{
	uint64_t bytes = control_integer(call, "bytes", 0);
	char size[32], min[32], max[32];
	struct refusal r;

	snprintf(size, sizeof(size), "%lluM", (unsigned long long)bytes >> 20);
	snprintf(min, sizeof(min), "%lluM", (unsigned long long)m->conf->memory_min >> 20);
	snprintf(max, sizeof(max), "%lluM", (unsigned long long)m->conf->memory >> 20);
	if (m->conf->expose)
		refuse(&r, EXPOSE_RESIZE, vm_name(m), size);
	else if (!m->has_balloon)
		refuse(&r, STATIC_RESIZE, vm_name(m), size);
	else if (bytes < m->conf->memory_min || bytes > m->conf->memory || !bytes)
		refuse(&r, RESIZE_RANGE, vm_name(m), size, min, max);
	else {
		virtio_balloon_set(&m->balloon, (m->conf->memory - bytes) & ~4095ull);
		return 0;
	}
	return refused(call, &r);
}

static const struct control_arg set_memory_args[] = {
	{ "bytes", JSON_INTEGER, true, 0, INT64_MAX },
	{ 0 }
};

const struct control_command machine_commands[] = {
	{ .name = "status", .run = run_status },
	{ .name = "pause", .run = run_pause },
	{ .name = "unpause", .run = run_unpause },
	{ .name = "powerdown", .run = run_powerdown },
	{ .name = "reset", .run = run_reset },
	{ .name = "quit", .run = run_quit },
	{ .name = "wait", .where = CONTROL_AT_END },
	{ .name = "stats", .run = run_stats },
	{ .name = "set-spoofing", .args = set_spoofing_args, .run = run_set_spoofing },
	{ .name = "memory", .run = run_memory },
	{ .name = "set-memory", .args = set_memory_args, .run = run_set_memory },
	{ 0 }
};
