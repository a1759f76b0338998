// SPDX-License-Identifier: GPL-2.0
/*
 * One broken VMCS at a time: which way the entry fails (SDM 3C "VM Entries").
 * args[0]: the engine is nestvm; the test program then sees which rule it names.
 */
#include "l1.h"
#include "apic.h"

static void l2_done(void)
{
	vmcall(0);
}

/* How an entry can go. */
#define CTL	VMERR_ENTRY_CONTROLS
#define HOST	VMERR_ENTRY_HOST_STATE
#define GUEST	0x100		/* exit 33, qualification in the row */

#define PORT_CHECKED	0xf6	/* the test program looks here after each row */

/* What a row does to the field. */
enum how { SET, CLEAR, WRITE, FORBIDDEN };	/* FORBIDDEN: a bit the MSRs do not allow */

struct row {
	const char *name;
	u32 field;
	enum how how;
	u64 value;
	u32 fails_as;
	u32 qualification;
	bool only_nestvm;	/* L0 KVM leaves it to the CPU and the emulated one does not look */
};

#define UNALIGNED 0x123456
#define NONCANON (1ull << 62)

static const struct row rows[] = {
	/* "Checks on VM-Execution Control Fields" */
	{ "pin_reserved_1", VMCS_PIN_CTLS, CLEAR, BIT(1), CTL, 0 },
	{ "pin_forbidden", VMCS_PIN_CTLS, FORBIDDEN, 0, CTL, 0 },
	{ "proc_reserved_1", VMCS_PROC_CTLS, CLEAR, BIT(1), CTL, 0 },
	{ "proc_forbidden", VMCS_PROC_CTLS, FORBIDDEN, 0, CTL, 0 },
	{ "proc2_forbidden", VMCS_PROC2_CTLS, FORBIDDEN, 0, CTL, 0 },
	{ "cr3_targets", VMCS_CR3_TARGET_COUNT, WRITE, 5, CTL, 0 },
	{ "virtual_nmis_without_nmi_exit", VMCS_PIN_CTLS, SET, PIN_VIRTUAL_NMIS, CTL, 0 },
	{ "nmi_window_without_virtual_nmis", VMCS_PROC_CTLS, SET, PROC_NMI_WINDOW, CTL, 0 },
	/* "Checks on VM-Exit Control Fields" */
	{ "exit_reserved_1", VMCS_EXIT_CTLS, CLEAR, BIT(0), CTL, 0 },
	{ "exit_forbidden", VMCS_EXIT_CTLS, FORBIDDEN, 0, CTL, 0 },
	{ "save_timer_without_timer", VMCS_EXIT_CTLS, SET, EXIT_SAVE_PREEMPT_TIMER, CTL, 0 },
	/* "Checks on VM-Entry Control Fields" */
	{ "entry_reserved_1", VMCS_ENTRY_CTLS, CLEAR, BIT(0), CTL, 0 },
	{ "entry_forbidden", VMCS_ENTRY_CTLS, FORBIDDEN, 0, CTL, 0 },
	{ "entry_smm", VMCS_ENTRY_CTLS, SET, ENTRY_SMM, CTL, 0 },
	{ "inject_type_1", VMCS_ENTRY_INTR_INFO, WRITE, BIT(31) | 1 << 8 | 32, CTL, 0 },
	{ "inject_nmi_vector", VMCS_ENTRY_INTR_INFO, WRITE, BIT(31) | INTR_TYPE_NMI | 3, CTL, 0 },
	{ "inject_exception_32", VMCS_ENTRY_INTR_INFO, WRITE, BIT(31) | INTR_TYPE_HARD_EXC | 32,
	  CTL, 0 },
	{ "inject_reserved", VMCS_ENTRY_INTR_INFO, WRITE, BIT(31) | BIT(12) | INTR_TYPE_HARD_EXC |
	  6,
	  CTL, 0 },
	{ "inject_gp_without_error_code", VMCS_ENTRY_INTR_INFO, WRITE,
	  BIT(31) | INTR_TYPE_HARD_EXC | VEC_GP, CTL, 0 },
	{ "inject_ud_with_error_code", VMCS_ENTRY_INTR_INFO, WRITE,
	  BIT(31) | INTR_INFO_ERROR_CODE | INTR_TYPE_HARD_EXC | VEC_UD, CTL, 0 },
	{ "entry_msr_load_unaligned", VMCS_ENTRY_MSR_LOAD_COUNT, WRITE, 1, CTL, UNALIGNED },
	/* "Checks on Host Control Registers, MSRs, and SSP" */
	{ "host_cr0_pe", VMCS_HOST_CR0, CLEAR, CR0_PE, HOST, 0 },
	{ "host_cr0_pg", VMCS_HOST_CR0, CLEAR, CR0_PG, HOST, 0 },
	{ "host_cr4_vmxe", VMCS_HOST_CR4, CLEAR, CR4_VMXE, HOST, 0 },
	{ "host_cr4_reserved", VMCS_HOST_CR4, SET, BIT_ULL(31), HOST, 0 },
	{ "host_cr4_pae", VMCS_HOST_CR4, CLEAR, CR4_PAE, HOST, 0 },
	{ "host_cr3_width", VMCS_HOST_CR3, SET, BIT_ULL(53), HOST, 0 },
	{ "host_sysenter_esp", VMCS_HOST_SYSENTER_ESP, WRITE, NONCANON, HOST, 0 },
	{ "host_sysenter_eip", VMCS_HOST_SYSENTER_EIP, WRITE, NONCANON, HOST, 0 },
	/* "Checks on Host Segment and Descriptor-Table Registers" */
	{ "host_cs_0", VMCS_HOST_CS_SEL, WRITE, 0, HOST, 0 },
	{ "host_cs_rpl", VMCS_HOST_CS_SEL, SET, 3, HOST, 0 },
	{ "host_ds_ti", VMCS_HOST_DS_SEL, SET, 4, HOST, 0 },
	{ "host_tr_0", VMCS_HOST_TR_SEL, WRITE, 0, HOST, 0 },
	{ "host_fs_base", VMCS_HOST_FS_BASE, WRITE, NONCANON, HOST, 0 },
	{ "host_gs_base", VMCS_HOST_GS_BASE, WRITE, NONCANON, HOST, 0 },
	{ "host_tr_base", VMCS_HOST_TR_BASE, WRITE, NONCANON, HOST, 0 },
	{ "host_gdtr_base", VMCS_HOST_GDTR_BASE, WRITE, NONCANON, HOST, 0 },
	{ "host_idtr_base", VMCS_HOST_IDTR_BASE, WRITE, NONCANON, HOST, 0 },
	/* "Checks Related to Address-Space Size" */
	{ "host_not_64", VMCS_EXIT_CTLS, CLEAR, EXIT_HOST_64, HOST, 0 },
	{ "host_rip", VMCS_HOST_RIP, WRITE, NONCANON, HOST, 0 },
	/* "Checks on Guest Control Registers, Debug Registers, and MSRs" */
	{ "guest_cr0_pg_without_pe", VMCS_GUEST_CR0, CLEAR, CR0_PE, GUEST, 0 },
	{ "guest_cr4_reserved", VMCS_GUEST_CR4, SET, BIT_ULL(31), GUEST, 0 },
	{ "guest_cr4_vmxe", VMCS_GUEST_CR4, CLEAR, CR4_VMXE, GUEST, 0 },
	{ "guest_cr4_pae", VMCS_GUEST_CR4, CLEAR, CR4_PAE, GUEST, 0 },
	{ "guest_cr3_width", VMCS_GUEST_CR3, SET, BIT_ULL(53), GUEST, 0 },
	{ "guest_sysenter_eip", VMCS_GUEST_SYSENTER_EIP, WRITE, NONCANON, GUEST, 0 },
	/* "Checks on Guest Segment Registers" */
	{ "guest_tr_ti", VMCS_GUEST_TR_SEL, SET, 4, GUEST, 0 },
	{ "guest_tr_unusable", VMCS_GUEST_TR_AR, SET, SEG_AR_UNUSABLE, GUEST, 0 },
	{ "guest_tr_type", VMCS_GUEST_TR_AR, WRITE, 0x89, GUEST, 0 },
	{ "guest_cs_type", VMCS_GUEST_CS_AR, WRITE, 0xa093, GUEST, 0 },
	{ "guest_cs_l_and_d", VMCS_GUEST_CS_AR, WRITE, 0xe09b, GUEST, 0 },
	{ "guest_ss_dpl", VMCS_GUEST_SS_AR, WRITE, 0xc0f3, GUEST, 0 },
	{ "guest_ds_type", VMCS_GUEST_DS_AR, WRITE, 0xc098, GUEST, 0 },
	{ "guest_ds_limit_granularity", VMCS_GUEST_DS_LIMIT, WRITE, 0xfffff000, GUEST, 0 },
	{ "guest_fs_base", VMCS_GUEST_FS_BASE, WRITE, NONCANON, GUEST, 0 },
	{ "guest_cs_base", VMCS_GUEST_CS_BASE, WRITE, BIT_ULL(32), GUEST, 0 },
	/* "Checks on Guest Descriptor-Table Registers" */
	{ "guest_gdtr_base", VMCS_GUEST_GDTR_BASE, WRITE, NONCANON, GUEST, 0 },
	{ "guest_idtr_limit", VMCS_GUEST_IDTR_LIMIT, WRITE, 0x10000, GUEST, 0 },
	/* "Checks on Guest RIP, RFLAGS, and SSP" */
	{ "guest_rip", VMCS_GUEST_RIP, WRITE, NONCANON, GUEST, 0, true },
	{ "guest_rflags_reserved_1", VMCS_GUEST_RFLAGS, CLEAR, RFLAGS_FIXED1, GUEST, 0 },
	{ "guest_rflags_reserved_0", VMCS_GUEST_RFLAGS, SET, BIT(3), GUEST, 0 },
	{ "guest_rflags_vm_in_long_mode", VMCS_GUEST_RFLAGS, SET, RFLAGS_VM, GUEST, 0 },
	/* "Checks on Guest Non-Register State" */
	{ "guest_activity", VMCS_GUEST_ACTIVITY, WRITE, 4, GUEST, 0 },
	{ "guest_interruptibility_reserved", VMCS_GUEST_INTERRUPTIBILITY, SET, BIT(5), GUEST, 0 },
	{ "guest_sti_without_if", VMCS_GUEST_INTERRUPTIBILITY, SET, INTR_STATE_STI, GUEST, 0 },
	{ "guest_pending_debug", VMCS_GUEST_PENDING_DBG, SET, BIT(4), GUEST, 0 },
	{ "link_pointer_unaligned", VMCS_LINK_POINTER, WRITE, UNALIGNED, GUEST, 4 },
};

