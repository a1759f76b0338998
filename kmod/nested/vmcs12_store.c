// SPDX-License-Identifier: GPL-2.0
/*
 * The current VMCS of L1: read once from its memory when it becomes current,
 * kept in ours while it is, written back when it ceases to be. The manual lets a
 * processor do so, and what was checked can then not change under us.
 */
#include "nested/nested_vcpu.h"

bool vmcs12_load(struct nv_vcpu *vcpu, gpa1_t ptr)
{
	struct nv_nested *n = vcpu->nested;

	if (gmem_read(vcpu->vm, ptr, n->v, sizeof(*n->v)))
		return false;
	/* Checked by the caller; it may have changed in memory since. */
	n->v->revision = VMCS12_REVISION;
	n->v->abort = 0;
	n->vmcs12_ptr = ptr;
	shadow_vmcs_on(vcpu);
	return true;
}

void vmcs12_store(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;

	shadow_vmcs_to_vmcs12(vcpu);
	/* A VMCS whose memory was taken away is lost, as on a machine. */
	gmem_write(vcpu->vm, n->vmcs12_ptr, n->v, sizeof(*n->v));
}

void vmcs12_forget(struct nv_vcpu *vcpu)
{
	shadow_vmcs_off(vcpu);
	vcpu->nested->vmcs12_ptr = GPA1_INVALID;
}
