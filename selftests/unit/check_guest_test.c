// SPDX-License-Identifier: GPL-2.0
#include "check_fixture.h"

#define M(name)	static void m_##name(struct fix *f)

M(cr0) { f->v.guest_cr0 &= ~CR0_NE; }
M(cr0_high) { f->v.guest_cr0 |= BIT_ULL(40); }
M(cr0_pg) { become_real(f); f->v.guest_cr0 |= CR0_PG; }
M(cr4) { f->v.guest_cr4 |= CR4_LA57; }
M(cr4_vmxe) { f->v.guest_cr4 &= ~CR4_VMXE; }
M(cr4_cet) { f->v.guest_cr4 |= CR4_CET; f->v.guest_cr0 &= ~CR0_WP; }
M(debugctl) { f->v.entry_ctls |= ENTRY_LOAD_DEBUG; f->v.guest_debugctl = BIT(5); }
M(ia32e_pg) { become_unrestricted(f); f->v.guest_cr0 &= ~CR0_PG; }
M(ia32e_pae) { f->v.guest_cr4 &= ~CR4_PAE; }
M(pcide) { become_pae(f); f->v.guest_cr4 |= CR4_PCIDE; }
M(cr3) { f->v.guest_cr3 |= TOO_WIDE; }
M(cr3_63) { f->v.guest_cr3 |= BIT_ULL(63); }
M(dr7) { f->v.entry_ctls |= ENTRY_LOAD_DEBUG; f->v.guest_dr7 |= BIT_ULL(32); }
M(sysenter_esp) { f->v.guest_sysenter_esp = NONCANONICAL; }
M(sysenter_eip) { f->v.guest_sysenter_eip = NONCANONICAL; }
M(pat) { f->v.guest_pat = 3; }
M(efer) { f->v.guest_efer |= BIT_ULL(9); }
M(efer_lma) { become_real(f); f->v.guest_efer = IA32_EFER_LMA; }
M(efer_lme) { f->v.guest_efer &= ~IA32_EFER_LME; }
M(efer_lme_pae) { become_pae(f); f->v.guest_efer = IA32_EFER_LME; }

M(tr_sel_ti) { f->v.guest_tr_sel |= 4; }
M(ldtr_sel_ti) { use_ldtr(f); f->v.guest_ldtr_sel |= 4; }
M(ss_sel_rpl) { f->v.guest_cs_sel |= 1; }

/* One mutator per segment register: of a virtual-8086 guest, of a 64-bit one. */
#define V86_M(seg)								\
	static void m_##seg##_base_v86(struct fix *f)				\
	{									\
		become_v86(f);							\
		f->v.guest_##seg##_base++;					\
	}									\
	static void m_##seg##_limit_v86(struct fix *f)				\
	{									\
		become_v86(f);							\
		f->v.guest_##seg##_limit--;					\
	}									\
	static void m_##seg##_ar_v86(struct fix *f)				\
	{									\
		become_v86(f);							\
		f->v.guest_##seg##_ar = 0x93;					\
	}
#define BITS_M(seg)								\
	static void m_##seg##_p(struct fix *f)					\
	{									\
		use_ldtr(f);							\
		f->v.guest_##seg##_ar &= ~SEG_AR_P;				\
	}									\
	static void m_##seg##_ar_11_8(struct fix *f)				\
	{									\
		use_ldtr(f);							\
		f->v.guest_##seg##_ar |= BIT(10);				\
	}									\
	static void m_##seg##_g(struct fix *f)					\
	{									\
		use_ldtr(f);							\
		f->v.guest_##seg##_limit = 0xffffe;				\
		f->v.guest_##seg##_ar |= SEG_AR_G;				\
	}									\
	static void m_##seg##_g_clear(struct fix *f)				\
	{									\
		use_ldtr(f);							\
		f->v.guest_##seg##_limit = 0x100fff;				\
		f->v.guest_##seg##_ar &= ~SEG_AR_G;				\
	}									\
	static void m_##seg##_ar_31_17(struct fix *f)				\
	{									\
		use_ldtr(f);							\
		f->v.guest_##seg##_ar |= BIT(31);				\
	}
#define S_M(seg)								\
	static void m_##seg##_s(struct fix *f)					\
	{									\
		f->v.guest_##seg##_ar &= ~SEG_AR_S;				\
	}
