// SPDX-License-Identifier: GPL-2.0
/* vmcs12's fields by encoding. Pure, see kmod/pure.mk. */
#include "nested/vmcs12.h"

#include "nested/vmx_msrs.h"

/* A field's place in the list: POS_GUEST_RIP. */
#define F(NAME, member, encoding, width, shadow) POS_##NAME,
enum vmcs12_pos { VMCS_FIELDS(F) };
#undef F

/* The width in the list is the one the encoding says. */
#define FIELD_CODE_16	0
#define FIELD_CODE_64	1
#define FIELD_CODE_32	2
#define FIELD_CODE_NAT	3
#define F(NAME, member, encoding, width, shadow)					\
	static_assert((((encoding) >> 13) & 3) == FIELD_CODE_##width);
VMCS_FIELDS(F)
#undef F

#define F(NAME, member, enc, width, shadow_class)					\
	[POS_##NAME] = {								\
		.name = #NAME,								\
		.encoding = enc,							\
		.offset = offsetof(struct vmcs12, member),				\
		.size = sizeof_field(struct vmcs12, member),				\
		.shadow = VMCS12_SHADOW_##shadow_class,					\
		.read_only = ((enc) & VMCS_ENC_TYPE) == VMCS_TYPE_READ_ONLY,		\
	},
static const struct vmcs12_field fields[] = { VMCS_FIELDS(F) };
#undef F

static_assert(ARRAY_SIZE(fields) == VMCS12_FIELD_COUNT);
static_assert(VMCS12_FIELD_COUNT < U8_MAX);

/*
 * Encoding -> place: width (2 bits), type (2), index (5). The manual's index
 * has 9 bits, but no field we know uses more than 5; the others are refused
 * before the table, and a key has 9 bits whatever the encoding was.
 */
#define KEY_BITS		(VMCS_ENC_WIDTH | VMCS_ENC_TYPE | GENMASK(5, 1) | VMCS_ENC_HIGH)
#define KEY(enc)		(((((enc) >> 13) & 3) << 7) | ((((enc) >> 10) & 3) << 5) | \
				 (((enc) >> 1) & 31))

#define F(NAME, member, encoding, width, shadow)					\
	static_assert(((encoding) & ~KEY_BITS) == 0);
VMCS_FIELDS(F)
#undef F

#define F(NAME, member, encoding, width, shadow) [KEY(encoding)] = POS_##NAME + 1,
static const u8 pos_by_key[512] = { VMCS_FIELDS(F) };
#undef F

/*
 * Fields that exist only if a control may be 1 (SDM 3D "Field Encoding in
 * VMCS", footnotes). Two conditions: either suffices. No row: always there.
 */
enum gate_word { GATE_ALWAYS, GATE_PIN, GATE_PROC, GATE_PROC2, GATE_EXIT, GATE_ENTRY, GATE_CR3 };

struct gate {
	u8 word, word2;			/* enum gate_word */
	u32 bit, bit2;			/* GATE_CR3: the target's number */
};

