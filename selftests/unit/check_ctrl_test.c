// SPDX-License-Identifier: GPL-2.0
#include "check_fixture.h"

#define M(name)	static void m_##name(struct fix *f)

M(pin_ctls) { f->v.pin_ctls &= ~BIT(1); }
M(pin_ctls_may) { f->msrs.true_pin &= ~(PIN_EXT_INTR << 32); }
M(proc_ctls) { f->v.proc_ctls &= ~BIT(1); }
M(proc2_ctls) { f->v.proc2_ctls |= PROC2_RDRAND; f->msrs.proc2 &= ~(PROC2_RDRAND << 32); }
M(cr3_target_count) { f->v.cr3_target_count = 5; }

static void io_bitmaps(struct fix *f)
{
	f->v.proc_ctls |= PROC_IO_BITMAPS;
	f->v.io_bitmap_a = 0x20000;
	f->v.io_bitmap_b = 0x21000;
}

M(io_bitmap_a) { io_bitmaps(f); f->v.io_bitmap_a |= 1; }
M(io_bitmap_a_wide) { io_bitmaps(f); f->v.io_bitmap_a |= TOO_WIDE; }
M(io_bitmap_b) { io_bitmaps(f); f->v.io_bitmap_b |= 0x800; }
M(msr_bitmap) { f->v.proc_ctls |= PROC_MSR_BITMAPS; f->v.msr_bitmap = 0x20008; }
M(msr_bitmap_wide) { f->v.proc_ctls |= PROC_MSR_BITMAPS; f->v.msr_bitmap = TOO_WIDE; }

static void tpr_shadow(struct fix *f)
{
	f->v.proc_ctls |= PROC_TPR_SHADOW;
	f->v.virtual_apic = VAPIC_PAGE;
}

M(virtual_apic) { tpr_shadow(f); f->v.virtual_apic |= 0x10; }
M(tpr_threshold) { tpr_shadow(f); f->v.tpr_threshold = 0x10; }
M(tpr_threshold_vtpr) { tpr_shadow(f); f->vtpr = 0x4f; f->v.tpr_threshold = 5; }
M(x2apic_tpr_shadow) { f->v.proc2_ctls |= PROC2_X2APIC; }
M(apic_regs_tpr_shadow) { f->v.proc2_ctls |= PROC2_APIC_REGS; }
M(virt_intr_tpr_shadow) { f->v.proc2_ctls |= PROC2_VIRT_INTR; }
M(virtual_nmis) { f->v.pin_ctls &= ~PIN_NMI_EXIT; }
M(nmi_window) { f->v.pin_ctls &= ~PIN_VIRTUAL_NMIS; f->v.proc_ctls |= PROC_NMI_WINDOW; }
M(apic_access) { f->v.proc2_ctls |= PROC2_APIC_ACCESS; f->v.apic_access = 0x20010; }

M(x2apic_apic_access)
{
	tpr_shadow(f);
	f->v.proc2_ctls |= PROC2_X2APIC | PROC2_APIC_ACCESS;
}

static void virt_intr(struct fix *f)
{
	tpr_shadow(f);
	f->v.proc2_ctls |= PROC2_VIRT_INTR;
}

static void posted(struct fix *f)
{
	virt_intr(f);
	f->v.pin_ctls |= PIN_POSTED_INTR;
	f->v.exit_ctls |= EXIT_ACK_INTR;
	f->v.posted_intr_nv = 0xf2;
	f->v.posted_intr_desc = 0x20040;
}