#define DATA_M(seg)								\
	static void m_##seg##_type_data(struct fix *f)				\
	{									\
		f->v.guest_##seg##_ar &= ~1u;					\
	}									\
	static void m_##seg##_type_exec_only(struct fix *f)			\
	{									\
		f->v.guest_##seg##_ar = 0xa099;					\
	}									\
	static void m_##seg##_dpl_data(struct fix *f)				\
	{									\
		f->v.guest_##seg##_sel |= 2;					\
		f->v.guest_##seg##_ar |= 1 << SEG_AR_DPL_SHIFT;			\
	}

V86_M(cs)
V86_M(ss)
V86_M(ds)
V86_M(es)
V86_M(fs)
V86_M(gs)
BITS_M(cs)
BITS_M(ss)
BITS_M(ds)
BITS_M(es)
BITS_M(fs)
BITS_M(gs)
BITS_M(tr)
BITS_M(ldtr)
S_M(cs)
S_M(ss)
S_M(ds)
S_M(es)
S_M(fs)
S_M(gs)
DATA_M(ds)
DATA_M(es)
DATA_M(fs)
DATA_M(gs)

M(tr_base_canonical) { f->v.guest_tr_base = NONCANONICAL; }
M(fs_base_canonical) { f->v.guest_fs_base = NONCANONICAL; }
M(fs_base_unusable) { f->v.guest_fs_ar = SEG_AR_UNUSABLE; f->v.guest_fs_base = NONCANONICAL; }
M(gs_base_canonical) { f->v.guest_gs_base = NONCANONICAL; }
M(ldtr_base_canonical) { use_ldtr(f); f->v.guest_ldtr_base = NONCANONICAL; }
M(cs_base_32) { f->v.guest_cs_base = BIT_ULL(32); }
M(ss_base_32) { f->v.guest_ss_base = BIT_ULL(32); }
M(ds_base_32) { f->v.guest_ds_base = BIT_ULL(32); }
M(es_base_32) { f->v.guest_es_base = BIT_ULL(63); }

M(cs_type) { f->v.guest_cs_ar &= ~1u; }
M(cs_type_data) { f->v.guest_cs_ar = 0xa093; }
M(ss_type) { f->v.guest_ss_ar = 0xc091; }
M(cs_dpl_data) { become_real(f); f->v.guest_cs_ar |= 3 << SEG_AR_DPL_SHIFT; }
M(cs_dpl_nonconforming) { f->v.guest_cs_ar |= 3 << SEG_AR_DPL_SHIFT; }
M(cs_dpl_conforming) { f->v.guest_cs_ar = 0xa09f | 1 << SEG_AR_DPL_SHIFT; }

M(ss_dpl_rpl)
{
	f->v.guest_cs_ar |= 1 << SEG_AR_DPL_SHIFT;
	f->v.guest_ss_ar |= 1 << SEG_AR_DPL_SHIFT;
}

M(ss_dpl_real) { become_real(f); f->v.guest_ss_ar |= 1 << SEG_AR_DPL_SHIFT; }
M(cs_db) { f->v.guest_cs_ar |= SEG_AR_DB; }

M(tr_type) { f->v.guest_tr_ar = 0x89; }
M(tr_type_16) { f->v.guest_tr_ar = 0x83; }
M(tr_s) { f->v.guest_tr_ar |= SEG_AR_S; }
M(tr_usable) { f->v.guest_tr_ar |= SEG_AR_UNUSABLE; }
M(ldtr_type) { use_ldtr(f); f->v.guest_ldtr_ar = 0x83; }
M(ldtr_s) { use_ldtr(f); f->v.guest_ldtr_ar |= SEG_AR_S; }

M(gdtr_base) { f->v.guest_gdtr_base = NONCANONICAL; }
M(idtr_base) { f->v.guest_idtr_base = NONCANONICAL; }
M(gdtr_limit) { f->v.guest_gdtr_limit = 0x10000; }
M(idtr_limit) { f->v.guest_idtr_limit = 0x80000000; }

M(rip_32) { become_pae(f); f->v.guest_rip = BIT_ULL(32); }
M(rip_compat) { f->v.guest_cs_ar = 0xc09b; }
M(rip_64) { f->v.guest_rip = BIT_ULL(48); }
M(rip_64_high) { f->v.guest_rip = 0xfffe800000000000ull; }
M(rflags_fixed) { f->v.guest_rflags &= ~RFLAGS_FIXED1; }
M(rflags_reserved) { f->v.guest_rflags |= BIT_ULL(15); }
M(rflags_high) { f->v.guest_rflags |= BIT_ULL(22); }
M(rflags_vm) { become_v86(f); f->v.entry_ctls |= ENTRY_IA32E; f->v.guest_efer = 0x500; }
M(rflags_if) { inject(f, INTR_TYPE_EXT, 0x20); f->v.guest_rflags &= ~RFLAGS_IF; }

