/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Machine check as the guest sees it (SDM 3B "Machine-Check Architecture"): the banks
 * and what a report of user space, which learnt of a bad page, does to them. Pure.
 */
#ifndef NESTVM_CPU_MCE_H
#define NESTVM_CPU_MCE_H

#include "pure.h"

#define MCE_MAX_BANKS	32
#define MCE_BANKS	10	/* until user space asks for others */

#define MCG_CAP_COUNT	0xffull
#define MCG_CAP_CTL	BIT_ULL(8)	/* there is IA32_MCG_CTL */
#define MCG_CAP_EXT_CNT	0xff0000ull	/* extended registers; none is kept */
#define MCG_CAP_SER	BIT_ULL(24)	/* software error recovery */
#define MCG_STATUS_MCIP	BIT_ULL(2)

#define MCI_STATUS_VAL	BIT_ULL(63)
#define MCI_STATUS_OVER	BIT_ULL(62)
#define MCI_STATUS_UC	BIT_ULL(61)
#define MCI_STATUS_PCC	BIT_ULL(57)
#define MCI_STATUS_S	BIT_ULL(56)
#define MCI_STATUS_AR	BIT_ULL(55)

/* What user space may ask for by KVM_X86_SETUP_MCE, besides how many banks. */
#define MCE_CAP_SUPPORTED	(MCG_CAP_CTL | MCG_CAP_SER)

enum mce_reg { MCI_CTL, MCI_STATUS, MCI_ADDR, MCI_MISC, MCI_REGS };

struct cpu_mce {
	u64 cap, status, ctl;		/* IA32_MCG_* */
	u64 bank[MCE_MAX_BANKS][MCI_REGS];
};

struct mce_report {
	unsigned int bank;
	u64 status, addr, misc;		/* of the bank */
	u64 mcg_status;
};

enum mce_effect { MCE_LOGGED, MCE_RAISED, MCE_SHUTDOWN };

/* As after power-on, with the default banks. */
void mce_reset(struct cpu_mce *m);

/* Other banks, all reporting. -EINVAL: none or too many, or an unknown capability. */
int mce_setup(struct cpu_mce *m, u64 cap);

/*
 * The MSRs of the banks and IA32_MCG_*. -EPERM: #GP. @host: user space, which sets what
 * the guest cannot, and for which a bank that is not there reads as 0 and takes 0.
 */
int mce_read(const struct cpu_mce *m, u32 msr, u64 *value, bool host);
int mce_write(struct cpu_mce *m, u32 msr, u64 value, bool host);

/*
 * Log an error. @mce: CR4.MCE. What comes of it, or -EINVAL: no such bank, or a report
 * that is not valid.
 */
int mce_report(struct cpu_mce *m, const struct mce_report *r, bool mce);

#endif