M(virt_intr_ext_intr) { virt_intr(f); f->v.pin_ctls &= ~PIN_EXT_INTR; }
M(posted_virt_intr) { posted(f); f->v.proc2_ctls &= ~PROC2_VIRT_INTR; }
M(posted_ack) { posted(f); f->v.exit_ctls &= ~EXIT_ACK_INTR; }
M(posted_vector) { posted(f); f->v.posted_intr_nv = 0x100; }
M(posted_desc) { posted(f); f->v.posted_intr_desc |= 0x20; }
M(posted_desc_wide) { posted(f); f->v.posted_intr_desc |= TOO_WIDE; }
M(vpid) { f->v.vpid = 0; }
M(eptp_memtype) { f->v.eptp = (f->v.eptp & ~7ull) | EPT_MT_WC; }
M(eptp_memtype_uc) { f->v.eptp &= ~7ull; f->msrs.ept_vpid_cap &= ~EPT_CAP_UC; }
M(eptp_walk) { f->v.eptp = (f->v.eptp & ~EPTP_WALK_MASK) | EPTP_WALK_5; }
M(eptp_walk_3) { f->v.eptp = (f->v.eptp & ~EPTP_WALK_MASK) | 2 << EPTP_WALK_SHIFT; }
M(eptp_ad) { f->v.eptp |= EPTP_AD; }
M(eptp_reserved) { f->v.eptp |= BIT(11); }
M(eptp_sss) { f->v.eptp |= EPTP_SSS; }
M(eptp_width) { f->v.eptp |= TOO_WIDE; }
M(pml_ept) { f->v.proc2_ctls |= PROC2_PML; f->v.proc2_ctls &= ~PROC2_EPT; }
M(pml_address) { f->v.proc2_ctls |= PROC2_PML; f->v.pml_address = 0x20001; }
M(unrestricted_ept) { become_unrestricted(f); f->v.proc2_ctls &= ~PROC2_EPT; }
M(mbec_ept) { f->v.proc2_ctls |= PROC2_MBEC; f->v.proc2_ctls &= ~PROC2_EPT; }
M(vmfunc_ctls) { f->v.proc2_ctls |= PROC2_VMFUNC; f->v.vmfunc_ctls = 2; }

M(eptp_switching_ept)
{
	f->v.proc2_ctls |= PROC2_VMFUNC;
	f->v.proc2_ctls &= ~PROC2_EPT;
	f->v.vmfunc_ctls = 1;
}

M(eptp_list)
{
	f->v.proc2_ctls |= PROC2_VMFUNC;
	f->v.vmfunc_ctls = 1;
	f->v.eptp_list = 0x20008;
}

M(vmread_bitmap) { f->v.proc2_ctls |= PROC2_SHADOW_VMCS; f->v.vmread_bitmap = 1; }
M(vmwrite_bitmap) { f->v.proc2_ctls |= PROC2_SHADOW_VMCS; f->v.vmwrite_bitmap = TOO_WIDE; }
M(tsc_multiplier) { f->v.proc2_ctls |= PROC2_TSC_SCALING; }

M(exit_ctls) { f->v.exit_ctls &= ~BIT(0); }
M(exit_ctls_may)
{
	f->v.exit_ctls |= EXIT_CLEAR_BNDCFGS;
	f->msrs.true_exit &= ~(EXIT_CLEAR_BNDCFGS << 32);
}

M(save_preempt_timer) { f->v.exit_ctls |= EXIT_SAVE_PREEMPT_TIMER; }
M(exit_msr_store_count) { f->v.exit_msr_store = 0x20000; f->v.exit_msr_store_count = 513; }
M(exit_msr_store) { f->v.exit_msr_store = 0x20008; f->v.exit_msr_store_count = 1; }

/* The last byte lies beyond the address width. */
M(exit_msr_store_last)
{
	f->v.exit_msr_store = TOO_WIDE - 16;
	f->v.exit_msr_store_count = 2;
}

M(exit_msr_load_count) { f->v.exit_msr_load = 0x20000; f->v.exit_msr_load_count = 0x80000000; }
M(exit_msr_load) { f->v.exit_msr_load = TOO_WIDE; f->v.exit_msr_load_count = 1; }
M(exit_msr_load_wrap) { f->v.exit_msr_load = ~15ull; f->v.exit_msr_load_count = 2; }

M(entry_ctls) { f->v.entry_ctls &= ~BIT(0); }
M(inject_type) { inject(f, BIT(8), 0x20); }
M(inject_type_mtf) { inject(f, INTR_TYPE_OTHER, 0); f->msrs.true_proc &= ~(PROC_MTF << 32); }
M(inject_vector_nmi) { inject(f, INTR_TYPE_NMI, 3); }
M(inject_vector_exception) { inject(f, INTR_TYPE_HARD_EXC, 32); }
M(inject_vector_other) { inject(f, INTR_TYPE_OTHER, 1); }
M(inject_error_wanted) { inject(f, INTR_TYPE_HARD_EXC, VEC_GP); }
M(inject_error_unwanted) { inject(f, INTR_TYPE_HARD_EXC | INTR_INFO_ERROR_CODE, VEC_UD); }
M(inject_error_cp) { inject(f, INTR_TYPE_HARD_EXC | INTR_INFO_ERROR_CODE, VEC_CP); }
M(inject_error_type) { inject(f, INTR_TYPE_EXT | INTR_INFO_ERROR_CODE, 0x20); }

