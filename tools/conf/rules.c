// SPDX-License-Identifier: GPL-2.0
#include "rules.h"

#include "vtx.h"

#include <string.h>

bool conf_has_vtx(const struct vm_conf *c)
{
	return c->expose || c->vbs;
}

static bool by_old_rules(const struct vm_conf *c)
{
	return c->version < VERSION_NESTED_ALL && c->expose;
}

static bool is_running(const struct vm_conf *c, const struct vm_facts *f)
{
	(void)c;
	return f->running;
}

static bool is_not_running(const struct vm_conf *c, const struct vm_facts *f)
{
	(void)c;
	return !f->running;
}

static bool is_saved(const struct vm_conf *c, const struct vm_facts *f)
{
	(void)c;
	return f->saved;
}

static bool exposed_and_dynamic(const struct vm_conf *c, const struct vm_facts *f)
{
	(void)f;
	return c->expose && c->dynamic_memory;
}

static bool vbs_and_dynamic(const struct vm_conf *c, const struct vm_facts *f)
{
	(void)f;
	return c->vbs && c->dynamic_memory;
}

static bool old_and_vbs(const struct vm_conf *c, const struct vm_facts *f)
{
	(void)f;
	return by_old_rules(c) && c->vbs;
}

static bool old_and_checkpoints(const struct vm_conf *c, const struct vm_facts *f)
{
	return by_old_rules(c) && f->checkpoints;
}

static bool old_and_saved(const struct vm_conf *c, const struct vm_facts *f)
{
	return by_old_rules(c) && f->saved;
}

static bool old(const struct vm_conf *c, const struct vm_facts *f)
{
	(void)f;
	return by_old_rules(c);
}

static bool vbs_in_spite(const struct vm_conf *c, const struct vm_facts *f)
{
	(void)f;
	return c->vbs && c->vbs_opt_out;
}

static bool sizes_not_rising(const struct vm_conf *c, const struct vm_facts *f)
{
	(void)f;
	return c->dynamic_memory && (c->memory_min > c->memory || c->memory > c->memory_max);
}

static void size_args(const struct vm_conf *c, const struct vm_facts *f, const char *args[3],
		      char buf[3][32])
{
	(void)f;
	args[0] = conf_print_size(c->memory_min, buf[0]);
	args[1] = conf_print_size(c->memory, buf[1]);
	args[2] = conf_print_size(c->memory_max, buf[2]);
}

static bool feature_alone(const struct vm_conf *c, const struct vm_facts *f)
{
	unsigned int base;

	(void)f;
	return vtx_unmet(c->vtx_features, &base) >= 0;
}

static void feature_args(const struct vm_conf *c, const struct vm_facts *f, const char *args[3],
			 char buf[3][32])
{
	unsigned int base;
	int feature = vtx_unmet(c->vtx_features, &base);

	(void)f, (void)buf;
	args[0] = vtx_features[feature].name;
	args[1] = vtx_features[base].name;
}

static bool nothing_to_boot(const struct vm_conf *c, const struct vm_facts *f)
{
	return !c->kernel && !f->saved;
}

static bool newest(const struct vm_conf *c, const struct vm_facts *f)
{
	(void)f;
	return c->version == VERSION_NEWEST;
}

static bool exposed(const struct vm_conf *c, const struct vm_facts *f)
{
	(void)f;
	return c->expose;
}

static bool static_memory(const struct vm_conf *c, const struct vm_facts *f)
{
	(void)f;
	return !c->dynamic_memory;
}

static bool out_of_range(const struct vm_conf *c, const struct vm_facts *f)
{
	return f->resize < c->memory_min || f->resize > c->memory_max;
}

static void resize_args(const struct vm_conf *c, const struct vm_facts *f, const char *args[3],
			char buf[3][32])
{
	args[0] = conf_print_size(f->resize, buf[0]);
	args[1] = conf_print_size(c->memory_min, buf[1]);
	args[2] = conf_print_size(c->memory_max, buf[2]);
}

static bool not_intel(const struct vm_conf *c, const struct vm_facts *f)
{
	return conf_has_vtx(c) && strcmp(f->host.vendor, "GenuineIntel");
}

static void vendor_arg(const struct vm_conf *c, const struct vm_facts *f, const char *args[3],
		       char buf[3][32])
{
	(void)c, (void)buf;
	args[0] = f->host.vendor;
}

