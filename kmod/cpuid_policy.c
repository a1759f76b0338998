// SPDX-License-Identifier: GPL-2.0
/*
 * What CPUID may show (SDM 2A "CPUID"). The masks list what a guest can use
 * without our help, or with help that exists. Not in them, because nothing
 * here virtualizes it: PMU (leaf 0xa, PDCM, DS), MONITOR, thermal and power,
 * TSX, SGX, Intel PT, MPX, PKU, CET, AMX, XSAVES, WAITPKG, LA57.
 * Pure, see kmod/pure.mk.
 */
#include "cpuid_policy.h"

#include "cpu_valid.h"
#include "cpuid_bits.h"
#include "x86.h"

#define MASK_1_ECX	(CPUID_1_ECX_SSE3 | CPUID_1_ECX_PCLMULQDQ | CPUID_1_ECX_SSSE3 | \
			 CPUID_1_ECX_FMA | CPUID_1_ECX_CX16 | CPUID_1_ECX_PCID | \
			 CPUID_1_ECX_SSE4_1 | CPUID_1_ECX_SSE4_2 | CPUID_1_ECX_MOVBE | \
			 CPUID_1_ECX_POPCNT | CPUID_1_ECX_AES | CPUID_1_ECX_XSAVE | \
			 CPUID_1_ECX_AVX | CPUID_1_ECX_F16C | CPUID_1_ECX_RDRAND)
#define MASK_1_EDX	(CPUID_1_EDX_FPU | CPUID_1_EDX_VME | CPUID_1_EDX_DE | CPUID_1_EDX_PSE | \
			 CPUID_1_EDX_TSC | CPUID_1_EDX_MSR | CPUID_1_EDX_PAE | CPUID_1_EDX_MCE | \
			 CPUID_1_EDX_CX8 | CPUID_1_EDX_APIC | CPUID_1_EDX_SEP | CPUID_1_EDX_MTRR | \
			 CPUID_1_EDX_PGE | CPUID_1_EDX_MCA | CPUID_1_EDX_CMOV | CPUID_1_EDX_PAT | \
			 CPUID_1_EDX_PSE36 | CPUID_1_EDX_CLFLUSH | CPUID_1_EDX_MMX | \
			 CPUID_1_EDX_FXSR | CPUID_1_EDX_SSE | CPUID_1_EDX_SSE2 | CPUID_1_EDX_SS)
#define MASK_7_EBX	(CPUID_7_EBX_FSGSBASE | CPUID_7_EBX_TSC_ADJUST | CPUID_7_EBX_BMI1 | \
			 CPUID_7_EBX_AVX2 | CPUID_7_EBX_FDP_EXCPTN | CPUID_7_EBX_SMEP | \
			 CPUID_7_EBX_BMI2 | CPUID_7_EBX_ERMS | CPUID_7_EBX_INVPCID | \
			 CPUID_7_EBX_ZERO_FCS | CPUID_7_EBX_AVX512F | CPUID_7_EBX_AVX512DQ | \
			 CPUID_7_EBX_RDSEED | CPUID_7_EBX_ADX | CPUID_7_EBX_SMAP | \
			 CPUID_7_EBX_AVX512IFMA | CPUID_7_EBX_CLFLUSHOPT | CPUID_7_EBX_CLWB | \
			 CPUID_7_EBX_AVX512CD | CPUID_7_EBX_SHA | CPUID_7_EBX_AVX512BW | \
			 CPUID_7_EBX_AVX512VL)
#define MASK_7_ECX	(CPUID_7_ECX_AVX512VBMI | CPUID_7_ECX_UMIP | CPUID_7_ECX_AVX512VBMI2 | \
			 CPUID_7_ECX_GFNI | CPUID_7_ECX_VAES | CPUID_7_ECX_VPCLMULQDQ | \
			 CPUID_7_ECX_AVX512VNNI | CPUID_7_ECX_AVX512BITALG | \
			 CPUID_7_ECX_VPOPCNTDQ | CPUID_7_ECX_RDPID | CPUID_7_ECX_CLDEMOTE | \
			 CPUID_7_ECX_MOVDIRI | CPUID_7_ECX_MOVDIR64B)
