// SPDX-License-Identifier: GPL-2.0
#include "vlapic_ipi.h"

#define ICR_MODE_SHIFT		8
#define ICR_MODE_MASK		7u
#define ICR_LOGICAL		BIT(11)
#define ICR_ASSERT		BIT(14)
#define ICR_LEVEL		BIT(15)
#define ICR_TO_SHIFT		18

#define DFR_MODEL_SHIFT		28
#define DFR_FLAT		0xfu
#define DFR_CLUSTER		0x0u

enum ipi_verdict ipi_decode(u32 low, u32 high, bool x2apic, struct ipi *ipi)
{
	struct nv_intr_msg *m = &ipi->msg;

	memset(ipi, 0, sizeof(*ipi));
	m->vector = low & 0xff;
	m->mode = (low >> ICR_MODE_SHIFT) & ICR_MODE_MASK;
	m->logical = low & ICR_LOGICAL;
	m->assert = true;
	m->x2apic_format = x2apic;
	m->dest = x2apic ? high : high >> 24;
	ipi->to = (low >> ICR_TO_SHIFT) & 3;

	switch (m->mode) {
	case DELIVER_FIXED:
	case DELIVER_LOWEST:
		/* Always edge: the trigger bit counts for INIT alone. */
		if (m->vector < 16)
			return IPI_ILLEGAL_VECTOR;
		break;
	case DELIVER_INIT:
		/* "INIT level de-assert" synchronised arbitration IDs; there are none now. */
		if ((low & ICR_LEVEL) && !(low & ICR_ASSERT))
			return IPI_DROP;
		break;
	case DELIVER_SMI:
	case DELIVER_NMI:
	case DELIVER_SIPI:
		break;
	default:
		return IPI_DROP;
	}

	/* SDM 3A "Valid Combinations for the ... Interrupt Command Register" */
	if (m->mode != DELIVER_FIXED && (ipi->to == IPI_TO_SELF || ipi->to == IPI_TO_ALL))
		return IPI_DROP;
	return IPI_SEND;
}

bool ipi_is_broadcast(const struct nv_intr_msg *m)
{
	return m->dest == (m->x2apic_format ? U32_MAX : 0xffu);
}

static bool matches_logical(const struct ipi_target *t, u32 dest)
{
	u8 lid;

	if (t->x2apic)
		return (t->ldr >> 16) == (dest >> 16) && (t->ldr & dest & 0xffff);

	/* An APIC in xAPIC mode has no more than eight bits to compare. */
	if (dest > 0xff)
		return false;
	lid = t->ldr >> 24;
	switch (t->dfr >> DFR_MODEL_SHIFT) {
	case DFR_FLAT:
		return lid & dest;
	case DFR_CLUSTER:
		return (lid >> 4) == (dest >> 4) && (lid & dest & 0xf);
	default:
		return false;
	}
}

bool ipi_matches(const struct ipi_target *t, const struct nv_intr_msg *m)
{
	if (ipi_is_broadcast(m))
		return true;
	return m->logical ? matches_logical(t, m->dest) : t->id == m->dest;
}

u32 ipi_x2apic_ldr(u32 id)
{
	return ((id >> 4) << 16) | (1u << (id & 0xf));
}
