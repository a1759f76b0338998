// SPDX-License-Identifier: GPL-2.0
/* Raise exceptions in the running guest, and step over instructions. */
#include "cpu.h"
#include "nested/nested.h"
#include "vcpu.h"

static void raise(struct nv_vcpu *vcpu, u8 vector, bool has_error, u32 error, u64 payload)
{
	/* Real mode pushes no error code (SDM 3C "VM-Entry Controls for Event Injection"). */
	if (!(cpu_cr0(vcpu) & CR0_PE))
		has_error = false;
	nv_event_raise(&vcpu->ev, vector, has_error, error, payload);
	if (vcpu->ev.triple_fault) {
		vcpu->ev.triple_fault = false;
		nv_vcpu_set_request(vcpu, REQ_TRIPLE_FAULT);
	}
}

void cpu_raise(struct nv_vcpu *vcpu, u8 vector)
{
	raise(vcpu, vector, false, 0, 0);
}

void cpu_raise_error(struct nv_vcpu *vcpu, u8 vector, u32 error)
{
	raise(vcpu, vector, true, error, 0);
}

void cpu_raise_pf(struct nv_vcpu *vcpu, u32 error, u64 cr2)
{
	raise(vcpu, VEC_PF, true, error, cr2);
}

void cpu_raise_db(struct nv_vcpu *vcpu, u64 dr6_bits)
{
	raise(vcpu, VEC_DB, false, 0, dr6_bits);
}

/* What ends with each instruction and each iteration of a REP: @rflags are those before. */
static void boundary(struct nv_vcpu *vcpu, u64 rflags)
{
	u32 blocking = vmcs_read(VMCS_GUEST_INTERRUPTIBILITY);

	if (blocking & (INTR_STATE_STI | INTR_STATE_MOV_SS))
		vmcs_write(VMCS_GUEST_INTERRUPTIBILITY,
			   blocking & ~(INTR_STATE_STI | INTR_STATE_MOV_SS));
	/* The trap flag as it was before the instruction makes a trap after it. */
	if (rflags & RFLAGS_TF)
		cpu_raise_db(vcpu, DR6_BS);
	if (vcpu->l2)
		nested_insn_done(vcpu);
}

void cpu_step_to(struct nv_vcpu *vcpu, u64 rip)
{
	u64 rflags = vmx_rflags();

	if (!vmx_cs_64(vcpu))
		rip = (u32)rip;
	vmx_set_rip(rip);
	if (rflags & RFLAGS_RF)
		vmx_set_rflags(rflags & ~RFLAGS_RF);
	boundary(vcpu, rflags);
}

void cpu_repeat_insn(struct nv_vcpu *vcpu)
{
	u64 rflags = vmx_rflags();

	vmx_set_rflags(rflags | RFLAGS_RF);
	boundary(vcpu, rflags);
}

void cpu_skip_insn(struct nv_vcpu *vcpu)
{
	cpu_step_to(vcpu, vmx_rip() + vmcs_read(VMCS_EXIT_INSN_LEN));
}