#define MASK_7_EDX	(CPUID_7_EDX_FSRM | CPUID_7_EDX_VP2INTERSECT | CPUID_7_EDX_MD_CLEAR | \
			 CPUID_7_EDX_SERIALIZE | CPUID_7_EDX_SPEC_CTRL | CPUID_7_EDX_STIBP | \
			 CPUID_7_EDX_FLUSH_L1D | CPUID_7_EDX_SSBD)
#define MASK_7_2_EDX	(CPUID_7_2_EDX_PSFD | CPUID_7_2_EDX_IPRED_CTRL | \
			 CPUID_7_2_EDX_RRSBA_CTRL | CPUID_7_2_EDX_DDPD_U | \
			 CPUID_7_2_EDX_BHI_CTRL | CPUID_7_2_EDX_MCDT_NO)
#define MASK_7_1_EAX	(CPUID_7_1_EAX_AVX_VNNI | CPUID_7_1_EAX_AVX512_BF16)
#define MASK_D_0_EAX	((u32)(XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512))
#define MASK_D_1_EAX	(CPUID_D_1_EAX_XSAVEOPT | CPUID_D_1_EAX_XSAVEC | CPUID_D_1_EAX_XGETBV1)
#define MASK_E1_ECX	(CPUID_80000001_ECX_LAHF | CPUID_80000001_ECX_LZCNT | \
			 CPUID_80000001_ECX_PREFETCHW)
#define MASK_E1_EDX	(CPUID_80000001_EDX_SYSCALL | CPUID_80000001_EDX_NX | \
			 CPUID_80000001_EDX_PDPE1GB | CPUID_80000001_EDX_RDTSCP | \
			 CPUID_80000001_EDX_LM)

/* Bits a VMM may set though cpuid_supported() does not: topology, and those that follow state. */
#define EXTRA_1_ECX	CPUID_1_ECX_OSXSAVE
#define EXTRA_1_EDX	CPUID_1_EDX_HTT

enum cpuid_reg { R_EAX, R_EBX, R_ECX, R_EDX };

/* The feature words: every bit of them is one of the masks', or 0. */
static const struct feature_word {
	u32 leaf, subleaf;
	enum cpuid_reg reg;
	u32 mask, extra;
} feature_words[] = {
	{ 1, 0, R_ECX, MASK_1_ECX, EXTRA_1_ECX },
	{ 1, 0, R_EDX, MASK_1_EDX, EXTRA_1_EDX },
	{ 7, 0, R_EBX, MASK_7_EBX, 0 },
	{ 7, 0, R_ECX, MASK_7_ECX, 0 },
	{ 7, 0, R_EDX, MASK_7_EDX, 0 },
	{ 7, 1, R_EAX, MASK_7_1_EAX, 0 },
	{ 7, 1, R_EBX, 0, 0 },
	{ 7, 1, R_ECX, 0, 0 },
	{ 7, 1, R_EDX, 0, 0 },
	{ 7, 2, R_EAX, 0, 0 },
	{ 7, 2, R_EBX, 0, 0 },
	{ 7, 2, R_ECX, 0, 0 },
	{ 7, 2, R_EDX, MASK_7_2_EDX, 0 },
	{ 0xd, 0, R_EAX, MASK_D_0_EAX, 0 },
	{ 0xd, 0, R_EDX, 0, 0 },
	{ 0xd, 1, R_EAX, MASK_D_1_EAX, 0 },
	{ 0xd, 1, R_ECX, 0, 0 },
	{ 0xd, 1, R_EDX, 0, 0 },
	{ 0x80000001, 0, R_ECX, MASK_E1_ECX, 0 },
	{ 0x80000001, 0, R_EDX, MASK_E1_EDX, 0 },
	{ 0x80000007, 0, R_EDX, CPUID_80000007_EDX_INVARIANT_TSC, 0 },
	{ 0x80000008, 0, R_EBX, 0, 0 },
};

/* Leaves that describe a feature no guest gets: PMU, SGX, PT, key locker, LBR, AMX. */
static const u32 hidden_leaves[] = { 0xa, 0xf, 0x10, 0x12, 0x14, 0x19, 0x1b, 0x1c, 0x1d, 0x1e,
				     0x20, 0x23, 0x24 };

