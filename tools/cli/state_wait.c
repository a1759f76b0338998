// SPDX-License-Identifier: GPL-2.0
#include "state_wait.h"

#include "facts.h"

#include <unistd.h>

#define STEP_US		20000
#define STEPS_MAX	1500	/* half a minute */

int state_rules(const struct vmdir *d, enum rule_when when, struct refusal *r)
{
	struct vm_facts facts;
	struct vm_conf conf;
	int ret;

	if (vmdir_load(d, &conf, r) < 0)
		return -1;
	facts_of_vm(d, &facts);
	ret = rules_check(&conf, &facts, when, r);
	conf_free(&conf);
	return ret;
}

void state_wait_gone(const struct vmdir *d)
{
	unsigned int i;

	for (i = 0; i < STEPS_MAX && vmdir_running(d, NULL); i++)
		usleep(STEP_US);
}
