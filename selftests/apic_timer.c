// SPDX-License-Identifier: GPL-2.0
/* The timer of the local APIC: guest/apic_timer.c. */
#include "lib/guest_run.h"

GUEST(apic_timer);

int main(int argc, char **argv)
{
	return guest_main(&guest_apic_timer, NULL, 0, argc, argv);
}
