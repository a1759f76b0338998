// SPDX-License-Identifier: GPL-2.0
/* What all VMX instructions share: permission, operands, results; VMXON and VMXOFF. */
#include "nested/nested_vcpu.h"
#include "nested/operand.h"

#define STATUS_FLAGS	(RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF)

static void set_status(u64 flag)
{
	vmx_set_rflags((vmx_rflags() & ~STATUS_FLAGS) | flag);
}

enum nv_next nested_succeed(struct nv_vcpu *vcpu)
{
	set_status(0);
	return NEXT_INSN;
}

enum nv_next nested_fail_invalid(struct nv_vcpu *vcpu)
{
	set_status(RFLAGS_CF);
	return NEXT_INSN;
}

enum nv_next nested_fail(struct nv_vcpu *vcpu, u32 error)
{
	struct nv_nested *n = vcpu->nested;

	if (!nested_has_current(n))
		return nested_fail_invalid(vcpu);
	/* The field is not shadowed: L1 reads it by an exit, from here. */
	n->v->insn_error = error;
	set_status(RFLAGS_ZF);
	return NEXT_INSN;
}

/*
 * The first condition of every VMX instruction: protected mode, no virtual-8086
 * mode, and 64-bit mode if IA-32e mode is active.
 */
static bool mode_allows(struct nv_vcpu *vcpu)
{
	if (!(vmx_cr0(vcpu) & CR0_PE) || (vmx_rflags() & RFLAGS_VM))
		return false;
	return !vmx_long_mode(vcpu) || vmx_cs_64(vcpu);
}

/* CVE-2018-12904: privilege is asked before any state is looked at. */
bool nested_insn_allowed(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;

	if (!n || !n->vmxon || !mode_allows(vcpu)) {
		cpu_raise_ud(vcpu);
		return false;
	}
	if (vmx_cpl(vcpu) > 0) {
		cpu_raise_gp(vcpu);
		return false;
	}
	nv_stat_inc(vcpu, nested_vmx_insns);
	return true;
}

bool nested_operand_get(struct nv_vcpu *vcpu, enum operand_form form, u32 len, bool write,
			struct nested_operand *op)
{
	u32 info = vmcs_read(VMCS_EXIT_INSN_INFO);
	unsigned int seg = (info >> 15) & 7;
	struct operand_cpu cpu = {
		.gpr = vcpu->regs.gpr,
		.mode_64 = vmx_cs_64(vcpu),
		.linear_width = vmx_cr4(vcpu) & CR4_LA57 ? 57 : 48,
	};
	struct nv_segment s;

	memset(op, 0, sizeof(*op));
	vcpu->regs.gpr[REG_RSP] = vmcs_read(VMCS_GUEST_RSP);
	if (seg < ARRAY_SIZE(cpu.seg)) {
		vmx_get_segment(seg, &s);
		cpu.seg[seg] = (struct operand_seg){ s.base, s.limit, s.ar };
	}

	switch (nested_operand_decode(&cpu, form, info, vmcs_read(VMCS_EXIT_QUALIFICATION), len,
				      write, op)) {
	case OPERAND_OK:
		return true;
	case OPERAND_SS:
		cpu_raise_error(vcpu, VEC_SS, 0);
		return false;
	default:
		cpu_raise_gp(vcpu);
		return false;
	}
}

bool nested_operand_read(struct nv_vcpu *vcpu, u64 la, void *buf, u32 len)
{
	struct nv_fault fault = {};

	switch (gmem_read_la(vcpu, la, buf, len, GMEM_READ, &fault)) {
	case 0:
		return true;
	case -EINTR:
		gmem_raise(vcpu, &fault);
		return false;
	case -EAGAIN:
		/* The paging structures are changing: the instruction starts anew. */
		return false;
	default:
		/* No memory there: a bus without an answer. */
		memset(buf, 0xff, len);
		return true;
	}
}

bool nested_operand_write(struct nv_vcpu *vcpu, u64 la, const void *buf, u32 len)
{
	struct nv_fault fault = {};

	switch (gmem_write_la(vcpu, la, buf, len, &fault)) {
	case -EINTR:
		gmem_raise(vcpu, &fault);
		return false;
	case -EAGAIN:
		return false;
	default:
		return true;
	}
}

bool nested_operand_pointer(struct nv_vcpu *vcpu, u64 *ptr)
{
	struct nested_operand op;

	return nested_operand_get(vcpu, OPERAND_MEM, sizeof(*ptr), false, &op) &&
	       nested_operand_read(vcpu, op.linear, ptr, sizeof(*ptr));
}

bool nested_pointer_ok(const struct nv_vcpu *vcpu, u64 ptr)
{
	if (!IS_ALIGNED(ptr, NV_PAGE_SIZE) || !cpu_gpa_valid(&vcpu->features, ptr))
		return false;
	return !(vcpu->nested->msrs.basic & VMX_BASIC_32BIT_ADDR) || !(ptr >> 32);
}

/* CR0 and CR4 as VMX operation demands them; for VMXON without any exception. */
static bool fixed_bits_ok(struct nv_vcpu *vcpu)
{
	const struct nested_vmx_msrs *m = &vcpu->nested->msrs;

	return cpu_fixed_ok(vmx_cr0(vcpu), m->cr0_fixed0, m->cr0_fixed1) &&
	       cpu_fixed_ok(vmx_cr4(vcpu), m->cr4_fixed0, m->cr4_fixed1);
}

static bool feature_control_allows(struct nv_vcpu *vcpu)
{
	const u64 need = FEATURE_CONTROL_LOCKED | FEATURE_CONTROL_VMX;

	return (vcpu->feature_control & need) == need;
}

enum nv_next nested_vmxon(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;
	u32 revision;
	u64 ptr;

	if (!n || !(vmx_cr4(vcpu) & CR4_VMXE) || !mode_allows(vcpu)) {
		cpu_raise_ud(vcpu);
		return NEXT_SAME;
	}
	nv_stat_inc(vcpu, nested_vmx_insns);
	if (n->vmxon) {
		if (vmx_cpl(vcpu) > 0) {
			cpu_raise_gp(vcpu);
			return NEXT_SAME;
		}
		return nested_fail(vcpu, VMERR_VMXON_IN_ROOT);
	}
	nested_refresh_cpu(vcpu);
	if (vmx_cpl(vcpu) > 0 || !fixed_bits_ok(vcpu) || !feature_control_allows(vcpu)) {
		cpu_raise_gp(vcpu);
		return NEXT_SAME;
	}
	if (!nested_operand_pointer(vcpu, &ptr))
		return NEXT_SAME;
	if (!nested_pointer_ok(vcpu, ptr) ||
	    gmem_read(vcpu->vm, gpa1(ptr), &revision, sizeof(revision)) ||
	    revision != VMCS12_REVISION)
		return nested_fail_invalid(vcpu);

	nested_enter_vmx(vcpu, gpa1(ptr));
	return nested_succeed(vcpu);
}

enum nv_next nested_vmxoff(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;

	if (!nested_insn_allowed(vcpu))
		return NEXT_SAME;
	if (nested_has_current(n)) {
		vmcs12_store(vcpu);
		vmcs12_forget(vcpu);
	}
	nested_leave_vmx(vcpu);
	return nested_succeed(vcpu);
}

/* Without the dual-monitor treatment of SMM, VMCALL has no use in VMX root operation. */
enum nv_next nested_vmcall(struct nv_vcpu *vcpu)
{
	if (!nested_insn_allowed(vcpu))
		return NEXT_SAME;
	return nested_fail(vcpu, VMERR_VMCALL_IN_ROOT);
}
