// SPDX-License-Identifier: GPL-2.0
#include "harness.h"
#include "vmx/mitigations.h"
#include "x86.h"

/* A CPU of 2018 with each bug, and a kernel that does all it can. */
static struct mitigation_facts worst(void)
{
	return (struct mitigation_facts){
		.l1tf = true, .buffers = true, .spectre_v2 = true, .bhi = true, .vmscape = true,
		.itlb_multihit = true, .verw = true, .rsb_fill = true, .bhb_loop = true,
		.ibpb = true, .ibpb_to_user = true, .spec_ctrl = true, .nx_large = true,
		.l1tf_wish = L1TF_WISH_FLUSH,
	};
}

TEST(all_done)
{
	struct mitigation_facts f = worst();
	int i;

	for (i = 0; i < MITIGATION_COUNT; i++) {
		struct mitigation m = mitigation_decide(i, &f);

		CASE("%s", mitigation_name(i));
		EXPECT_EQ(m.state, MITIGATION_ON);
		EXPECT_TRUE(m.reason[0]);
	}
}

TEST(no_bug)
{
	struct mitigation_facts f = { 0 };
	int i;

	for (i = 0; i < MITIGATION_COUNT; i++) {
		CASE("%s", mitigation_name(i));
		EXPECT_EQ(mitigation_decide(i, &f).state,
			  i == MITIGATION_SPECTRE_V1 ? MITIGATION_ON : MITIGATION_NOT_NEEDED);
	}
}

/* One thing changed: one verdict changes. */
TEST(each_its_own)
{
#define FACT(name)	offsetof(struct mitigation_facts, name)
	static const struct {
		enum mitigation_id id;
		size_t fact;
		bool value;
		enum mitigation_state state;
	} rows[] = {
		{ MITIGATION_L1TF, FACT(l1tf), false, MITIGATION_NOT_NEEDED },
		{ MITIGATION_BUFFERS, FACT(buffers), false, MITIGATION_NOT_NEEDED },
		{ MITIGATION_BUFFERS, FACT(verw), false, MITIGATION_OFF },
		{ MITIGATION_RETURNS, FACT(rsb_fill), false, MITIGATION_OFF },
		{ MITIGATION_SPEC_CTRL, FACT(spec_ctrl), false, MITIGATION_NOT_NEEDED },
		{ MITIGATION_BHI, FACT(bhi), false, MITIGATION_NOT_NEEDED },
		{ MITIGATION_BHI, FACT(bhb_loop), false, MITIGATION_OFF },
		{ MITIGATION_IBPB_VCPU, FACT(ibpb), false, MITIGATION_OFF },
		{ MITIGATION_IBPB_L2, FACT(ibpb), false, MITIGATION_OFF },
		{ MITIGATION_VMSCAPE, FACT(vmscape), false, MITIGATION_NOT_NEEDED },
		{ MITIGATION_VMSCAPE, FACT(ibpb_to_user), false, MITIGATION_OFF },
		{ MITIGATION_ITLB, FACT(itlb_multihit), false, MITIGATION_NOT_NEEDED },
		{ MITIGATION_ITLB, FACT(nx_large), false, MITIGATION_OFF },
		{ MITIGATION_SMT, FACT(smt), true, MITIGATION_OFF },
		{ MITIGATION_GUEST, FACT(spec_ctrl), false, MITIGATION_NOT_NEEDED },
	};

	FOR_EACH_ROW(r, rows) {
		struct mitigation_facts f = worst();

		CASE("%s, fact at %zu", mitigation_name(r->id), r->fact);
		*((bool *)&f + r->fact) = r->value;
		EXPECT_EQ(mitigation_decide(r->id, &f).state, r->state);
	}
}

/* What stands in for what. */
TEST(other_ways)
{
	static const struct {
		enum mitigation_id id;
		size_t without, with;
		enum mitigation_state state;
	} rows[] = {
		{ MITIGATION_BUFFERS, FACT(verw), FACT(verw_mmio), MITIGATION_ON },
		{ MITIGATION_RETURNS, FACT(rsb_fill), FACT(rsb_one), MITIGATION_ON },
		{ MITIGATION_RETURNS, FACT(rsb_fill), FACT(eibrs), MITIGATION_NOT_NEEDED },
		{ MITIGATION_BHI, FACT(bhb_loop), FACT(bhi_dis_s), MITIGATION_ON },
		{ MITIGATION_BHI, FACT(bhb_loop), FACT(retpoline), MITIGATION_ON },
	};

	FOR_EACH_ROW(r, rows) {
		struct mitigation_facts f = worst();

		CASE("%s, fact at %zu", mitigation_name(r->id), r->with);
		*((bool *)&f + r->without) = false;
		*((bool *)&f + r->with) = true;
		EXPECT_EQ(mitigation_decide(r->id, &f).state, r->state);
	}
}

