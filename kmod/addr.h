/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Three kinds of physical address as three types, so that mixing up L1's, L2's
 * and the host's does not compile. A one-field struct is passed in a register:
 * the types cost nothing at run time.
 *
 * "The guest-physical address" of a VM's memory slots, EPT01 and devices is a
 * gpa1_t. gpa2_t exists only in nested/, between EPT12 and EPT02.
 */
#ifndef NV_ADDR_H
#define NV_ADDR_H

#include "pure.h"

#define NV_PAGE_SHIFT	12
#define NV_PAGE_SIZE	(1ULL << NV_PAGE_SHIFT)
#define NV_PAGE_MASK	(~(NV_PAGE_SIZE - 1))

/* A guest-physical address of L1: what a memory slot maps. */
typedef struct { u64 v; } gpa1_t;
/* A guest-physical address of L2: what EPT12 translates to a gpa1_t. */
typedef struct { u64 v; } gpa2_t;
/* A physical address of the machine nestvm.ko runs on. */
typedef struct { u64 v; } hpa0_t;

#define NV_INVALID_ADDR	(~0ULL)
#define GPA1_INVALID	((gpa1_t){ NV_INVALID_ADDR })
#define GPA2_INVALID	((gpa2_t){ NV_INVALID_ADDR })
#define HPA_INVALID	((hpa0_t){ NV_INVALID_ADDR })

/*
 * The same helpers for each type: make, is it valid, page number and back,
 * offset in the page, start of the page, add.
 */
#define NV_ADDR_HELPERS(name, type)						\
static inline type name(u64 v)							\
{										\
	return (type){ v };							\
}										\
static inline bool name##_valid(type a)						\
{										\
	return a.v != NV_INVALID_ADDR;						\
}										\
static inline type name##_of_pfn(u64 pfn)					\
{										\
	return (type){ pfn << NV_PAGE_SHIFT };					\
}										\
static inline u64 name##_pfn(type a)						\
{										\
	return a.v >> NV_PAGE_SHIFT;						\
}										\
static inline u32 name##_offset(type a)						\
{										\
	return (u32)(a.v & (NV_PAGE_SIZE - 1));					\
}										\
static inline type name##_page(type a)						\
{										\
	return (type){ a.v & NV_PAGE_MASK };					\
}										\
static inline type name##_add(type a, u64 n)					\
{										\
	return (type){ a.v + n };						\
}

NV_ADDR_HELPERS(gpa1, gpa1_t)
NV_ADDR_HELPERS(gpa2, gpa2_t)
NV_ADDR_HELPERS(hpa, hpa0_t)

#undef NV_ADDR_HELPERS

#endif
