// SPDX-License-Identifier: GPL-2.0
/* What instructions do that a hypervisor may intercept, and exceptions: guest/run_insns.c. */
#include "lib/guest_run.h"

GUEST(run_insns);

int main(int argc, char **argv)
{
	return guest_main(&guest_run_insns, NULL, 0, argc, argv);
}
