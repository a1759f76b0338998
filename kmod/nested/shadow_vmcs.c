// SPDX-License-Identifier: GPL-2.0
/*
 * Hardware VMCS shadowing (SDM 3C "VMCS Shadowing"): L1's VMREAD and VMWRITE of
 * the fields it touches all the time act on a shadow VMCS, without an exit. The
 * field table says which; the bitmaps are the same for every vCPU.
 *
 * The shadow VMCS is linked from vmcs01 and, once L1 has used it, active on the
 * CPU where vmcs01 is: vmcs_clear() of vmcs01 clears both (CVE-2026-64562). Our
 * own access makes it current for a moment, preemption off, and clears it after.
 */
#include <linux/gfp.h>
#include "nested/nested_vcpu.h"

static unsigned long *read_bitmap, *write_bitmap;

/* Fields of the shadow VMCS, read and written in one go. */
static u8 rw_fields[VMCS12_FIELD_COUNT], ro_fields[VMCS12_FIELD_COUNT];
static unsigned int rw_count, ro_count;

/* A field that this CPU lacks: L1 is not offered it either. */
static bool host_has(const struct vmcs12_field *f)
{
	switch (f->encoding) {
	case VMCS_TPR_THRESHOLD:
		return vmx_cap_allows(vmx_caps.raw.msr[IA32_VMX_TRUE_PROCBASED_CTLS -
						       IA32_VMX_BASIC], PROC_TPR_SHADOW);
	case VMCS_GUEST_PREEMPT_TIMER:
		return vmx_caps.preempt_timer;
	default:
		return true;
	}
}

/* Bits 14:0 of the encoding number the bit; a 64-bit field has a high half too. */
static void let_pass(unsigned long *bitmap, const struct vmcs12_field *f)
{
	__clear_bit(f->encoding, bitmap);
	if ((f->encoding & VMCS_ENC_WIDTH) == VMCS_WIDTH_64)
		__clear_bit(f->encoding | VMCS_ENC_HIGH, bitmap);
}

int shadow_vmcs_init(void)
{
	unsigned int i;

	if (!vmx_caps.shadow_vmcs)
		return 0;
	read_bitmap = (unsigned long *)__get_free_page(GFP_KERNEL);
	write_bitmap = (unsigned long *)__get_free_page(GFP_KERNEL);
	if (!read_bitmap || !write_bitmap) {
		shadow_vmcs_exit();
		return -ENOMEM;
	}
	memset(read_bitmap, 0xff, PAGE_SIZE);
	memset(write_bitmap, 0xff, PAGE_SIZE);
	for (i = 0; i < VMCS12_FIELD_COUNT; i++) {
		const struct vmcs12_field *f = vmcs12_field_at(i);

		if (f->shadow == VMCS12_SHADOW_NONE || !host_has(f))
			continue;
		let_pass(read_bitmap, f);
		if (f->shadow == VMCS12_SHADOW_RW) {
			let_pass(write_bitmap, f);
			rw_fields[rw_count++] = i;
		} else {
			ro_fields[ro_count++] = i;
		}
	}
	return 0;
}

void shadow_vmcs_exit(void)
{
	free_page((unsigned long)read_bitmap);
	free_page((unsigned long)write_bitmap);
	read_bitmap = NULL;
	write_bitmap = NULL;
}

int shadow_vmcs_create(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;

	if (!vmx_caps.shadow_vmcs)
		return 0;
	n->shadow = vmcs_alloc(true);
	if (!n->shadow)
		return -ENOMEM;
	vcpu->vmx.vmcs01->shadow = n->shadow;
	return 0;
}

void shadow_vmcs_destroy(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;

	vcpu->vmx.vmcs01->shadow = NULL;
	vmcs_free(n->shadow);
	n->shadow = NULL;
}

/* An L1 that user space offers less must not reach by the shadow VMCS what it has not. */
bool shadow_vmcs_fits(const struct nested_vmx_msrs *msrs)
{
	unsigned int i;

	for (i = 0; i < rw_count; i++)
		if (!vmcs12_field_valid(vmcs12_field_at(rw_fields[i])->encoding, msrs))
			return false;
	for (i = 0; i < ro_count; i++)
		if (!vmcs12_field_valid(vmcs12_field_at(ro_fields[i])->encoding, msrs))
			return false;
	return true;
}

void shadow_vmcs_on(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;

	if (!n->shadow || !n->shadow_allowed)
		return;
	vmcs_write(VMCS_VMREAD_BITMAP, __pa(read_bitmap));
	vmcs_write(VMCS_VMWRITE_BITMAP, __pa(write_bitmap));
	vmcs_write(VMCS_LINK_POINTER, n->shadow->hpa.v);
	vmcs_set_bits(VMCS_PROC2_CTLS, PROC2_SHADOW_VMCS);
	n->shadow_on = true;
	/* Filled before the next entry into L1. */
	n->shadow_stale = true;
}

void shadow_vmcs_off(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;

	if (!n->shadow_on)
		return;
	vmcs_clear_bits(VMCS_PROC2_CTLS, PROC2_SHADOW_VMCS);
	vmcs_write(VMCS_LINK_POINTER, VMCS_NONE);
	n->shadow_on = false;
}

/*
 * Preemption off between these two: the preempt notifier knows nothing of the
 * shadow VMCS. Clearing it first ends what L1's accesses left active.
 */
static void open_shadow(struct nv_nested *n)
{
	preempt_disable();
	insn_vmclear(n->shadow->hpa.v);
	insn_vmptrld(n->shadow->hpa.v);
}

static void close_shadow(struct nv_vcpu *vcpu)
{
	insn_vmclear(vcpu->nested->shadow->hpa.v);
	insn_vmptrld(vcpu->vmx.vmcs->hpa.v);
	preempt_enable();
}

void shadow_vmcs_to_vmcs12(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;
	unsigned int i;

	/* Stale: L1 has not run since vmcs12 was changed here. */
	if (!n->shadow_on || n->shadow_stale)
		return;
	open_shadow(n);
	for (i = 0; i < rw_count; i++) {
		const struct vmcs12_field *f = vmcs12_field_at(rw_fields[i]);

		vmcs12_write(n->v, f->encoding, vmcs_read(f->encoding));
	}
	close_shadow(vcpu);
}

static void write_fields(const struct vmcs12 *v, const u8 *fields, unsigned int count)
{
	unsigned int i;

	for (i = 0; i < count; i++) {
		const struct vmcs12_field *f = vmcs12_field_at(fields[i]);

		vmcs_write(f->encoding, vmcs12_read(v, f->encoding));
	}
}

void shadow_vmcs_from_vmcs12(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;

	open_shadow(n);
	write_fields(n->v, rw_fields, rw_count);
	write_fields(n->v, ro_fields, ro_count);
	close_shadow(vcpu);
	n->shadow_stale = false;
}

/* A VMWRITE of L1 that exited, of a field that L1 reads without an exit. */
void shadow_vmcs_write(struct nv_vcpu *vcpu, u32 encoding, u64 value)
{
	struct nv_nested *n = vcpu->nested;
	const struct vmcs12_field *f = vmcs12_find(encoding);

	if (!n->shadow_on || n->shadow_stale || !f || f->shadow == VMCS12_SHADOW_NONE ||
	    !host_has(f))
		return;
	open_shadow(n);
	vmcs_write(f->encoding, value);
	close_shadow(vcpu);
}
