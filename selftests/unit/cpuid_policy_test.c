// SPDX-License-Identifier: GPL-2.0
#include "harness.h"
#include "cpu_valid.h"
#include "cpuid_bits.h"
#include "cpuid_policy.h"
#include "x86.h"

/* A host with every bit there is. */
static void rich_host(void *arg, u32 leaf, u32 subleaf, struct cpuid_words *r)
{
	(void)arg;
	memset(r, 0xff, sizeof(*r));
	switch (leaf) {
	case 0:
		r->eax = 0x20;
		memcpy(&r->ebx, "Genu", 4);
		memcpy(&r->edx, "ineI", 4);
		memcpy(&r->ecx, "ntel", 4);
		break;
	case 4:
		if (subleaf >= 3)
			memset(r, 0, sizeof(*r));
		break;
	case 0xd:
		if (subleaf >= 2) {
			static const struct cpuid_words comps[] = {
				[2] = { 256, 576, 0, 0 },
				[5] = { 64, 1088, 0, 0 },
				[6] = { 512, 1152, 2, 0 },
				[7] = { 1024, 1664, 2, 0 },
			};
			memset(r, 0, sizeof(*r));
			if (subleaf < ARRAY_SIZE(comps))
				*r = comps[subleaf];
		}
		break;
	case 0x80000000:
		r->eax = 0x80000008;
		break;
	case 0x80000008:
		r->eax = 46 | 57 << 8;
		break;
	}
}

/* A host without XSAVE or leaf 7, as an old CPU. */
static void poor_host(void *arg, u32 leaf, u32 subleaf, struct cpuid_words *r)
{
	(void)arg;
	(void)subleaf;
	memset(r, 0, sizeof(*r));
	if (leaf == 0)
		r->eax = 5;
	else if (leaf == 1)
		r->edx = CPUID_1_EDX_FPU | CPUID_1_EDX_APIC | CPUID_1_EDX_PAE;
	else if (leaf == 0x80000000)
		r->eax = 0x80000001;
	else if (leaf != 0x80000001)
		memset(r, 0xff, sizeof(*r));	/* out of range: repeats something */
}

static struct cpuid_policy policy(bool expose)
{
	return (struct cpuid_policy){
		.host = rich_host, .expose = expose, .lapic = true,
		.tsc_khz = 2400000, .apic_hz = 1000000000,
	};
}

static struct cpuid_entry e[CPUID_MAX_ENTRIES];

static u32 get(const struct cpuid_policy *p)
{
	int n = cpuid_supported(p, e, ARRAY_SIZE(e));

	EXPECT_TRUE(n > 0);
	return n > 0 ? n : 0;
}

static struct cpuid_words leaf(u32 n, u32 l, u32 s)
{
	const struct cpuid_entry *found = cpuid_find(e, n, l, s);

	EXPECT_TRUE(found);
	return found ? found->r : (struct cpuid_words){ 0, 0, 0, 0 };
}