static u64 broken(const struct row *row, u64 v)
{
	u32 allowed;

	switch (row->how) {
	case SET:
		return v | row->value;
	case CLEAR:
		return v & ~row->value;
	case FORBIDDEN:
		allowed = l1_ctl_cap(row->field) >> 32;
		return v | (u32)~allowed;
	default:
		return row->value;
	}
}

static void try_row(unsigned int nr)
{
	const struct row *row = &rows[nr];
	u64 before = vmr(row->field), reason;
	int ret;

	if (row->only_nestvm && !PARAMS->args[0])
		return;
	if (broken(row, before) == before)
		return;			/* all bits are allowed */
	vmw(VMCS_ENTRY_MSR_LOAD, row->fails_as == CTL ? row->qualification : 0);
	vmw(row->field, broken(row, before));
	ret = l1_enter();
	reason = ret == VMX_OK ? vmr(VMCS_EXIT_REASON) : 0;
	if (row->fails_as == GUEST)
		EXPECT(ret == VMX_OK &&
		       reason == (VMEXIT_INVALID_GUEST_STATE | VMEXIT_ENTRY_FAILURE) &&
		       vmr(VMCS_EXIT_QUALIFICATION) == row->qualification,
		       "%s: result %d, reason %llx, qualification %llx", row->name, ret, reason,
		       vmr(VMCS_EXIT_QUALIFICATION));
	else
		EXPECT(ret == VMX_ERROR && vmr(VMCS_INSN_ERROR) == row->fails_as,
		       "%s: result %d, error %llu, reason %llx, should be error %u", row->name, ret,
		       vmr(VMCS_INSN_ERROR), reason, row->fails_as);
	EXPECT(vmr(row->field) == broken(row, before), "%s: the field has changed", row->name);
	PARAMS->results[0] = (unsigned long)row->name;
	outl(PORT_CHECKED, row->fails_as);
	vmw(row->field, before);
}

