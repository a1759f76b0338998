// SPDX-License-Identifier: GPL-2.0
/* What a running VM can be asked and told over its control socket. */
#include "machine.h"

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

static int run_pause(struct machine *m, struct control_call *call)
{
	struct nvl_error err;

	if (m->operator_paused)
		return control_refuse(call, "PAUSED", "The VM is paused already.");
	if (machine_pause(m, &err) < 0)
		return control_refuse(call, "ENDED", "The VM cannot be paused: %s", err.text);
	m->operator_paused = true;
	return 0;
}

static int run_unpause(struct machine *m, struct control_call *call)
{
	if (!m->operator_paused)
		return control_refuse(call, "NOT_PAUSED", "The VM is not paused.");
	m->operator_paused = false;
	machine_unpause(m);
	return 0;
}

static int refuse_paused(struct machine *m, struct control_call *call, const char *what)
{
	if (!machine_is_paused(m))
		return 0;
	return control_refuse(call, "PAUSED",
			      "The VM is paused and cannot %s: let it go on first (nestvm unpause%s%s).",
			      what, m->conf->name ? " " : "", m->conf->name ? m->conf->name : "");
}

static int run_powerdown(struct machine *m, struct control_call *call)
{
	if (refuse_paused(m, call, "power down") < 0)
		return -1;
	pm_power_button(&m->pm);
	return 0;
}

static int run_reset(struct machine *m, struct control_call *call)
{
	if (refuse_paused(m, call, "be reset") < 0)
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

static int run_stats(struct machine *m, struct control_call *call)
{
	json_t *vm = json_object(), *vcpus = json_array();
	unsigned int i;

	nvl_vm_stats(m->vm, add_counter, vm, NULL);
	for (i = 0; i < m->ncpus; i++)
		json_array_append_new(vcpus, cpu_stats(&m->cpus[i]));
	call->result = json_pack("{s:f,s:o,s:o}", "uptime", uptime(m), "vm", vm, "vcpus", vcpus);
	return 0;
}

/* -- memory ----------------------------------------------------------------- */

static int run_memory(struct machine *m, struct control_call *call)
{
	struct nestvm_vm_info info;
	json_int_t pinned = 0, tables = 0;
	uint64_t resident = nvl_vm_resident(m->vm);

	if (nvl_vm_info(m->vm, &info, NULL) == 0) {
		pinned = info.pinned_pages * 4096;
		tables = info.table_pages * 4096;
	}
	call->result = json_pack("{s:s,s:I,s:I,s:I,s:I}",
				 "mode", m->conf->dynamic_memory ? "dynamic" : "static",
				 "maximum", (json_int_t)m->conf->memory,
				 "pinned", pinned, "tables", tables,
				 "resident", (json_int_t)resident);
	return 0;
}

const struct control_command machine_commands[] = {
	{ .name = "status", .run = run_status },
	{ .name = "pause", .run = run_pause },
	{ .name = "unpause", .run = run_unpause },
	{ .name = "powerdown", .run = run_powerdown },
	{ .name = "reset", .run = run_reset },
	{ .name = "quit", .run = run_quit },
	{ .name = "wait", .where = CONTROL_AT_END },
	{ .name = "stats", .run = run_stats },
	{ .name = "memory", .run = run_memory },
	{ 0 }
};