TEST(nothing_unsafe)
{
	struct cpuid_policy p = policy(false);
	u32 n = get(&p);
	struct cpuid_words r;

	r = leaf(n, 0, 0);
	EXPECT_EQ(r.eax, 0x15);
	EXPECT_MEMEQ(&r.ebx, "Genu", 4);
	r = leaf(n, 1, 0);
	EXPECT_EQ(r.ecx & (CPUID_1_ECX_VMX | CPUID_1_ECX_SMX | CPUID_1_ECX_MONITOR |
			   CPUID_1_ECX_PDCM | CPUID_1_ECX_DTES64 | CPUID_1_ECX_OSXSAVE), 0);
	EXPECT_TRUE(r.ecx & CPUID_1_ECX_HYPERVISOR);
	EXPECT_EQ(r.ebx >> 16, 0);
	EXPECT_EQ(r.edx & (BIT(21) | BIT(22) | BIT(29) | CPUID_1_EDX_HTT), 0);
	r = leaf(n, 7, 0);
	EXPECT_EQ(r.eax, 2);
	EXPECT_EQ(r.ebx & (CPUID_7_EBX_HLE | CPUID_7_EBX_RTM | BIT(2) | BIT(14) | BIT(25)), 0);
	EXPECT_EQ(r.ecx & (CPUID_7_ECX_PKU | BIT(4) | BIT(5) | CPUID_7_ECX_CET_SS |
			   CPUID_7_ECX_LA57), 0);
	EXPECT_EQ(r.edx & (BIT(22) | BIT(24) | BIT(25) | BIT(30)), 0);
	EXPECT_EQ(r.edx >> 26 & 0xf, 0xf);
	EXPECT_TRUE(r.edx & CPUID_7_EDX_SSBD);
	r = leaf(n, 7, 2);
	EXPECT_EQ(r.eax | r.ebx | r.ecx, 0);
	EXPECT_EQ(r.edx, 0x3f);
	r = leaf(n, 0xd, 0);
	EXPECT_EQ(r.eax, 0xe7);
	EXPECT_EQ(r.edx, 0);
	EXPECT_EQ(r.ebx, 576);
	EXPECT_EQ(r.ecx, 1664 + 1024);
	r = leaf(n, 0xd, 1);
	EXPECT_EQ(r.eax, CPUID_D_1_EAX_XSAVEOPT | CPUID_D_1_EAX_XSAVEC | CPUID_D_1_EAX_XGETBV1);
	EXPECT_EQ(r.ecx | r.edx, 0);
	r = leaf(n, 4, 0);
	EXPECT_EQ(r.eax >> 14, 0);
	EXPECT_TRUE(!cpuid_find(e, n, 0xa, 0));
	EXPECT_TRUE(!cpuid_find(e, n, 5, 0));
	EXPECT_TRUE(!cpuid_find(e, n, 0x14, 0));
	r = leaf(n, 0x80000007, 0);
	EXPECT_EQ(r.eax | r.ebx | r.ecx, 0);
	EXPECT_EQ(r.edx, CPUID_80000007_EDX_INVARIANT_TSC);
	r = leaf(n, 0x80000008, 0);
	EXPECT_EQ(r.eax, 46 | 48 << 8);
	EXPECT_EQ(r.ebx | r.ecx | r.edx, 0);
	r = leaf(n, 0x40000000, 0);
	EXPECT_EQ(r.eax, 0x40000000);
	EXPECT_MEMEQ(&r.ebx, "NestVMNestVM", 12);
}

TEST(switches)
{
	struct cpuid_policy p = policy(true);

	EXPECT_TRUE(leaf(get(&p), 1, 0).ecx & CPUID_1_ECX_VMX);
	EXPECT_TRUE(leaf(get(&p), 1, 0).ecx & CPUID_1_ECX_TSC_DEADLINE);
	p.lapic = false;
	EXPECT_EQ(leaf(get(&p), 1, 0).ecx & (CPUID_1_ECX_TSC_DEADLINE | CPUID_1_ECX_X2APIC), 0);
	p.tsc_khz = 0;
	EXPECT_EQ(leaf(get(&p), 0, 0).eax, 0xd);
	/* The host's own VMX bit is needed, too. */
	p.host = poor_host;
	EXPECT_FALSE(leaf(get(&p), 1, 0).ecx & CPUID_1_ECX_VMX);
}

TEST(poor_host)
{
	struct cpuid_policy p = policy(true);
	u32 n;

	p.host = poor_host;
	n = get(&p);
	EXPECT_EQ(leaf(n, 7, 0).ebx, 0);
	EXPECT_TRUE(!cpuid_find(e, n, 0xd, 0));
	EXPECT_EQ(leaf(n, 0x80000000, 0).eax, 0x80000001);
}

TEST(too_small)
{
	struct cpuid_policy p = policy(false);
	struct cpuid_entry few[3];

	EXPECT_EQ(cpuid_supported(&p, few, ARRAY_SIZE(few)), -E2BIG);
	EXPECT_EQ(cpuid_supported(&p, few, 0), -E2BIG);
}

/* What Linux computes from leaf 15H, in 32 bits as Linux does. */
static u32 linux_tsc_khz(struct cpuid_words r)
{
	u32 crystal_khz = r.ecx / 1000;

	return crystal_khz * r.ebx / r.eax;
}

