// SPDX-License-Identifier: GPL-2.0
#include "check_fixture.h"

#define M(name)	static void m_##name(struct fix *f)

M(cr0) { f->v.host_cr0 &= ~CR0_NE; }
M(cr0_high) { f->v.host_cr0 |= BIT_ULL(32); }
M(cr4) { f->v.host_cr4 &= ~CR4_VMXE; }
M(cr4_reserved) { f->v.host_cr4 |= BIT_ULL(15); }
M(cr4_cet) { f->v.host_cr4 |= CR4_CET; f->v.host_cr0 &= ~CR0_WP; }
M(cr3) { f->v.host_cr3 |= TOO_WIDE; }
M(cr3_63) { f->v.host_cr3 |= BIT_ULL(63); }
M(sysenter_esp) { f->v.host_sysenter_esp = NONCANONICAL; }
M(sysenter_eip) { f->v.host_sysenter_eip = NONCANONICAL; }
M(pat) { f->v.host_pat = 2; }
M(pat_high) { f->v.host_pat |= BIT_ULL(63); }
M(efer) { f->v.host_efer |= BIT_ULL(12); }
M(efer_lma) { f->v.host_efer &= ~IA32_EFER_LMA; }
M(efer_lme) { f->v.host_efer &= ~IA32_EFER_LME; }
M(efer_32) { become_l1_32(f); f->v.host_efer = IA32_EFER_LMA | IA32_EFER_LME; }
M(cs_sel) { f->v.host_cs_sel |= 3; }
M(ss_sel) { f->v.host_ss_sel |= 4; }
M(ds_sel) { f->v.host_ds_sel = 0x2b; }
M(es_sel) { f->v.host_es_sel = 1; }
M(fs_sel) { f->v.host_fs_sel = 2; }
M(gs_sel) { f->v.host_gs_sel = 4; }
M(tr_sel) { f->v.host_tr_sel |= 4; }
M(cs_null) { f->v.host_cs_sel = 0; }
M(tr_null) { f->v.host_tr_sel = 0; }
M(ss_null) { become_l1_32(f); f->v.host_ss_sel = 0; }
M(fs_base) { f->v.host_fs_base = NONCANONICAL; }
M(gs_base) { f->v.host_gs_base = NONCANONICAL; }
M(gdtr_base) { f->v.host_gdtr_base = NONCANONICAL; }
M(idtr_base) { f->v.host_idtr_base = NONCANONICAL; }
M(tr_base) { f->v.host_tr_base = NONCANONICAL; }

/* Also "IA-32e mode guest needs a 64-bit host"; the 64-bit L2 itself is legal. */
M(size_l1_32_guest)
{
	f->c.l1_efer = 0;
	f->v.exit_ctls &= ~EXIT_HOST_64;
	f->v.host_efer = 0;
	f->v.host_rip = 0;
}

M(size_l1_32_host) { become_pae(f); f->c.l1_efer = 0; }

M(size_l1_64_host)
{
	become_l1_32(f);
	f->c.l1_efer = IA32_EFER_LMA | IA32_EFER_LME;
}

M(size_host_32_pcide) { become_l1_32(f); f->v.host_cr4 |= CR4_PCIDE; }
M(size_host_32_rip) { become_l1_32(f); f->v.host_rip |= BIT_ULL(32); }
M(size_host_64_pae) { f->v.host_cr4 &= ~CR4_PAE; }
M(size_host_64_rip) { f->v.host_rip = NONCANONICAL; }

static const struct mutator mutators[] = {
	{ "host_cr0", m_cr0 },
	{ "host_cr0", m_cr0_high },
	{ "host_cr4", m_cr4 },
	{ "host_cr4", m_cr4_reserved },
	{ "host_cr4_cet", m_cr4_cet },
	{ "host_cr3", m_cr3 },
	{ "host_cr3", m_cr3_63 },
	{ "host_sysenter_esp", m_sysenter_esp },
	{ "host_sysenter_eip", m_sysenter_eip },
	{ "host_pat", m_pat },
	{ "host_pat", m_pat_high },
	{ "host_efer", m_efer },
	{ "host_efer_mode", m_efer_lma },
	{ "host_efer_mode", m_efer_lme },
	{ "host_efer_mode", m_efer_32 },
	{ "host_cs_sel", m_cs_sel },
	{ "host_ss_sel", m_ss_sel },
	{ "host_ds_sel", m_ds_sel },
	{ "host_es_sel", m_es_sel },
	{ "host_fs_sel", m_fs_sel },
	{ "host_gs_sel", m_gs_sel },
	{ "host_tr_sel", m_tr_sel },
	{ "host_cs_null", m_cs_null },
	{ "host_tr_null", m_tr_null },
	{ "host_ss_null", m_ss_null },
	{ "host_fs_base", m_fs_base },
	{ "host_gs_base", m_gs_base },
	{ "host_gdtr_base", m_gdtr_base },
	{ "host_idtr_base", m_idtr_base },
	{ "host_tr_base", m_tr_base },
	{ "size_l1_32_guest", m_size_l1_32_guest, FIRST },
	{ "size_l1_32_host", m_size_l1_32_host },
	{ "size_l1_64_host", m_size_l1_64_host },
	{ "size_host_32_guest", m_size_l1_32_guest, BEHIND },
	{ "size_host_32_pcide", m_size_host_32_pcide },
	{ "size_host_32_rip", m_size_host_32_rip },
	{ "size_host_64_pae", m_size_host_64_pae },
	{ "size_host_64_rip", m_size_host_64_rip },
};

TEST(every_row_has_a_mutator)
{
	check_table(nested_host_checks, nested_host_check_count, mutators, ARRAY_SIZE(mutators),
		    ENTRY_VMFAIL, VMERR_ENTRY_HOST_STATE);
}

TEST(legal_corners)
{
	struct fix f;

	fix_init(&f);
	become_l1_32(&f);
	expect_legal(&f);

	/* Not loaded, not looked at. */
	fix_init(&f);
	f.v.exit_ctls &= ~(EXIT_LOAD_PAT | EXIT_LOAD_EFER);
	f.v.host_pat = ~0ull;
	f.v.host_efer = ~0ull;
	expect_legal(&f);

	/* CR0.CD and CR0.NW are not checked; a null SS is legal for a 64-bit host. */
	fix_init(&f);
	f.v.host_cr0 |= CR0_CD | CR0_NW;
	f.v.host_ss_sel = 0;
	expect_legal(&f);
}

/* HOST_RIP goes by HOST_CR4.LA57, the bases by the CPU's width. */
TEST(five_level_paging)
{
	struct fix f;

	fix_init(&f);
	f.cpu.f7_ecx |= CPUID_7_ECX_LA57;
	f.cpu.linear_width = 57;
	f.msrs.cr4_fixed1 |= CR4_LA57;
	f.v.host_gs_base = NONCANONICAL;
	expect_legal(&f);
	f.v.host_rip = NONCANONICAL;
	EXPECT_FALSE(nested_check_host(&f.c, &(struct entry_result){ 0 }));
	f.v.host_cr4 |= CR4_LA57;
	expect_legal(&f);
}
