// SPDX-License-Identifier: GPL-2.0
/*
 * The host's MSRs that an entry or an exit would spoil: SDM 3C "Loading Host State" clears
 * IA32_DEBUGCTL, and leaves the performance counters running in the guest, PEBS included,
 * whose records would go to the guest's addresses.
 */
#include "vmx/host_msrs.h"
#include <asm/msr.h>
#include <asm/perf_event.h>
#include "vcpu.h"

void vmx_msr_areas_write(struct nv_vcpu *vcpu)
{
	vmcs_write(VMCS_ENTRY_MSR_LOAD, __pa(vcpu->vmx.msr_areas->guest));
	vmcs_write(VMCS_EXIT_MSR_LOAD, __pa(vcpu->vmx.msr_areas->host));
	vmcs_write(VMCS_ENTRY_MSR_LOAD_COUNT, 0);
	vmcs_write(VMCS_EXIT_MSR_LOAD_COUNT, 0);
	vcpu->vmx.vmcs->switched_msrs = 0;
}

/* perf says what its MSRs are to be in a guest. The entry itself loads them: no NMI between. */
static void switch_counters(struct nv_vcpu *vcpu)
{
	struct vmx_msr_areas *areas = vcpu->vmx.msr_areas;
	struct nv_vmcs *vmcs = vcpu->vmx.vmcs;
	struct perf_guest_switch_msr *msrs;
	u32 n = 0;
	int count = 0, i;

	msrs = perf_guest_get_msrs(&count, NULL);
	for (i = 0; msrs && i < count && n < VMX_SWITCHED_MSRS; i++) {
		if (msrs[i].host == msrs[i].guest)
			continue;
		areas->guest[n] = (struct vmx_msr_entry){ msrs[i].msr, 0, msrs[i].guest };
		areas->host[n] = (struct vmx_msr_entry){ msrs[i].msr, 0, msrs[i].host };
		n++;
	}
	if (n == vmcs->switched_msrs)
		return;
	vmcs_write(VMCS_ENTRY_MSR_LOAD_COUNT, n);
	vmcs_write(VMCS_EXIT_MSR_LOAD_COUNT, n);
	vmcs->switched_msrs = n;
}

void vmx_host_msrs_leave(struct nv_vcpu *vcpu)
{
	/* perf changes it by an interrupt to this CPU, so there is no value to be kept. */
	rdmsrl(IA32_DEBUGCTL, vcpu->vmx.host_debugctl);
	switch_counters(vcpu);
}

void vmx_host_msrs_return(struct nv_vcpu *vcpu)
{
	if (vcpu->vmx.host_debugctl)
		wrmsrl(IA32_DEBUGCTL, vcpu->vmx.host_debugctl);
}
