// SPDX-License-Identifier: GPL-2.0
/* INVEPT, INVVPID, VMFUNC. The vCPU is the logical processor they act on. */
#include "ept/ept_walk.h"
#include "nested/nested_vcpu.h"
#include "nested/operand.h"

struct inv_desc {
	u64 lo, hi;
};

static_assert(sizeof(struct inv_desc) == 16);

/* The type is register 2, the descriptor the memory operand. */
static bool get_inv(struct nv_vcpu *vcpu, u64 *type, struct inv_desc *desc)
{
	struct nested_operand op;

	if (!nested_operand_get(vcpu, OPERAND_MEM_REG, sizeof(*desc), false, &op) ||
	    !nested_operand_read(vcpu, op.linear, desc, sizeof(*desc)))
		return false;
	*type = vmx_reg(vcpu, op.reg2);
	if (!vmx_cs_64(vcpu))
		*type = (u32)*type;
	return true;
}

enum nv_next nested_invept(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;
	struct inv_desc desc;
	u64 type;

	if (n && !(nested_proc2_offered(&n->msrs, PROC2_EPT) &&
		   (n->msrs.ept_vpid_cap & EPT_CAP_INVEPT))) {
		cpu_raise_ud(vcpu);
		return NEXT_SAME;
	}
	if (!nested_insn_allowed(vcpu) || !get_inv(vcpu, &type, &desc))
		return NEXT_SAME;

	switch (type) {
	case INVEPT_SINGLE:
		if (!(n->msrs.ept_vpid_cap & EPT_CAP_INVEPT_SINGLE) ||
		    !ept_eptp_valid(desc.lo, n->msrs.ept_vpid_cap, vcpu->features.maxphyaddr))
			return nested_fail(vcpu, VMERR_INVALID_OPERAND);
		ept02_drop_eptp(vcpu, desc.lo);
		break;
	case INVEPT_ALL:
		if (!(n->msrs.ept_vpid_cap & EPT_CAP_INVEPT_ALL))
			return nested_fail(vcpu, VMERR_INVALID_OPERAND);
		ept02_drop_all(vcpu);
		break;
	default:
		return nested_fail(vcpu, VMERR_INVALID_OPERAND);
	}
	return nested_succeed(vcpu);
}

/* SDM 3C, INVVPID "Operation": the type is supported and the descriptor has no bad part. */
static bool invvpid_ok(struct nv_vcpu *vcpu, u64 type, const struct inv_desc *desc)
{
	static const u64 cap[] = {
		[INVVPID_ADDR] = VPID_CAP_ADDR,
		[INVVPID_SINGLE] = VPID_CAP_SINGLE,
		[INVVPID_ALL] = VPID_CAP_ALL,
		[INVVPID_SINGLE_GLOBAL] = VPID_CAP_SINGLE_GLOBAL,
	};
	struct nv_nested *n = vcpu->nested;

	if (type >= ARRAY_SIZE(cap) || !(n->msrs.ept_vpid_cap & cap[type]) || desc->lo >> 16)
		return false;
	if (type == INVVPID_ALL)
		return true;
	if (!desc->lo)
		return false;
	return type != INVVPID_ADDR || cpu_canonical_cr4(desc->hi, vmx_cr4(vcpu));
}

enum nv_next nested_invvpid(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;
	struct inv_desc desc;
	u64 type;

	if (n && !(nested_proc2_offered(&n->msrs, PROC2_VPID) &&
		   (n->msrs.ept_vpid_cap & VPID_CAP_INVVPID))) {
		cpu_raise_ud(vcpu);
		return NEXT_SAME;
	}
	if (!nested_insn_allowed(vcpu) || !get_inv(vcpu, &type, &desc))
		return NEXT_SAME;
	if (!invvpid_ok(vcpu, type, &desc))
		return nested_fail(vcpu, VMERR_INVALID_OPERAND);
	vpid02_invalidate(vcpu, type, desc.lo, desc.hi);
	return nested_succeed(vcpu);
}

/* VM functions are not offered: the instruction is undefined, in L1 and in L2. */
enum nv_next nested_vmfunc(struct nv_vcpu *vcpu)
{
	cpu_raise_ud(vcpu);
	return NEXT_SAME;
}