M(inject_error_real)
{
	become_real(f);
	inject(f, INTR_TYPE_HARD_EXC | INTR_INFO_ERROR_CODE, VEC_GP);
}

/* CR0.PE is 0, but no unrestricted guest: the guest-state check finds that, later. */
M(inject_error_not_real)
{
	become_real(f);
	f->v.proc2_ctls &= ~PROC2_UNRESTRICTED;
	inject(f, INTR_TYPE_HARD_EXC, VEC_GP);
}

M(inject_reserved) { inject(f, INTR_TYPE_EXT | BIT(12), 0x20); }
M(inject_reserved_30) { inject(f, INTR_TYPE_EXT | BIT(30), 0x20); }

M(inject_error_code)
{
	inject(f, INTR_TYPE_HARD_EXC | INTR_INFO_ERROR_CODE, VEC_PF);
	f->v.entry_error_code = BIT(16);
}

M(inject_insn_len) { inject(f, INTR_TYPE_SOFT_INTR, 0x80); f->v.entry_insn_len = 16; }
M(inject_insn_len_0) { inject(f, INTR_TYPE_SOFT_EXC, VEC_BP); }
M(entry_msr_load_count) { f->v.entry_msr_load = 0x20000; f->v.entry_msr_load_count = 513; }
M(entry_msr_load) { f->v.entry_msr_load = 0x20001; f->v.entry_msr_load_count = 1; }

static const struct mutator mutators[] = {
	{ "pin_ctls", m_pin_ctls },
	{ "pin_ctls", m_pin_ctls_may },
	{ "proc_ctls", m_proc_ctls },
	{ "proc2_ctls", m_proc2_ctls },
	{ "cr3_target_count", m_cr3_target_count },
	{ "io_bitmap_a", m_io_bitmap_a },
	{ "io_bitmap_a", m_io_bitmap_a_wide },
	{ "io_bitmap_b", m_io_bitmap_b },
	{ "msr_bitmap", m_msr_bitmap },
	{ "msr_bitmap", m_msr_bitmap_wide },
	{ "virtual_apic", m_virtual_apic },
	{ "tpr_threshold", m_tpr_threshold },
	{ "tpr_threshold_vtpr", m_tpr_threshold_vtpr },
	{ "x2apic_tpr_shadow", m_x2apic_tpr_shadow },
	{ "apic_regs_tpr_shadow", m_apic_regs_tpr_shadow },
	{ "virt_intr_tpr_shadow", m_virt_intr_tpr_shadow },
	{ "virtual_nmis", m_virtual_nmis },
	{ "nmi_window", m_nmi_window },
	{ "apic_access", m_apic_access },
	{ "x2apic_apic_access", m_x2apic_apic_access },
	{ "virt_intr_ext_intr", m_virt_intr_ext_intr },
	{ "posted_virt_intr", m_posted_virt_intr },
	{ "posted_ack", m_posted_ack },
	{ "posted_vector", m_posted_vector },
	{ "posted_desc", m_posted_desc },
	{ "posted_desc", m_posted_desc_wide },
	{ "vpid", m_vpid },
	{ "eptp_memtype", m_eptp_memtype },
	{ "eptp_memtype", m_eptp_memtype_uc },
	{ "eptp_walk", m_eptp_walk },
	{ "eptp_walk", m_eptp_walk_3 },
	{ "eptp_ad", m_eptp_ad },
	{ "eptp_reserved", m_eptp_reserved },
	{ "eptp_reserved", m_eptp_sss },
	{ "eptp_width", m_eptp_width },
	{ "pml_ept", m_pml_ept },
	{ "pml_address", m_pml_address },
	{ "unrestricted_ept", m_unrestricted_ept },
	{ "mbec_ept", m_mbec_ept },
	{ "vmfunc_ctls", m_vmfunc_ctls },
	{ "eptp_switching_ept", m_eptp_switching_ept },
	{ "eptp_list", m_eptp_list },
	{ "vmread_bitmap", m_vmread_bitmap },
	{ "vmwrite_bitmap", m_vmwrite_bitmap },
	{ "tsc_multiplier", m_tsc_multiplier },
	{ "exit_ctls", m_exit_ctls },
	{ "exit_ctls", m_exit_ctls_may },
	{ "save_preempt_timer", m_save_preempt_timer },
	{ "exit_msr_store_count", m_exit_msr_store_count },
	{ "exit_msr_store", m_exit_msr_store },
	{ "exit_msr_store", m_exit_msr_store_last },
	{ "exit_msr_load_count", m_exit_msr_load_count },
	{ "exit_msr_load", m_exit_msr_load },
	{ "exit_msr_load", m_exit_msr_load_wrap },
	{ "entry_ctls", m_entry_ctls },
	{ "inject_type", m_inject_type },
	{ "inject_type", m_inject_type_mtf },
	{ "inject_vector_nmi", m_inject_vector_nmi },
	{ "inject_vector_exception", m_inject_vector_exception },
	{ "inject_vector_other", m_inject_vector_other },
	{ "inject_error_wanted", m_inject_error_wanted },
	{ "inject_error_wanted", m_inject_error_not_real, FIRST },
	{ "inject_error_unwanted", m_inject_error_unwanted },
	{ "inject_error_unwanted", m_inject_error_cp },
	{ "inject_error_unwanted", m_inject_error_type },
	{ "inject_error_unwanted", m_inject_error_real },
	{ "inject_reserved", m_inject_reserved },
	{ "inject_reserved", m_inject_reserved_30 },
	{ "inject_error_code", m_inject_error_code },
	{ "inject_insn_len", m_inject_insn_len },
	{ "inject_insn_len", m_inject_insn_len_0 },
	{ "entry_msr_load_count", m_entry_msr_load_count },
	{ "entry_msr_load", m_entry_msr_load },
};

