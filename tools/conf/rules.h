/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What goes with what: settings, versions, states of a VM and the host.
 *
 * One row per rule, each a pure function of a configuration and of facts that the
 * caller has gathered. "set", "start", "save" and the like refuse by the rows of
 * their attempt; "nestvm check" shows them all.
 */
#ifndef CONF_RULES_H
#define CONF_RULES_H

#include "conf.h"

struct host_facts {
	char vendor[16];		/* "GenuineIntel" */
	bool vmx;
	bool ept;
	bool nested_off;		/* module parameter nested=0 */
};

struct vm_facts {
	const char *name;
	bool running;
	bool saved;
	unsigned int checkpoints;
	uint64_t resize;		/* RULE_RESIZE: the memory that is wanted */
	struct host_facts host;
};

/* What is attempted. */
enum rule_when {
	RULE_SET = 1 << 0,		/* make this configuration the VM's */
	RULE_START = 1 << 1,
	RULE_SAVE = 1 << 2,
	RULE_CHECKPOINT = 1 << 3,
	RULE_MIGRATE = 1 << 4,
	RULE_RESIZE = 1 << 5,		/* memory, while it runs */
	RULE_UPDATE = 1 << 6,		/* of the version */
	RULE_REMOVE = 1 << 7,		/* or rename */
};

struct rule {
	enum reason reason;
	unsigned int when;
	bool (*broken)(const struct vm_conf *c, const struct vm_facts *f);
	/* {1} and so on of the sentence, where they are not the version; @buf holds them */
	void (*args)(const struct vm_conf *c, const struct vm_facts *f, const char *args[3],
		     char buf[3][32]);
	const char *attempt;		/* {1} when it is always the same */
};

/* Ends with a row without @broken. */
extern const struct rule rules[];

/* 0, or -1 with the sentence of the first rule that @when breaks. */
int rules_check(const struct vm_conf *c, const struct vm_facts *f, enum rule_when when,
		struct refusal *r);
/* The same for one row. */
int rule_check(const struct rule *rule, const struct vm_conf *c, const struct vm_facts *f,
	       struct refusal *r);

/* The guest sees VT-x: for VMs of its own, or for its isolated mode. */
bool conf_has_vtx(const struct vm_conf *c);

#endif
