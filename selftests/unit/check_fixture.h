/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A legal VM entry, to be broken one rule at a time: L1 is in 64-bit mode, L2
 * will be. Everything that may be offered is. A mutator starts from it, moves
 * to another legal L2 if it needs one (become_*), and breaks its rule.
 */
#ifndef NESTVM_CHECK_FIXTURE_H
#define NESTVM_CHECK_FIXTURE_H

#include "cpuid_bits.h"
#include "ept/ept_defs.h"
#include "harness.h"
#include "nested/check.h"
#include "x86.h"

#define VAPIC_PAGE	0x5000ull
#define LINK_PAGE	0x6000ull
#define PDPT_ADDR	0x7020ull
#define CURRENT_VMCS	0x9000ull
#define NONCANONICAL	0x0000800000000000ull
#define TOO_WIDE	BIT_ULL(39)

struct fix {
	struct vmcs12 v;
	struct nested_vmx_msrs msrs;
	struct cpu_features cpu;
	struct entry_ctx c;
	struct l1_mem mem;
	u8 vtpr;
	u32 link_revision;
	u64 pdpt[4];
};

static bool fix_read(struct l1_mem *mem, gpa1_t gpa, void *buf, u32 len)
{
	struct fix *f = container_of(mem, struct fix, mem);

	if (gpa.v == VAPIC_PAGE + 0x80 && len == 1)
		memcpy(buf, &f->vtpr, len);
	else if (gpa.v == LINK_PAGE && len == 4)
		memcpy(buf, &f->link_revision, len);
	else if (gpa.v == PDPT_ADDR && len == 32)
		memcpy(buf, f->pdpt, len);
	else
		return false;
	return true;
}

static u64 fix_pair(u32 must)
{
	return 0xffffffff00000000ull | must;
}

static void fix_caps(struct fix *f)
{
	struct nested_vmx_msrs *m = &f->msrs;

	f->cpu = (struct cpu_features){
		.f1_ecx = ~0u & ~CPUID_1_ECX_SMX, .f1_edx = ~0u,
		.f7_ebx = ~0u, .f7_ecx = ~0u & ~CPUID_7_ECX_LA57,
		.f80000001_edx = ~0u, .xcr0_allowed = 7,
		.maxphyaddr = 39, .linear_width = 48,
	};
	m->basic = VMCS12_REVISION | VMX_BASIC_HAS_TRUE;
	m->true_pin = fix_pair(PIN_DEFAULT1);
	m->true_proc = fix_pair(PROC_DEFAULT1 & ~(PROC_CR3_LOAD | PROC_CR3_STORE));
	m->true_exit = fix_pair(EXIT_DEFAULT1 & ~EXIT_SAVE_DEBUG);
	m->true_entry = fix_pair(ENTRY_DEFAULT1 & ~ENTRY_LOAD_DEBUG);
	m->proc2 = fix_pair(0);
	m->misc = VMX_MISC_STORE_LMA | VMX_MISC_ACTIVITY_HLT | VMX_MISC_ACTIVITY_SHUTDOWN |
		  VMX_MISC_ACTIVITY_SIPI | VMX_MISC_WRITE_ANY | 4 << VMX_MISC_CR3_TARGETS_SHIFT;
	m->cr0_fixed0 = CR0_PG | CR0_NE | CR0_PE;
	m->cr0_fixed1 = 0xffffffff;
	m->cr4_fixed0 = CR4_VMXE;
	m->cr4_fixed1 = cpu_cr4_allowed(&f->cpu) | CR4_VMXE;
	m->ept_vpid_cap = EPT_CAP_WALK_4 | EPT_CAP_WB | EPT_CAP_UC;
	m->vmfunc = 1;
}

static void fix_controls(struct vmcs12 *v)
{
	v->pin_ctls = PIN_DEFAULT1 | PIN_EXT_INTR | PIN_NMI_EXIT | PIN_VIRTUAL_NMIS;
	v->proc_ctls = (PROC_DEFAULT1 & ~(PROC_CR3_LOAD | PROC_CR3_STORE)) | PROC_SECONDARY;
	v->proc2_ctls = PROC2_EPT | PROC2_VPID;
	v->exit_ctls = EXIT_DEFAULT1 | EXIT_HOST_64 | EXIT_LOAD_EFER | EXIT_LOAD_PAT;
	v->entry_ctls = ENTRY_DEFAULT1 | ENTRY_IA32E | ENTRY_LOAD_EFER | ENTRY_LOAD_PAT;
	v->vpid = 1;
	v->eptp = 0x10000 | EPTP_WALK_4 | EPT_MT_WB;
	v->link_pointer = VMCS_NONE;
}

