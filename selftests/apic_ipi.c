// SPDX-License-Identifier: GPL-2.0
/* Local-APIC registers and interrupts between CPUs: guest/apic_ipi.c. */
#include "lib/guest_run.h"

GUEST(apic_ipi);

int main(int argc, char **argv)
{
	return guest_main(&guest_apic_ipi, NULL, 0, argc, argv);
}