static bool no_vmx(const struct vm_conf *c, const struct vm_facts *f)
{
	return conf_has_vtx(c) && !f->host.vmx;
}

static bool no_ept(const struct vm_conf *c, const struct vm_facts *f)
{
	return conf_has_vtx(c) && !f->host.ept;
}

static bool forbidden(const struct vm_conf *c, const struct vm_facts *f)
{
	return conf_has_vtx(c) && f->host.nested_off;
}

#define CONFIGURED (RULE_SET | RULE_START)

#define RULE(id, attempts, predicate, ...) \
	{ .reason = REASON_##id, .when = attempts, .broken = predicate, __VA_ARGS__ }

/*
 * States first, then what the owner can change, then what only another host has; the
 * more particular reason before the more general one.
 */
const struct rule rules[] = {
	RULE(VM_RUNNING, RULE_SET, is_running, .attempt = "this can be set"),
	RULE(VM_RUNNING, RULE_START, is_running, .attempt = "it can start"),
	RULE(VM_RUNNING, RULE_UPDATE, is_running, .attempt = "its version changes"),
	RULE(VM_RUNNING, RULE_REMOVE, is_running, .attempt = "it can be removed or renamed"),
	RULE(VM_NOT_RUNNING, RULE_SAVE, is_not_running, .attempt = "its state can be saved"),
	RULE(VM_NOT_RUNNING, RULE_MIGRATE, is_not_running, .attempt = "it can migrate"),
	RULE(VM_NOT_RUNNING, RULE_RESIZE, is_not_running, .attempt = "it can be resized"),
	RULE(VM_SAVED, RULE_UPDATE, is_saved, .attempt = "its version changes"),

	RULE(VERSION_NEWEST, RULE_UPDATE, newest),
	RULE(EXPOSE_DYNAMIC_MEMORY, CONFIGURED, exposed_and_dynamic),
	RULE(VBS_DYNAMIC_MEMORY, CONFIGURED, vbs_and_dynamic),
	RULE(VBS_OPT_OUT, CONFIGURED, vbs_in_spite),
	RULE(OLD_VERSION_VBS, CONFIGURED, old_and_vbs),
	RULE(OLD_VERSION_CHECKPOINTS, CONFIGURED, old_and_checkpoints),
	RULE(OLD_VERSION_CHECKPOINTS, RULE_CHECKPOINT, old),
	RULE(OLD_VERSION_SAVE, CONFIGURED, old_and_saved),
	RULE(OLD_VERSION_SAVE, RULE_SAVE, old),
	RULE(OLD_VERSION_MIGRATE, RULE_MIGRATE, old),
	RULE(MEMORY_RANGE, CONFIGURED, sizes_not_rising, .args = size_args),
	RULE(FEATURE_DEPENDS, CONFIGURED, feature_alone, .args = feature_args),
	RULE(VM_SAVED, RULE_SET, is_saved, .attempt = "its settings change"),
	RULE(NO_KERNEL, RULE_START, nothing_to_boot),
	RULE(EXPOSE_RESIZE, RULE_RESIZE, exposed, .args = resize_args),
	RULE(STATIC_RESIZE, RULE_RESIZE, static_memory, .args = resize_args),
	RULE(RESIZE_RANGE, RULE_RESIZE, out_of_range, .args = resize_args),

	RULE(HOST_NOT_INTEL, CONFIGURED, not_intel, .args = vendor_arg),
	RULE(HOST_NO_VMX, CONFIGURED, no_vmx),
	RULE(HOST_NO_EPT, CONFIGURED, no_ept),
	RULE(HOST_NESTED_OFF, CONFIGURED, forbidden),
	{ 0 },
};

int rule_check(const struct rule *rule, const struct vm_conf *c, const struct vm_facts *f,
	       struct refusal *r)
{
	const char *args[3] = { rule->attempt ?: version_name(c->version) };
	char buf[3][32];

	if (!rule->broken(c, f))
		return 0;
	if (rule->args)
		rule->args(c, f, args, buf);
	return refuse_args(r, rule->reason,
			   (const char *const []){ f->name, args[0], args[1], args[2], NULL });
}

int rules_check(const struct vm_conf *c, const struct vm_facts *f, enum rule_when when,
		struct refusal *r)
{
	const struct rule *rule;

	for (rule = rules; rule->broken; rule++)
		if ((rule->when & when) && rule_check(rule, c, f, r) < 0)
			return -1;
	return 0;
}
