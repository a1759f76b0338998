// SPDX-License-Identifier: GPL-2.0
/*
 * Registers of the local APIC and interrupts between CPUs: self, fixed, lowest
 * priority, logical, broadcast, NMI, INIT and start-up.
 */
#include "apic.h"

#define VEC	0x40

static volatile u32 ap_alive, ap_nmis, ap_starts;

GUEST_CASE(registers, NEED_IRQCHIP)
{
	EXPECT_EQ(apic_read(APIC_ID) >> 24, 0, "the id");
	EXPECT_EQ(apic_read(APIC_VERSION) & 0xf0, 0x10, "the version");
	EXPECT_EQ(apic_read(APIC_SVR), 0xff, "the SVR after reset");
	EXPECT_EQ(apic_read(APIC_LVT_TIMER), APIC_LVT_MASKED, "the timer's LVT after reset");
	apic_enable();
	apic_write(APIC_LVT_ERROR, 0x50);
	EXPECT_EQ(apic_read(APIC_LVT_ERROR), 0x50, "the error LVT");
	apic_write(APIC_LDR, 0x01000000);
	EXPECT_EQ(apic_read(APIC_LDR), 0x01000000, "the LDR");
	apic_write(APIC_DFR, 0xffffffff);
	EXPECT_EQ(apic_read(APIC_DFR), 0xffffffff, "the DFR");
	apic_write(APIC_TPR, 0x20);
	EXPECT_EQ(apic_read(APIC_PPR), 0x20, "the PPR");
	EXPECT_EQ(rdmsr(IA32_APIC_BASE), APIC_BASE_DEFAULT | APIC_BASE_ENABLE | APIC_BASE_BSP,
		  "IA32_APIC_BASE");
}

GUEST_CASE(x2apic_registers, NEED_IRQCHIP)
{
	if (!cpu_has_x2apic())
		skip("CPUID shows no x2APIC");
	EXPECT_EQ(CATCH("rdmsr", , "c"(0x802), "rax", "rdx"), VEC_GP,
		  "the vector of an x2APIC MSR in xAPIC mode");
	apic_x2apic();
	apic_enable();
	EXPECT_EQ(apic_read(APIC_ID), 0, "the id");
	EXPECT_EQ(apic_read(APIC_LDR), 1, "the LDR: derived from the id");
	EXPECT_EQ(CATCH("wrmsr", , ARGS("c"(0x80d), "a"(0), "d"(0))), VEC_GP,
		  "the vector of writing the LDR");
	EXPECT_EQ(CATCH("rdmsr", , "c"(0x80e), "rax", "rdx"), VEC_GP,
		  "the vector of reading the DFR");
	EXPECT_EQ(CATCH("rdmsr", , "c"(0x831), "rax", "rdx"), VEC_GP, "the vector of reading 831H");
	EXPECT_EQ(CATCH("wrmsr", , ARGS("c"(IA32_APIC_BASE), "a"(0xfee00900), "d"(0))), VEC_GP,
		  "the vector of going back to xAPIC at once");
	count_irq(VEC);
	apic_write(APIC_SELF_IPI, VEC);
	sti();
	asm volatile("nop");
	cli();
	EXPECT_EQ(irqs[VEC], 1, "interrupts by SELF IPI");
}

/* KVM 6.1 lets it pass. */
GUEST_CASE(x2apic_eoi_must_be_zero, NEED_IRQCHIP)
{
	if (!cpu_has_x2apic())
		skip("CPUID shows no x2APIC");
	apic_x2apic();
	EXPECT_EQ(CATCH("wrmsr", , ARGS("c"(0x80b), "a"(1), "d"(0))), VEC_GP, "the vector");
}

GUEST_CASE(self_ipi_and_priorities, NEED_IRQCHIP)
{
	apic_enable();
	count_irq(0x40);
	count_irq(0x80);
	apic_write(APIC_TPR, 0x50);
	apic_write(APIC_ICR, APIC_ICR_SELF | 0x40);
	apic_write(APIC_ICR, APIC_ICR_SELF | 0x80);
	EXPECT(apic_bit(APIC_IRR, 0x40) && apic_bit(APIC_IRR, 0x80), "not requested");
	sti();
	asm volatile("nop");
	cli();
	EXPECT_EQ(irqs[0x80], 1, "interrupts above the TPR");
	EXPECT_EQ(irqs[0x40], 0, "interrupts below the TPR");
	apic_write(APIC_TPR, 0);
	sti();
	asm volatile("nop");
	cli();
	EXPECT_EQ(irqs[0x40], 1, "interrupts once the TPR is 0");
}

static volatile u32 order[4], nested_seen;

