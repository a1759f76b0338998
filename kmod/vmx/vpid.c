// SPDX-License-Identifier: GPL-2.0
/*
 * Numbers for VPIDs, and flushing what is cached under them and under an EPTP.
 *
 * The numbers are each CPU's own, so no one can use them up. A vCPU takes two, for L1
 * and L2, when it comes to a CPU, and they are new there: nothing is cached under
 * them. When a CPU has no more, it forgets all mappings and begins again; who holds
 * numbers from before takes new ones the next time it is loaded. Nobody gives any back.
 */
#include "vmx/vpid.h"
#include <linux/preempt.h>
#include "vcpu.h"
#include "vmx/percpu.h"

/* Few enough that a test goes round; a flush in 2,047 moves costs nothing. */
#define NV_VPIDS	4096
#define VPID_FIRST	1	/* 0 is the host's */

static void take_numbers(struct nv_vcpu *vcpu, struct vmx_cpu *c)
{
	if (c->vpid_next < VPID_FIRST || c->vpid_next + 1 >= NV_VPIDS) {
		c->vpid_round++;
		c->vpid_next = VPID_FIRST;
		insn_invvpid(INVVPID_ALL, 0, 0);
	}
	vcpu->vmx.vpid01 = c->vpid_next++;
	vcpu->vmx.vpid02 = c->vpid_next++;
	vcpu->vmx.vpid_round = c->vpid_round;
}

void vmx_tlb_load(struct nv_vcpu *vcpu, int cpu)
{
	struct vmx_cpu *c = this_cpu_ptr(&vmx_cpus);
	bool moved = vcpu->last_cpu != cpu;

	/*
	 * What was mapped under its EPTPs at its last stay here was not invalidated by what
	 * it did elsewhere; of all its contexts, L2's included.
	 */
	if (moved)
		insn_invept(INVEPT_ALL, 0);
	if (vmx_caps.vpid && (moved || vcpu->vmx.vpid_round != c->vpid_round))
		take_numbers(vcpu, c);
	vcpu->last_cpu = cpu;
}

void vmx_invept(u64 eptp)
{
	if (vmx_caps.ept_vpid & EPT_CAP_INVEPT_SINGLE)
		insn_invept(INVEPT_SINGLE, eptp);
	else
		insn_invept(INVEPT_ALL, 0);
}

void vmx_invvpid(u16 vpid)
{
	if (vpid)
		insn_invvpid(INVVPID_SINGLE, vpid, 0);
}

void vmx_flush_tlb(struct nv_vcpu *vcpu)
{
	nv_stat_inc(vcpu, tlb_flushes);
	preempt_disable();
	vmx_invept(vcpu->vm->ept.eptp);
	vmx_invvpid(vcpu->vmx.vpid01);
	preempt_enable();
}