TEST(tsc_leaf)
{
	static const u32 exact[] = { 1000000, 2400000, 3000000, 2600000, 100000, 4200000, 800000 };
	struct cpuid_policy p = policy(false);
	struct cpuid_words r;
	u32 khz;

	FOR_EACH_ROW(k, exact) {
		CASE("%u", *k);
		p.tsc_khz = *k;
		r = leaf(get(&p), 0x15, 0);
		EXPECT_EQ(r.ecx, 1000000000);
		EXPECT_EQ(linux_tsc_khz(r), *k);
	}
	for (khz = 50021; khz < 4290000; khz += 9973) {
		u64 got, error;

		CASE("%u", khz);
		p.tsc_khz = khz;
		r = leaf(get(&p), 0x15, 0);
		EXPECT_TRUE(r.eax && r.ebx && 1000000ull * r.ebx <= U32_MAX);
		got = linux_tsc_khz(r);
		error = got > khz ? got - khz : khz - got;
		/* The floor takes up to 1 kHz, the fraction up to 120 parts in a million. */
		EXPECT_TRUE((error - !!error) * 1000000 <= 120ull * khz);
	}
}

TEST(own_entries_pass)
{
	struct cpuid_policy p = policy(true);
	struct cpuid_entry copy[CPUID_MAX_ENTRIES];
	u32 n = get(&p);
	const char *why = "";

	EXPECT_EQ(cpuid_check(&p, e, n, &why), 0);
	EXPECT_STREQ(why, "");
	memcpy(copy, e, sizeof(copy));
	cpuid_restrict(&p, e, n);
	EXPECT_MEMEQ(copy, e, n * sizeof(e[0]));
}

TEST(check_refuses)
{
	struct cpuid_policy p = policy(false);
	struct cpuid_entry x[2] = { { .leaf = 0x80000008 }, { .leaf = 7, .by_subleaf = true } };
	const char *why = NULL;

	EXPECT_EQ(cpuid_check(&p, x, 2, NULL), 0);
	x[0].r.eax = 46 | 48 << 8;
	EXPECT_EQ(cpuid_check(&p, x, 2, &why), 0);
	x[0].r.eax = 39;
	EXPECT_EQ(cpuid_check(&p, x, 2, &why), 0);
	EXPECT_TRUE(!why);
	x[0].r.eax = 47 | 48 << 8;
	EXPECT_EQ(cpuid_check(&p, x, 2, &why), -EINVAL);
	EXPECT_TRUE(why);
	x[0].r.eax = 46 | 57 << 8;
	EXPECT_EQ(cpuid_check(&p, x, 2, &why), -EINVAL);
	x[0].r.eax = 31 | 48 << 8;
	EXPECT_EQ(cpuid_check(&p, x, 2, NULL), -EINVAL);
	x[0] = x[1];
	EXPECT_EQ(cpuid_check(&p, x, 2, &why), -EINVAL);
	x[0].subleaf = 1;
	EXPECT_EQ(cpuid_check(&p, x, 2, &why), 0);
	EXPECT_EQ(cpuid_check(&p, e, CPUID_MAX_ENTRIES + 1, &why), -EINVAL);
}

/* A VMM that sets every bit gets what is supported, and no VMX. */
TEST(restrict_everything)
{
	struct cpuid_policy p = policy(false);
	struct cpuid_entry x[] = {
		{ .leaf = 1 }, { .leaf = 7, .by_subleaf = true }, { .leaf = 0xa }, { .leaf = 0x14 },
		{ .leaf = 0xd, .by_subleaf = true },
		{ .leaf = 0xd, .subleaf = 1, .by_subleaf = true },
		{ .leaf = 0xd, .subleaf = 17, .by_subleaf = true },
		{ .leaf = 0xd, .subleaf = 2, .by_subleaf = true },
		{ .leaf = 0x80000001 }, { .leaf = 0x40000000 },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(x); i++)
		memset(&x[i].r, 0xff, sizeof(x[i].r));
	cpuid_restrict(&p, x, ARRAY_SIZE(x));
	EXPECT_FALSE(x[0].r.ecx & CPUID_1_ECX_VMX);
	EXPECT_TRUE(x[0].r.ecx & CPUID_1_ECX_HYPERVISOR);
	EXPECT_TRUE(x[0].r.edx & CPUID_1_EDX_HTT);
	EXPECT_EQ(x[0].r.ebx, ~0u);		/* topology is the VMM's */
	EXPECT_FALSE(x[1].r.ecx & CPUID_7_ECX_LA57);
	EXPECT_EQ(x[2].r.eax | x[2].r.edx, 0);
	EXPECT_EQ(x[3].r.eax, 0);
	EXPECT_EQ(x[4].r.eax, 0xe7);
	EXPECT_FALSE(x[5].r.eax & CPUID_D_1_EAX_XSAVES);
	EXPECT_EQ(x[6].r.eax, 0);
	EXPECT_NE(x[7].r.eax, 0);
	EXPECT_EQ(x[8].r.edx & BIT(0), 0);
	EXPECT_EQ(x[9].r.eax, ~0u);
	p.expose = true;
	x[0].r.ecx = ~0u;
	cpuid_restrict(&p, x, 1);
	EXPECT_TRUE(x[0].r.ecx & CPUID_1_ECX_VMX);
}