static const struct gate gates[VMCS12_FIELD_COUNT] = {
	[POS_VPID]		= { .word = GATE_PROC2, .bit = PROC2_VPID },
	[POS_POSTED_INTR_NV]	= { .word = GATE_PIN, .bit = PIN_POSTED_INTR },
	[POS_EPTP_INDEX]	= { .word = GATE_PROC2, .bit = PROC2_VE },
	[POS_GUEST_INTR_STATUS]	= { .word = GATE_PROC2, .bit = PROC2_VIRT_INTR },
	[POS_GUEST_PML_INDEX]	= { .word = GATE_PROC2, .bit = PROC2_PML },
	[POS_MSR_BITMAP]	= { .word = GATE_PROC, .bit = PROC_MSR_BITMAPS },
	[POS_PML_ADDRESS]	= { .word = GATE_PROC2, .bit = PROC2_PML },
	[POS_VIRTUAL_APIC]	= { .word = GATE_PROC, .bit = PROC_TPR_SHADOW },
	[POS_APIC_ACCESS]	= { .word = GATE_PROC2, .bit = PROC2_APIC_ACCESS },
	[POS_POSTED_INTR_DESC]	= { .word = GATE_PIN, .bit = PIN_POSTED_INTR },
	[POS_VMFUNC_CTLS]	= { .word = GATE_PROC2, .bit = PROC2_VMFUNC },
	[POS_EPTP]		= { .word = GATE_PROC2, .bit = PROC2_EPT },
	[POS_EOI_EXIT_0]	= { .word = GATE_PROC2, .bit = PROC2_VIRT_INTR },
	[POS_EOI_EXIT_1]	= { .word = GATE_PROC2, .bit = PROC2_VIRT_INTR },
	[POS_EOI_EXIT_2]	= { .word = GATE_PROC2, .bit = PROC2_VIRT_INTR },
	[POS_EOI_EXIT_3]	= { .word = GATE_PROC2, .bit = PROC2_VIRT_INTR },
	[POS_EPTP_LIST]		= { .word = GATE_PROC2, .bit = PROC2_VMFUNC },
	[POS_VMREAD_BITMAP]	= { .word = GATE_PROC2, .bit = PROC2_SHADOW_VMCS },
	[POS_VMWRITE_BITMAP]	= { .word = GATE_PROC2, .bit = PROC2_SHADOW_VMCS },
	[POS_VE_INFO]		= { .word = GATE_PROC2, .bit = PROC2_VE },
	[POS_XSS_EXIT_BITMAP]	= { .word = GATE_PROC2, .bit = PROC2_XSAVES },
	[POS_ENCLS_EXIT_BITMAP]	= { .word = GATE_PROC2, .bit = PROC2_ENCLS },
	[POS_SPP_POINTER]	= { .word = GATE_PROC2, .bit = PROC2_SPP },
	[POS_TSC_MULTIPLIER]	= { .word = GATE_PROC2, .bit = PROC2_TSC_SCALING },
	[POS_GUEST_PHYSICAL]	= { .word = GATE_PROC2, .bit = PROC2_EPT },
	[POS_GUEST_PAT]		= { .word = GATE_ENTRY, .bit = ENTRY_LOAD_PAT,
				    .word2 = GATE_EXIT, .bit2 = EXIT_SAVE_PAT },
	[POS_GUEST_EFER]	= { .word = GATE_ENTRY, .bit = ENTRY_LOAD_EFER,
				    .word2 = GATE_EXIT, .bit2 = EXIT_SAVE_EFER },
	[POS_GUEST_PERF_GLOBAL]	= { .word = GATE_ENTRY, .bit = ENTRY_LOAD_PERF_GLOBAL },
	[POS_GUEST_PDPTE0]	= { .word = GATE_PROC2, .bit = PROC2_EPT },
	[POS_GUEST_PDPTE1]	= { .word = GATE_PROC2, .bit = PROC2_EPT },
	[POS_GUEST_PDPTE2]	= { .word = GATE_PROC2, .bit = PROC2_EPT },
	[POS_GUEST_PDPTE3]	= { .word = GATE_PROC2, .bit = PROC2_EPT },
	[POS_GUEST_BNDCFGS]	= { .word = GATE_ENTRY, .bit = ENTRY_LOAD_BNDCFGS,
				    .word2 = GATE_EXIT, .bit2 = EXIT_CLEAR_BNDCFGS },
	[POS_HOST_PAT]		= { .word = GATE_EXIT, .bit = EXIT_LOAD_PAT },
	[POS_HOST_EFER]		= { .word = GATE_EXIT, .bit = EXIT_LOAD_EFER },
	[POS_HOST_PERF_GLOBAL]	= { .word = GATE_EXIT, .bit = EXIT_LOAD_PERF_GLOBAL },
	[POS_TPR_THRESHOLD]	= { .word = GATE_PROC, .bit = PROC_TPR_SHADOW },
	[POS_PROC2_CTLS]	= { .word = GATE_PROC, .bit = PROC_SECONDARY },
	[POS_PLE_GAP]		= { .word = GATE_PROC2, .bit = PROC2_PAUSE_LOOP },
	[POS_PLE_WINDOW]	= { .word = GATE_PROC2, .bit = PROC2_PAUSE_LOOP },
	[POS_GUEST_PREEMPT_TIMER] = { .word = GATE_PIN, .bit = PIN_PREEMPT_TIMER },
	[POS_CR3_TARGET0]	= { .word = GATE_CR3, .bit = 0 },
	[POS_CR3_TARGET1]	= { .word = GATE_CR3, .bit = 1 },
	[POS_CR3_TARGET2]	= { .word = GATE_CR3, .bit = 2 },
	[POS_CR3_TARGET3]	= { .word = GATE_CR3, .bit = 3 },
};