M(activity) { f->v.guest_activity = 4; }
M(activity_not_offered)
{
	f->v.guest_activity = ACTIVITY_WAIT_SIPI;
	f->msrs.misc &= ~VMX_MISC_ACTIVITY_SIPI;
}

M(activity_hlt_cpl)
{
	f->v.guest_activity = ACTIVITY_HLT;
	f->v.guest_cs_sel |= 3;
	f->v.guest_ss_sel |= 3;
	f->v.guest_cs_ar |= 3 << SEG_AR_DPL_SHIFT;
	f->v.guest_ss_ar |= 3 << SEG_AR_DPL_SHIFT;
}

M(activity_blocking)
{
	f->v.guest_activity = ACTIVITY_HLT;
	f->v.guest_interruptibility = INTR_STATE_STI;
}

M(activity_event_hlt)
{
	f->v.guest_activity = ACTIVITY_HLT;
	inject(f, INTR_TYPE_HARD_EXC, VEC_UD);
}

M(activity_event_hlt_soft)
{
	f->v.guest_activity = ACTIVITY_HLT;
	inject(f, INTR_TYPE_SOFT_INTR, 0x80);
	f->v.entry_insn_len = 2;
}

M(activity_event_shutdown)
{
	f->v.guest_activity = ACTIVITY_SHUTDOWN;
	inject(f, INTR_TYPE_EXT, 0x20);
}

M(activity_event_sipi)
{
	f->v.guest_activity = ACTIVITY_WAIT_SIPI;
	inject(f, INTR_TYPE_NMI, VEC_NMI);
}

M(intr_reserved) { f->v.guest_interruptibility = BIT(5); }
M(intr_sti_mov_ss) { f->v.guest_interruptibility = INTR_STATE_STI | INTR_STATE_MOV_SS; }

M(intr_sti_if)
{
	f->v.guest_interruptibility = INTR_STATE_STI;
	f->v.guest_rflags &= ~RFLAGS_IF;
}

M(intr_inject_ext)
{
	f->v.guest_interruptibility = INTR_STATE_MOV_SS;
	inject(f, INTR_TYPE_EXT, 0x20);
}

static void inject_nmi_while(struct fix *f, u32 state)
{
	f->v.guest_interruptibility = state;
	inject(f, INTR_TYPE_NMI, VEC_NMI);
}

M(intr_inject_nmi_mov_ss) { inject_nmi_while(f, INTR_STATE_MOV_SS); }
M(intr_inject_nmi_sti) { inject_nmi_while(f, INTR_STATE_STI); }
M(intr_inject_nmi_blocked) { inject_nmi_while(f, INTR_STATE_NMI); }
M(intr_smi) { f->v.guest_interruptibility = INTR_STATE_SMI; }
M(intr_enclave) { f->v.guest_interruptibility = INTR_STATE_ENCLAVE; }
M(pending_dbg_reserved) { f->v.guest_pending_dbg = BIT_ULL(4); }
M(pending_dbg_high) { f->v.guest_pending_dbg = BIT_ULL(63); }

/* TF is set and BTF is not: a trap must be pending while HLT. */
M(pending_dbg_bs_wanted)
{
	f->v.guest_activity = ACTIVITY_HLT;
	f->v.guest_rflags |= RFLAGS_TF;
}

M(pending_dbg_bs_unwanted)
{
	f->v.guest_interruptibility = INTR_STATE_STI;
	f->v.guest_pending_dbg = PENDING_DBG_BS;
}

M(pending_dbg_bs_btf)
{
	f->v.guest_interruptibility = INTR_STATE_MOV_SS;
	f->v.guest_rflags |= RFLAGS_TF;
	f->v.guest_debugctl = DEBUGCTL_BTF;
	f->v.guest_pending_dbg = PENDING_DBG_BS;
}

/* Not loaded: L1's BTF stays. */
M(pending_dbg_bs_btf_kept)
{
	f->v.guest_interruptibility = INTR_STATE_MOV_SS;
	f->v.guest_rflags |= RFLAGS_TF;
	f->v.entry_ctls &= ~ENTRY_LOAD_DEBUG;
	f->c.debugctl = DEBUGCTL_BTF;
	f->v.guest_pending_dbg = PENDING_DBG_BS;
}

