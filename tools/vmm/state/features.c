// SPDX-License-Identifier: GPL-2.0
#include "features.h"

#include "../machine.h"

#include "../../conf/vtx.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CPUID_MAX	1024
#define VMX_FIRST	0x480u
#define VMX_COUNT	18u

enum reg { EAX, EBX, ECX, EDX };

/* Words of CPUID whose bits are features; @varies: bits that follow the guest's own state. */
static const struct word {
	uint32_t leaf, index;
	enum reg reg;
	uint32_t varies;
	const char *text;
} words[] = {
	{ 1, 0, ECX, 1u << 27, "1.ECX" },
	{ 1, 0, EDX, 1u << 9, "1.EDX" },
	{ 7, 0, EBX, 0, "7.EBX" },
	{ 7, 0, ECX, 1u << 4, "7.ECX" },
	{ 7, 0, EDX, 0, "7.EDX" },
	{ 7, 1, EAX, 0, "7.1.EAX" },
	{ 0xd, 0, EAX, 0, "DH.EAX" },
	{ 0xd, 1, EAX, 0, "DH.1.EAX" },
	{ 0x80000001, 0, ECX, 0, "80000001H.ECX" },
	{ 0x80000001, 0, EDX, 1u << 11, "80000001H.EDX" },
	{ 0x80000008, 0, EBX, 0, "80000008H.EBX" },
	{ 0x40000001, 0, EAX, 0, "40000001H.EAX" },
};

#define NWORDS (sizeof(words) / sizeof(words[0]))

/* Names of the SDM's CPUID tables for the bits that hosts differ in most. */
static const struct {
	uint32_t leaf;
	enum reg reg;
	unsigned int bit;
	const char *name;
} names[] = {
	{ 1, ECX, 1, "PCLMULQDQ" }, { 1, ECX, 5, "VMX" }, { 1, ECX, 9, "SSSE3" },
	{ 1, ECX, 12, "FMA" }, { 1, ECX, 13, "CMPXCHG16B" }, { 1, ECX, 17, "PCID" },
	{ 1, ECX, 19, "SSE4.1" }, { 1, ECX, 20, "SSE4.2" }, { 1, ECX, 21, "x2APIC" },
	{ 1, ECX, 22, "MOVBE" }, { 1, ECX, 23, "POPCNT" }, { 1, ECX, 24, "TSC deadline" },
	{ 1, ECX, 25, "AESNI" }, { 1, ECX, 26, "XSAVE" }, { 1, ECX, 28, "AVX" },
	{ 1, ECX, 29, "F16C" }, { 1, ECX, 30, "RDRAND" },
	{ 7, EBX, 0, "FSGSBASE" }, { 7, EBX, 3, "BMI1" }, { 7, EBX, 5, "AVX2" },
	{ 7, EBX, 7, "SMEP" }, { 7, EBX, 8, "BMI2" }, { 7, EBX, 9, "ERMS" },
	{ 7, EBX, 10, "INVPCID" }, { 7, EBX, 16, "AVX512F" }, { 7, EBX, 17, "AVX512DQ" },
	{ 7, EBX, 18, "RDSEED" }, { 7, EBX, 19, "ADX" }, { 7, EBX, 20, "SMAP" },
	{ 7, EBX, 23, "CLFLUSHOPT" }, { 7, EBX, 24, "CLWB" }, { 7, EBX, 28, "AVX512CD" },
	{ 7, EBX, 29, "SHA" }, { 7, EBX, 30, "AVX512BW" }, { 7, EBX, 31, "AVX512VL" },
	{ 7, ECX, 2, "UMIP" }, { 7, ECX, 3, "PKU" }, { 7, ECX, 8, "GFNI" },
	{ 7, ECX, 9, "VAES" }, { 7, ECX, 22, "RDPID" }, { 7, EDX, 4, "FSRM" },
	{ 0x80000001, ECX, 5, "LZCNT" }, { 0x80000001, EDX, 20, "NX" },
	{ 0x80000001, EDX, 26, "1 GB pages" }, { 0x80000001, EDX, 27, "RDTSCP" },
};

#define NNAMES (sizeof(names) / sizeof(names[0]))

struct facts {
	uint32_t word[NWORDS];
	bool vmx[VMX_COUNT];
	uint64_t msr[VMX_COUNT];
};

static uint32_t reg_of(const struct kvm_cpuid_entry2 *e, enum reg reg)
{
	switch (reg) {
	case EAX:
		return e->eax;
	case EBX:
		return e->ebx;
	case ECX:
		return e->ecx;
	default:
		return e->edx;
	}
}

static int gather(struct machine *m, struct facts *f, struct nvl_error *err)
{
	struct nvl_vcpu *vcpu = m->cpus[0].vcpu;
	struct kvm_cpuid2 *c;
	unsigned int w;
	uint32_t i;
	int ret;

	memset(f, 0, sizeof(*f));
	c = calloc(1, sizeof(*c) + CPUID_MAX * sizeof(c->entries[0]));
	if (!c)
		return nvl_fail(err, ENOMEM, "no memory left for the CPUID table.");
	c->nent = CPUID_MAX;
	ret = nvl_vcpu_ioctl(vcpu, KVM_GET_CPUID2, c, "CPUID cannot be read back", err);
	for (w = 0; ret == 0 && w < NWORDS; w++)
		for (i = 0; i < c->nent; i++)
			if (c->entries[i].function == words[w].leaf &&
			    c->entries[i].index == words[w].index)
				f->word[w] = reg_of(&c->entries[i], words[w].reg) &
					     ~words[w].varies;
	free(c);
	for (i = 0; m->conf->expose && i < VMX_COUNT; i++)
		f->vmx[i] = nvl_vcpu_get_msr(vcpu, VMX_FIRST + i, &f->msr[i], NULL) == 0;
	return ret;
}