TEST(look_up)
{
	struct cpuid_policy p = policy(false);
	u32 n = get(&p);

	/* Past the end: the highest basic leaf. */
	EXPECT_EQ(cpuid_find(e, n, 0x16, 0)->leaf, 0x15);
	EXPECT_EQ(cpuid_find(e, n, 0x7fffffff, 0)->leaf, 0x15);
	EXPECT_EQ(cpuid_find(e, n, 0x80000009, 0)->leaf, 0x15);
	EXPECT_EQ(cpuid_find(e, n, 0x40000001, 0)->leaf, 0x15);
	/* Within, but not given: zeros. */
	EXPECT_TRUE(!cpuid_find(e, n, 3, 0));
	EXPECT_TRUE(!cpuid_find(e, n, 7, 5));
	EXPECT_EQ(cpuid_find(e, n, 1, 99)->leaf, 1);
	EXPECT_TRUE(!cpuid_find(e, 0, 1, 0));
}

TEST(dynamic)
{
	struct cpuid_policy p = policy(false);
	struct cpuid_state s = { .xcr0 = 1, .apic_id = 0x105, .apic_base = APIC_BASE_ENABLE };
	struct cpuid_words r;
	u32 n = get(&p);

	cpuid_execute(e, n, &s, 1, 0, &r);
	EXPECT_FALSE(r.ecx & CPUID_1_ECX_OSXSAVE);
	EXPECT_TRUE(r.edx & CPUID_1_EDX_APIC);
	EXPECT_EQ(r.ebx >> 24, 5);
	s.cr4 = CR4_OSXSAVE;
	s.apic_base = 0;
	cpuid_execute(e, n, &s, 1, 0, &r);
	EXPECT_TRUE(r.ecx & CPUID_1_ECX_OSXSAVE);
	EXPECT_FALSE(r.edx & CPUID_1_EDX_APIC);

	cpuid_execute(e, n, &s, 0xb, 1, &r);
	EXPECT_EQ(r.edx, 0x105);
	EXPECT_EQ(r.ecx & 0xff, 1);
	cpuid_execute(e, n, &s, 0xb, 7, &r);
	EXPECT_EQ(r.edx, 0x105);
	EXPECT_EQ(r.ecx, 7);
	EXPECT_EQ(r.eax | r.ebx, 0);

	cpuid_execute(e, n, &s, 0xd, 0, &r);
	EXPECT_EQ(r.ebx, 576);
	s.xcr0 = 7;
	cpuid_execute(e, n, &s, 0xd, 0, &r);
	EXPECT_EQ(r.ebx, 832);
	s.xcr0 = 0xe7;
	cpuid_execute(e, n, &s, 0xd, 0, &r);
	EXPECT_EQ(r.ebx, 2688);
	EXPECT_EQ(r.ecx, 2688);
	/* Compacted: 576 + 256 + 64, aligned to 896, + 512 + 1024. */
	cpuid_execute(e, n, &s, 0xd, 1, &r);
	EXPECT_EQ(r.ebx, 2432);
	cpuid_execute(e, n, &s, 3, 0, &r);
	EXPECT_EQ(r.eax | r.ebx | r.ecx | r.edx, 0);
}

TEST(features)
{
	struct cpuid_policy p = policy(true);
	struct cpu_features f;
	u32 n = get(&p);

	cpu_features_from_cpuid(&f, e, n);
	EXPECT_EQ(f.maxphyaddr, 46);
	EXPECT_EQ(f.linear_width, 48);
	EXPECT_EQ(f.xcr0_allowed, 0xe7);
	EXPECT_TRUE(cpu_cr4_allowed(&f) & CR4_VMXE);
	EXPECT_FALSE(cpu_cr4_allowed(&f) & (CR4_PKE | CR4_CET | CR4_LA57 | CR4_SMXE));
	cpu_features_from_cpuid(&f, e, 0);
	EXPECT_EQ(f.maxphyaddr, 36);
	EXPECT_EQ(cpu_efer_allowed(&f), 0);
}
