/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one list of VMCS fields (SDM 3D "Field Encoding in VMCS"), in the
 * appendix's order. Everything that must know all fields expands it: the
 * enumeration of encodings, struct vmcs12, the table behind VMREAD/VMWRITE,
 * the shadow-VMCS bitmaps, dumps, and saved nested state.
 *
 * F(NAME, member, encoding, width, shadow)
 *   width:  16, 32, 64 or NAT (natural width, 64 bits here)
 *   shadow: NONE, RO (L1 may VMREAD it without an exit), RW (VMWRITE too).
 *           The fields that stock hypervisors touch at every nested exit.
 */
#ifndef NESTVM_VMCS_FIELDS_H
#define NESTVM_VMCS_FIELDS_H

#include "pure.h"

#define VMCS_FIELDS(F)									\
	/* 16-bit control */								\
	F(VPID, vpid, 0x0000, 16, NONE)							\
	F(POSTED_INTR_NV, posted_intr_nv, 0x0002, 16, NONE)				\
	F(EPTP_INDEX, eptp_index, 0x0004, 16, NONE)					\
	/* 16-bit guest state */							\
	F(GUEST_ES_SEL, guest_es_sel, 0x0800, 16, NONE)					\
	F(GUEST_CS_SEL, guest_cs_sel, 0x0802, 16, RW)					\
	F(GUEST_SS_SEL, guest_ss_sel, 0x0804, 16, RW)					\
	F(GUEST_DS_SEL, guest_ds_sel, 0x0806, 16, NONE)					\
	F(GUEST_FS_SEL, guest_fs_sel, 0x0808, 16, NONE)					\
	F(GUEST_GS_SEL, guest_gs_sel, 0x080a, 16, NONE)					\
	F(GUEST_LDTR_SEL, guest_ldtr_sel, 0x080c, 16, NONE)				\
	F(GUEST_TR_SEL, guest_tr_sel, 0x080e, 16, NONE)					\
	F(GUEST_INTR_STATUS, guest_intr_status, 0x0810, 16, NONE)			\
	F(GUEST_PML_INDEX, guest_pml_index, 0x0812, 16, NONE)				\
	/* 16-bit host state */								\
	F(HOST_ES_SEL, host_es_sel, 0x0c00, 16, NONE)					\
	F(HOST_CS_SEL, host_cs_sel, 0x0c02, 16, NONE)					\
	F(HOST_SS_SEL, host_ss_sel, 0x0c04, 16, NONE)					\
	F(HOST_DS_SEL, host_ds_sel, 0x0c06, 16, NONE)					\
	F(HOST_FS_SEL, host_fs_sel, 0x0c08, 16, RW)					\
	F(HOST_GS_SEL, host_gs_sel, 0x0c0a, 16, RW)					\
	F(HOST_TR_SEL, host_tr_sel, 0x0c0c, 16, NONE)					\
	/* 64-bit control */								\
	F(IO_BITMAP_A, io_bitmap_a, 0x2000, 64, NONE)					\
	F(IO_BITMAP_B, io_bitmap_b, 0x2002, 64, NONE)					\
	F(MSR_BITMAP, msr_bitmap, 0x2004, 64, NONE)					\
	F(EXIT_MSR_STORE, exit_msr_store, 0x2006, 64, NONE)				\
	F(EXIT_MSR_LOAD, exit_msr_load, 0x2008, 64, NONE)				\
	F(ENTRY_MSR_LOAD, entry_msr_load, 0x200a, 64, NONE)				\
	F(EXECUTIVE_POINTER, executive_pointer, 0x200c, 64, NONE)			\
	F(PML_ADDRESS, pml_address, 0x200e, 64, NONE)					\
	F(TSC_OFFSET, tsc_offset, 0x2010, 64, RW)					\
	F(VIRTUAL_APIC, virtual_apic, 0x2012, 64, NONE)					\
	F(APIC_ACCESS, apic_access, 0x2014, 64, NONE)					\
	F(POSTED_INTR_DESC, posted_intr_desc, 0x2016, 64, NONE)				\
	F(VMFUNC_CTLS, vmfunc_ctls, 0x2018, 64, NONE)					\
	F(EPTP, eptp, 0x201a, 64, NONE)							\
	F(EOI_EXIT_0, eoi_exit_0, 0x201c, 64, NONE)					\
	F(EOI_EXIT_1, eoi_exit_1, 0x201e, 64, NONE)					\
	F(EOI_EXIT_2, eoi_exit_2, 0x2020, 64, NONE)					\
	F(EOI_EXIT_3, eoi_exit_3, 0x2022, 64, NONE)					\
	F(EPTP_LIST, eptp_list, 0x2024, 64, NONE)					\
	F(VMREAD_BITMAP, vmread_bitmap, 0x2026, 64, NONE)				\
	F(VMWRITE_BITMAP, vmwrite_bitmap, 0x2028, 64, NONE)				\
	F(VE_INFO, ve_info, 0x202a, 64, NONE)						\
	F(XSS_EXIT_BITMAP, xss_exit_bitmap, 0x202c, 64, NONE)				\
	F(ENCLS_EXIT_BITMAP, encls_exit_bitmap, 0x202e, 64, NONE)			\
	F(SPP_POINTER, spp_pointer, 0x2030, 64, NONE)					\
	F(TSC_MULTIPLIER, tsc_multiplier, 0x2032, 64, NONE)				\
	/* 64-bit read-only data */							\
	F(GUEST_PHYSICAL, guest_physical, 0x2400, 64, RO)				\
	/* 64-bit guest state */							\
	F(LINK_POINTER, link_pointer, 0x2800, 64, NONE)					\
	F(GUEST_DEBUGCTL, guest_debugctl, 0x2802, 64, NONE)				\
	F(GUEST_PAT, guest_pat, 0x2804, 64, NONE)					\
	F(GUEST_EFER, guest_efer, 0x2806, 64, RO)					\
	F(GUEST_PERF_GLOBAL, guest_perf_global, 0x2808, 64, NONE)			\
	F(GUEST_PDPTE0, guest_pdpte0, 0x280a, 64, NONE)					\
	F(GUEST_PDPTE1, guest_pdpte1, 0x280c, 64, NONE)					\
	F(GUEST_PDPTE2, guest_pdpte2, 0x280e, 64, NONE)					\
	F(GUEST_PDPTE3, guest_pdpte3, 0x2810, 64, NONE)					\
	F(GUEST_BNDCFGS, guest_bndcfgs, 0x2812, 64, NONE)				\
	/* 64-bit host state */								\
	F(HOST_PAT, host_pat, 0x2c00, 64, NONE)						\
	F(HOST_EFER, host_efer, 0x2c02, 64, NONE)					\
	F(HOST_PERF_GLOBAL, host_perf_global, 0x2c04, 64, NONE)				\
	/* 32-bit control */								\
	F(PIN_CTLS, pin_ctls, 0x4000, 32, RW)						\
	F(PROC_CTLS, proc_ctls, 0x4002, 32, RW)						\
	F(EXCEPTION_BITMAP, exception_bitmap, 0x4004, 32, RW)				\
	F(PF_EC_MASK, pf_ec_mask, 0x4006, 32, NONE)					\
	F(PF_EC_MATCH, pf_ec_match, 0x4008, 32, NONE)					\
	F(CR3_TARGET_COUNT, cr3_target_count, 0x400a, 32, NONE)				\
	F(EXIT_CTLS, exit_ctls, 0x400c, 32, NONE)					\
	F(EXIT_MSR_STORE_COUNT, exit_msr_store_count, 0x400e, 32, NONE)			\
	F(EXIT_MSR_LOAD_COUNT, exit_msr_load_count, 0x4010, 32, NONE)			\
	F(ENTRY_CTLS, entry_ctls, 0x4012, 32, RW)					\
	F(ENTRY_MSR_LOAD_COUNT, entry_msr_load_count, 0x4014, 32, NONE)			\
	F(ENTRY_INTR_INFO, entry_intr_info, 0x4016, 32, RW)				\
	F(ENTRY_ERROR_CODE, entry_error_code, 0x4018, 32, RW)				\
	F(ENTRY_INSN_LEN, entry_insn_len, 0x401a, 32, RW)				\
	F(TPR_THRESHOLD, tpr_threshold, 0x401c, 32, RW)					\
	F(PROC2_CTLS, proc2_ctls, 0x401e, 32, RW)					\
	F(PLE_GAP, ple_gap, 0x4020, 32, NONE)						\
	F(PLE_WINDOW, ple_window, 0x4022, 32, NONE)					\
	/* 32-bit read-only data */							\
	F(INSN_ERROR, insn_error, 0x4400, 32, NONE)					\
	F(EXIT_REASON, exit_reason, 0x4402, 32, RO)					\
	F(EXIT_INTR_INFO, exit_intr_info, 0x4404, 32, RO)				\
	F(EXIT_INTR_ERROR, exit_intr_error, 0x4406, 32, RO)				\
	F(IDT_VECTORING_INFO, idt_vectoring_info, 0x4408, 32, RO)			\
	F(IDT_VECTORING_ERROR, idt_vectoring_error, 0x440a, 32, RO)			\
	F(EXIT_INSN_LEN, exit_insn_len, 0x440c, 32, RO)					\
	F(EXIT_INSN_INFO, exit_insn_info, 0x440e, 32, RO)				\
	/* 32-bit guest state */							\
	F(GUEST_ES_LIMIT, guest_es_limit, 0x4800, 32, NONE)				\
	F(GUEST_CS_LIMIT, guest_cs_limit, 0x4802, 32, NONE)				\
	F(GUEST_SS_LIMIT, guest_ss_limit, 0x4804, 32, NONE)				\
	F(GUEST_DS_LIMIT, guest_ds_limit, 0x4806, 32, NONE)				\
	F(GUEST_FS_LIMIT, guest_fs_limit, 0x4808, 32, NONE)				\
	F(GUEST_GS_LIMIT, guest_gs_limit, 0x480a, 32, NONE)				\
	F(GUEST_LDTR_LIMIT, guest_ldtr_limit, 0x480c, 32, NONE)				\
	F(GUEST_TR_LIMIT, guest_tr_limit, 0x480e, 32, NONE)				\
	F(GUEST_GDTR_LIMIT, guest_gdtr_limit, 0x4810, 32, NONE)				\
	F(GUEST_IDTR_LIMIT, guest_idtr_limit, 0x4812, 32, NONE)				\
	F(GUEST_ES_AR, guest_es_ar, 0x4814, 32, NONE)					\
	F(GUEST_CS_AR, guest_cs_ar, 0x4816, 32, RW)					\
	F(GUEST_SS_AR, guest_ss_ar, 0x4818, 32, RW)					\
	F(GUEST_DS_AR, guest_ds_ar, 0x481a, 32, NONE)					\
	F(GUEST_FS_AR, guest_fs_ar, 0x481c, 32, NONE)					\
	F(GUEST_GS_AR, guest_gs_ar, 0x481e, 32, NONE)					\
	F(GUEST_LDTR_AR, guest_ldtr_ar, 0x4820, 32, NONE)				\
	F(GUEST_TR_AR, guest_tr_ar, 0x4822, 32, NONE)					\
	F(GUEST_INTERRUPTIBILITY, guest_interruptibility, 0x4824, 32, RW)		\
	F(GUEST_ACTIVITY, guest_activity, 0x4826, 32, NONE)				\
	F(GUEST_SMBASE, guest_smbase, 0x4828, 32, NONE)					\
	F(GUEST_SYSENTER_CS, guest_sysenter_cs, 0x482a, 32, NONE)			\
	F(GUEST_PREEMPT_TIMER, guest_preempt_timer, 0x482e, 32, RW)			\
	/* 32-bit host state */								\
	F(HOST_SYSENTER_CS, host_sysenter_cs, 0x4c00, 32, NONE)				\
	/* natural-width control */							\
	F(CR0_MASK, cr0_mask, 0x6000, NAT, RO)						\
	F(CR4_MASK, cr4_mask, 0x6002, NAT, RO)						\
	F(CR0_SHADOW, cr0_shadow, 0x6004, NAT, RW)					\
	F(CR4_SHADOW, cr4_shadow, 0x6006, NAT, RW)					\
	F(CR3_TARGET0, cr3_target0, 0x6008, NAT, NONE)					\
	F(CR3_TARGET1, cr3_target1, 0x600a, NAT, NONE)					\
	F(CR3_TARGET2, cr3_target2, 0x600c, NAT, NONE)					\
	F(CR3_TARGET3, cr3_target3, 0x600e, NAT, NONE)					\
	/* natural-width read-only data */						\
	F(EXIT_QUALIFICATION, exit_qualification, 0x6400, NAT, RO)			\
	F(IO_RCX, io_rcx, 0x6402, NAT, NONE)						\
	F(IO_RSI, io_rsi, 0x6404, NAT, NONE)						\
	F(IO_RDI, io_rdi, 0x6406, NAT, NONE)						\
	F(IO_RIP, io_rip, 0x6408, NAT, NONE)						\
	F(GUEST_LINEAR, guest_linear, 0x640a, NAT, RO)					\
	/* natural-width guest state */							\
	F(GUEST_CR0, guest_cr0, 0x6800, NAT, RW)					\
	F(GUEST_CR3, guest_cr3, 0x6802, NAT, RW)					\
	F(GUEST_CR4, guest_cr4, 0x6804, NAT, RW)					\
	F(GUEST_ES_BASE, guest_es_base, 0x6806, NAT, NONE)				\
	F(GUEST_CS_BASE, guest_cs_base, 0x6808, NAT, RW)				\
	F(GUEST_SS_BASE, guest_ss_base, 0x680a, NAT, RW)				\
	F(GUEST_DS_BASE, guest_ds_base, 0x680c, NAT, NONE)				\
	F(GUEST_FS_BASE, guest_fs_base, 0x680e, NAT, NONE)				\
	F(GUEST_GS_BASE, guest_gs_base, 0x6810, NAT, NONE)				\
	F(GUEST_LDTR_BASE, guest_ldtr_base, 0x6812, NAT, NONE)				\
	F(GUEST_TR_BASE, guest_tr_base, 0x6814, NAT, NONE)				\
	F(GUEST_GDTR_BASE, guest_gdtr_base, 0x6816, NAT, NONE)				\
	F(GUEST_IDTR_BASE, guest_idtr_base, 0x6818, NAT, NONE)				\
	F(GUEST_DR7, guest_dr7, 0x681a, NAT, RO)					\
	F(GUEST_RSP, guest_rsp, 0x681c, NAT, RW)					\
	F(GUEST_RIP, guest_rip, 0x681e, NAT, RW)					\
	F(GUEST_RFLAGS, guest_rflags, 0x6820, NAT, RW)					\
	F(GUEST_PENDING_DBG, guest_pending_dbg, 0x6822, NAT, NONE)			\
	F(GUEST_SYSENTER_ESP, guest_sysenter_esp, 0x6824, NAT, NONE)			\
	F(GUEST_SYSENTER_EIP, guest_sysenter_eip, 0x6826, NAT, NONE)			\
	/* natural-width host state */							\
	F(HOST_CR0, host_cr0, 0x6c00, NAT, NONE)					\
	F(HOST_CR3, host_cr3, 0x6c02, NAT, NONE)					\
	F(HOST_CR4, host_cr4, 0x6c04, NAT, NONE)					\
	F(HOST_FS_BASE, host_fs_base, 0x6c06, NAT, RW)					\
	F(HOST_GS_BASE, host_gs_base, 0x6c08, NAT, RW)					\
	F(HOST_TR_BASE, host_tr_base, 0x6c0a, NAT, NONE)				\
	F(HOST_GDTR_BASE, host_gdtr_base, 0x6c0c, NAT, NONE)				\
	F(HOST_IDTR_BASE, host_idtr_base, 0x6c0e, NAT, NONE)				\
	F(HOST_SYSENTER_ESP, host_sysenter_esp, 0x6c10, NAT, NONE)			\
	F(HOST_SYSENTER_EIP, host_sysenter_eip, 0x6c12, NAT, NONE)			\
	F(HOST_RSP, host_rsp, 0x6c14, NAT, NONE)					\
	F(HOST_RIP, host_rip, 0x6c16, NAT, NONE)

#define F(NAME, member, encoding, width, shadow) VMCS_##NAME = encoding,
enum vmcs_field { VMCS_FIELDS(F) };
#undef F

/* Parts of an encoding (SDM 3C "Field-Encoding Components"). */
#define VMCS_ENC_HIGH		BIT(0)
#define VMCS_ENC_INDEX		GENMASK(9, 1)
#define VMCS_ENC_TYPE		GENMASK(11, 10)
#define VMCS_ENC_WIDTH		GENMASK(14, 13)
#define VMCS_ENC_RESERVED	(BIT(12) | GENMASK(31, 15))

#define VMCS_TYPE_CONTROL	(0u << 10)
#define VMCS_TYPE_READ_ONLY	(1u << 10)
#define VMCS_TYPE_GUEST		(2u << 10)
#define VMCS_TYPE_HOST		(3u << 10)

#define VMCS_WIDTH_16		(0u << 13)
#define VMCS_WIDTH_64		(1u << 13)
#define VMCS_WIDTH_32		(2u << 13)
#define VMCS_WIDTH_NAT		(3u << 13)

#endif
