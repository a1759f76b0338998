/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the check tables share: titles of the manual's sections and the address
 * rules that many rows have. Private to nested/check*.c.
 */
#ifndef NESTVM_NESTED_CHECK_RULES_H
#define NESTVM_NESTED_CHECK_RULES_H

#include "nested/check.h"
#include "x86.h"

#define SDM_EXEC_CTLS	"VM-Execution Control Fields"
#define SDM_EXIT_CTLS	"VM-Exit Control Fields"
#define SDM_ENTRY_CTLS	"VM-Entry Control Fields"
#define SDM_HOST_REGS	"Checks on Host Control Registers, MSRs, and SSP"
#define SDM_HOST_SEGS	"Checks on Host Segment and Descriptor-Table Registers"
#define SDM_HOST_SIZE	"Checks Related to Address-Space Size"
#define SDM_GUEST_REGS	"Checks on Guest Control Registers, Debug Registers, and MSRs"
#define SDM_GUEST_SEGS	"Checks on Guest Segment Registers"
#define SDM_GUEST_DT	"Checks on Guest Descriptor-Table Registers"
#define SDM_GUEST_RIP	"Checks on Guest RIP, RFLAGS, and SSP"
#define SDM_GUEST_STATE	"Checks on Guest Non-Register State"
#define SDM_GUEST_PDPTE	"Checks on Guest Page-Directory-Pointer-Table Entries"
#define SDM_LOAD_MSRS	"Loading MSRs"
#define SDM_SAVE_MSRS	"Saving MSRs"

/* A physical address in a field: aligned to @align, within the address width. */
static inline bool phys_ok(const struct entry_ctx *c, u64 addr, u64 align)
{
	return IS_ALIGNED(addr, align) && cpu_gpa_valid(c->cpu, addr);
}

/* A 4 KiB page, as most fields name one. */
static inline bool page_ok(const struct entry_ctx *c, u64 addr)
{
	return phys_ok(c, addr, NV_PAGE_SIZE);
}

/* The event that entry injects. */
static inline bool injects(const struct entry_ctx *c)
{
	return c->v->entry_intr_info & INTR_INFO_VALID;
}

static inline bool injects_type(const struct entry_ctx *c, u32 type)
{
	return injects(c) && (c->v->entry_intr_info & INTR_INFO_TYPE) == type;
}

static inline u32 injected_vector(const struct entry_ctx *c)
{
	return c->v->entry_intr_info & INTR_INFO_VECTOR;
}

#endif
