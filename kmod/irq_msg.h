/* SPDX-License-Identifier: GPL-2.0 */
/* Interrupt messages as devices and the IOAPIC write them down. Pure. */
#ifndef NESTVM_IRQ_MSG_H
#define NESTVM_IRQ_MSG_H

#include "pure.h"
#include "vlapic.h"

/*
 * A write of @data to @addr (SDM 3A "Message Signalled Interrupts"). False if it
 * is no interrupt message, because it lies outside FEEx_xxxxH.
 */
bool irq_msg_from_msi(u64 addr, u32 data, struct nv_intr_msg *m);

/* IOAPIC redirection entry. */
#define REDIR_STATUS		BIT_ULL(12)	/* read-only */
#define REDIR_REMOTE_IRR	BIT_ULL(14)	/* read-only */
#define REDIR_LEVEL		BIT_ULL(15)
#define REDIR_MASKED		BIT_ULL(16)
#define REDIR_WRITABLE		(GENMASK_ULL(63, 56) | GENMASK_ULL(16, 0))

void irq_msg_from_redir(u64 redir, struct nv_intr_msg *m);

#endif
