// SPDX-License-Identifier: GPL-2.0
/* Machine-check banks. Pure, see kmod/pure.mk. */
#include "cpu_mce.h"

#include "x86.h"

static unsigned int banks_of(const struct cpu_mce *m)
{
	return m->cap & MCG_CAP_COUNT;
}

void mce_reset(struct cpu_mce *m)
{
	memset(m, 0, sizeof(*m));
	m->cap = MCE_BANKS | MCG_CAP_CTL;
}

int mce_setup(struct cpu_mce *m, u64 cap)
{
	unsigned int i, n = cap & MCG_CAP_COUNT;

	if (!n || n > MCE_MAX_BANKS ||
	    (cap & ~(MCG_CAP_COUNT | MCG_CAP_EXT_CNT | MCE_CAP_SUPPORTED)))
		return -EINVAL;
	memset(m, 0, sizeof(*m));
	m->cap = cap;
	if (cap & MCG_CAP_CTL)
		m->ctl = ~0ull;
	for (i = 0; i < n; i++)
		m->bank[i][MCI_CTL] = ~0ull;
	return 0;
}

static u64 *bank_reg(struct cpu_mce *m, u32 msr)
{
	u32 i = msr - IA32_MC0_CTL;

	if (msr < IA32_MC0_CTL || i / MCI_REGS >= banks_of(m))
		return NULL;
	/* Within the banks also where a CPU guesses that the comparison held. */
	return &m->bank[i / MCI_REGS % MCE_MAX_BANKS][i % MCI_REGS];
}

int mce_read(const struct cpu_mce *m, u32 msr, u64 *value, bool host)
{
	const u64 *reg;

	switch (msr) {
	case IA32_MCG_CAP:
		*value = m->cap;
		return 0;
	case IA32_MCG_STATUS:
		*value = m->status;
		return 0;
	case IA32_MCG_CTL:
		*value = m->ctl;
		return m->cap & MCG_CAP_CTL || host ? 0 : -EPERM;
	}
	reg = bank_reg((struct cpu_mce *)m, msr);
	*value = reg ? *reg : 0;
	return reg || host ? 0 : -EPERM;
}

/* SDM 3B "IA32_MCG_CTL MSR": all ones turn the reports on, zeros off, else undefined. */
static int write_ctl(struct cpu_mce *m, u64 value, bool host)
{
	if (!(m->cap & MCG_CAP_CTL) && (value || !host))
		return -EPERM;
	if (value && ~value)
		return -EPERM;
	m->ctl = value;
	return 0;
}

int mce_write(struct cpu_mce *m, u32 msr, u64 value, bool host)
{
	u64 *reg;

	switch (msr) {
	case IA32_MCG_CAP:
		return host && value == m->cap ? 0 : -EPERM;
	case IA32_MCG_STATUS:
		/* "Any value other than 0 would result in #GP" (IA32_MCG_STATUS MSR). */
		if (value && !host)
			return -EPERM;
		m->status = value;
		return 0;
	case IA32_MCG_CTL:
		return write_ctl(m, value, host);
	}
	reg = bank_reg(m, msr);
	if (!reg)
		return host && !value ? 0 : -EPERM;
	/* Status, address and more are cleared by writing 0; writing ones is #GP. */
	if ((msr - IA32_MC0_CTL) % MCI_REGS != MCI_CTL && value && !host)
		return -EPERM;
	*reg = value;
	return 0;
}

/* "Uncorrected, no action required": logged and not signalled, where there is recovery. */
static bool needs_action(const struct cpu_mce *m, u64 status)
{
	if (!(status & MCI_STATUS_UC))
		return false;
	return !(m->cap & MCG_CAP_SER) ||
	       (status & (MCI_STATUS_PCC | MCI_STATUS_S | MCI_STATUS_AR));
}

/* SDM 3B "Overwrite rules": an uncorrected error stays, a corrected one makes room for it. */
static void log_error(u64 *bank, const struct mce_report *r)
{
	bool taken = bank[MCI_STATUS] & MCI_STATUS_VAL;

	if (taken && ((bank[MCI_STATUS] & MCI_STATUS_UC) || !(r->status & MCI_STATUS_UC))) {
		bank[MCI_STATUS] |= MCI_STATUS_OVER;
		return;
	}
	bank[MCI_STATUS] = r->status | (taken ? MCI_STATUS_OVER : 0);
	bank[MCI_ADDR] = r->addr;
	bank[MCI_MISC] = r->misc;
}

int mce_report(struct cpu_mce *m, const struct mce_report *r, bool mce)
{
	u64 *bank;

	if (r->bank >= banks_of(m) || !(r->status & MCI_STATUS_VAL))
		return -EINVAL;
	if ((m->cap & MCG_CAP_CTL) && !m->ctl)
		return MCE_LOGGED;
	bank = m->bank[array_index_nospec(r->bank, MCE_MAX_BANKS)];
	log_error(bank, r);
	/* The bank's controls say whether it signals, not whether it logs. */
	if (!needs_action(m, r->status) || !bank[MCI_CTL])
		return MCE_LOGGED;
	/* "If MCIP is set when another occurs, the processor enters a shutdown state." */
	if (!mce || (m->status & MCG_STATUS_MCIP))
		return MCE_SHUTDOWN;
	m->status = r->mcg_status;
	return MCE_RAISED;
}
