// SPDX-License-Identifier: GPL-2.0
/* CPUID of a vCPU: take it from user space, cut it to what may be, answer it. */
#include <linux/kvm.h>
#include <linux/slab.h>
#include <asm/processor.h>
#include <asm/tsc.h>
#include <uapi/nestvm.h>
#include "cpu.h"
#include "cpuid_bits.h"
#include "cpuid_policy.h"
#include "vcpu.h"
#include "vlapic.h"
#include "vmx/fpu.h"

struct nv_cpuid {
	u32 count;
	struct cpuid_entry set[CPUID_MAX_ENTRIES];	/* as user space wrote them */
	struct cpuid_entry entry[CPUID_MAX_ENTRIES];	/* cut to what the VM may have */
};

#define LEAF1_AVX	(CPUID_1_ECX_AVX | CPUID_1_ECX_F16C | CPUID_1_ECX_FMA)
#define LEAF7_AVX512	(CPUID_7_EBX_AVX512F | CPUID_7_EBX_AVX512DQ | CPUID_7_EBX_AVX512IFMA | \
			 CPUID_7_EBX_AVX512CD | CPUID_7_EBX_AVX512BW | CPUID_7_EBX_AVX512VL)
#define LEAF7_AVX512_C	(CPUID_7_ECX_AVX512VBMI | CPUID_7_ECX_AVX512VBMI2 |		\
			 CPUID_7_ECX_AVX512VNNI | CPUID_7_ECX_AVX512BITALG |		\
			 CPUID_7_ECX_VPOPCNTDQ)

/* The CPU may have vector state that the host kernel does not use: then no guest can. */
static void hide_unused_state(u32 leaf, u32 subleaf, struct cpuid_words *r)
{
	u64 xcr0 = vmx_fpu_xcr0_supported();

	switch (leaf) {
	case 1:
		if (!xcr0)
			r->ecx &= ~CPUID_1_ECX_XSAVE;
		if (!(xcr0 & XCR0_AVX))
			r->ecx &= ~LEAF1_AVX;
		break;
	case 7:
		if (!(xcr0 & XCR0_AVX)) {
			r->ebx &= ~CPUID_7_EBX_AVX2;
			r->ecx &= ~(CPUID_7_ECX_VAES | CPUID_7_ECX_VPCLMULQDQ);
		}
		if ((xcr0 & XCR0_AVX512) != XCR0_AVX512) {
			r->ebx &= ~LEAF7_AVX512;
			r->ecx &= ~LEAF7_AVX512_C;
		}
		break;
	case 0xd:
		if (!xcr0)
			*r = (struct cpuid_words) { };
		else if (!subleaf)
			r->eax &= xcr0;
		break;
	}
}

/* Feature words as the kernel keeps them, where they are words of CPUID. */
static const struct {
	u32 leaf, subleaf;
	size_t reg;		/* offset in struct cpuid_words */
	enum cpuid_leafs word;
} kernel_words[] = {
	{ 1, 0, offsetof(struct cpuid_words, ecx), CPUID_1_ECX },
	{ 1, 0, offsetof(struct cpuid_words, edx), CPUID_1_EDX },
	{ 7, 0, offsetof(struct cpuid_words, ebx), CPUID_7_0_EBX },
	{ 7, 0, offsetof(struct cpuid_words, ecx), CPUID_7_ECX },
	{ 7, 0, offsetof(struct cpuid_words, edx), CPUID_7_EDX },
	{ 0xd, 1, offsetof(struct cpuid_words, eax), CPUID_D_1_EAX },
	{ 0x80000001, 0, offsetof(struct cpuid_words, ecx), CPUID_8000_0001_ECX },
	{ 0x80000001, 0, offsetof(struct cpuid_words, edx), CPUID_8000_0001_EDX },
};

/*
 * What the host's kernel does not use, no guest is shown: it knows of errata, of firmware
 * that switched something off (ERMS, by the fast-string bit of IA32_MISC_ENABLE) and of
 * its administrator's "clearcpuid=". Stock KVM does the same.
 */
static void hide_what_kernel_hides(u32 leaf, u32 subleaf, struct cpuid_words *r)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(kernel_words); i++)
		if (kernel_words[i].leaf == leaf && kernel_words[i].subleaf == subleaf)
			*(u32 *)((void *)r + kernel_words[i].reg) &=
				boot_cpu_data.x86_capability[kernel_words[i].word];
}

static void host_cpuid(void *arg, u32 leaf, u32 subleaf, struct cpuid_words *r)
{
	cpuid_count(leaf, subleaf, &r->eax, &r->ebx, &r->ecx, &r->edx);
	hide_what_kernel_hides(leaf, subleaf, r);
	hide_unused_state(leaf, subleaf, r);
}

static struct cpuid_policy policy_of(bool expose)
{
	return (struct cpuid_policy) {
		.host = host_cpuid,
		.expose = expose,
		.lapic = true,
		.tsc_khz = tsc_khz,
		.apic_hz = VLAPIC_TIMER_HZ,
	};
}

static void to_user(struct kvm_cpuid_entry2 *out, const struct cpuid_entry *in)
{
	*out = (struct kvm_cpuid_entry2) {
		.function = in->leaf,
		.index = in->subleaf,
		.flags = in->by_subleaf ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0,
		.eax = in->r.eax, .ebx = in->r.ebx, .ecx = in->r.ecx, .edx = in->r.edx,
	};
}

