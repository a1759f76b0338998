// SPDX-License-Identifier: GPL-2.0
/* The results of the VMX instructions as L1 sees them: guest/nested_insn.c. */
#include "lib/guest_run.h"

GUEST(nested_insn);

int main(int argc, char **argv)
{
	return guest_main(&guest_nested_insn, NULL, 0, argc, argv);
}
