// SPDX-License-Identifier: GPL-2.0
/* Exits about memory and ports. */
#include <linux/kvm.h>
#include "ept/ept.h"
#include "insn_io.h"
#include "nested/nested.h"
#include "trace.h"
#include "vcpu.h"
#include "vmx/exit.h"

enum nv_next exit_io(struct nv_vcpu *vcpu)
{
	return insn_io_port(vcpu, vmcs_read(VMCS_EXIT_QUALIFICATION));
}

/*
 * The guest's page tables are in a read-only slot. With accessed and dirty flags for EPT a
 * walk counts as writing them (SDM 3C "Accessed and Dirty Flags for EPT"), which never
 * comes to pass; without, only setting a flag that is clear does.
 */
static bool walk_met_rom(struct nv_vcpu *vcpu, u64 qual)
{
	if (!ept_walk_of_tables(qual) || !(vmcs_read(VMCS_EPTP) & EPTP_AD))
		return false;
	WRITE_ONCE(vcpu->vm->ept.flags_off, true);
	vcpu->vmx.eptp01 &= ~EPTP_AD;
	if (vcpu->l2)
		nested_eptp_changed(vcpu);
	else
		vmcs_write(VMCS_EPTP, vcpu->vmx.eptp01);
	vmx_flush_tlb(vcpu);
	return true;
}

enum nv_next exit_ept_violation(struct nv_vcpu *vcpu)
{
	u64 qual = vmcs_read(VMCS_EXIT_QUALIFICATION);
	gpa1_t gpa = gpa1(vmcs_read(VMCS_GUEST_PHYSICAL));
	unsigned int need = 0;
	enum nv_next next;
	int ret;

	if (vcpu->l2 && nested_has_ept12(vcpu)) {
		if (nested_ept_exit(vcpu, &next))
			return next;
		return insn_io_mmio(vcpu);
	}
	if (qual & EPTV_READ)
		need |= EPT_R;
	if (qual & EPTV_WRITE)
		need |= EPT_W;
	if (qual & EPTV_FETCH)
		need |= EPT_X;
	ret = ept_fault(vcpu->vm, gpa, need);
	trace_nestvm_ept_fault(vcpu->id, gpa.v, qual, ret);
	switch (ret) {
	case EPT_FILLED:
		nv_stat_inc(vcpu, ept_faults);
		return NEXT_SAME;
	case EPT_READ_ONLY:
		if (walk_met_rom(vcpu, qual))
			return NEXT_SAME;
		return insn_io_mmio(vcpu);
	case EPT_NO_SLOT:
		if (nested_apic_access_exit(vcpu, gpa, qual))
			return NEXT_SAME;
		return insn_io_mmio(vcpu);
	}
	vcpu->ret = ret;
	return NEXT_USER;
}

/* EPT01 never holds a misconfigured entry; EPT02 neither. */
enum nv_next exit_ept_misconfig(struct nv_vcpu *vcpu)
{
	return nv_vcpu_bug(vcpu, "EPT misconfiguration");
}
