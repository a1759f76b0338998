// SPDX-License-Identifier: GPL-2.0
/*
 * CPUID of a vCPU: what the device can do, with the parts that depend on the
 * VM filled in: identity and topology, the clock's rate, the expose switch.
 */
#include "machine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define F1_ECX_VMX		(1u << 5)
#define F1_ECX_X2APIC		(1u << 21)
#define F1_ECX_TSC_DEADLINE	(1u << 24)
#define F1_ECX_OSXSAVE		(1u << 27)
#define F1_ECX_HYPERVISOR	(1u << 31)
#define F1_EDX_HTT		(1u << 28)
#define F8_1_ECX_SVM		(1u << 2)
#define F8_1_ECX_CMP_LEGACY	(1u << 1)

/* What a local APIC timer of the KVM API counts: one tick a nanosecond. */
#define APIC_BUS_HZ		1000000000u

#define EXTRA_ENTRIES		8

struct table {
	struct kvm_cpuid2 *c;
	uint32_t max;
};

static struct kvm_cpuid_entry2 *find(struct table *t, uint32_t function, uint32_t index)
{
	uint32_t i;

	for (i = 0; i < t->c->nent; i++)
		if (t->c->entries[i].function == function && t->c->entries[i].index == index)
			return &t->c->entries[i];
	return NULL;
}

static struct kvm_cpuid_entry2 *find_or_add(struct table *t, uint32_t function, uint32_t index,
					    uint32_t flags)
{
	struct kvm_cpuid_entry2 *e = find(t, function, index);

	if (e || t->c->nent == t->max)
		return e;
	e = &t->c->entries[t->c->nent++];
	memset(e, 0, sizeof(*e));
	e->function = function;
	e->index = index;
	e->flags = flags;
	return e;
}

/* Bits that hold the numbers 0 to @n - 1. */
static unsigned int id_bits(unsigned int n)
{
	unsigned int bits = 0;

	while (1u << bits < n)
		bits++;
	return bits;
}

static bool vendor_is(struct table *t, const char *vendor)
{
	struct kvm_cpuid_entry2 *e = find(t, 0, 0);
	uint32_t text[3];

	if (!e)
		return false;
	text[0] = e->ebx;
	text[1] = e->edx;
	text[2] = e->ecx;
	return !memcmp(text, vendor, sizeof(text));
}

static void fix_features(struct machine *m, struct table *t, unsigned int id)
{
	struct kvm_cpuid_entry2 *e = find(t, 1, 0);

	if (e) {
		e->ebx = (e->ebx & 0xffff) | 1u << (16 + id_bits(m->conf->vcpus)) | id << 24;
		e->ecx |= F1_ECX_HYPERVISOR;
		e->ecx &= ~F1_ECX_OSXSAVE;
		if (nvl_device_cap(m->dev, KVM_CAP_TSC_DEADLINE_TIMER))
			e->ecx |= F1_ECX_TSC_DEADLINE;
		/* nestvm lists the bit only where exposing is its default. */
		if (!m->conf->expose)
			e->ecx &= ~F1_ECX_VMX;
		else if (nvl_device_is_nestvm(m->dev))
			e->ecx |= F1_ECX_VMX;
		e->edx &= ~F1_EDX_HTT;
		if (m->conf->vcpus > 1)
			e->edx |= F1_EDX_HTT;
	}
	e = find(t, 0x80000001, 0);
	if (e) {
		if (!m->conf->expose)
			e->ecx &= ~F8_1_ECX_SVM;
		e->ecx &= ~F8_1_ECX_CMP_LEGACY;
		if (m->conf->vcpus > 1 && !vendor_is(t, "GenuineIntel"))
			e->ecx |= F8_1_ECX_CMP_LEGACY;
	}
}

/* Deterministic cache parameters: first levels are a core's own, the last is shared. */
static void fix_caches(struct machine *m, struct table *t, uint32_t function)
{
	unsigned int bits = id_bits(m->conf->vcpus);
	uint32_t i;

	for (i = 0; i < t->c->nent; i++) {
		struct kvm_cpuid_entry2 *e = &t->c->entries[i];
		unsigned int level = e->eax >> 5 & 7;

		if (e->function != function || !(e->eax & 0x1f))
			continue;
		e->eax &= 0x3fff;
		if (level >= 3)
			e->eax |= ((1u << bits) - 1) << 14;
		if (function == 4)
			e->eax |= ((1u << bits) - 1) << 26;
	}
}

