// SPDX-License-Identifier: GPL-2.0
/* Exceptions, interrupts and NMIs between L2 and L1: guest/nested_events.c. */
#include "lib/guest_run.h"

GUEST(nested_events);

int main(int argc, char **argv)
{
	return guest_main(&guest_nested_events, NULL, 0, argc, argv);
}
