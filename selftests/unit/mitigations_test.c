// SPDX-License-Identifier: GPL-2.0
#include "harness.h"
#include "vmx/mitigations.h"

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
		{ MITIGATION_L1TF, FACT(l1d_below), true, MITIGATION_NOT_NEEDED },
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
		f.l1d_below = true;
		EXPECT_EQ(mitigation_l1d(&f), L1D_NEVER);
	}
}