static u32 *reg_of(struct cpuid_words *r, enum cpuid_reg reg)
{
	switch (reg) {
	case R_EAX:
		return &r->eax;
	case R_EBX:
		return &r->ebx;
	case R_ECX:
		return &r->ecx;
	default:
		return &r->edx;
	}
}

static u32 host_max(const struct cpuid_policy *p, u32 class)
{
	struct cpuid_words r;

	p->host(p->arg, class, 0, &r);
	return r.eax;
}

/* The host's leaf; zeros above its maximum, where the instruction would repeat another leaf. */
static struct cpuid_words host_leaf(const struct cpuid_policy *p, u32 leaf, u32 subleaf)
{
	struct cpuid_words r = { 0, 0, 0, 0 };

	if (leaf <= host_max(p, leaf & 0x80000000u))
		p->host(p->arg, leaf, subleaf, &r);
	return r;
}

/* Bits that are there without the host's, or only if the policy says so. */
static u32 added_bits(const struct cpuid_policy *p, const struct feature_word *w, u32 host)
{
	u32 bits = 0;

	/* IA32_ARCH_CAPABILITIES is ours: what this host does for a guest is in it as well. */
	if (w->leaf == 7 && !w->subleaf && w->reg == R_EDX && host_max(p, 0) >= 7)
		return CPUID_7_EDX_ARCH_CAPABILITIES;
	if (w->leaf != 1 || w->reg != R_ECX)
		return 0;
	bits |= CPUID_1_ECX_HYPERVISOR;
	if (p->lapic)
		bits |= CPUID_1_ECX_X2APIC | CPUID_1_ECX_TSC_DEADLINE;
	if (p->expose)
		bits |= host & CPUID_1_ECX_VMX;
	return bits;
}

static u32 word_allowed(const struct cpuid_policy *p, const struct feature_word *w)
{
	struct cpuid_words r = host_leaf(p, w->leaf, w->subleaf);
	u32 host = *reg_of(&r, w->reg);

	return (host & w->mask) | added_bits(p, w, host);
}

static void mask_words(const struct cpuid_policy *p, u32 leaf, u32 subleaf, struct cpuid_words *r)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(feature_words); i++) {
		const struct feature_word *w = &feature_words[i];

		if (w->leaf == leaf && w->subleaf == subleaf)
			*reg_of(r, w->reg) = word_allowed(p, w);
	}
}

/*
 * Leaf 0x15: TSC rate = ECX * EBX / EAX, with ECX the APIC timer's clock in Hz.
 * Linux multiplies ECX / 1000 by EBX in 32 bits, so EBX has a limit, and the
 * fraction is the best there is below it, by continued fractions. Exact for a
 * rate in round MHz; else off by under one part in a million as a rule, and by
 * 120 at the worst.
 */
static void tsc_fraction(u32 tsc_khz, u32 clock_khz, u32 *num, u32 *den)
{
	u64 limit = U32_MAX / clock_khz;
	u64 a = tsc_khz, b = clock_khz;		/* what is left of the fraction */
	u64 n0 = 0, d0 = 1, n1 = 1, d1 = 0;	/* the last two convergents */

	while (b) {
		u64 q = a / b, fit = q, n, d, rest = a % b;

		if (n0 + q * n1 > limit)
			fit = (limit - n0) / n1;
		/* Half a step or less is no better than what we have. */
		if (fit < q && 2 * fit <= q)
			break;
		n = n0 + fit * n1;
		d = d0 + fit * d1;
		n0 = n1;
		d0 = d1;
		n1 = n;
		d1 = d;
		if (fit < q)
			break;
		a = b;
		b = rest;
	}
	*num = n1;
	*den = d1;
}

static struct cpuid_words tsc_leaf(const struct cpuid_policy *p)
{
	struct cpuid_words r = { 0, 0, 0, 0 };

	if (!p->tsc_khz || p->apic_hz < 1000)
		return r;
	tsc_fraction(p->tsc_khz, p->apic_hz / 1000, &r.ebx, &r.eax);
	r.ecx = p->apic_hz;
	return r;
}

/* One leaf as it may be shown. */
static struct cpuid_words shown_leaf(const struct cpuid_policy *p, u32 leaf, u32 subleaf)
{
	struct cpuid_words r = host_leaf(p, leaf, subleaf);

