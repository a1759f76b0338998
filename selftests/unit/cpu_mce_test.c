// SPDX-License-Identifier: GPL-2.0
#include "harness.h"
#include "cpu_mce.h"
#include "x86.h"

#define UC	(MCI_STATUS_VAL | MCI_STATUS_UC | MCI_STATUS_S)
#define UCNA	(MCI_STATUS_VAL | MCI_STATUS_UC)
#define CE	MCI_STATUS_VAL
#define BANK(i, reg)	(IA32_MC0_CTL + (i) * MCI_REGS + (reg))

static struct cpu_mce m;

TEST(setup)
{
	static const struct {
		const char *name;
		u64 cap;
		int ret;
	} rows[] = {
		{ "one bank", 1, 0 },
		{ "all banks", MCE_MAX_BANKS | MCE_CAP_SUPPORTED, 0 },
		{ "extended registers", 10 | MCG_CAP_EXT_CNT, 0 },
		{ "no bank", MCG_CAP_CTL, -EINVAL },
		{ "one too many", MCE_MAX_BANKS + 1, -EINVAL },
		{ "255", 255, -EINVAL },
		{ "corrected-error interrupts", 10 | BIT_ULL(10), -EINVAL },
		{ "local machine checks", 10 | BIT_ULL(27), -EINVAL },
		{ "bit 63", 10 | BIT_ULL(63), -EINVAL },
	};

	FOR_EACH_ROW(r, rows) {
		CASE("%s", r->name);
		mce_reset(&m);
		EXPECT_EQ(mce_setup(&m, r->cap), r->ret);
		EXPECT_EQ(m.cap, r->ret ? MCE_BANKS | MCG_CAP_CTL : r->cap);
	}
}

TEST(registers)
{
	u64 v;
	u32 i;

	mce_reset(&m);
	for (i = 0; i < MCE_MAX_BANKS * MCI_REGS; i++) {
		bool there = i < MCE_BANKS * MCI_REGS, ctl = i % MCI_REGS == MCI_CTL;

		CASE("MSR %#x", IA32_MC0_CTL + i);
		EXPECT_EQ(mce_read(&m, IA32_MC0_CTL + i, &v, false), there ? 0 : -EPERM);
		EXPECT_EQ(mce_read(&m, IA32_MC0_CTL + i, &v, true), 0);
		EXPECT_EQ(v, 0);
		EXPECT_EQ(mce_write(&m, IA32_MC0_CTL + i, 0, false), there ? 0 : -EPERM);
		EXPECT_EQ(mce_write(&m, IA32_MC0_CTL + i, 0, true), 0);
		EXPECT_EQ(mce_write(&m, IA32_MC0_CTL + i, 5, false), there && ctl ? 0 : -EPERM);
		EXPECT_EQ(mce_write(&m, IA32_MC0_CTL + i, i + 1, true), there ? 0 : -EPERM);
	}
	for (i = 0; i < MCE_BANKS * MCI_REGS; i++) {
		EXPECT_EQ(mce_read(&m, IA32_MC0_CTL + i, &v, false), 0);
		EXPECT_EQ(v, i + 1);
	}
	EXPECT_EQ(mce_read(&m, IA32_MC0_CTL - 1, &v, false), -EPERM);
	EXPECT_EQ(mce_read(&m, IA32_MC0_CTL + MCE_MAX_BANKS * MCI_REGS, &v, false), -EPERM);
}

TEST(global_registers)
{
	u64 v;

	mce_reset(&m);
	EXPECT_EQ(mce_write(&m, IA32_MCG_CAP, m.cap, false), -EPERM);
	EXPECT_EQ(mce_write(&m, IA32_MCG_CAP, m.cap, true), 0);
	EXPECT_EQ(mce_write(&m, IA32_MCG_CAP, m.cap + 1, true), -EPERM);
	EXPECT_EQ(mce_write(&m, IA32_MCG_STATUS, 4, false), -EPERM);
	EXPECT_EQ(mce_write(&m, IA32_MCG_STATUS, 4, true), 0);
	EXPECT_EQ(mce_write(&m, IA32_MCG_STATUS, 0, false), 0);
	EXPECT_EQ(mce_write(&m, IA32_MCG_CTL, ~0ull, false), 0);
	EXPECT_EQ(mce_write(&m, IA32_MCG_CTL, 1, false), -EPERM);
	EXPECT_EQ(mce_read(&m, IA32_MCG_CTL, &v, false), 0);
	EXPECT_EQ(v, ~0ull);
	EXPECT_EQ(mce_setup(&m, 10), 0);
	EXPECT_EQ(mce_read(&m, IA32_MCG_CTL, &v, false), -EPERM);
	EXPECT_EQ(mce_read(&m, IA32_MCG_CTL, &v, true), 0);
	EXPECT_EQ(mce_write(&m, IA32_MCG_CTL, 0, false), -EPERM);
	EXPECT_EQ(mce_write(&m, IA32_MCG_CTL, 0, true), 0);
	EXPECT_EQ(mce_write(&m, IA32_MCG_CTL, ~0ull, true), -EPERM);
}

