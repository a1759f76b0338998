// SPDX-License-Identifier: GPL-2.0
/* L1's EPT, as L2 meets it and as L1's exits tell: guest/nested_ept.c. */
#include "lib/guest_run.h"

GUEST(nested_ept);

int main(int argc, char **argv)
{
	return guest_main(&guest_nested_ept, NULL, 0, argc, argv);
}