	switch (leaf) {
	case 0:
		r.eax = p->tsc_khz ? 0x15 : min_t(u32, r.eax, 0xd);
		break;
	case 1:
		/* Brand index and CLFLUSH size; the rest is topology. */
		r.ebx &= 0xffff;
		break;
	case 4:
		/* Caches as they are, shared by nobody: topology is the VMM's. */
		r.eax &= GENMASK(13, 0);
		break;
	case 6:
		/* The virtual APIC timer always runs. */
		r = (struct cpuid_words){ .eax = BIT(2) };
		break;
	case 7:
		if (!subleaf)
			r.eax = min_t(u32, r.eax, 2);
		break;
	case 0xb:
		r = (struct cpuid_words){ .ecx = subleaf };
		break;
	case 0xd:
		if (subleaf >= 2) {
			r.ecx &= BIT(1);	/* user state; aligned in the compacted format? */
			r.edx = 0;
		}
		break;
	case 0x15:
		r = tsc_leaf(p);
		break;
	case CPUID_HV_SIGNATURE:
		/* "NestVMNestVM" */
		r = (struct cpuid_words){
			.eax = CPUID_HV_SIGNATURE,
			.ebx = 0x7473654e, .ecx = 0x654e4d56, .edx = 0x4d567473,
		};
		break;
	case 0x80000000:
		r = (struct cpuid_words){ .eax = min_t(u32, r.eax, 0x80000008) };
		break;
	case 0x80000001:
		r.ebx = 0;
		break;
	case 0x80000007:
		r = (struct cpuid_words){ .edx = r.edx };
		break;
	case 0x80000008:
		/* 57 linear bits are LA57's, which is not shown. */
		r = (struct cpuid_words){ .eax = (r.eax & 0xff) | 48 << 8 };
		break;
	}
	mask_words(p, leaf, subleaf, &r);
	return r;
}

struct cpuid_list {
	struct cpuid_entry *out;
	u32 n, max;
	bool full;
};

static struct cpuid_words add(struct cpuid_list *l, const struct cpuid_policy *p, u32 leaf,
			     u32 subleaf, bool by_subleaf)
{
	struct cpuid_words r = shown_leaf(p, leaf, subleaf);

	if (l->n == l->max) {
		l->full = true;
		return r;
	}
	l->out[l->n++] = (struct cpuid_entry){
		.leaf = leaf, .subleaf = subleaf, .by_subleaf = by_subleaf, .r = r,
	};
	return r;
}

#define MAX_CACHES	8

static void add_caches(struct cpuid_list *l, const struct cpuid_policy *p)
{
	u32 i;

	/* Type 0 ends the list, and is part of it. */
	for (i = 0; i < MAX_CACHES; i++)
		if (!(add(l, p, 4, i, true).eax & 0x1f))
			break;
}

static void add_xsave(struct cpuid_list *l, const struct cpuid_policy *p)
{
	struct cpuid_words r;
	u32 first = l->n, i;

	r = add(l, p, 0xd, 0, true);
	add(l, p, 0xd, 1, true);
	for (i = 2; i < 32; i++)
		if (r.eax & BIT(i))
			add(l, p, 0xd, i, true);
	if (l->full)
		return;
	/* Sizes: for what XCR0 is at reset, and for everything. */
	l->out[first].r.ebx = cpuid_xsave_size(l->out, l->n, XCR0_X87, false);
	l->out[first].r.ecx = cpuid_xsave_size(l->out, l->n, r.eax, false);
	l->out[first + 1].r.ebx = 0;
}

int cpuid_supported(const struct cpuid_policy *p, struct cpuid_entry *out, u32 max_entries)
{
	struct cpuid_list l = { .out = out, .max = max_entries };
	u32 leaf, last;

	add(&l, p, 0, 0, false);
	add(&l, p, 1, 0, false);
	add(&l, p, 2, 0, false);
	add_caches(&l, p);
	add(&l, p, 6, 0, false);
	last = add(&l, p, 7, 0, true).eax;
	for (leaf = 1; leaf <= last; leaf++)
		add(&l, p, 7, leaf, true);
	add(&l, p, 0xb, 0, true);
	add(&l, p, 0xb, 1, true);
	if (host_leaf(p, 1, 0).ecx & CPUID_1_ECX_XSAVE)
		add_xsave(&l, p);
	if (p->tsc_khz)
		add(&l, p, 0x15, 0, false);
	add(&l, p, CPUID_HV_SIGNATURE, 0, false);
	last = add(&l, p, 0x80000000, 0, false).eax;
	for (leaf = 0x80000001; leaf <= last; leaf++)
		add(&l, p, leaf, 0, false);
	return l.full ? -E2BIG : (int)l.n;
}

