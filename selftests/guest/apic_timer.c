// SPDX-License-Identifier: GPL-2.0
/* The timer of the local APIC: one-shot, periodic, TSC-deadline; with HLT as Linux idles. */
#include "apic.h"

#define VEC	0x40
#define COUNT	200000

static void start(bool x2apic)
{
	if (x2apic && !cpu_has_x2apic())
		skip("CPUID shows no x2APIC");
	if (x2apic)
		apic_x2apic();
	apic_enable();
	count_irq(VEC);
}

static void one_shot(bool x2apic)
{
	u64 t0, t1;

	start(x2apic);
	t0 = rdtsc();
	apic_timer(VEC, COUNT);
	EXPECT(apic_read(APIC_TIMER_NOW) <= COUNT, "the count is %x", apic_read(APIC_TIMER_NOW));
	sti_hlt();
	cli();
	t1 = rdtsc();
	EXPECT_EQ(irqs[VEC], 1, "interrupts");
	EXPECT(t1 > t0, "TSC %llx to %llx", t0, t1);
	EXPECT_EQ(apic_read(APIC_TIMER_NOW), 0, "the count after it has fired");
	sti();
	wait_ticks(COUNT * 4);
	cli();
	EXPECT_EQ(irqs[VEC], 1, "interrupts later");
}

GUEST_CASE(one_shot_xapic, NEED_IRQCHIP) { one_shot(false); }
GUEST_CASE(one_shot_x2apic, NEED_IRQCHIP) { one_shot(true); }

GUEST_CASE(periodic, NEED_IRQCHIP)
{
	int i;

	start(false);
	apic_timer(VEC | APIC_TIMER_PERIODIC, COUNT);
	for (i = 0; i < 10; i++) {
		sti_hlt();
		cli();
	}
	EXPECT(irqs[VEC] >= 10, "%u interrupts", irqs[VEC]);
	apic_write(APIC_TIMER_INIT, 0);
	i = irqs[VEC];
	sti();
	wait_ticks(COUNT * 4);
	cli();
	EXPECT(irqs[VEC] <= (u32)i + 1, "%u interrupts after it was stopped", irqs[VEC] - i);
}

GUEST_CASE(tsc_deadline, NEED_IRQCHIP)
{
	u64 t0;

	if (!(cpuid(1, 0).ecx & BIT(24)))
		skip("CPUID shows no TSC deadline");
	start(true);
	apic_write(APIC_LVT_TIMER, VEC | APIC_TIMER_DEADLINE);
	t0 = rdtsc();
	wrmsr(IA32_TSC_DEADLINE, t0 + 1000000);
	EXPECT(rdmsr(IA32_TSC_DEADLINE) != 0, "the deadline reads 0 before it is reached");
	sti_hlt();
	cli();
	EXPECT(rdtsc() >= t0 + 1000000, "it came %llu ticks after, asked for 1000000",
	       rdtsc() - t0);
	EXPECT_EQ(irqs[VEC], 1, "interrupts");
	EXPECT_EQ(rdmsr(IA32_TSC_DEADLINE), 0, "the deadline afterwards");

	wrmsr(IA32_TSC_DEADLINE, 1);		/* in the past: at once */
	sti_hlt();
	cli();
	EXPECT_EQ(irqs[VEC], 2, "interrupts");
	wrmsr(IA32_TSC_DEADLINE, rdtsc() + 1000000);
	wrmsr(IA32_TSC_DEADLINE, 0);		/* disarmed */
	sti();
	wait_ticks(3000000);
	cli();
	EXPECT_EQ(irqs[VEC], 2, "interrupts after it was disarmed");
}

GUEST_CASE(masked_timer_does_not_fire, NEED_IRQCHIP)
{
	start(false);
	apic_timer(VEC | APIC_LVT_MASKED, COUNT);
	sti();
	wait_ticks(COUNT * 4);
	cli();
	EXPECT_EQ(irqs[VEC], 0, "interrupts");
}

/* A spinning guest gets its timer too, not only a halted one. */
GUEST_CASE(timer_while_spinning, NEED_IRQCHIP)
{
	start(false);
	apic_timer(VEC, COUNT);
	sti();
	EXPECT(WAIT_FOR(irqs[VEC]), "it never fired");
	cli();
}
