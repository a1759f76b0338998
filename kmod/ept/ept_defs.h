/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Facts about EPT: entry bits, the EPTP, exit qualifications, the capability
 * MSR. From the SDM, volume 3C, "The Extended Page Table Mechanism (EPT)",
 * "Exit Qualification for EPT Violations" and "VPID and EPT Capabilities".
 */
#ifndef NV_EPT_DEFS_H
#define NV_EPT_DEFS_H

#include "pure.h"

/* Levels as the manual's tables nest: 1 = PT ... 4 = PML4, 5 = PML5. */
#define EPT_LEVEL_4K		1
#define EPT_LEVEL_2M		2
#define EPT_LEVEL_1G		3
#define EPT_LEVEL_PML4		4
#define EPT_LEVEL_PML5		5
#define EPT_ENTRIES		512
#define EPT_LEVEL_SHIFT(l)	(12 + 9 * ((l) - 1))
#define EPT_LEVEL_SIZE(l)	(1ULL << EPT_LEVEL_SHIFT(l))
#define EPT_INDEX(addr, l)	(((addr) >> EPT_LEVEL_SHIFT(l)) & (EPT_ENTRIES - 1))

/* An entry of an EPT paging structure. */
#define EPT_R			BIT_ULL(0)
#define EPT_W			BIT_ULL(1)
#define EPT_X			BIT_ULL(2)	/* with MBEC: supervisor-mode execute */
#define EPT_RWX			(EPT_R | EPT_W | EPT_X)
#define EPT_MT_SHIFT		3
#define EPT_MT_MASK		GENMASK_ULL(5, 3)
#define EPT_IPAT		BIT_ULL(6)	/* leaf: ignore the guest's PAT */
#define EPT_LARGE		BIT_ULL(7)	/* PDPTE, PDE: a leaf */
#define EPT_A			BIT_ULL(8)	/* if EPTP_AD */
#define EPT_D			BIT_ULL(9)	/* leaf, if EPTP_AD */
#define EPT_XU			BIT_ULL(10)	/* with MBEC: user-mode execute */
#define EPT_VERIFY_GPW		BIT_ULL(57)	/* leaf: verify guest paging */
#define EPT_PAGING_WRITE	BIT_ULL(58)	/* leaf: paging-write access */
#define EPT_SSS			BIT_ULL(60)	/* leaf: supervisor shadow stack */
#define EPT_SPP			BIT_ULL(61)	/* 4K leaf: sub-page write permissions */
#define EPT_SUPPRESS_VE		BIT_ULL(63)	/* suppress #VE */
#define EPT_ADDR_MASK		GENMASK_ULL(51, 12)

/* Memory types of an entry and of the EPTP; 2, 3 and 7 are reserved. */
#define EPT_MT_UC		0ULL
#define EPT_MT_WC		1ULL
#define EPT_MT_WT		4ULL
#define EPT_MT_WP		5ULL
#define EPT_MT_WB		6ULL
#define EPT_MT_OF(e)		(((e) & EPT_MT_MASK) >> EPT_MT_SHIFT)

/* The EPT pointer. */
#define EPTP_MT_MASK		GENMASK_ULL(2, 0)	/* only EPT_MT_UC and EPT_MT_WB */
#define EPTP_WALK_SHIFT		3
#define EPTP_WALK_MASK		GENMASK_ULL(5, 3)	/* page-walk length minus 1 */
#define EPTP_WALK_4		(3ULL << EPTP_WALK_SHIFT)
#define EPTP_WALK_5		(4ULL << EPTP_WALK_SHIFT)
#define EPTP_AD			BIT_ULL(6)		/* accessed and dirty flags */
#define EPTP_SSS		BIT_ULL(7)		/* supervisor shadow-stack control */
#define EPTP_RESERVED_LOW	GENMASK_ULL(11, 8)
#define EPTP_LEVELS(p)		((int)(((p) & EPTP_WALK_MASK) >> EPTP_WALK_SHIFT) + 1)

/* Exit qualification of an EPT violation. */
#define EPTV_READ		BIT_ULL(0)	/* the access: data read */
#define EPTV_WRITE		BIT_ULL(1)	/* data write */
#define EPTV_FETCH		BIT_ULL(2)	/* instruction fetch */
#define EPTV_ACCESS		(EPTV_READ | EPTV_WRITE | EPTV_FETCH)
#define EPTV_PERM_R		BIT_ULL(3)	/* AND of bit 0 of all entries used */
#define EPTV_PERM_W		BIT_ULL(4)
#define EPTV_PERM_X		BIT_ULL(5)
#define EPTV_PERM_XU		BIT_ULL(6)	/* defined with MBEC only */
#define EPTV_PERM_SHIFT		3
#define EPTV_PERM_RWX		(EPTV_PERM_R | EPTV_PERM_W | EPTV_PERM_X)
#define EPTV_LINEAR_VALID	BIT_ULL(7)	/* guest linear-address field is valid */
/* If bit 7: 1 = access to the translation of the linear address, 0 = to a paging structure. */
#define EPTV_TRANSLATED		BIT_ULL(8)
/* The next three with "advanced VM-exit information for EPT violations" only. */
#define EPTV_USER_LINEAR	BIT_ULL(9)
#define EPTV_RW_LINEAR		BIT_ULL(10)
#define EPTV_NX_LINEAR		BIT_ULL(11)
#define EPTV_NMI_UNBLOCKED	BIT_ULL(12)	/* by the IRET that faulted */
#define EPTV_SHADOW_STACK	BIT_ULL(13)
#define EPTV_ASYNC		BIT_ULL(16)	/* asynchronous to instruction execution */

/* IA32_VMX_EPT_VPID_CAP (MSR 48CH). */
#define EPTCAP_EXEC_ONLY	BIT_ULL(0)
#define EPTCAP_WALK_4		BIT_ULL(6)
#define EPTCAP_WALK_5		BIT_ULL(7)
#define EPTCAP_MT_UC		BIT_ULL(8)
#define EPTCAP_MT_WB		BIT_ULL(14)
#define EPTCAP_2M		BIT_ULL(16)
#define EPTCAP_1G		BIT_ULL(17)
#define EPTCAP_INVEPT		BIT_ULL(20)
#define EPTCAP_AD		BIT_ULL(21)
#define EPTCAP_ADV_EXIT_INFO	BIT_ULL(22)
#define EPTCAP_SSS		BIT_ULL(23)
#define EPTCAP_INVEPT_SINGLE	BIT_ULL(25)
#define EPTCAP_INVEPT_ALL	BIT_ULL(26)
#define EPTCAP_INVVPID		BIT_ULL(32)
#define EPTCAP_INVVPID_ADDR	BIT_ULL(40)
#define EPTCAP_INVVPID_SINGLE	BIT_ULL(41)
#define EPTCAP_INVVPID_ALL	BIT_ULL(42)
#define EPTCAP_INVVPID_KEEP_GLOBALS	BIT_ULL(43)

#define INVEPT_SINGLE		1
#define INVEPT_ALL		2
#define INVVPID_ADDR		0
#define INVVPID_SINGLE		1
#define INVVPID_ALL		2
#define INVVPID_KEEP_GLOBALS	3

#endif
