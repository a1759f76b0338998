// SPDX-License-Identifier: GPL-2.0
/*
 * VPID02: the vCPU's second number tags the linear mappings of whichever VPID12 ran
 * last, and is emptied when that changes. On another CPU it is another number, under
 * which nothing is cached. Flushes are noted here and executed by nested_flush_due()
 * just before L2 is entered, on the CPU where it will be.
 */
#include "nested/nested_vcpu.h"

/* vmcs12 was found good and L2 is about to run. */
void vpid02_enter(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;
	u16 vpid12 = 0;

	if (!vmx_caps.vpid)
		return;
	if (vmcs12_has_proc2(n->v, PROC2_VPID))
		vpid12 = n->v->vpid;
	/* Without VPID in vmcs12, VM entry invalidates what VPID 0 has cached. */
	if (!vpid12 || vpid12 != n->last_vpid12)
		n->vpid02_flush = true;
	n->last_vpid12 = vpid12;
}

/* L1 goes on: its own mappings are invalidated if vmcs12 has no VPID. vmcs01 current. */
void vpid02_exit(struct nv_vcpu *vcpu)
{
	if (vmcs12_has_proc2(vcpu->nested->v, PROC2_VPID))
		return;
	preempt_disable();
	vmx_invvpid(vcpu->vmx.vpid01);
	preempt_enable();
}

void vpid02_invalidate(struct nv_vcpu *vcpu, unsigned int type, u16 vpid12, u64 linear)
{
	struct nv_nested *n = vcpu->nested;

	/* Of another VPID12 nothing is cached. */
	if (!vmx_caps.vpid || (type != INVVPID_ALL && vpid12 != n->last_vpid12))
		return;
	if (type != INVVPID_ADDR || !(vmx_caps.ept_vpid & VPID_CAP_ADDR)) {
		n->vpid02_flush = true;
		return;
	}
	/* Where L2 ran before it came here it had another number. */
	preempt_disable();
	insn_invvpid(INVVPID_ADDR, vcpu->vmx.vpid02, linear);
	preempt_enable();
}

void nested_flush_due(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;
	bool moved;

	preempt_disable();
	moved = n->tlb_cpu != raw_smp_processor_id();
	if (moved) {
		unsigned int i;

		/* What this CPU cached when L2 ran here before may be stale by now. */
		for (i = 0; i < NESTED_EPT02_ROOTS; i++)
			n->ept02s[i].flush = true;
		n->tlb_cpu = raw_smp_processor_id();
	}
	if (n->ept02 && n->ept02->flush) {
		vmx_invept(n->ept02->eptp02);
		n->ept02->flush = false;
		nv_stat_inc(vcpu, tlb_flushes);
	}
	if (n->vpid02_flush) {
		vmx_invvpid(vcpu->vmx.vpid02);
		n->vpid02_flush = false;
	}
	preempt_enable();
}

void nested_flush_tlb(struct nv_vcpu *vcpu)
{
	struct nv_nested *n = vcpu->nested;
	unsigned int i;

	if (!n)
		return;
	for (i = 0; i < NESTED_EPT02_ROOTS; i++)
		n->ept02s[i].flush = true;
	n->vpid02_flush = true;
	/* Without EPT12 L2 runs on EPT01's tables. */
	if (!n->ept02) {
		preempt_disable();
		vmx_invept(vcpu->vm->ept.eptp);
		preempt_enable();
	}
	if (vcpu->l2)
		nested_flush_due(vcpu);
}