TEST(reports)
{
	static const struct {
		const char *name;
		u64 cap, ctl, bank_ctl, mcg_status, had, status;
		bool mce;
		int effect;
		u64 logged;
	} rows[] = {
		{ "corrected", 10, 0, ~0ull, 0, 0, CE, true, MCE_LOGGED, CE },
		{ "uncorrected", 10, 0, ~0ull, 0, 0, UC, true, MCE_RAISED, UC },
		{ "uncorrected, CR4.MCE off", 10, 0, ~0ull, 0, 0, UC, false, MCE_SHUTDOWN, UC },
		{ "uncorrected, in progress", 10, 0, ~0ull, MCG_STATUS_MCIP, 0, UC, true,
		  MCE_SHUTDOWN, UC },
		{ "the bank does not signal", 10, 0, 0, 0, 0, UC, true, MCE_LOGGED, UC },
		{ "all reports are off", 10 | MCG_CAP_CTL, 0, ~0ull, 0, 0, UC, true, MCE_LOGGED, 0 },
		{ "all reports are on", 10 | MCG_CAP_CTL, ~0ull, ~0ull, 0, 0, UC, true, MCE_RAISED,
		  UC },
		{ "no action needed", 10 | MCG_CAP_SER, 0, ~0ull, 0, 0,
		  UCNA, true, MCE_LOGGED, UCNA },
		{ "the same without recovery", 10, 0, ~0ull, 0, 0, UCNA, true, MCE_RAISED, UCNA },
		{ "corrected over corrected", 10, 0, ~0ull, 0, CE | 1, CE | 2, true, MCE_LOGGED,
		  CE | 1 | MCI_STATUS_OVER },
		{ "uncorrected over corrected", 10, 0, ~0ull, 0, CE | 1, UC | 2, true, MCE_RAISED,
		  UC | 2 | MCI_STATUS_OVER },
		{ "corrected over uncorrected", 10, 0, ~0ull, 0, UC | 1, CE | 2, true, MCE_LOGGED,
		  UC | 1 | MCI_STATUS_OVER },
		{ "uncorrected over uncorrected", 10, 0, ~0ull, 0, UC | 1, UC | 2, true, MCE_RAISED,
		  UC | 1 | MCI_STATUS_OVER },
		{ "over what is not valid", 10, 0, ~0ull, 0, 1, CE | 2, true, MCE_LOGGED, CE | 2 },
		{ "not valid", 10, 0, ~0ull, 0, 0, UC & ~MCI_STATUS_VAL, true, -EINVAL, 0 },
	};

	FOR_EACH_ROW(r, rows) {
		struct mce_report report = { .bank = 9, .status = r->status, .addr = 7, .misc = 8,
					     .mcg_status = 5 };
		bool stays;

		CASE("%s", r->name);
		EXPECT_EQ(mce_setup(&m, r->cap), 0);
		m.ctl = r->ctl;
		m.status = r->mcg_status;
		m.bank[9][MCI_CTL] = r->bank_ctl;
		m.bank[9][MCI_STATUS] = r->had;
		EXPECT_EQ(mce_report(&m, &report, r->mce), r->effect);
		EXPECT_EQ(m.bank[9][MCI_STATUS], r->logged);
		/* The address goes with the status. */
		stays = (r->logged ^ r->status) & ~MCI_STATUS_OVER;
		EXPECT_EQ(m.bank[9][MCI_ADDR], stays ? 0 : 7);
		EXPECT_EQ(m.status, r->effect == MCE_RAISED ? 5 : r->mcg_status);
		report.bank = 10;
		EXPECT_EQ(mce_report(&m, &report, r->mce), -EINVAL);
	}
}