static void fix_host(struct vmcs12 *v)
{
	v->host_cr0 = CR0_PG | CR0_WP | CR0_NE | CR0_PE;
	v->host_cr3 = 0x1000;
	v->host_cr4 = CR4_VMXE | CR4_PAE;
	v->host_pat = IA32_PAT_RESET;
	v->host_efer = IA32_EFER_LMA | IA32_EFER_LME;
	v->host_cs_sel = 0x10;
	v->host_ss_sel = 0x18;
	v->host_tr_sel = 0x40;
	v->host_rip = 0xffffffff81000000ull;
}

static void fix_guest(struct vmcs12 *v)
{
	v->guest_cr0 = CR0_PG | CR0_WP | CR0_NE | CR0_PE;
	v->guest_cr3 = PDPT_ADDR;
	v->guest_cr4 = CR4_VMXE | CR4_PAE;
	v->guest_efer = IA32_EFER_LMA | IA32_EFER_LME;
	v->guest_pat = IA32_PAT_RESET;
	v->guest_dr7 = DR7_FIXED1;
	v->guest_rflags = RFLAGS_FIXED1 | RFLAGS_IF;
	v->guest_rip = 0xffffffff81000000ull;
	v->guest_cs_sel = 0x10;
	v->guest_cs_ar = 0xa09b;
	v->guest_tr_sel = 0x40;
	v->guest_tr_ar = 0x8b;
	v->guest_tr_limit = 0x67;
	v->guest_ldtr_ar = SEG_AR_UNUSABLE;
	v->guest_ss_sel = 0x18;
	v->guest_ds_sel = 0x18;
	v->guest_es_sel = 0x18;
	v->guest_fs_sel = 0x18;
	v->guest_gs_sel = 0x18;
	v->guest_ss_ar = v->guest_ds_ar = v->guest_es_ar = 0xc093;
	v->guest_fs_ar = v->guest_gs_ar = 0xc093;
	v->guest_cs_limit = v->guest_ss_limit = v->guest_ds_limit = ~0u;
	v->guest_es_limit = v->guest_fs_limit = v->guest_gs_limit = ~0u;
	v->guest_gdtr_limit = 0xffff;
	v->guest_idtr_limit = 0xfff;
}

static __maybe_unused void fix_init(struct fix *f)
{
	memset(f, 0, sizeof(*f));
	fix_caps(f);
	fix_controls(&f->v);
	fix_host(&f->v);
	fix_guest(&f->v);
	f->mem.read = fix_read;
	f->link_revision = VMCS12_REVISION;
	f->c = (struct entry_ctx){
		.v = &f->v, .msrs = &f->msrs, .cpu = &f->cpu, .vmcs = gpa1(CURRENT_VMCS),
		.l1_efer = IA32_EFER_LMA | IA32_EFER_LME, .mem = &f->mem,
	};
}

/* L2 in 32-bit protected mode with PAE paging. */
static __maybe_unused void become_pae(struct fix *f)
{
	f->v.entry_ctls &= ~ENTRY_IA32E;
	f->v.guest_efer = 0;
	f->v.guest_cs_ar = 0xc09b;
	f->v.guest_rip = 0x100000;
}

static __maybe_unused void become_v86(struct fix *f)
{
	struct vmcs12 *v = &f->v;

	become_pae(f);
	v->guest_rflags |= RFLAGS_VM;
#define V86(seg, s) do {					\
	v->guest_##seg##_sel = s;				\
	v->guest_##seg##_base = (s) << 4;			\
	v->guest_##seg##_limit = 0xffff;			\
	v->guest_##seg##_ar = 0xf3;				\
} while (0)
	V86(cs, 0x1003);
	V86(ss, 0x2000);
	V86(ds, 0x3000);
	V86(es, 0x4000);
	V86(fs, 0x5000);
	V86(gs, 0x6000);
#undef V86
}

static __maybe_unused void become_unrestricted(struct fix *f)
{
	f->v.proc2_ctls |= PROC2_UNRESTRICTED;
}

/* Real mode, as after reset. */
static __maybe_unused void become_real(struct fix *f)
{
	struct vmcs12 *v = &f->v;

	become_pae(f);
	become_unrestricted(f);
	v->guest_cr0 = CR0_NE;
	v->guest_cr4 = CR4_VMXE;
	v->guest_cs_sel = 0xf000;
	v->guest_cs_base = 0xf0000;
	v->guest_rip = 0xfff0;
	v->guest_cs_ar = v->guest_ss_ar = v->guest_ds_ar = 0x93;
	v->guest_es_ar = v->guest_fs_ar = v->guest_gs_ar = 0x93;
	v->guest_cs_limit = v->guest_ss_limit = v->guest_ds_limit = 0xffff;
	v->guest_es_limit = v->guest_fs_limit = v->guest_gs_limit = 0xffff;
}