/* The rows leave no trace: at the end the same VMCS, still clear, launches. */
GUEST_CASE(_each_rule, NEED_VMX)
{
	unsigned int i;

	l1_start(l2_done);
	for (i = 0; i < ARRAY_SIZE(rows); i++)
		try_row(i);
	EXPECT_L2_DONE();
}

GUEST_CASE(failed_guest_state_loads_host_state, NEED_VMX)
{
	l1_start(l2_done);
	vmw(VMCS_GUEST_RFLAGS, 0);
	vmw(VMCS_HOST_FS_BASE, 0x1234000);
	EXPECT_EQ(l1_run(), VMEXIT_INVALID_GUEST_STATE | VMEXIT_ENTRY_FAILURE, "the exit reason");
	EXPECT_EQ(rdmsr(IA32_FS_BASE), 0x1234000, "the base of FS");
	EXPECT_EQ(vmr(VMCS_GUEST_RFLAGS), 0, "RFLAGS of L2");
	l1_set_l2(l2_done);
	EXPECT_L2_DONE();
}

GUEST_CASE(msr_load_failure, NEED_VMX)
{
	static struct {
		u32 index, reserved;
		u64 value;
	} list[3] __aligned(16) = {
		{ IA32_KERNEL_GS_BASE, 0, 0x1000 }, { IA32_LSTAR, 0, NONCANON },
		{ IA32_CSTAR, 0, 0 },
	};

	l1_start(l2_done);
	vmw(VMCS_ENTRY_MSR_LOAD, pa(list));
	vmw(VMCS_ENTRY_MSR_LOAD_COUNT, 3);
	EXPECT_EQ(l1_run(), VMEXIT_MSR_LOAD_FAILURE | VMEXIT_ENTRY_FAILURE, "the exit reason");
	EXPECT_EQ(vmr(VMCS_EXIT_QUALIFICATION), 2, "the number of the entry, from 1");
	list[1].value = 0;
	list[1].reserved = 1;
	EXPECT_EQ(l1_run(), VMEXIT_MSR_LOAD_FAILURE | VMEXIT_ENTRY_FAILURE, "the exit reason");
	list[1].reserved = 0;
	list[2].index = IA32_X2APIC_FIRST + 0x30;
	EXPECT_EQ(l1_run(), VMEXIT_MSR_LOAD_FAILURE | VMEXIT_ENTRY_FAILURE, "the exit reason");
	EXPECT_EQ(vmr(VMCS_EXIT_QUALIFICATION), 3, "the number of the entry, from 1");
	vmw(VMCS_ENTRY_MSR_LOAD_COUNT, 2);
	EXPECT_L2_DONE();
}