int cpuid_check(const struct cpuid_policy *p, const struct cpuid_entry *e, u32 n,
		const char **why)
{
	static const char *const too_many = "more CPUID entries than a vCPU can hold";
	static const char *const twice = "the same CPUID leaf and subleaf is given twice";
	static const char *const phys =
		"CPUID leaf 80000008H: fewer than 32 physical-address bits, or more than the host has";
	static const char *const linear =
		"CPUID leaf 80000008H: linear-address bits must be 48 (57 is not supported)";
	u32 i, j, width;

	if (n > CPUID_MAX_ENTRIES) {
		if (why)
			*why = too_many;
		return -EINVAL;
	}
	for (i = 0; i < n; i++) {
		for (j = 0; j < i; j++) {
			if (e[i].leaf != e[j].leaf)
				continue;
			if (e[i].by_subleaf && e[j].by_subleaf && e[i].subleaf != e[j].subleaf)
				continue;
			if (why)
				*why = twice;
			return -EINVAL;
		}
		if (e[i].leaf != 0x80000008 || !e[i].r.eax)
			continue;
		width = e[i].r.eax & 0xff;
		if (width < 32 || width > (host_leaf(p, 0x80000008, 0).eax & 0xff)) {
			if (why)
				*why = phys;
			return -EINVAL;
		}
		width = (e[i].r.eax >> 8) & 0xff;
		if (width && width != 48) {
			if (why)
				*why = linear;
			return -EINVAL;
		}
	}
	return 0;
}

static bool hidden(u32 leaf)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(hidden_leaves); i++)
		if (hidden_leaves[i] == leaf)
			return true;
	return false;
}

void cpuid_restrict(const struct cpuid_policy *p, struct cpuid_entry *e, u32 n)
{
	struct cpuid_words none = { 0, 0, 0, 0 };
	u32 i, k;

	for (i = 0; i < n; i++) {
		u32 subleaf = e[i].by_subleaf ? e[i].subleaf : 0;

		if (hidden(e[i].leaf))
			e[i].r = none;
		if (e[i].leaf == 0xd && subleaf >= 2 &&
		    (subleaf >= 32 || !(MASK_D_0_EAX & BIT(subleaf))))
			e[i].r = none;
		for (k = 0; k < ARRAY_SIZE(feature_words); k++) {
			const struct feature_word *w = &feature_words[k];

			if (w->leaf == e[i].leaf && w->subleaf == subleaf)
				*reg_of(&e[i].r, w->reg) &= word_allowed(p, w) | w->extra;
		}
	}
}

static const struct cpuid_entry *find_exact(const struct cpuid_entry *e, u32 n, u32 leaf,
					    u32 subleaf)
{
	u32 i;

	for (i = 0; i < n; i++)
		if (e[i].leaf == leaf && (!e[i].by_subleaf || e[i].subleaf == subleaf))
			return &e[i];
	return NULL;
}

/* The first leaf of the class that @leaf is in: EAX there is the highest. */
static u32 leaf_class(u32 leaf)
{
	if (leaf >= 0x40000000u && leaf < 0x50000000u)
		return leaf & 0xffffff00u;
	return leaf & 0x80000000u;
}

const struct cpuid_entry *cpuid_find(const struct cpuid_entry *e, u32 n, u32 leaf, u32 subleaf)
{
	const struct cpuid_entry *found = find_exact(e, n, leaf, subleaf), *first;

	if (found)
		return found;
	first = find_exact(e, n, leaf_class(leaf), 0);
	if (first && leaf <= first->r.eax)
		return NULL;
	/* "If a value entered for CPUID.EAX is higher than the maximum ... the highest basic leaf". */
	first = find_exact(e, n, 0, 0);
	return first ? find_exact(e, n, first->r.eax, subleaf) : NULL;
}