/* L1 is a 32-bit hypervisor, and so is its L2. */
static __maybe_unused void become_l1_32(struct fix *f)
{
	become_pae(f);
	f->c.l1_efer = 0;
	f->v.exit_ctls &= ~EXIT_HOST_64;
	f->v.host_efer = 0;
	f->v.host_rip = 0x100000;
}

static __maybe_unused void use_ldtr(struct fix *f)
{
	f->v.guest_ldtr_sel = 0x48;
	f->v.guest_ldtr_ar = 0x82;
	f->v.guest_ldtr_limit = 0xff;
}

static __maybe_unused void inject(struct fix *f, u32 type, u32 vector)
{
	f->v.entry_intr_info = INTR_INFO_VALID | type | vector;
}

/* How much a mutator breaks. */
enum also {
	ONLY,		/* this rule and no other */
	FIRST,		/* others too, but this is the first of the list */
	BEHIND,		/* the rule follows from others, one of which comes first */
};

struct mutator {
	const char *name;		/* of the row */
	void (*fn)(struct fix *f);
	enum also also;
};

static unsigned int count_failures(const struct entry_ctx *c, const struct entry_check *rows,
				   unsigned int n, const char *name, bool *hit)
{
	unsigned int i, failures = 0;

	for (i = 0; i < n; i++) {
		if (rows[i].ok(c))
			continue;
		failures++;
		if (!strcmp(rows[i].name, name))
			*hit = true;
	}
	return failures;
}

static void check_mutator(const struct mutator *m, enum entry_way way, u32 error, u8 qual)
{
	struct entry_result r, scratch;
	unsigned int failures;
	bool hit = false;
	struct fix f;

	CASE("%s", m->name);
	fix_init(&f);
	m->fn(&f);
	/* All three, so that memory is read whatever fails. */
	nested_check_controls(&f.c, &scratch);
	nested_check_host(&f.c, &scratch);
	nested_check_guest(&f.c, &scratch);
	failures = count_failures(&f.c, nested_ctl_checks, nested_ctl_check_count, m->name, &hit) +
		   count_failures(&f.c, nested_host_checks, nested_host_check_count, m->name,
				  &hit) +
		   count_failures(&f.c, nested_guest_checks, nested_guest_check_count, m->name,
				  &hit);
	EXPECT_TRUE(hit);
	if (m->also == ONLY)
		EXPECT_EQ(failures, 1);
	EXPECT_FALSE(nested_check_entry(&f.c, &r));
	if (m->also == BEHIND)
		return;
	ASSERT_TRUE(r.name);
	EXPECT_STREQ(r.name, m->name);
	EXPECT_EQ(r.way, way);
	EXPECT_EQ(r.error, error);
	EXPECT_EQ(r.qual, qual);
}

/* Every row has a mutator, every mutator a row, and each breaks what it says. */
static __maybe_unused void check_table(const struct entry_check *rows, unsigned int n,
				       const struct mutator *ms, unsigned int n_ms,
				       enum entry_way way, u32 error)
{
	unsigned int i, k;

	for (i = 0; i < n; i++) {
		bool found = false;

		CASE("%s", rows[i].name);
		EXPECT_TRUE(rows[i].section && rows[i].ok);
		for (k = 0; k < n_ms; k++) {
			if (strcmp(ms[k].name, rows[i].name))
				continue;
			found = true;
			check_mutator(&ms[k], way, error, rows[i].qual);
		}
		if (!found)
			test_failed(__FILE__, __LINE__, "row %s has no mutator", rows[i].name);
		for (k = 0; k < i; k++)
			EXPECT_TRUE(strcmp(rows[i].name, rows[k].name));
	}
	for (k = 0; k < n_ms; k++) {
		for (i = 0; i < n && strcmp(ms[k].name, rows[i].name); i++)
			;
		if (i == n)
			test_failed(__FILE__, __LINE__, "mutator %s has no row", ms[k].name);
	}
}

static __maybe_unused void expect_legal(struct fix *f)
{
	struct entry_result r;

	if (!nested_check_entry(&f->c, &r))
		test_failed(__FILE__, __LINE__, "a legal entry fails at %s", r.name);
}

#endif