/* Lists cannot reach the APIC by its MSRs. */
GUEST_CASE(msr_load_of_x2apic, NEED_VMX | NEED_IRQCHIP)
{
	static const struct {
		u32 index, reserved;
		u64 value;
	} tpr __aligned(16) = { IA32_X2APIC_FIRST + 8, 0, 0x10 };

	if (!cpu_has_x2apic())
		skip("CPUID shows no x2APIC");
	l1_start(l2_done);
	apic_x2apic();
	vmw(VMCS_ENTRY_MSR_LOAD, pa(&tpr));
	vmw(VMCS_ENTRY_MSR_LOAD_COUNT, 1);
	EXPECT_EQ(l1_run(), VMEXIT_MSR_LOAD_FAILURE | VMEXIT_ENTRY_FAILURE, "the exit reason");
	EXPECT_EQ(vmr(VMCS_EXIT_QUALIFICATION), 1, "the number of the entry, from 1");
	EXPECT_EQ(rdmsr(IA32_X2APIC_FIRST + 8), 0, "the TPR of L1");
}

/* Nothing before that a trap could follow. */
extern u8 l2_done_at_once[];
asm("l2_done_at_once: vmcall");

/* Without "load debug controls" L2 keeps L1's BTF, and with it no step is pending. */
GUEST_CASE(btf_of_l1, NEED_VMX)
{
	l1_start((void (*)(void))l2_done_at_once);
	if (vmr(VMCS_ENTRY_CTLS) & ENTRY_LOAD_DEBUG)
		skip("debug controls are always loaded");
	vmw(VMCS_GUEST_RFLAGS, RFLAGS_FIXED1 | RFLAGS_TF | RFLAGS_IF);
	vmw(VMCS_GUEST_INTERRUPTIBILITY, INTR_STATE_STI);
	vmw(VMCS_GUEST_PENDING_DBG, PENDING_DBG_BS);
	wrmsr(IA32_DEBUGCTL, DEBUGCTL_BTF);
	EXPECT_EQ(l1_run(), VMEXIT_INVALID_GUEST_STATE | VMEXIT_ENTRY_FAILURE, "the exit reason");
	vmw(VMCS_GUEST_PENDING_DBG, 0);
	wrmsr(IA32_DEBUGCTL, DEBUGCTL_BTF);
	EXPECT_L2_DONE();
	EXPECT_EQ(rdmsr(IA32_DEBUGCTL), 0, "DEBUGCTL after the exit");
}