int features_save(struct machine *m, struct pack *p, struct nvl_error *err)
{
	struct facts f;
	unsigned int i;
	int ret;

	ret = gather(m, &f, err);
	if (ret < 0)
		return ret;
	pack_u32(p, NWORDS);
	for (i = 0; i < NWORDS; i++)
		pack_u32(p, f.word[i]);
	for (i = 0; i < VMX_COUNT; i++) {
		pack_bool(p, f.vmx[i]);
		pack_u64(p, f.msr[i]);
	}
	return 0;
}

struct lacks {
	char text[512];
	size_t len;
	unsigned int n;
};

static void add(struct lacks *l, const char *name)
{
	int n;

	l->n++;
	n = snprintf(l->text + l->len, sizeof(l->text) - l->len, "%s%s", l->len ? ", " : "",
		     name);
	/* What has no room any more is not named; the first ones say enough. */
	if (n > 0 && (size_t)n < sizeof(l->text) - l->len)
		l->len += n;
	else
		l->text[l->len] = '\0';
}

static void add_bit(struct lacks *l, const struct word *w, unsigned int bit)
{
	char text[64];
	unsigned int i;

	snprintf(text, sizeof(text), "CPUID %s bit %u", w->text, bit);
	for (i = 0; i < NNAMES; i++)
		if (names[i].leaf == w->leaf && w->index == 0 && names[i].reg == w->reg &&
		    names[i].bit == bit)
			snprintf(text, sizeof(text), "%s", names[i].name);
	add(l, text);
}

/* The pin, processor, exit and entry controls: must-be-1 below, may-be-1 above. */
static bool is_control(uint32_t msr)
{
	return (msr >= 0x481 && msr <= 0x484) || msr == 0x48b || (msr >= 0x48d && msr <= 0x490);
}

static void compare_vmx(struct lacks *l, uint32_t msr, uint64_t there, uint64_t here)
{
	uint64_t missing = there & ~here, named = 0, bits;
	char text[96];
	unsigned int i, j;

	if (msr == 0x480) {
		/* Of the basic information only what it reports as a capability. */
		missing &= 1ull << 54 | 1ull << 55 | 1ull << 56;
	} else if (is_control(msr)) {
		missing = (missing & 0xffffffff00000000ull) |
			  (here & ~there & 0xffffffffull);
	} else if (msr != 0x485 && msr != 0x48c && msr != 0x491) {
		return;		/* fixed bits of CR0 and CR4, VMCS enumeration */
	}
	if (msr == 0x485)
		missing &= 1ull << 5 | 7ull << 6 | 1ull << 14 | 1ull << 15 | 1ull << 28 |
			   1ull << 29 | 1ull << 30;
	for (i = 0; i < VTX_COUNT && missing; i++)
		for (j = 0; j < 2; j++) {
			const struct vtx_bits *b = &vtx_features[i].withhold[j];

			bits = b->control ? b->bits << 32 : b->bits;
			if (b->msr == msr && missing & bits & ~named) {
				add(l, vtx_features[i].name);
				named |= bits;
			}
		}
	if (!(missing & ~named))
		return;
	snprintf(text, sizeof(text), "bits %llxH of VT-x capability MSR %xH",
		 (unsigned long long)(missing & ~named), msr);
	add(l, text);
}

int features_check(struct machine *m, struct unpack *u, struct nvl_error *err)
{
	struct lacks l = { .n = 0 };
	struct facts here, there;
	unsigned int i, bit;
	uint32_t n;
	int ret;

	n = unpack_max(u, NWORDS);
	for (i = 0; i < NWORDS; i++)
		there.word[i] = unpack_u32(u);
	for (i = 0; i < VMX_COUNT; i++) {
		there.vmx[i] = unpack_bool(u);
		there.msr[i] = unpack_u64(u);
	}
	if (!unpack_ok(u) || n != NWORDS)
		return nvl_fail(err, EBADMSG, "the list of features is not what nestvm writes.");
	ret = gather(m, &here, err);
	if (ret < 0)
		return ret;
	for (i = 0; i < NWORDS; i++)
		for (bit = 0; bit < 32; bit++)
			if (there.word[i] & ~here.word[i] & 1u << bit)
				add_bit(&l, &words[i], bit);
	for (i = 0; i < VMX_COUNT; i++)
		if (there.vmx[i])
			compare_vmx(&l, VMX_FIRST + i, there.msr[i], here.vmx[i] ? here.msr[i] : 0);
	if (!l.n)
		return 0;
	return nvl_fail(err, EOPNOTSUPP,
			"this host lacks what the VM uses: %s. Use a host that has it, or restrict the VM's processor (vtx-features) while it is off.",
			l.text);
}
