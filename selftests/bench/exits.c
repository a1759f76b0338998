// SPDX-License-Identifier: GPL-2.0
/*
 * What an exit costs, at L1 and at L2: a table, a line a figure,
 *
 *	bench: NAME TICKS EXITS
 *
 * per round: ticks of the guest's TSC (on the emulated machine: instructions of
 * all levels) and exits that L0 saw ("-" where the device has no statistics).
 */
#include "lib/guest_run.h"
#include "lib/stats.h"

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

GUEST(bench_exits);

#define LARGE		(2u << 20)
#define MEMORY		(64u << 20)

/* Memory in large pages as far as the host gives them, so that EPT has large leaves. */
static u8 *memory(void)
{
	u8 *p = mmap(NULL, MEMORY + LARGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ASSERT(p != MAP_FAILED, "no memory");
	p = (u8 *)(((uintptr_t)p + LARGE - 1) & ~(uintptr_t)(LARGE - 1));
	madvise(p, MEMORY, MADV_HUGEPAGE);
	memset(p, 0, MEMORY);
	return p;
}

/* The guest rings before and after: exits between, but for the second ring's own. */
static u64 measured_exits(struct vcpu *vcpu)
{
	u64 before, after;

	vcpu_expect_exit(vcpu, KVM_EXIT_IO);
	before = vcpu_exits(vcpu);
	vcpu_expect_exit(vcpu, KVM_EXIT_IO);
	after = vcpu_exits(vcpu);
	return before == ~0ull || after == ~0ull ? ~0ull : after - before - 1;
}

static void print_figure(const char *name, const struct guest_params *p, u64 exits)
{
	u64 rounds = p->results[1] ? p->results[1] : 1;
	char text[32] = "-";

	if (exits != ~0ull)
		snprintf(text, sizeof(text), "%llu.%02llu", exits / rounds,
			 exits * 100 / rounds % 100);
	printf("bench: %-24s %8llu %8s\n", name, (u64)p->results[0] / rounds, text);
	fflush(stdout);
}

struct figure {
	const char *guest;
	unsigned int flags;
};

static void measure(const void *arg)
{
	const struct figure *f = arg;
	struct vcpu *vcpu;
	struct vm vm;
	u64 exits;

	vm_create(&vm, f->flags | VM_NO_MEMORY);
	vm.mem = memory();
	vm.mem_size = MEMORY;
	vm_set_slot(&vm, 0, 0, 0, MEMORY, vm.mem);
	vcpu = guest_load(&vm, &guest_bench_exits, f->guest);
	exits = measured_exits(vcpu);
	guest_run_to_end(vcpu);
	print_figure(f->guest + 1, guest_params(&vm), exits);
}

int main(int argc, char **argv)
{
	static const struct figure figures[] = {
		{ "_l1_cpuid", 0 },
		{ "_l1_hlt_to_timer", VM_IRQCHIP },
		{ "_l2_cpuid", VM_EXPOSE },
		{ "_l2_cpuid_4_vmreads", VM_EXPOSE },
		{ "_l2_exit_of_l0", VM_EXPOSE },
		{ "_l2_first_touch_4k", VM_EXPOSE },
		{ "_l2_first_touch_2m", VM_EXPOSE },
	};
	static struct ktap_case cases[ARRAY_LEN(figures)];
	size_t i;

	for (i = 0; i < ARRAY_LEN(figures); i++)
		cases[i] = (struct ktap_case){ figures[i].guest + 1, measure, &figures[i], 60 };
	return guest_main(&guest_bench_exits, cases, ARRAY_LEN(cases), argc, argv);
}
