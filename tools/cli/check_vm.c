// SPDX-License-Identifier: GPL-2.0
/* A VM's conditions. The rules decide; a row says what it looks at, and in which light. */
#include "check.h"

#include <stdio.h>
#include <string.h>

static void look_exposed(const struct check_on *on, struct check_result *res)
{
	char remedy[256];

	snprintf(remedy, sizeof(remedy), "nestvm set %s --expose-virtualization-extensions on",
		 on->d->name);
	if (on->conf->expose)
		check_yes(res, "expose-virtualization-extensions is on");
	else
		check_no(res, remedy, "expose-virtualization-extensions is off");
}

static void look_memory(const struct check_on *on, struct check_result *res)
{
	char remedy[256];

	snprintf(remedy, sizeof(remedy), "nestvm set %s --dynamic-memory off", on->d->name);
	if (on->conf->dynamic_memory)
		check_no(res, remedy, "dynamic-memory is on");
	else
		check_yes(res, "dynamic-memory is off");
}

static void look_version(const struct check_on *on, struct check_result *res)
{
	const char *version = version_name(on->conf->version);
	char remedy[256];

	snprintf(remedy, sizeof(remedy), "nestvm update-version %s", on->d->name);
	if (on->conf->version >= VERSION_NESTED_ALL)
		check_yes(res, "version %s", version);
	else
		check_warn(res, remedy, "by the rules of version %s, nesting excludes checkpoints, saved "
			   "states, migration and vbs", version);
}

static void look_saved(const struct check_on *on, struct check_result *res)
{
	char remedy[256];

	snprintf(remedy, sizeof(remedy), "nestvm start %s, or nestvm remove-saved-state %s",
		 on->d->name, on->d->name);
	if (!on->facts.saved)
		check_yes(res, "there is none");
	else if (on->conf->version < VERSION_NESTED_ALL)
		check_no(res, remedy, "there is one, and version %s excludes it together with nesting",
			 version_name(on->conf->version));
	else
		check_warn(res, remedy, "there is one: settings cannot change while it waits");
}

static void look_checkpoints(const struct check_on *on, struct check_result *res)
{
	unsigned int n = on->facts.checkpoints;
	char remedy[256];

	snprintf(remedy, sizeof(remedy), "nestvm update-version %s, or nestvm checkpoint remove %s ID",
		 on->d->name, on->d->name);
	if (n && on->conf->version < VERSION_NESTED_ALL)
		check_no(res, remedy, "it has %u, and version %s excludes them together with nesting",
			 n, version_name(on->conf->version));
	else
		check_yes(res, "it has %u", n);
}

static void look_vbs(const struct check_on *on, struct check_result *res)
{
	char remedy[256];

	snprintf(remedy, sizeof(remedy), "nestvm update-version %s, or nestvm set %s --vbs off",
		 on->d->name, on->d->name);
	if (!on->conf->vbs)
		check_yes(res, "vbs is off");
	else if (on->conf->version < VERSION_NESTED_ALL)
		check_no(res, remedy, "vbs is on, and version %s excludes it together with nesting",
			 version_name(on->conf->version));
	else
		check_yes(res, "vbs is on, which version %s allows", version_name(on->conf->version));
}

static void look_spoofing(const struct check_on *on, struct check_result *res)
{
	const struct vm_conf *c = on->conf;
	unsigned int i, switches = 0, off = 0;
	const char *first = "";
	char remedy[256];

	for (i = 0; i < c->nadapters; i++) {
		if (c->adapters[i].link.net != VM_NET_SWITCH)
			continue;
		switches++;
		if (!c->adapters[i].mac_spoofing && !off++)
			first = c->adapters[i].name;
	}
	snprintf(remedy, sizeof(remedy), "nestvm adapter set %s %s --mac-spoofing on", on->d->name,
		 first);
	if (!switches)
		check_yes(res, "no adapter is on a virtual switch");
	else if (off)
		check_warn(res, remedy, "mac-spoofing is off for %u of %u adapters: nested guests reach the "
			   "network by NAT in the VM only", off, switches);
	else
		check_yes(res, "mac-spoofing is on");
}

/* By the rules of an attempt, for a VM in the state in which it would be made. */
static void by_rules(const struct check_on *on, enum rule_when when, bool running,
		     struct check_result *res)
{
	struct vm_facts f = on->facts;
	struct refusal r;

	f.running = running;
	if (rules_check(on->conf, &f, when, &r) == 0)
		check_yes(res, "no rule forbids it");
	else
		check_no(res, "", "%s [%s]", r.text, reason_name(r.id));
}

static void look_start(const struct check_on *on, struct check_result *res)
{
	if (on->facts.running)
		check_yes(res, "it is running");
	else
		by_rules(on, RULE_START, false, res);
}

static void look_save(const struct check_on *on, struct check_result *res)
{
	by_rules(on, RULE_SAVE, true, res);
}

static void look_checkpoint(const struct check_on *on, struct check_result *res)
{
	by_rules(on, RULE_CHECKPOINT, true, res);
}

static void look_migrate(const struct check_on *on, struct check_result *res)
{
	by_rules(on, RULE_MIGRATE, true, res);
}

const struct check vm_checks[] = {
	{ "exposed", "VT-x of its own", look_exposed },
	{ "static-memory", "static memory", look_memory },
	{ "version", "version", look_version },
	{ "saved-state", "saved state", look_saved },
	{ "checkpoints", "checkpoints", look_checkpoints },
	{ "vbs", "virtualization-based security", look_vbs },
	{ "mac-spoofing", "network of nested guests", look_spoofing },
	{ "can-start", "to start", look_start },
	{ "can-save", "to save while it runs", look_save },
	{ "can-checkpoint", "to make checkpoints", look_checkpoint },
	{ "can-migrate", "to migrate", look_migrate },
	{ 0 },
};
