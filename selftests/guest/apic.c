// SPDX-License-Identifier: GPL-2.0
#include "apic.h"

static volatile bool x2apic;
volatile u32 irqs[256];

u32 apic_read(u32 reg)
{
	if (x2apic)
		return rdmsr(IA32_X2APIC_FIRST + reg / 16);
	return *(volatile u32 *)(unsigned long)(APIC_BASE + reg);
}

void apic_write(u32 reg, u32 v)
{
	if (x2apic)
		wrmsr(IA32_X2APIC_FIRST + reg / 16, v);
	else
		*(volatile u32 *)(unsigned long)(APIC_BASE + reg) = v;
}

void apic_enable(void)
{
	apic_write(APIC_SVR, APIC_SVR_ENABLE | 0xff);
}

void apic_x2apic(void)
{
	wrmsr(IA32_APIC_BASE, rdmsr(IA32_APIC_BASE) | APIC_BASE_ENABLE | APIC_BASE_X2APIC);
	x2apic = true;
}

void apic_ipi(u32 dest, u32 icr)
{
	if (x2apic) {
		wrmsr(IA32_X2APIC_FIRST + APIC_ICR / 16, (u64)dest << 32 | icr);
	} else {
		apic_write(APIC_ICR_HIGH, dest << 24);
		apic_write(APIC_ICR, icr);
	}
}

void apic_eoi(void)
{
	apic_write(APIC_EOI, 0);
}

bool apic_bit(u32 reg, u8 vector)
{
	return apic_read(reg + vector / 32 * 16) & BIT(vector % 32);
}

void apic_timer(u32 vector_and_mode, u32 count)
{
	apic_write(APIC_TIMER_DIV, 0xb);
	apic_write(APIC_LVT_TIMER, vector_and_mode);
	apic_write(APIC_TIMER_INIT, count);
}

static void counted(struct trap_frame *f)
{
	irqs[f->vector]++;
	apic_eoi();
}

void count_irq(u8 vector)
{
	on_trap(vector, counted);
}
