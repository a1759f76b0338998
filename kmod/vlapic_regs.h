/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Facts of the local APIC (SDM 3A "Local APIC Register Address Map"), and the
 * 256-bit registers as functions. Pure.
 */
#ifndef NESTVM_VLAPIC_REGS_H
#define NESTVM_VLAPIC_REGS_H

#include "pure.h"

#define LAPIC_ID		0x020
#define LAPIC_VERSION		0x030
#define LAPIC_TPR		0x080
#define LAPIC_APR		0x090
#define LAPIC_PPR		0x0a0
#define LAPIC_EOI		0x0b0
#define LAPIC_RRD		0x0c0
#define LAPIC_LDR		0x0d0
#define LAPIC_DFR		0x0e0
#define LAPIC_SVR		0x0f0
#define LAPIC_ISR		0x100	/* eight registers each, 32 vectors in one */
#define LAPIC_TMR		0x180
#define LAPIC_IRR		0x200
#define LAPIC_ESR		0x280
#define LAPIC_ICR		0x300
#define LAPIC_ICR_HIGH		0x310	/* in x2APIC mode, the upper half of ICR */
#define LAPIC_LVT_TIMER		0x320
#define LAPIC_LVT_THERMAL	0x330
#define LAPIC_LVT_PERF		0x340
#define LAPIC_LVT_LINT0		0x350
#define LAPIC_LVT_LINT1		0x360
#define LAPIC_LVT_ERROR		0x370
#define LAPIC_TIMER_INITIAL	0x380
#define LAPIC_TIMER_CURRENT	0x390
#define LAPIC_TIMER_DIVIDE	0x3e0
#define LAPIC_SELF_IPI		0x3f0

/* Version 14H, six LVT entries, no suppression of EOI broadcasts. */
#define LAPIC_VERSION_VALUE	0x00050014u

#define SVR_VECTOR		GENMASK(7, 0)
#define SVR_ENABLE		BIT(8)
#define SVR_FOCUS		BIT(9)

#define LVT_VECTOR		GENMASK(7, 0)
#define LVT_MODE		GENMASK(10, 8)
#define LVT_MODE_SHIFT		8
#define LVT_STATUS		BIT(12)	/* read-only */
#define LVT_POLARITY		BIT(13)
#define LVT_REMOTE_IRR		BIT(14)	/* read-only */
#define LVT_LEVEL		BIT(15)
#define LVT_MASKED		BIT(16)
#define LVT_TIMER_MODE		GENMASK(18, 17)
#define LVT_TIMER_ONESHOT	(0u << 17)
#define LVT_TIMER_PERIODIC	(1u << 17)
#define LVT_TIMER_DEADLINE	(2u << 17)

#define ESR_SEND_ILLEGAL	BIT(5)
#define ESR_RECEIVE_ILLEGAL	BIT(6)
#define ESR_ILLEGAL_REGISTER	BIT(7)

#define DIVIDE_BITS		0xbu

/* The offset of the register with @vector's bit, and the bit. */
static inline u32 lapic_vec_reg(u32 base, u8 vector)
{
	return base + (vector / 32) * 0x10;
}

/* The highest vector that is set in the eight registers at @base, or -1. */
static inline int lapic_vec_highest(const u8 *page, u32 base)
{
	int i;

	for (i = 7; i >= 0; i--) {
		u32 word = READ_ONCE(*(const u32 *)(page + base + i * 0x10));

		if (word)
			return i * 32 + fls(word) - 1;
	}
	return -1;
}

/* SDM 3A "Task and Processor Priorities". @isrv: highest vector in service, or -1. */
static inline u8 lapic_ppr(u8 tpr, int isrv)
{
	u8 in_service = isrv < 0 ? 0 : isrv & 0xf0;

	return (tpr & 0xf0) >= in_service ? tpr : in_service;
}

/* SDM 3A "Divide Configuration Register": 1, 2, 4 to 128. */
static inline unsigned int lapic_divisor(u32 dcr)
{
	unsigned int value = (dcr & 3) | ((dcr & 8) >> 1);

	return 1u << ((value + 1) & 7);
}

#endif
