/* SPDX-License-Identifier: GPL-2.0 */
/* What the ICR asks for, and whom an interrupt message addresses. Pure. */
#ifndef NESTVM_VLAPIC_IPI_H
#define NESTVM_VLAPIC_IPI_H

#include "pure.h"
#include "vlapic.h"

enum ipi_to { IPI_TO_DEST, IPI_TO_SELF, IPI_TO_ALL, IPI_TO_OTHERS };

struct ipi {
	struct nv_intr_msg msg;
	enum ipi_to to;
};

enum ipi_verdict {
	IPI_SEND,
	IPI_DROP,		/* a combination that sends nothing */
	IPI_ILLEGAL_VECTOR,	/* sends nothing, and the ESR says so */
};

/* SDM 3A "Interrupt Command Register (ICR)". @high: destination, as written. */
enum ipi_verdict ipi_decode(u32 low, u32 high, bool x2apic, struct ipi *ipi);

/* A local APIC as messages see it. */
struct ipi_target {
	u32 id;
	bool x2apic;
	u32 ldr;	/* the register: logical ID in bits 31:24 in xAPIC mode */
	u32 dfr;
};

bool ipi_is_broadcast(const struct nv_intr_msg *m);
bool ipi_matches(const struct ipi_target *t, const struct nv_intr_msg *m);

/* SDM 3A "Deriving Logical x2APIC ID from the Local x2APIC ID" */
u32 ipi_x2apic_ldr(u32 id);

#endif