#define XSAVE_LEGACY	512u
#define XSAVE_HEADER	64u

u32 cpuid_xsave_size(const struct cpuid_entry *e, u32 n, u64 components, bool compacted)
{
	u32 size = XSAVE_LEGACY + XSAVE_HEADER, i;

	for (i = 2; i < 63; i++) {
		const struct cpuid_entry *c;

		if (!(components & BIT_ULL(i)))
			continue;
		c = find_exact(e, n, 0xd, i);
		if (!c)
			continue;
		if (!compacted) {
			size = max(size, c->r.ebx + c->r.eax);
			continue;
		}
		if (c->r.ecx & BIT(1))
			size = ALIGN(size, 64);
		size += c->r.eax;
	}
	return size;
}

static u32 with_bit(u32 word, u32 bit, bool on)
{
	return on ? word | bit : word & ~bit;
}

void cpuid_dynamic(const struct cpuid_entry *e, u32 n, const struct cpuid_state *s,
		   u32 leaf, u32 subleaf, struct cpuid_words *r)
{
	switch (leaf) {
	case 1:
		r->ebx = (r->ebx & 0x00ffffff) | s->apic_id << 24;
		r->ecx = with_bit(r->ecx, CPUID_1_ECX_OSXSAVE, s->cr4 & CR4_OSXSAVE);
		if (!(s->apic_base & APIC_BASE_ENABLE))
			r->edx &= ~CPUID_1_EDX_APIC;
		break;
	case 0xb:
		r->edx = s->apic_id;
		break;
	case 0xd:
		if (subleaf == 0)
			r->ebx = cpuid_xsave_size(e, n, s->xcr0, false);
		else if (subleaf == 1 && (r->eax & CPUID_D_1_EAX_XSAVEC))
			r->ebx = cpuid_xsave_size(e, n, s->xcr0, true);
		break;
	}
}

void cpuid_execute(const struct cpuid_entry *e, u32 n, const struct cpuid_state *s,
		   u32 leaf, u32 subleaf, struct cpuid_words *out)
{
	const struct cpuid_entry *found = cpuid_find(e, n, leaf, subleaf);

	memset(out, 0, sizeof(*out));
	if (found) {
		*out = found->r;
		cpuid_dynamic(e, n, s, found->leaf, subleaf, out);
	} else if (leaf == 0xb || leaf == 0x1f) {
		/* Past the last level: the level asked for, and the ID all the same. */
		out->ecx = subleaf & 0xff;
		out->edx = s->apic_id;
	}
}

static struct cpuid_words leaf_regs(const struct cpuid_entry *e, u32 n, u32 leaf, u32 subleaf)
{
	const struct cpuid_entry *found = find_exact(e, n, leaf, subleaf);

	return found ? found->r : (struct cpuid_words){ 0, 0, 0, 0 };
}

void cpu_features_from_cpuid(struct cpu_features *f, const struct cpuid_entry *e, u32 n)
{
	struct cpuid_words r;

	memset(f, 0, sizeof(*f));
	r = leaf_regs(e, n, 1, 0);
	f->f1_ecx = r.ecx;
	f->f1_edx = r.edx;
	r = leaf_regs(e, n, 7, 0);
	f->f7_ebx = r.ebx;
	f->f7_ecx = r.ecx;
	f->f7_edx = r.edx;
	f->f7_2_edx = leaf_regs(e, n, 7, 2).edx;
	r = leaf_regs(e, n, 0xd, 0);
	f->xcr0_allowed = (u64)r.edx << 32 | r.eax;
	f->fd1_eax = leaf_regs(e, n, 0xd, 1).eax;
	r = leaf_regs(e, n, 0x80000001, 0);
	f->f80000001_ecx = r.ecx;
	f->f80000001_edx = r.edx;
	f->maxphyaddr = leaf_regs(e, n, 0x80000008, 0).eax & 0xff;
	if (f->maxphyaddr < 32 || f->maxphyaddr > 52)
		f->maxphyaddr = 36;
	f->linear_width = f->f7_ecx & CPUID_7_ECX_LA57 ? 57 : 48;
}