static void low(struct trap_frame *f)
{
	order[nested_seen++] = 1;
	apic_write(APIC_ICR, APIC_ICR_SELF | 0x31);	/* same class: waits */
	apic_write(APIC_ICR, APIC_ICR_SELF | 0x90);	/* higher: at once */
	sti();
	asm volatile("nop");
	cli();
	order[nested_seen++] = 3;
	apic_eoi();
}

static void high(struct trap_frame *f)
{
	order[nested_seen++] = 2;
	apic_eoi();
}

GUEST_CASE(in_service_blocks_its_class, NEED_IRQCHIP)
{
	apic_enable();
	on_trap(0x35, low);
	on_trap(0x90, high);
	count_irq(0x31);
	apic_write(APIC_ICR, APIC_ICR_SELF | 0x35);
	sti();
	asm volatile("nop");
	cli();
	EXPECT(order[0] == 1 && order[1] == 2 && order[2] == 3, "%u %u %u", order[0], order[1],
	       order[2]);
	EXPECT_EQ(irqs[0x31], 1, "interrupts of the same class after EOI");
}

/* ---- two CPUs -------------------------------------------------------------- */

static void ap_nmi(struct trap_frame *f)
{
	ap_nmis++;
}

static void ap(void)
{
	ap_starts++;
	apic_enable();
	sti();
	ap_alive = 1;
	for (;;)
		hlt();
}

static void start_ap(void)
{
	smp_start(ap);
	ASSERT(WAIT_FOR(ap_alive), "the second CPU does not start");
	count_irq(VEC);
}

GUEST_CASE(init_and_startup, NEED_2_CPUS)
{
	start_ap();
	EXPECT_EQ(ap_starts, 1, "starts");
	/* A second INIT and start-up begins again from the vector. */
	ap_alive = 0;
	smp_start(ap);
	EXPECT(WAIT_FOR(ap_alive), "it does not start again");
	EXPECT_EQ(ap_starts, 2, "starts");
}

GUEST_CASE(ipi_fixed, NEED_2_CPUS)
{
	u32 i;

	start_ap();
	for (i = 1; i <= 20; i++) {
		apic_ipi(1, VEC);
		if (!WAIT_FOR(irqs[VEC] == i))
			break;
	}
	EXPECT_EQ(irqs[VEC], 20, "interrupts on the second CPU");
}

GUEST_CASE(ipi_others_and_all, NEED_2_CPUS)
{
	start_ap();
	apic_write(APIC_ICR, APIC_ICR_OTHERS | VEC);
	EXPECT(WAIT_FOR(irqs[VEC] == 1), "%u interrupts", irqs[VEC]);
	apic_write(APIC_ICR, APIC_ICR_ALL | VEC);
	sti();
	EXPECT(WAIT_FOR(irqs[VEC] == 3), "%u interrupts", irqs[VEC]);
	cli();
}

GUEST_CASE(ipi_logical_and_lowest_priority, NEED_2_CPUS)
{
	start_ap();
	apic_write(APIC_LDR, 0x01000000);
	/* The other's LDR is 0 after reset: nobody but us. */
	apic_write(APIC_TPR, 0);
	apic_ipi(0x01, APIC_ICR_LOGICAL | VEC);
	EXPECT(apic_bit(APIC_IRR, VEC), "not requested by its logical address");
	sti();
	asm volatile("nop");
	cli();
	EXPECT_EQ(irqs[VEC], 1, "interrupts");
	apic_ipi(0x01, APIC_ICR_LOGICAL | APIC_ICR_LOWEST | VEC);
	sti();
	EXPECT(WAIT_FOR(irqs[VEC] == 2), "%u interrupts", irqs[VEC]);
	cli();
}

GUEST_CASE(ipi_nmi, NEED_2_CPUS)
{
	start_ap();
	on_trap(VEC_NMI, ap_nmi);
	apic_ipi(1, APIC_ICR_NMI | APIC_ICR_ASSERT);
	EXPECT(WAIT_FOR(ap_nmis == 1), "%u NMIs", ap_nmis);
	apic_ipi(1, APIC_ICR_NMI | APIC_ICR_ASSERT);
	EXPECT(WAIT_FOR(ap_nmis == 2), "%u NMIs: IRET does not unblock", ap_nmis);
}

/* Both ways at once, each waiting for the other's answer. */
static volatile u32 balls;

static void ping(struct trap_frame *f)
{
	balls++;
	apic_eoi();
	if (balls < 100)
		apic_ipi(!(apic_read(APIC_ID) >> 24), 0x60);
}

GUEST_CASE(ping_pong, NEED_2_CPUS)
{
	start_ap();
	on_trap(0x60, ping);
	apic_ipi(1, 0x60);
	sti();
	EXPECT(WAIT_FOR(balls == 100), "it stops after %u", balls);
	cli();
}
