// SPDX-License-Identifier: GPL-2.0
/* Which of L2's doings L1 gets to see, and how: guest/nested_exits.c. */
#include "lib/guest_run.h"

GUEST(nested_exits);

int main(int argc, char **argv)
{
	return guest_main(&guest_nested_exits, NULL, 0, argc, argv);
}
