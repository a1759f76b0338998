// SPDX-License-Identifier: GPL-2.0
/* VMCLEAR, VMPTRLD, VMPTRST, VMREAD, VMWRITE. */
#include "nested/nested_vcpu.h"
#include "nested/operand.h"

enum nv_next nested_vmclear(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;
	const u32 clear = VMCS12_CLEAR;
	u64 ptr;

	if (!nested_insn_allowed(vcpu) || !nested_operand_pointer(vcpu, &ptr))
		return NEXT_SAME;
	if (!nested_pointer_ok(vcpu, ptr))
		return nested_fail(vcpu, VMERR_VMCLEAR_ADDRESS);
	if (ptr == n->vmxon_ptr.v)
		return nested_fail(vcpu, VMERR_VMCLEAR_VMXON_POINTER);

	if (ptr == n->vmcs12_ptr.v) {
		n->v->launch_state = VMCS12_CLEAR;
		vmcs12_store(vcpu);
		vmcs12_forget(vcpu);
	} else {
		/* The region need not be a VMCS yet: nothing else of it is touched. */
		gmem_write(vcpu->vm, gpa1(ptr + offsetof(struct vmcs12, launch_state)), &clear,
			   sizeof(clear));
	}
	return nested_succeed(vcpu);
}

enum nv_next nested_vmptrld(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;
	u32 revision;
	u64 ptr;

	if (!nested_insn_allowed(vcpu) || !nested_operand_pointer(vcpu, &ptr))
		return NEXT_SAME;
	if (!nested_pointer_ok(vcpu, ptr))
		return nested_fail(vcpu, VMERR_VMPTRLD_ADDRESS);
	if (ptr == n->vmxon_ptr.v)
		return nested_fail(vcpu, VMERR_VMPTRLD_VMXON_POINTER);
	if (ptr == n->vmcs12_ptr.v)
		return nested_succeed(vcpu);
	/* Bit 31, shadow VMCS, is not offered, so it must be 0 here too. */
	if (gmem_read(vcpu->vm, gpa1(ptr), &revision, sizeof(revision)) ||
	    revision != VMCS12_REVISION)
		return nested_fail(vcpu, VMERR_VMPTRLD_REVISION);

	if (nested_has_current(n)) {
		vmcs12_store(vcpu);
		vmcs12_forget(vcpu);
	}
	if (!vmcs12_load(vcpu, gpa1(ptr)))
		return nested_fail(vcpu, VMERR_VMPTRLD_REVISION);
	return nested_succeed(vcpu);
}

enum nv_next nested_vmptrst(struct nv_vcpu *vcpu)
{
	struct nested_operand op;
	u64 ptr;

	if (!nested_insn_allowed(vcpu) ||
	    !nested_operand_get(vcpu, OPERAND_MEM, sizeof(ptr), true, &op))
		return NEXT_SAME;
	/* GPA1_INVALID is what the manual stores for "none". */
	ptr = vcpu->nested->vmcs12_ptr.v;
	if (!nested_operand_write(vcpu, op.linear, &ptr, sizeof(ptr)))
		return NEXT_SAME;
	return nested_succeed(vcpu);
}

/* Operands are 64 bits wide in 64-bit mode, else 32. */
static u32 operand_size(struct nv_vcpu *vcpu)
{
	return vmx_cs_64(vcpu) ? 8 : 4;
}

static u64 read_reg(struct nv_vcpu *vcpu, u8 reg, u32 size)
{
	u64 value = vmx_reg(vcpu, reg);

	return size == 8 ? value : (u32)value;
}

enum nv_next nested_vmread(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;
	u32 size = operand_size(vcpu), error;
	const struct vmcs12_field *f;
	struct nested_operand op;
	u64 value = 0, field;

	if (!nested_insn_allowed(vcpu) ||
	    !nested_operand_get(vcpu, OPERAND_VMREAD_WRITE, size, true, &op))
		return NEXT_SAME;
	if (!nested_has_current(n))
		return nested_fail_invalid(vcpu);
	field = read_reg(vcpu, op.reg2, size);
	/* Hardware answers for these; if one comes here all the same, L1's value is there. */
	f = vmcs12_find(field);
	if (f && f->shadow == VMCS12_SHADOW_RW)
		shadow_vmcs_to_vmcs12(vcpu);
	error = vmcs12_vmread(n->v, &n->msrs, field, &value);
	if (error)
		return nested_fail(vcpu, error);

	if (op.is_reg)
		vmx_set_reg(vcpu, op.reg1, size == 8 ? value : (u32)value);
	else if (!nested_operand_write(vcpu, op.linear, &value, size))
		return NEXT_SAME;
	return nested_succeed(vcpu);
}

enum nv_next nested_vmwrite(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;
	u32 size = operand_size(vcpu), error;
	struct nested_operand op;
	u64 value = 0, field;

	if (!nested_insn_allowed(vcpu) ||
	    !nested_operand_get(vcpu, OPERAND_VMREAD_WRITE, size, false, &op))
		return NEXT_SAME;
	if (!nested_has_current(n))
		return nested_fail_invalid(vcpu);
	if (op.is_reg)
		value = read_reg(vcpu, op.reg1, size);
	else if (!nested_operand_read(vcpu, op.linear, &value, size))
		return NEXT_SAME;

	field = read_reg(vcpu, op.reg2, size);
	error = vmcs12_vmwrite(n->v, &n->msrs, field, value);
	if (error)
		return nested_fail(vcpu, error);
	shadow_vmcs_write(vcpu, field, vmcs12_read(n->v, field & ~1ull));
	return nested_succeed(vcpu);
}
