/* SPDX-License-Identifier: GPL-2.0 */
/*
 * vmcs12: the VMCS that L1 writes for L2. The structure is the layout of L1's
 * VMCS region too, so that VMCLEAR and VMPTRLD are one copy each:
 *
 *   0   revision identifier, bit 31: shadow VMCS
 *   4   VMX-abort indicator
 *   8   launch state (VMCS12_CLEAR, VMCS12_LAUNCHED)
 *   12  reserved, 0
 *   32  the fields, in the order of VMCS_FIELDS
 *
 * L1 must not rely on it and it may change: the revision identifier then does.
 * Saved nested state is (encoding, value) pairs, not this layout.
 */
#ifndef NESTVM_VMCS12_H
#define NESTVM_VMCS12_H

#include "pure.h"
#include "vmx/vmcs_fields.h"
#include "vmx/vmx_defs.h"

struct nested_vmx_msrs;

#define VMCS12_REVISION		0x4e563031u	/* bits 30:0; change it with the layout */
#define VMCS12_SIZE		4096u		/* of the region, in IA32_VMX_BASIC */

#define VMCS12_CLEAR		0u
#define VMCS12_LAUNCHED		1u

#define VMCS12_TYPE_16		u16
#define VMCS12_TYPE_32		u32
#define VMCS12_TYPE_64		u64
#define VMCS12_TYPE_NAT		u64

struct vmcs12 {
	u32 revision;
	u32 abort;
	u32 launch_state;
	u32 reserved[5];
#define F(NAME, member, encoding, width, shadow) VMCS12_TYPE_##width member;
	VMCS_FIELDS(F)
#undef F
};

static_assert(sizeof(struct vmcs12) <= VMCS12_SIZE);

enum vmcs12_shadow { VMCS12_SHADOW_NONE, VMCS12_SHADOW_RO, VMCS12_SHADOW_RW };

struct vmcs12_field {
	const char *name;		/* "GUEST_RIP" */
	u16 encoding;			/* of the full field: bit 0 is 0 */
	u16 offset;			/* in struct vmcs12 */
	u8 size;			/* 2, 4 or 8 bytes */
	u8 shadow;			/* enum vmcs12_shadow */
	bool read_only;			/* exit information */
};

/* How many fields we know; vmcs12_field_at(0) to (VMCS12_FIELD_COUNT - 1), in list order. */
#define F(NAME, member, encoding, width, shadow) + 1
enum { VMCS12_FIELD_COUNT = 0 VMCS_FIELDS(F) };
#undef F
const struct vmcs12_field *vmcs12_field_at(unsigned int i);

/*
 * The field of an encoding, or NULL. Constant time, any 64-bit value is safe,
 * in speculation too: the look-up table covers every index that can be formed.
 * Bit 0 (high half) is accepted for 64-bit fields only.
 */
const struct vmcs12_field *vmcs12_find(u64 encoding);

/* "GUEST_RIP", or "?" for an encoding we do not know. */
const char *vmcs_field_name(u64 encoding);

/* Does the field exist on L1's CPU, given the controls it is offered? */
bool vmcs12_field_valid(u64 encoding, const struct nested_vmx_msrs *msrs);

/*
 * Access by encoding; the encoding must be known (else 0 and no write). A
 * value is cut to the field's width; the high-half encoding is bits 63:32.
 */
u64 vmcs12_read(const struct vmcs12 *v, u64 encoding);
void vmcs12_write(struct vmcs12 *v, u64 encoding, u64 value);

/*
 * VMREAD and VMWRITE as L1 executes them: 0, or the VM-instruction error
 * (VMERR_UNSUPPORTED_FIELD, VMERR_READ_ONLY_FIELD). @encoding is the register
 * operand, already cut to 32 bits outside 64-bit mode; so is @value.
 */
u32 vmcs12_vmread(const struct vmcs12 *v, const struct nested_vmx_msrs *msrs,
		  u64 encoding, u64 *value);
u32 vmcs12_vmwrite(struct vmcs12 *v, const struct nested_vmx_msrs *msrs,
		   u64 encoding, u64 value);

/* Controls as they count: a secondary control is 0 unless they are activated. */
static inline bool vmcs12_has_pin(const struct vmcs12 *v, u32 bit)
{
	return v->pin_ctls & bit;
}

static inline bool vmcs12_has_proc(const struct vmcs12 *v, u32 bit)
{
	return v->proc_ctls & bit;
}

static inline bool vmcs12_has_proc2(const struct vmcs12 *v, u32 bit)
{
	return (v->proc_ctls & PROC_SECONDARY) && (v->proc2_ctls & bit);
}

static inline bool vmcs12_has_exit(const struct vmcs12 *v, u32 bit)
{
	return v->exit_ctls & bit;
}

static inline bool vmcs12_has_entry(const struct vmcs12 *v, u32 bit)
{
	return v->entry_ctls & bit;
}

#endif