/* One thread a core, all cores in one package: leaves 0BH and 1FH. */
static void fix_topology(struct machine *m, struct table *t, uint32_t function, unsigned int id)
{
	unsigned int n = m->conf->vcpus;
	struct kvm_cpuid_entry2 *smt, *core, *end;
	uint32_t i;

	if (!find(t, function, 0))
		return;
	for (i = 0; i < t->c->nent; i++)
		if (t->c->entries[i].function == function) {
			t->c->entries[i].eax = 0;
			t->c->entries[i].ebx = 0;
			t->c->entries[i].ecx = t->c->entries[i].index;
			t->c->entries[i].edx = id;
		}
	smt = find_or_add(t, function, 0, KVM_CPUID_FLAG_SIGNIFCANT_INDEX);
	core = find_or_add(t, function, 1, KVM_CPUID_FLAG_SIGNIFCANT_INDEX);
	end = find_or_add(t, function, 2, KVM_CPUID_FLAG_SIGNIFCANT_INDEX);
	if (!smt || !core || !end)
		return;
	smt->ebx = 1;
	smt->ecx = 1 << 8;
	core->eax = id_bits(n);
	core->ebx = n;
	core->ecx = 2 << 8 | 1;
	core->edx = id;
	end->ecx = 2;
	end->edx = id;
}

static void fix_amd_topology(struct machine *m, struct table *t, unsigned int id)
{
	struct kvm_cpuid_entry2 *e = find(t, 0x80000008, 0);

	if (e)
		e->ecx = (m->conf->vcpus - 1) | id_bits(m->conf->vcpus) << 12;
	e = find(t, 0x8000001e, 0);
	if (e) {
		e->eax = id;
		e->ebx = id & 0xff;	/* one thread a core */
		e->ecx = 0;		/* one node */
	}
}

/*
 * The fraction num/den nearest to @a/@b with num <= @max, by continued fractions.
 * Exact where the reduced fraction is that small already.
 */
static void nearest_fraction(uint64_t a, uint64_t b, uint64_t max, uint32_t *num, uint32_t *den)
{
	uint64_t n0 = 0, d0 = 1, n1 = 1, d1 = 0, q, n2, r;

	while (b) {
		q = a / b;
		n2 = q * n1 + n0;
		if (n2 > max)
			break;
		r = q * d1 + d0;
		n0 = n1;
		d0 = d1;
		n1 = n2;
		d1 = r;
		r = a % b;
		a = b;
		b = r;
	}
	*num = n1;
	*den = d1;
}

/*
 * Leaf 15H states the TSC's rate as a ratio to a "crystal", which also drives
 * the local APIC timer. A guest without a paravirtual clock then need not
 * calibrate against a timer that the host may serve late. The host's own
 * numbers would be wrong wherever the guest's TSC is not the host's.
 *
 * Linux multiplies the crystal's kHz with the numerator in 32 bits.
 */
static void fix_clock(struct table *t, uint32_t tsc_khz)
{
	struct kvm_cpuid_entry2 *e, *max = find(t, 0, 0);

	if (!tsc_khz || !max || !vendor_is(t, "GenuineIntel"))
		return;
	e = find_or_add(t, 0x15, 0, 0);
	if (!e)
		return;
	if (max->eax < 0x15)
		max->eax = 0x15;
	nearest_fraction(tsc_khz, APIC_BUS_HZ / 1000, UINT32_MAX / (APIC_BUS_HZ / 1000), &e->ebx,
			 &e->eax);
	if (!e->eax || !e->ebx)		/* too fast for a ratio: then say nothing */
		e->eax = e->ebx = e->ecx = 0;
	else
		e->ecx = APIC_BUS_HZ;
	e->edx = 0;
	e = find(t, 0x16, 0);
	if (e) {
		e->eax = tsc_khz / 1000;
		e->ebx = tsc_khz / 1000;
	}
}

int cpuid_fix(struct machine *m, struct nvl_vcpu *vcpu, struct nvl_error *err)
{
	struct kvm_cpuid2 *offered, *c;
	struct table t;
	unsigned int id = nvl_vcpu_id(vcpu);
	int ret;

	ret = nvl_device_cpuid(m->dev, &offered, err);
	if (ret < 0)
		return ret;
	t.max = offered->nent + EXTRA_ENTRIES;
	c = realloc(offered, sizeof(*c) + t.max * sizeof(c->entries[0]));
	if (!c) {
		free(offered);
		return nvl_fail(err, ENOMEM, "no memory left for the CPUID table.");
	}
	t.c = c;
	fix_features(m, &t, id);
	fix_caches(m, &t, 4);
	fix_caches(m, &t, 0x8000001d);
	fix_topology(m, &t, 0xb, id);
	fix_topology(m, &t, 0x1f, id);
	if (!vendor_is(&t, "GenuineIntel"))
		fix_amd_topology(m, &t, id);
	fix_clock(&t, nvl_vcpu_tsc_khz(vcpu));
	ret = nvl_vcpu_set_cpuid(vcpu, c, err);
	free(c);
	return ret;
}
