// SPDX-License-Identifier: GPL-2.0
/* Instructions of L2 that L0 has to execute, or cannot: guest/nested_emulation.c. */
#include "lib/guest_run.h"

GUEST(nested_emulation);

int main(int argc, char **argv)
{
	return guest_main(&guest_nested_emulation, NULL, 0, argc, argv);
}
