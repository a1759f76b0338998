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
	case EPT_NO_SLOT:
		if (nested_apic_access_exit(vcpu, gpa, qual))
			return NEXT_SAME;
		fallthrough;
	case EPT_READ_ONLY:
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
