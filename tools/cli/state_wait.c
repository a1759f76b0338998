// SPDX-License-Identifier: GPL-2.0
#include "state_wait.h"

#include "facts.h"

#include <time.h>

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

bool state_wait_gone(const struct vmdir *d, unsigned int seconds)
{
	struct timespec nap = { .tv_nsec = 20 * 1000 * 1000 };
	struct timespec start, t;

	clock_gettime(CLOCK_MONOTONIC, &start);
	while (vmdir_running(d, NULL)) {
		clock_gettime(CLOCK_MONOTONIC, &t);
		if (t.tv_sec - start.tv_sec > (time_t)seconds)
			return false;
		nanosleep(&nap, NULL);
	}
	return true;
}