GUEST_CASE(eptp, NEED_VMX)
{
	u64 good, cap = rdmsr(IA32_VMX_EPT_VPID_CAP);
	const u64 bad[] = { 0, 5, 1 << 7, 1ull << 52, cap & EPT_CAP_AD ? 1 << 7 : 1 << 6 };
	unsigned int i;

	l1_start(l2_done);
	l1_ept_on();
	good = l1_eptp();
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		u64 v = i == 0 ? good & ~0x38ull : i == 1 ? (good & ~7ull) | 5 : good | bad[i];

		vmw(VMCS_EPTP, v);
		EXPECT(l1_enter() == VMX_ERROR && vmr(VMCS_INSN_ERROR) == CTL, "EPTP %llx is taken",
		       v);
	}
	vmw(VMCS_EPTP, good);
	EXPECT_L2_DONE();
}

GUEST_CASE(dependent_controls, NEED_VMX)
{
	static const struct {
		const char *name;
		u32 bits;
	} needs[] = {
		{ "unrestricted guest without EPT", PROC2_UNRESTRICTED },
		{ "APIC-register virtualization without TPR shadow", PROC2_APIC_REGS },
		{ "virtual-interrupt delivery without TPR shadow", PROC2_VIRT_INTR },
		{ "x2APIC mode without TPR shadow", PROC2_X2APIC },
		{ "VPID of 0", PROC2_VPID },
		{ "PML without EPT", PROC2_PML },
	};
	unsigned int i;

	l1_start(l2_done);
	for (i = 0; i < ARRAY_SIZE(needs); i++) {
		u64 before = vmr(VMCS_PROC2_CTLS);

		if (!l1_ctl_allowed(VMCS_PROC2_CTLS, needs[i].bits))
			continue;
		vmw(VMCS_PROC2_CTLS, before | needs[i].bits);
		EXPECT(l1_enter() == VMX_ERROR && vmr(VMCS_INSN_ERROR) == CTL, "%s is taken",
		       needs[i].name);
		vmw(VMCS_PROC2_CTLS, before);
	}
	EXPECT_L2_DONE();
}
