// SPDX-License-Identifier: GPL-2.0
/* The time-stamp counter of L1, and what its values mean in nanoseconds. */
#include <linux/math64.h>
#include <asm/tsc.h>
#include "cpu.h"
#include "nested/nested.h"
#include "vcpu.h"
#include "vlapic.h"

u64 cpu_tsc_l1(struct nv_vcpu *vcpu)
{
	return rdtsc() + vcpu->tsc_offset;
}

void cpu_tsc_set_offset(struct nv_vcpu *vcpu, u64 offset)
{
	vcpu->tsc_offset = offset;
	if (vcpu->l2)
		nested_tsc_changed(vcpu);	/* vmcs02 now, vmcs01 at the next exit to L1 */
	else
		vmcs_write(VMCS_TSC_OFFSET, offset);
}

void cpu_tsc_restore(struct nv_vcpu *vcpu, u64 offset)
{
	u64 delta = offset - vcpu->tsc_offset;

	cpu_tsc_set_offset(vcpu, offset);
	nested_tsc_restored(vcpu, delta);
	if (vcpu->lapic)
		vlapic_tsc_changed(vcpu);
}

u64 cpu_tsc_ns_until(struct nv_vcpu *vcpu, u64 deadline)
{
	u64 now = cpu_tsc_l1(vcpu);
	u64 delta;

	if (deadline <= now)
		return 0;
	/* Five days at 2.5 GHz are as good as for ever, and fit at any rate of the TSC. */
	delta = min(deadline - now, 1ull << 50);
	return mul_u64_u32_div(delta, NSEC_PER_MSEC, tsc_khz);
}