/* A state that is resumed has the DEBUGCTL that it had. */
M(pending_dbg_bs_btf_resumed)
{
	f->v.guest_interruptibility = INTR_STATE_MOV_SS;
	f->v.guest_rflags |= RFLAGS_TF;
	f->c.resumed = true;
	f->c.debugctl = DEBUGCTL_BTF;
	f->v.guest_pending_dbg = PENDING_DBG_BS;
}

M(pending_dbg_rtm) { f->v.guest_pending_dbg = PENDING_DBG_RTM | PENDING_DBG_ENABLED_BP; }

M(link_address) { f->v.link_pointer = LINK_PAGE | 8; f->link_revision = 0; }
M(link_wide) { f->v.link_pointer = TOO_WIDE; }
M(link_revision) { f->v.link_pointer = LINK_PAGE; f->link_revision ^= 1; }

M(link_shadow)
{
	f->v.link_pointer = LINK_PAGE;
	f->link_revision |= VMCS_SHADOW_BIT;
}

M(link_not_shadow)
{
	f->v.link_pointer = LINK_PAGE;
	f->v.proc2_ctls |= PROC2_SHADOW_VMCS;
}

M(link_current) { f->v.link_pointer = LINK_PAGE; f->c.vmcs = gpa1(LINK_PAGE); }

M(pdpte0) { become_pae(f); f->v.guest_pdpte0 = 3; }
M(pdpte1) { become_pae(f); f->v.guest_pdpte1 = 1 | BIT(5); }
M(pdpte2) { become_pae(f); f->v.guest_pdpte2 = 1 | TOO_WIDE; }
M(pdpte3) { become_pae(f); f->v.guest_pdpte3 = 1 | BIT_ULL(63); }

/* Without EPT12 they come from L1's memory, not from vmcs12. */
M(pdpte3_memory)
{
	become_pae(f);
	f->v.proc2_ctls &= ~PROC2_EPT;
	f->v.guest_pdpte0 = ~0ull;
	f->pdpt[3] = 1 | BIT(8);
}

#define SEG(seg, rule)		{ "guest_" #seg "_" #rule, m_##seg##_##rule }
#define SEG_FIRST(seg, rule)	{ "guest_" #seg "_" #rule, m_##seg##_##rule, FIRST }
#define SEG_DATA(rule)		SEG(ds, rule), SEG(es, rule), SEG(fs, rule), SEG(gs, rule)
#define SEG_SIX(rule)		SEG(cs, rule), SEG(ss, rule), SEG_DATA(rule)
#define SEG_EIGHT(rule)		SEG_SIX(rule), SEG(tr, rule), SEG(ldtr, rule)
#define G_CLEAR(seg)		{ "guest_" #seg "_g", m_##seg##_g_clear }

