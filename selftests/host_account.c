// SPDX-License-Identifier: GPL-2.0
/* What the host's kernel says of a thread that runs a guest. */
#define _GNU_SOURCE
#include "lib/vm.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Clock ticks of user mode, kernel mode and guests: fields 14, 15 and 43 of proc(5) stat. */
struct times {
	unsigned long user, system, guest;
};

static struct times times(void)
{
	struct times t = {};
	FILE *f = fopen("/proc/self/stat", "r");
	char line[1024], *at;
	int field = 2;

	ASSERT(f && fgets(line, sizeof(line), f), "/proc/self/stat cannot be read");
	fclose(f);
	at = strrchr(line, ')');
	while (at && (at = strchr(at + 1, ' '))) {
		field++;
		if (field == 14)
			sscanf(at, "%lu %lu", &t.user, &t.system);
		if (field == 43)
			sscanf(at, "%lu", &t.guest);
	}
	return t;
}

/* Where the machine is booted with nohz_full=, that CPU has no tick, and must know by itself. */
static void last_cpu(void)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(sysconf(_SC_NPROCESSORS_ONLN) - 1, &set);
	ASSERT(!sched_setaffinity(0, sizeof(set), &set), "no such CPU");
}

/* The guest counts to 80 million with interrupts on: some 400 ms of the machine's clock. */
static void guest_time(const void *arg)
{
	static const u8 code[] = {
		0xfb,					/* sti */
		0x66, 0xb9, 0x00, 0xb4, 0xc4, 0x04,	/* mov $80000000, %ecx */
		0x67, 0xe2, 0xfd,			/* addr32 loop . */
		0xf4,					/* hlt */
	};
	struct times before, after;
	struct vcpu *vcpu;
	struct vm vm;

	last_cpu();
	vm_create(&vm, 0);
	memcpy(vm.mem + 0x1000, code, sizeof(code));
	vcpu = vm_add_vcpu(&vm);
	vcpu_real_mode(vcpu, 0x1000);
	before = times();
	vcpu_expect_exit(vcpu, KVM_EXIT_HLT);
	after = times();
	ktap_say("  ticks: %lu user, %lu of them the guest's, %lu system",
		 after.user - before.user, after.guest - before.guest,
		 after.system - before.system);
	EXPECT(after.guest - before.guest >= 10, "the guest's time is not seen");
	/* proc(5): guest time is part of user time, but for rounding. */
	EXPECT(after.user - before.user + 1 >= after.guest - before.guest, "no user time");
	EXPECT(after.system - before.system < after.guest - before.guest,
	       "the guest's time is the kernel's");
	vm_destroy(&vm);
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "guest_time", guest_time, NULL, 0 },
	};

	return ktap_main(cases, ARRAY_LEN(cases), argc, argv);
}