/* As kvm_intel: the kernel's command line, then the module's parameter, but full,force. */
TEST(l1d)
{
	static const struct {
		enum l1tf_wish wish;
		enum l1d_mode param, is;
	} rows[] = {
		{ L1TF_WISH_OFF, L1D_AUTO, L1D_NEVER },
		{ L1TF_WISH_FLUSH, L1D_AUTO, L1D_COND },
		{ L1TF_WISH_FULL, L1D_AUTO, L1D_ALWAYS },
		{ L1TF_WISH_FULL_FORCE, L1D_AUTO, L1D_ALWAYS },
		{ L1TF_WISH_OFF, L1D_COND, L1D_COND },
		{ L1TF_WISH_FLUSH, L1D_NEVER, L1D_NEVER },
		{ L1TF_WISH_FLUSH, L1D_ALWAYS, L1D_ALWAYS },
		{ L1TF_WISH_FULL, L1D_NEVER, L1D_NEVER },
		{ L1TF_WISH_FULL_FORCE, L1D_NEVER, L1D_ALWAYS },
	};

	FOR_EACH_ROW(r, rows) {
		struct mitigation_facts f = worst();

		CASE("l1tf= %d, parameter %d", r->wish, r->param);
		f.l1tf_wish = r->wish;
		f.l1d_param = r->param;
		EXPECT_EQ(mitigation_l1d(&f), r->is);
		EXPECT_EQ(mitigation_decide(MITIGATION_L1TF, &f).state,
			  r->is == L1D_NEVER ? MITIGATION_OFF : MITIGATION_ON);
		f.arch_caps = IA32_ARCH_CAP_SKIP_L1D;
		EXPECT_EQ(mitigation_l1d(&f), L1D_NEVER);
		EXPECT_EQ(mitigation_decide(MITIGATION_L1TF, &f).state, MITIGATION_NOT_NEEDED);
	}
}

/* What a guest is told it need not do: each by the fact that it rests on. */
TEST(arch_caps)
{
	static const struct {
		size_t fact;
		u64 bit;
	} rows[] = {
		{ FACT(meltdown), IA32_ARCH_CAP_RDCL_NO },
		{ FACT(l1tf), IA32_ARCH_CAP_RDCL_NO },
		{ FACT(ssb), IA32_ARCH_CAP_SSB_NO },
		{ FACT(mds), IA32_ARCH_CAP_MDS_NO },
		{ FACT(itlb_multihit), IA32_ARCH_CAP_PSCHANGE_NO },
		{ FACT(gds), IA32_ARCH_CAP_GDS_NO },
		{ FACT(rfds), IA32_ARCH_CAP_RFDS_NO },
		{ FACT(its), IA32_ARCH_CAP_ITS_NO },
	};
	struct mitigation_facts f = { 0 };
	u64 all = mitigation_arch_caps(&f);

	FOR_EACH_ROW(r, rows) {
		CASE("fact at %zu", r->fact);
		f = (struct mitigation_facts){ 0 };
		*((bool *)&f + r->fact) = true;
		EXPECT_EQ(all & ~mitigation_arch_caps(&f) & ~IA32_ARCH_CAP_SKIP_L1D, r->bit);
	}
	/* We flush the L1 data cache, or split pages: a hypervisor that is a guest need not. */
	f = (struct mitigation_facts){ .l1tf = true, .l1tf_wish = L1TF_WISH_FLUSH };
	EXPECT_TRUE(mitigation_arch_caps(&f) & IA32_ARCH_CAP_SKIP_L1D);
	f.l1tf_wish = L1TF_WISH_OFF;
	EXPECT_FALSE(mitigation_arch_caps(&f) & IA32_ARCH_CAP_SKIP_L1D);
	f = (struct mitigation_facts){ .itlb_multihit = true, .nx_large = true };
	EXPECT_TRUE(mitigation_arch_caps(&f) & IA32_ARCH_CAP_PSCHANGE_NO);
	/* Of the host's MSR what we know of, and no control MSR that a guest does not have. */
	f = (struct mitigation_facts){ .arch_caps = ~0ull };
	EXPECT_EQ(mitigation_arch_caps(&f) & (BIT_ULL(7) | BIT_ULL(18) | BIT_ULL(25)), 0);
	EXPECT_TRUE(mitigation_arch_caps(&f) & IA32_ARCH_CAP_IBRS_ALL);
}
