/* SPDX-License-Identifier: GPL-2.0 */
/* The local APIC, through its page or, after apic_x2apic(), through its MSRs. */
#ifndef SELFTESTS_APIC_H
#define SELFTESTS_APIC_H

#include "guest.h"

#define APIC_BASE	0xfee00000u
#define APIC_ID		0x20
#define APIC_VERSION	0x30
#define APIC_TPR	0x80
#define APIC_PPR	0xa0
#define APIC_EOI	0xb0
#define APIC_LDR	0xd0
#define APIC_DFR	0xe0
#define APIC_SVR	0xf0
#define APIC_ISR	0x100
#define APIC_TMR	0x180
#define APIC_IRR	0x200
#define APIC_ESR	0x280
#define APIC_ICR	0x300
#define APIC_ICR_HIGH	0x310
#define APIC_LVT_TIMER	0x320
#define APIC_LVT_LINT0	0x350
#define APIC_LVT_LINT1	0x360
#define APIC_LVT_ERROR	0x370
#define APIC_TIMER_INIT	0x380
#define APIC_TIMER_NOW	0x390
#define APIC_TIMER_DIV	0x3e0
#define APIC_SELF_IPI	0x3f0

#define APIC_SVR_ENABLE	0x100
#define APIC_LVT_MASKED	0x10000
#define APIC_TIMER_PERIODIC 0x20000
#define APIC_TIMER_DEADLINE 0x40000
#define APIC_ICR_FIXED	0x000
#define APIC_ICR_LOWEST	0x100
#define APIC_ICR_NMI	0x400
#define APIC_ICR_INIT	0x500
#define APIC_ICR_STARTUP 0x600
#define APIC_ICR_LOGICAL 0x800
#define APIC_ICR_ASSERT	0x4000
#define APIC_ICR_SELF	0x40000
#define APIC_ICR_ALL	0x80000
#define APIC_ICR_OTHERS	0xc0000

u32 apic_read(u32 reg);
void apic_write(u32 reg, u32 v);
void apic_enable(void);
void apic_x2apic(void);
void apic_ipi(u32 dest, u32 icr);
void apic_eoi(void);
bool apic_bit(u32 reg, u8 vector);	/* of APIC_ISR, APIC_TMR, APIC_IRR */

/* An interrupt @vector after @count ticks of the timer's clock, divided by 1. */
void apic_timer(u32 vector_and_mode, u32 count);

/* on_trap() for @vector with a handler that counts in irqs[vector] and says EOI. */
extern volatile u32 irqs[256];
void count_irq(u8 vector);

#endif