static const struct mutator mutators[] = {
	{ "guest_cr0", m_cr0 },
	{ "guest_cr0", m_cr0_high },
	{ "guest_cr0_pg", m_cr0_pg },
	{ "guest_cr4", m_cr4 },
	{ "guest_cr4", m_cr4_vmxe },
	{ "guest_cr4_cet", m_cr4_cet },
	{ "guest_debugctl", m_debugctl },
	{ "guest_ia32e_pg", m_ia32e_pg },
	{ "guest_ia32e_pae", m_ia32e_pae },
	{ "guest_pcide", m_pcide },
	{ "guest_cr3", m_cr3 },
	{ "guest_cr3", m_cr3_63 },
	{ "guest_dr7", m_dr7 },
	{ "guest_sysenter_esp", m_sysenter_esp },
	{ "guest_sysenter_eip", m_sysenter_eip },
	{ "guest_pat", m_pat },
	{ "guest_efer", m_efer },
	{ "guest_efer_lma", m_efer_lma },
	{ "guest_efer_lme", m_efer_lme },
	{ "guest_efer_lme", m_efer_lme_pae },

	SEG(tr, sel_ti),
	SEG(ldtr, sel_ti),
	SEG(ss, sel_rpl),
	SEG_SIX(base_v86),
	SEG(tr, base_canonical),
	SEG(fs, base_canonical),
	{ "guest_fs_base_canonical", m_fs_base_unusable },
	SEG(gs, base_canonical),
	SEG(ldtr, base_canonical),
	SEG(cs, base_32),
	SEG(ss, base_32),
	SEG(ds, base_32),
	SEG(es, base_32),
	SEG_SIX(limit_v86),
	SEG_SIX(ar_v86),
	SEG(cs, type),
	{ "guest_cs_type", m_cs_type_data },
	SEG(ss, type),
	SEG_DATA(type_data),
	{ "guest_ds_type_data", m_ds_type_exec_only },
	{ "guest_es_type_data", m_es_type_exec_only },
	{ "guest_fs_type_data", m_fs_type_exec_only },
	{ "guest_gs_type_data", m_gs_type_exec_only },
	SEG_SIX(s),
	SEG(cs, dpl_data),
	SEG(cs, dpl_nonconforming),
	SEG(cs, dpl_conforming),
	SEG(ss, dpl_rpl),
	SEG(ss, dpl_real),
	SEG_DATA(dpl_data),
	SEG_EIGHT(p),
	SEG_EIGHT(ar_11_8),
	SEG(cs, db),
	SEG_EIGHT(g),
	G_CLEAR(cs),
	G_CLEAR(ss),
	G_CLEAR(ds),
	G_CLEAR(es),
	G_CLEAR(fs),
	G_CLEAR(gs),
	G_CLEAR(tr),
	G_CLEAR(ldtr),
	SEG_EIGHT(ar_31_17),
	SEG(tr, type),
	{ "guest_tr_type", m_tr_type_16 },
	SEG(tr, s),
	SEG(tr, usable),
	SEG(ldtr, type),
	SEG(ldtr, s),

	{ "guest_gdtr_base", m_gdtr_base },
	{ "guest_idtr_base", m_idtr_base },
	{ "guest_gdtr_limit", m_gdtr_limit },
	{ "guest_idtr_limit", m_idtr_limit },

	{ "guest_rip_32", m_rip_32 },
	{ "guest_rip_32", m_rip_compat },
	{ "guest_rip_64", m_rip_64 },
	{ "guest_rip_64", m_rip_64_high },
	{ "guest_rflags_reserved", m_rflags_fixed },
	{ "guest_rflags_reserved", m_rflags_reserved },
	{ "guest_rflags_reserved", m_rflags_high },
	{ "guest_rflags_vm", m_rflags_vm },
	{ "guest_rflags_if", m_rflags_if },

	{ "activity", m_activity },
	{ "activity", m_activity_not_offered },
	{ "activity_hlt_cpl", m_activity_hlt_cpl },
	{ "activity_blocking", m_activity_blocking },
	{ "activity_event", m_activity_event_hlt },
	{ "activity_event", m_activity_event_hlt_soft },
	{ "activity_event", m_activity_event_shutdown },
	{ "activity_event", m_activity_event_sipi },
	{ "intr_reserved", m_intr_reserved },
	{ "intr_sti_mov_ss", m_intr_sti_mov_ss },
	{ "intr_sti_if", m_intr_sti_if },
	{ "intr_inject_ext", m_intr_inject_ext },
	{ "intr_inject_nmi_mov_ss", m_intr_inject_nmi_mov_ss },
	{ "intr_smi", m_intr_smi },
	{ "intr_inject_nmi_sti", m_intr_inject_nmi_sti },
	{ "intr_inject_nmi_blocked", m_intr_inject_nmi_blocked },
	{ "intr_enclave", m_intr_enclave },
	{ "pending_dbg_reserved", m_pending_dbg_reserved },
	{ "pending_dbg_reserved", m_pending_dbg_high },
	{ "pending_dbg_bs", m_pending_dbg_bs_wanted },
	{ "pending_dbg_bs", m_pending_dbg_bs_unwanted },
	{ "pending_dbg_bs", m_pending_dbg_bs_btf },
	{ "pending_dbg_bs", m_pending_dbg_bs_btf_kept },
	{ "pending_dbg_bs", m_pending_dbg_bs_btf_resumed },
	{ "pending_dbg_rtm", m_pending_dbg_rtm },
	/* An address that is not read has no revision either. */
	{ "link_address", m_link_address, FIRST },
	{ "link_address", m_link_wide, FIRST },
	{ "link_revision", m_link_revision },
	{ "link_shadow", m_link_shadow },
	{ "link_shadow", m_link_not_shadow },
	{ "link_current", m_link_current },

	{ "pdpte0", m_pdpte0 },
	{ "pdpte1", m_pdpte1 },
	{ "pdpte2", m_pdpte2 },
	{ "pdpte3", m_pdpte3 },
	{ "pdpte3", m_pdpte3_memory },
};

TEST(every_row_has_a_mutator)
{
	check_table(nested_guest_checks, nested_guest_check_count, mutators, ARRAY_SIZE(mutators),
		    ENTRY_EXIT_GUEST, 0);
}

