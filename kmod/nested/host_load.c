// SPDX-License-Identifier: GPL-2.0
/* SDM 3C "Loading Host State": L1 as vmcs12 says it shall be after an exit. */
#include "nested/nested_vcpu.h"

/* Access rights in the VMCS's layout. */
#define AR_CODE_64	(0xb | SEG_AR_S | SEG_AR_P | SEG_AR_L | SEG_AR_G)
#define AR_CODE_32	(0xb | SEG_AR_S | SEG_AR_P | SEG_AR_DB | SEG_AR_G)
#define AR_DATA		(0x3 | SEG_AR_S | SEG_AR_P | SEG_AR_DB | SEG_AR_G)
#define AR_TSS		(0xb | SEG_AR_P)

/* CR0 bits that exits do not change; the reserved ones have no other value. */
#define CR0_KEPT	(CR0_ET | CR0_CD | CR0_NW)

void nested_abort(struct nv_vcpu *vcpu, u32 indicator)
{
	gpa1_t at = gpa1_add(vcpu->nested->vmcs12_ptr, offsetof(struct vmcs12, abort));

	gmem_write(vcpu->vm, at, &indicator, sizeof(indicator));
	/* "A logical processor that aborts enters the shutdown state." */
	nv_vcpu_set_request(vcpu, REQ_TRIPLE_FAULT);
}

static void load_data_segment(enum nv_seg seg, u16 sel, u64 base)
{
	const struct nv_segment s = {
		.sel = sel,
		.base = base,
		.limit = 0xffffffff,
		.ar = sel ? AR_DATA : SEG_AR_UNUSABLE,
	};

	vmx_set_segment(seg, &s);
}

static void load_segments(const struct vmcs12 *v, bool host_64)
{
	const struct nv_segment cs = {
		.sel = v->host_cs_sel,
		.limit = 0xffffffff,
		.ar = host_64 ? AR_CODE_64 : AR_CODE_32,
	};
	const struct nv_segment tr = {
		.sel = v->host_tr_sel,
		.base = v->host_tr_base,
		.limit = 0x67,
		.ar = AR_TSS,
	};
	const struct nv_segment ldtr = { .ar = SEG_AR_UNUSABLE };

	vmx_set_segment(SEG_CS, &cs);
	load_data_segment(SEG_SS, v->host_ss_sel, 0);
	load_data_segment(SEG_DS, v->host_ds_sel, 0);
	load_data_segment(SEG_ES, v->host_es_sel, 0);
	load_data_segment(SEG_FS, v->host_fs_sel, v->host_fs_base);
	load_data_segment(SEG_GS, v->host_gs_sel, v->host_gs_base);
	vmx_set_segment(SEG_TR, &tr);
	vmx_set_segment(SEG_LDTR, &ldtr);
	vmcs_write(VMCS_GUEST_GDTR_BASE, v->host_gdtr_base);
	vmcs_write(VMCS_GUEST_GDTR_LIMIT, 0xffff);
	vmcs_write(VMCS_GUEST_IDTR_BASE, v->host_idtr_base);
	vmcs_write(VMCS_GUEST_IDTR_LIMIT, 0xffff);
}

static u64 host_efer(const struct vmcs12 *v, u64 left, bool host_64)
{
	const u64 long_mode = IA32_EFER_LMA | IA32_EFER_LME;

	if (vmcs12_has_exit(v, EXIT_LOAD_EFER))
		return v->host_efer;
	return (left & ~long_mode) | (host_64 ? long_mode : 0);
}

static u64 host_cr4(const struct vmcs12 *v, bool host_64)
{
	return host_64 ? v->host_cr4 | CR4_PAE : v->host_cr4 & ~CR4_PCIDE;
}

/* A host in PAE paging: its PDPTEs come from memory; a bad one is a VMX abort. */
static bool load_pdptes(struct nv_vcpu *vcpu, u64 cr3)
{
	u64 pdpte[4];
	int i;

	for (i = 0; i < 4; i++)
		if (gmem_read64(vcpu->vm, gpa1((cr3 & 0xffffffe0) + i * sizeof(u64)), &pdpte[i]))
			return false;
	for (i = 0; i < 4; i++)
		if ((pdpte[i] & 1) && !cpu_pdpte_valid(&vcpu->features, pdpte[i]))
			return false;
	vmcs_write(VMCS_GUEST_PDPTE0, pdpte[0]);
	vmcs_write(VMCS_GUEST_PDPTE1, pdpte[1]);
	vmcs_write(VMCS_GUEST_PDPTE2, pdpte[2]);
	vmcs_write(VMCS_GUEST_PDPTE3, pdpte[3]);
	return true;
}

/* vmcs01 current. The order is the manual's where one value depends on another. */
void host_load(struct nv_vcpu *vcpu, const struct l2_left *left)
{
	struct nv_nested *n = vcpu->nested;
	const struct vmcs12 *v = n->v;
	bool host_64 = vmcs12_has_exit(v, EXIT_HOST_64);
	const struct msr_check *rule;

	n->shadow_stale = true;
	vmx_set_cr0(vcpu, (v->host_cr0 & ~CR0_KEPT) | (vmx_cr0(vcpu) & CR0_KEPT));
	vmx_set_cr4(vcpu, host_cr4(v, host_64));
	vmx_set_cr3(vcpu, v->host_cr3);
	vmx_set_efer(vcpu, host_efer(v, left->efer, host_64));
	vmcs_write(VMCS_GUEST_PAT, vmcs12_has_exit(v, EXIT_LOAD_PAT) ? v->host_pat : left->pat);
	vmcs_write(VMCS_GUEST_DR7, DR7_FIXED1);
	vmcs_write(VMCS_GUEST_DEBUGCTL, 0);
	vmcs_write(VMCS_GUEST_SYSENTER_CS, v->host_sysenter_cs);
	vmcs_write(VMCS_GUEST_SYSENTER_ESP, v->host_sysenter_esp);
	vmcs_write(VMCS_GUEST_SYSENTER_EIP, v->host_sysenter_eip);
	load_segments(v, host_64);
	vmx_set_rip(v->host_rip);
	vmcs_write(VMCS_GUEST_RSP, v->host_rsp);
	vmx_set_rflags(RFLAGS_FIXED1);
	vmcs_write(VMCS_GUEST_PENDING_DBG, 0);
	vmcs_write(VMCS_GUEST_ACTIVITY, ACTIVITY_ACTIVE);
	vmcs_write(VMCS_GUEST_INTERRUPTIBILITY, left->nmi_blocked ? INTR_STATE_NMI : 0);
	vpid02_exit(vcpu);

	if (!host_64 && (v->host_cr0 & CR0_PG) && (v->host_cr4 & CR4_PAE) &&
	    !load_pdptes(vcpu, v->host_cr3)) {
		nested_abort(vcpu, VMX_ABORT_PDPTE);
		return;
	}
	if (msr_list_load(vcpu, v->exit_msr_load, v->exit_msr_load_count, MSR_AREA_EXIT_LOAD,
			  &rule))
		nested_abort(vcpu, VMX_ABORT_LOAD_MSR);
}