static bool gate_open(const struct nested_vmx_msrs *m, u8 word, u32 bit)
{
	switch (word) {
	case GATE_PIN:
		return nested_ctl_offered(m->true_pin, bit);
	case GATE_PROC:
		return nested_ctl_offered(m->true_proc, bit);
	case GATE_PROC2:
		return nested_proc2_offered(m, bit);
	case GATE_EXIT:
		return nested_ctl_offered(m->true_exit, bit);
	case GATE_ENTRY:
		return nested_ctl_offered(m->true_entry, bit);
	case GATE_CR3:
		return bit < (m->misc & VMX_MISC_CR3_TARGETS) >> VMX_MISC_CR3_TARGETS_SHIFT;
	}
	return false;
}

const struct vmcs12_field *vmcs12_field_at(unsigned int i)
{
	return i < VMCS12_FIELD_COUNT ? &fields[array_index_nospec(i, VMCS12_FIELD_COUNT)] : NULL;
}

const struct vmcs12_field *vmcs12_find(u64 encoding)
{
	const struct vmcs12_field *f;
	u8 pos;

	if (encoding & ~(u64)KEY_BITS)
		return NULL;
	pos = pos_by_key[KEY(encoding)];
	if (!pos)
		return NULL;
	f = &fields[array_index_nospec(pos - 1u, VMCS12_FIELD_COUNT)];
	if ((encoding & VMCS_ENC_HIGH) && (f->encoding & VMCS_ENC_WIDTH) != VMCS_WIDTH_64)
		return NULL;
	return f;
}

const char *vmcs_field_name(u64 encoding)
{
	const struct vmcs12_field *f = vmcs12_find(encoding);

	return f ? f->name : "?";
}

static bool field_offered(const struct vmcs12_field *f, const struct nested_vmx_msrs *msrs)
{
	const struct gate *g = &gates[f - fields];

	return g->word == GATE_ALWAYS || gate_open(msrs, g->word, g->bit) ||
	       gate_open(msrs, g->word2, g->bit2);
}

bool vmcs12_field_valid(u64 encoding, const struct nested_vmx_msrs *msrs)
{
	const struct vmcs12_field *f = vmcs12_find(encoding);

	return f && field_offered(f, msrs);
}

static u64 field_get(const struct vmcs12 *v, const struct vmcs12_field *f)
{
	const void *p = (const u8 *)v + f->offset;

	switch (f->size) {
	case 2:
		return *(const u16 *)p;
	case 4:
		return *(const u32 *)p;
	default:
		return *(const u64 *)p;
	}
}

static void field_set(struct vmcs12 *v, const struct vmcs12_field *f, u64 value)
{
	void *p = (u8 *)v + f->offset;

	switch (f->size) {
	case 2:
		*(u16 *)p = value;
		break;
	case 4:
		*(u32 *)p = value;
		break;
	default:
		*(u64 *)p = value;
		break;
	}
}

u64 vmcs12_read(const struct vmcs12 *v, u64 encoding)
{
	const struct vmcs12_field *f = vmcs12_find(encoding);

	if (!f)
		return 0;
	return encoding & VMCS_ENC_HIGH ? field_get(v, f) >> 32 : field_get(v, f);
}

void vmcs12_write(struct vmcs12 *v, u64 encoding, u64 value)
{
	const struct vmcs12_field *f = vmcs12_find(encoding);

	if (!f)
		return;
	if (encoding & VMCS_ENC_HIGH)
		value = (u32)field_get(v, f) | (value << 32);
	field_set(v, f, value);
}

u32 vmcs12_vmread(const struct vmcs12 *v, const struct nested_vmx_msrs *msrs,
		  u64 encoding, u64 *value)
{
	if (!vmcs12_field_valid(encoding, msrs))
		return VMERR_UNSUPPORTED_FIELD;
	*value = vmcs12_read(v, encoding);
	return 0;
}

u32 vmcs12_vmwrite(struct vmcs12 *v, const struct nested_vmx_msrs *msrs,
		   u64 encoding, u64 value)
{
	const struct vmcs12_field *f = vmcs12_find(encoding);

	if (!f || !field_offered(f, msrs))
		return VMERR_UNSUPPORTED_FIELD;
	if (f->read_only && !(msrs->misc & VMX_MISC_WRITE_ANY))
		return VMERR_READ_ONLY_FIELD;
	vmcs12_write(v, encoding, value);
	return 0;
}