TEST(legal_guests)
{
	static const struct {
		const char *name;
		void (*become)(struct fix *f);
	} rows[] = {
		{ "PAE", become_pae },
		{ "virtual-8086", become_v86 },
		{ "unrestricted", become_unrestricted },
		{ "real mode", become_real },
		{ "LDTR", use_ldtr },
	};
	struct fix f;

	FOR_EACH_ROW(r, rows) {
		CASE("%s", r->name);
		fix_init(&f);
		expect_legal(&f);
		r->become(&f);
		expect_legal(&f);
	}
}

TEST(legal_corners)
{
	struct fix f;

	/* Unusable registers are not judged. */
	fix_init(&f);
	f.v.guest_ss_ar = f.v.guest_ds_ar = f.v.guest_es_ar = SEG_AR_UNUSABLE;
	f.v.guest_fs_ar = f.v.guest_gs_ar = SEG_AR_UNUSABLE | 0xfffe0f00;
	f.v.guest_ds_base = ~0ull;
	expect_legal(&f);

	/* "Bits 63:N identical" is less than canonical. */
	fix_init(&f);
	f.v.guest_rip = NONCANONICAL;
	expect_legal(&f);

	/* NMI-blocking does not matter without virtual NMIs. */
	fix_init(&f);
	f.v.pin_ctls &= ~PIN_VIRTUAL_NMIS;
	inject(&f, INTR_TYPE_NMI, VEC_NMI);
	f.v.guest_interruptibility = INTR_STATE_NMI;
	expect_legal(&f);

	fix_init(&f);
	f.v.guest_activity = ACTIVITY_HLT;
	inject(&f, INTR_TYPE_HARD_EXC, VEC_DB);
	expect_legal(&f);
	inject(&f, INTR_TYPE_OTHER, 0);
	expect_legal(&f);
	inject(&f, INTR_TYPE_EXT, 0xff);
	expect_legal(&f);

	/* A single-step trap pending while halted. */
	fix_init(&f);
	f.v.guest_activity = ACTIVITY_HLT;
	f.v.guest_rflags |= RFLAGS_TF;
	f.v.guest_pending_dbg = PENDING_DBG_BS;
	expect_legal(&f);

	/* Debug registers that are not loaded. */
	fix_init(&f);
	f.v.entry_ctls &= ~ENTRY_LOAD_DEBUG;
	f.v.guest_dr7 = ~0ull;
	f.v.guest_debugctl = ~0ull;
	expect_legal(&f);

	/* LME without paging. */
	fix_init(&f);
	become_real(&f);
	f.v.guest_efer = IA32_EFER_LME;
	expect_legal(&f);

	/* A 16-bit busy TSS outside IA-32e mode; conforming code at CPL 3. */
	fix_init(&f);
	become_pae(&f);
	f.v.guest_tr_ar = 0x83;
	f.v.guest_cs_ar = 0xc09f;
	f.v.guest_cs_sel |= 3;
	f.v.guest_ss_sel |= 3;
	f.v.guest_ss_ar |= 3 << SEG_AR_DPL_SHIFT;
	expect_legal(&f);
}

TEST(link_pointer)
{
	struct fix f;

	fix_init(&f);
	f.v.link_pointer = LINK_PAGE;
	expect_legal(&f);
	f.v.proc2_ctls |= PROC2_SHADOW_VMCS;
	f.link_revision |= VMCS_SHADOW_BIT;
	expect_legal(&f);
}

/* What was checked is what the caller loads. */
TEST(pdptes_are_handed_out)
{
	struct fix f;

	fix_init(&f);
	become_pae(&f);
	f.v.guest_pdpte1 = 0x5001;
	f.pdpt[1] = 0x6001;
	expect_legal(&f);
	EXPECT_TRUE(nested_entry_uses_pdptes(&f.v));
	EXPECT_EQ(f.c.pdpte[1], 0x5001);
	f.v.proc2_ctls &= ~PROC2_EPT;
	expect_legal(&f);
	EXPECT_EQ(f.c.pdpte[1], 0x6001);
	/* Not present: its other bits are free. */
	f.pdpt[2] = ~1ull;
	expect_legal(&f);
	/* No memory at CR3: all ones, a present entry with reserved bits. */
	f.v.guest_cr3 = 0x40000;
	EXPECT_FALSE(nested_check_guest(&f.c, &(struct entry_result){ 0 }));

	fix_init(&f);
	EXPECT_FALSE(nested_entry_uses_pdptes(&f.v));
}
