/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What a test program and the bare-metal guest it starts agree on: where
 * things lie in guest-physical memory, and how the guest reports.
 *
 *	0x0001000	struct guest_params
 *	0x0002000	page tables (PML4, PDPT, 4 page directories: 4 GiB 1:1)
 *	0x0008000	start-up code of other CPUs, copied there by guest/smp.c
 *	0x0100000	the guest: code, data, stacks
 *	0x0800000	free for the test
 */
#ifndef SELFTESTS_PARAMS_H
#define SELFTESTS_PARAMS_H

#define GUEST_PARAMS	0x1000
#define GUEST_PML4	0x2000
#define GUEST_PDPT	0x3000
#define GUEST_PD	0x4000
#define GUEST_AP_START	0x8000
#define GUEST_BASE	0x100000
#define GUEST_FREE	0x800000

/* Ports: the address of a text line to print; the end, with a verdict. */
#define GUEST_PORT_SAY	0xf8
#define GUEST_PORT_END	0xf4
#define GUEST_PORT_NOTHING 0x80	/* writes to 80H-8FH and 8080H-808FH have no effect */
#define GUEST_PASSED	0
#define GUEST_FAILED	1
#define GUEST_SKIPPED	2	/* the last line said is the reason */

/* What a case asks of its virtual machine. */
#define NEED_IRQCHIP	0x1u
#define NEED_VMX	0x2u
#define NEED_2_CPUS	0x4u
#define NEED_LONG_TIME	0x8u	/* ten times the usual time limit */

struct guest_params {
	unsigned int case_nr;
	unsigned int reserved;
	unsigned long long seed;
	unsigned long long args[8];
	unsigned long long results[64];
};

/* At the beginning of a guest's image. */
#define GUEST_MAGIC	0x5453454e	/* "NEST" */

struct guest_case {
	const char *name;
	void (*fn)(void);
	unsigned long long need;
};

struct guest_header {
	unsigned char jump[12];
	unsigned int magic;
	unsigned long long cases;	/* guest addresses of struct guest_case [] */
	unsigned long long cases_end;
};

#endif