int cpu_cpuid_supported(struct kvm_cpuid_entry2 *entries, u32 max, bool expose)
{
	struct cpuid_policy policy = policy_of(expose);
	struct cpuid_entry *e;
	int i, n;

	e = kcalloc(CPUID_MAX_ENTRIES, sizeof(*e), GFP_KERNEL);
	if (!e)
		return -ENOMEM;
	n = cpuid_supported(&policy, e, CPUID_MAX_ENTRIES);
	if (n > (int)max)
		n = -E2BIG;
	for (i = 0; i < n; i++)
		to_user(&entries[i], &e[i]);
	kfree(e);
	return n;
}

int cpu_cpuid_default(struct nv_vcpu *vcpu)
{
	struct cpuid_policy policy = policy_of(vcpu->vm->expose);
	struct cpuid_entry *e;
	int n;

	e = kcalloc(CPUID_MAX_ENTRIES, sizeof(*e), GFP_KERNEL);
	if (!e)
		return -ENOMEM;
	n = cpuid_supported(&policy, e, CPUID_MAX_ENTRIES);
	if (n > 0)
		cpu_features_from_cpuid(&vcpu->features, e, n);
	kfree(e);
	return min(n, 0);
}

static void restrict_entries(struct nv_vcpu *vcpu, struct nv_cpuid *c)
{
	struct cpuid_policy policy = policy_of(vcpu->vm->expose);

	memcpy(c->entry, c->set, sizeof(c->entry));
	cpuid_restrict(&policy, c->entry, c->count);
}

void cpu_cpuid_refresh(struct nv_vcpu *vcpu)
{
	struct nv_cpuid *c = vcpu->cpuid;

	if (!c) {
		vcpu->features.f1_ecx &= ~CPUID_1_ECX_VMX;
		if (vcpu->vm->expose)
			vcpu->features.f1_ecx |= CPUID_1_ECX_VMX;
		return;
	}
	restrict_entries(vcpu, c);
	cpu_features_from_cpuid(&vcpu->features, c->entry, c->count);
	vmx_update_controls(vcpu);
}

static bool same_entry(const struct cpuid_entry *a, const struct cpuid_entry *b)
{
	return a->leaf == b->leaf && a->subleaf == b->subleaf && a->by_subleaf == b->by_subleaf &&
	       !memcmp(&a->r, &b->r, sizeof(a->r));
}

/* Does the guest see the same with both? */
static bool same_cpuid(const struct nv_cpuid *a, const struct nv_cpuid *b)
{
	u32 i;

	if (!a || a->count != b->count)
		return false;
	for (i = 0; i < a->count; i++)
		if (!same_entry(&a->entry[i], &b->entry[i]))
			return false;
	return true;
}

int cpu_cpuid_set(struct nv_vcpu *vcpu, const struct kvm_cpuid_entry2 *entries, u32 count)
{
	struct cpuid_policy policy = policy_of(vcpu->vm->expose);
	const char *why = "CPUID entries are not valid";
	struct nv_cpuid *c;
	bool same;
	u32 i;
	int ret;

	if (count > CPUID_MAX_ENTRIES)
		return nv_refuse(&vcpu->refusal, NESTVM_REFUSED_CPUID, -E2BIG,
				 "%u CPUID entries are more than the %u a vCPU can have", count,
				 CPUID_MAX_ENTRIES);
	c = kzalloc(sizeof(*c), GFP_KERNEL_ACCOUNT);
	if (!c)
		return -ENOMEM;
	for (i = 0; i < count; i++)
		c->set[i] = (struct cpuid_entry) {
			.leaf = entries[i].function,
			.subleaf = entries[i].index,
			.by_subleaf = entries[i].flags & KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
			.r = { entries[i].eax, entries[i].ebx, entries[i].ecx, entries[i].edx },
		};
	c->count = count;
	ret = cpuid_check(&policy, c->set, count, &why);
	if (ret) {
		kfree(c);
		return nv_refuse(&vcpu->refusal, NESTVM_REFUSED_CPUID, ret, "%s", why);
	}
	/*
	 * A VMM that uses a vCPU again sets again what it has. A nested state with L2 running
	 * was checked against this CPUID, and vmcs02 made from it.
	 */
	if (vcpu->has_run || vcpu->l2) {
		restrict_entries(vcpu, c);
		same = same_cpuid(vcpu->cpuid, c);
		kfree(c);
		return same ? 0 : nv_refuse(&vcpu->refusal, NESTVM_REFUSED_HAS_RUN, -EBUSY,
					    "CPUID can only be changed before the vCPU has run, or L2 in it");
	}
	kfree(vcpu->cpuid);
	vcpu->cpuid = c;
	cpu_cpuid_refresh(vcpu);
	return 0;
}

int cpu_cpuid_get(struct nv_vcpu *vcpu, struct kvm_cpuid_entry2 *entries, u32 max)
{
	struct nv_cpuid *c = vcpu->cpuid;
	u32 i;

	if (!c)
		return 0;
	if (c->count > max)
		return -E2BIG;
	for (i = 0; i < c->count; i++)
		to_user(&entries[i], &c->entry[i]);
	return c->count;
}

void cpu_cpuid_free(struct nv_vcpu *vcpu)
{
	kfree(vcpu->cpuid);
	vcpu->cpuid = NULL;
}

void cpu_cpuid(struct nv_vcpu *vcpu, u32 leaf, u32 subleaf, u32 regs[4])
{
	struct cpuid_state state = {
		.cr4 = vmx_cr4(vcpu),
		.xcr0 = vcpu->xcr0,
		.apic_base = vcpu->apic_base,
		.apic_id = vcpu->id,
	};
	struct nv_cpuid *c = vcpu->cpuid;
	struct cpuid_words r = { };

	if (c)
		cpuid_execute(c->entry, c->count, &state, leaf, subleaf, &r);
	regs[0] = r.eax;
	regs[1] = r.ebx;
	regs[2] = r.ecx;
	regs[3] = r.edx;
}
