// SPDX-License-Identifier: GPL-2.0
#include "rates.h"

#include <string.h>

static const char * const counters[] = {
	"entries", "exits_user", "injected", "ept_faults", "nested_entries",
	"nested_entry_failures", "nested_exits", "ept02_faults", "mmio", "halts",
};

#define NCOUNTERS (sizeof(counters) / sizeof(counters[0]))

static double number(json_t *object, const char *name)
{
	return json_number_value(json_object_get(object, name));
}

/* A guest that was reset starts again at zero: then all there is is new. */
static double grown(json_t *before, json_t *now, const char *name)
{
	double a = number(before, name), b = number(now, name);

	return b >= a ? b - a : b;
}

static json_t *rates(json_t *before, json_t *now, double seconds)
{
	json_t *out = json_object();
	unsigned int i;

	for (i = 0; i < NCOUNTERS; i++)
		if (json_object_get(now, counters[i]))
			json_object_set_new(out, counters[i],
					    json_real(grown(before, now, counters[i]) / seconds));
	return out;
}

static json_t *shares(json_t *before, json_t *now)
{
	static const char * const names[][2] = {
		{ "l0", "time_l0" }, { "l1", "time_l1" }, { "l2", "time_l2" },
		{ "halted", "time_halted" },
	};
	double part[4], total = 0;
	json_t *out;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		part[i] = grown(before, now, names[i][1]);
		total += part[i];
	}
	if (!json_object_get(now, "time_l1") || total <= 0)
		return json_null();
	out = json_object();
	for (i = 0; i < 4; i++)
		json_object_set_new(out, names[i][0], json_real(part[i] * 100 / total));
	return out;
}

/* The counters of @now that begin with @prefix and grew, without it. */
static json_t *by_reason(json_t *before, json_t *now, const char *prefix, double seconds)
{
	json_t *out = json_object(), *value;
	size_t len = strlen(prefix);
	const char *name;
	double n;

	json_object_foreach(now, name, value) {
		if (strncmp(name, prefix, len))
			continue;
		n = grown(before, now, name);
		if (n > 0)
			json_object_set_new(out, name + len, json_real(n / seconds));
	}
	return out;
}

/* What came as far as the launcher, all vCPUs together. */
static json_t *launcher_exits(json_t *stats)
{
	json_t *out = json_object(), *vcpu, *value;
	const char *name;
	size_t i;

	json_array_foreach(json_object_get(stats, "vcpus"), i, vcpu)
		json_object_foreach(json_object_get(vcpu, "launcher-exits"), name, value)
			json_object_set_new(out, name, json_integer((json_int_t)
				(number(out, name) + json_number_value(value))));
	return out;
}

json_t *rates_between(json_t *before, json_t *now)
{
	json_t *vm0 = json_object_get(before, "vm"), *vm1 = json_object_get(now, "vm");
	json_t *launcher0 = launcher_exits(before), *launcher1 = launcher_exits(now), *out;
	double seconds = number(now, "uptime") - number(before, "uptime");

	/* It was started anew in between. */
	if (seconds <= 0)
		seconds = number(now, "uptime");
	if (seconds <= 0)
		seconds = 1e-3;
	out = json_pack("{s:f,s:I,s:o,s:o,s:{s:o,s:o,s:o}}", "interval", seconds, "vcpus",
			(json_int_t)json_array_size(json_object_get(now, "vcpus")),
			"rates", rates(vm0, vm1, seconds), "share", shares(vm0, vm1), "exits",
			"l1", by_reason(vm0, vm1, "exit_l1_", seconds),
			"l2", by_reason(vm0, vm1, "exit_l2_", seconds),
			"launcher", by_reason(launcher0, launcher1, "", seconds));
	json_decref(launcher0);
	json_decref(launcher1);
	return out;
}