TEST(every_row_has_a_mutator)
{
	check_table(nested_ctl_checks, nested_ctl_check_count, mutators, ARRAY_SIZE(mutators),
		    ENTRY_VMFAIL, VMERR_ENTRY_CONTROLS);
}

/* Not activated, the secondary controls are 0 whatever the field says. */
TEST(secondary_controls_not_activated)
{
	struct fix f;

	fix_init(&f);
	f.v.proc_ctls &= ~PROC_SECONDARY;
	f.v.proc2_ctls = ~0u;
	f.v.vpid = 0;
	f.v.eptp = ~0ull;
	expect_legal(&f);
}

TEST(legal_corners)
{
	struct fix f;

	fix_init(&f);
	posted(&f);
	f.v.tpr_threshold = ~0u;	/* not looked at with virtual-interrupt delivery */
	expect_legal(&f);

	fix_init(&f);
	tpr_shadow(&f);
	f.vtpr = 0x50;
	f.v.tpr_threshold = 5;
	expect_legal(&f);
	f.v.proc2_ctls |= PROC2_APIC_ACCESS;
	f.v.tpr_threshold = 6;		/* not compared with virtualized APIC accesses */
	expect_legal(&f);

	fix_init(&f);
	inject(&f, INTR_TYPE_SOFT_EXC, VEC_BP);
	f.msrs.misc |= VMX_MISC_INJECT_LEN0;
	expect_legal(&f);
	f.v.entry_insn_len = 15;
	expect_legal(&f);

	fix_init(&f);
	inject(&f, INTR_TYPE_HARD_EXC | INTR_INFO_ERROR_CODE, VEC_PF);
	f.v.entry_error_code = 0x8007;	/* bit 15: SGX */
	expect_legal(&f);

	/* An event that is not valid is not looked at. */
	f.v.entry_intr_info &= ~INTR_INFO_VALID;
	f.v.entry_intr_info |= 0x7fffffff;
	expect_legal(&f);

	fix_init(&f);
	become_real(&f);
	inject(&f, INTR_TYPE_HARD_EXC, VEC_GP);
	expect_legal(&f);

	fix_init(&f);
	f.v.exit_msr_load = TOO_WIDE - 32;
	f.v.exit_msr_load_count = 2;
	f.v.entry_msr_load = 7;		/* count 0: the address is not looked at */
	expect_legal(&f);
}

/* L1's memory has no page there: it reads as ones, so no threshold is above it. */
TEST(vtpr_without_memory)
{
	struct fix f;

	fix_init(&f);
	tpr_shadow(&f);
	f.v.virtual_apic = 0x100000;
	f.v.tpr_threshold = 15;
	expect_legal(&f);
	EXPECT_EQ(f.c.vtpr, 0xff);
}
