// SPDX-License-Identifier: GPL-2.0
#include "irq_msg.h"

#define MSI_ADDR_LOGICAL	BIT(2)
#define MSI_ADDR_REDIRECT	BIT(3)
#define MSI_DATA_ASSERT		BIT(14)
#define MSI_DATA_LEVEL		BIT(15)

bool irq_msg_from_msi(u64 addr, u32 data, struct nv_intr_msg *m)
{
	memset(m, 0, sizeof(*m));
	if ((addr >> 20) != 0xfee)
		return false;
	m->dest = (addr >> 12) & 0xff;
	m->logical = addr & MSI_ADDR_LOGICAL;
	m->vector = data & 0xff;
	m->mode = (data >> 8) & 7;
	m->level = data & MSI_DATA_LEVEL;
	m->assert = !m->level || (data & MSI_DATA_ASSERT);
	/* The redirection hint lets any one of the addressed CPUs take it. */
	if ((addr & MSI_ADDR_REDIRECT) && m->mode == DELIVER_FIXED)
		m->mode = DELIVER_LOWEST;
	return true;
}

void irq_msg_from_redir(u64 redir, struct nv_intr_msg *m)
{
	memset(m, 0, sizeof(*m));
	m->dest = redir >> 56;
	m->vector = redir & 0xff;
	m->mode = (redir >> 8) & 7;
	m->logical = redir & BIT_ULL(11);
	m->level = redir & REDIR_LEVEL;
	m->assert = true;
}
