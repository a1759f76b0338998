// SPDX-License-Identifier: GPL-2.0
#include "harness.h"
#include "nested/reflect.h"
#include "x86.h"

/* L1's memory: four pages with bitmaps. */
#define PAGE_MSR	0x1000ull
#define PAGE_IO_A	0x2000ull
#define PAGE_IO_B	0x3000ull
#define PAGE_VMREAD	0x4000ull

static u8 memory[0x5000];

static bool read_memory(struct l1_mem *mem, gpa1_t gpa, void *buf, u32 len)
{
	(void)mem;
	if (gpa.v + len > sizeof(memory))
		return false;
	memcpy(buf, memory + gpa.v, len);
	return true;
}

static struct l1_mem mem = { read_memory };
static struct vmcs12 v;
static u64 gpr[REG_COUNT];

static struct reflect_ctx fresh(u32 reason)
{
	memset(&v, 0, sizeof(v));
	memset(memory, 0, sizeof(memory));
	memset(gpr, 0, sizeof(gpr));
	v.proc_ctls = PROC_SECONDARY;
	return (struct reflect_ctx){
		.v = &v, .mem = &mem, .reason = reason, .gpr = gpr, .l2_64bit = true,
	};
}

/* Reasons that one control decides, and those that nothing does. */
TEST(by_control)
{
	enum { NONE, PIN, PROC, PROC2 };
	static const struct {
		u32 reason;
		int word;
		u32 bit;
		enum nested_owner without, with;
	} rows[] = {
		{ VMEXIT_EXTERNAL_INTERRUPT, PIN, PIN_EXT_INTR, OWNER_L0, OWNER_L0 },
		{ VMEXIT_TRIPLE_FAULT, NONE, 0, OWNER_L1, OWNER_L1 },
		{ VMEXIT_INIT, NONE, 0, OWNER_L0, OWNER_L0 },
		{ VMEXIT_SIPI, NONE, 0, OWNER_L0, OWNER_L0 },
		{ VMEXIT_IO_SMI, NONE, 0, OWNER_L0, OWNER_L0 },
		{ VMEXIT_OTHER_SMI, NONE, 0, OWNER_L0, OWNER_L0 },
		{ VMEXIT_INTR_WINDOW, PROC, PROC_INTR_WINDOW, OWNER_L0, OWNER_L1 },
		{ VMEXIT_NMI_WINDOW, PROC, PROC_NMI_WINDOW, OWNER_L0, OWNER_L1 },
		{ VMEXIT_TASK_SWITCH, NONE, 0, OWNER_L1, OWNER_L1 },
		{ VMEXIT_CPUID, NONE, 0, OWNER_L1, OWNER_L1 },
		{ VMEXIT_GETSEC, NONE, 0, OWNER_L1, OWNER_L1 },
		{ VMEXIT_HLT, PROC, PROC_HLT, OWNER_L0, OWNER_L1 },
		{ VMEXIT_INVD, NONE, 0, OWNER_L1, OWNER_L1 },
		{ VMEXIT_INVLPG, PROC, PROC_INVLPG, OWNER_L0, OWNER_L1 },
		{ VMEXIT_RDPMC, PROC, PROC_RDPMC, OWNER_L0, OWNER_L1 },
		{ VMEXIT_RDTSC, PROC, PROC_RDTSC, OWNER_L0, OWNER_L1 },
		{ VMEXIT_VMCALL, NONE, 0, OWNER_L1, OWNER_L1 },
		{ VMEXIT_VMCLEAR, NONE, 0, OWNER_L1, OWNER_L1 },
		{ VMEXIT_VMLAUNCH, NONE, 0, OWNER_L1, OWNER_L1 },
		{ VMEXIT_VMPTRLD, NONE, 0, OWNER_L1, OWNER_L1 },
		{ VMEXIT_VMPTRST, NONE, 0, OWNER_L1, OWNER_L1 },
		{ VMEXIT_VMREAD, NONE, 0, OWNER_L1, OWNER_L1 },
		{ VMEXIT_VMRESUME, NONE, 0, OWNER_L1, OWNER_L1 },
		{ VMEXIT_VMWRITE, NONE, 0, OWNER_L1, OWNER_L1 },
		{ VMEXIT_VMXOFF, NONE, 0, OWNER_L1, OWNER_L1 },
		{ VMEXIT_VMXON, NONE, 0, OWNER_L1, OWNER_L1 },
		{ VMEXIT_MOV_DR, PROC, PROC_MOV_DR, OWNER_L0, OWNER_L1 },
		{ VMEXIT_IO_INSTRUCTION, PROC, PROC_UNCOND_IO, OWNER_L0, OWNER_L1 },
		{ VMEXIT_RDMSR, NONE, 0, OWNER_L1, OWNER_L1 },
		{ VMEXIT_INVALID_GUEST_STATE, NONE, 0, OWNER_L0, OWNER_L0 },
		{ VMEXIT_MSR_LOAD_FAILURE, NONE, 0, OWNER_L0, OWNER_L0 },
		{ VMEXIT_MWAIT, PROC, PROC_MWAIT, OWNER_L0, OWNER_L1 },
		{ VMEXIT_MTF, PROC, PROC_MTF, OWNER_L0, OWNER_L1 },
		{ VMEXIT_MONITOR, PROC, PROC_MONITOR, OWNER_L0, OWNER_L1 },
		{ VMEXIT_PAUSE, PROC, PROC_PAUSE, OWNER_L0, OWNER_L1 },
		{ VMEXIT_PAUSE, PROC2, PROC2_PAUSE_LOOP, OWNER_L0, OWNER_L1 },
		{ VMEXIT_MCE_DURING_ENTRY, NONE, 0, OWNER_L0, OWNER_L0 },
		{ VMEXIT_TPR_BELOW_THRESHOLD, PROC, PROC_TPR_SHADOW, OWNER_L0, OWNER_L1 },
		{ VMEXIT_APIC_ACCESS, PROC2, PROC2_APIC_ACCESS, OWNER_L0, OWNER_L1 },
		{ VMEXIT_VIRTUALIZED_EOI, PROC2, PROC2_VIRT_INTR, OWNER_L0, OWNER_L1 },
		{ VMEXIT_GDTR_IDTR, PROC2, PROC2_DESC_TABLE, OWNER_L0, OWNER_L1 },
		{ VMEXIT_LDTR_TR, PROC2, PROC2_DESC_TABLE, OWNER_L0, OWNER_L1 },
		{ VMEXIT_EPT_VIOLATION, PROC2, PROC2_EPT, OWNER_EPT, OWNER_EPT },
		{ VMEXIT_EPT_MISCONFIG, PROC2, PROC2_EPT, OWNER_EPT, OWNER_EPT },
		{ VMEXIT_INVEPT, NONE, 0, OWNER_L1, OWNER_L1 },
		{ VMEXIT_RDTSCP, PROC2, PROC2_RDTSCP, OWNER_L0, OWNER_L0 },
		{ VMEXIT_PREEMPT_TIMER, PIN, PIN_PREEMPT_TIMER, OWNER_L0, OWNER_L1 },
		{ VMEXIT_INVVPID, NONE, 0, OWNER_L1, OWNER_L1 },
		{ VMEXIT_WBINVD, PROC2, PROC2_WBINVD, OWNER_L0, OWNER_L1 },
		{ VMEXIT_XSETBV, NONE, 0, OWNER_L1, OWNER_L1 },
		{ VMEXIT_APIC_WRITE, PROC2, PROC2_APIC_REGS, OWNER_L0, OWNER_L1 },
		{ VMEXIT_RDRAND, PROC2, PROC2_RDRAND, OWNER_L0, OWNER_L1 },
		{ VMEXIT_INVPCID, PROC2, PROC2_INVPCID, OWNER_L0, OWNER_L0 },
		{ VMEXIT_VMFUNC, PROC2, PROC2_VMFUNC, OWNER_L0, OWNER_L1 },
		{ VMEXIT_RDSEED, PROC2, PROC2_RDSEED, OWNER_L0, OWNER_L1 },
		{ VMEXIT_PML_FULL, PROC2, PROC2_PML, OWNER_L0, OWNER_L0 },
		{ VMEXIT_SPP, PROC2, PROC2_SPP, OWNER_L0, OWNER_L0 },
	};

	FOR_EACH_ROW(r, rows) {
		struct reflect_ctx c = fresh(r->reason);

		CASE("%s", nested_exit_name(r->reason));
		EXPECT_EQ(nested_exit_owner(&c), r->without);
		if (r->word == PIN)
			v.pin_ctls |= r->bit;
		else if (r->word == PROC)
			v.proc_ctls |= r->bit;
		else if (r->word == PROC2)
			v.proc2_ctls |= r->bit;
		EXPECT_EQ(nested_exit_owner(&c), r->with);
		/* A secondary control counts only if they are activated. */
		if (r->word == PROC2 && r->with != OWNER_EPT) {
			v.proc_ctls &= ~PROC_SECONDARY;
			EXPECT_EQ(nested_exit_owner(&c), r->without);
		}
	}
}

TEST(two_controls)
{
	struct reflect_ctx c = fresh(VMEXIT_RDTSCP);

	v.proc_ctls |= PROC_RDTSC;
	EXPECT_EQ(nested_exit_owner(&c), OWNER_L0);
	v.proc2_ctls |= PROC2_RDTSCP;
	EXPECT_EQ(nested_exit_owner(&c), OWNER_L1);

	c = fresh(VMEXIT_INVPCID);
	v.proc_ctls |= PROC_INVLPG;
	v.proc2_ctls |= PROC2_INVPCID;
	EXPECT_EQ(nested_exit_owner(&c), OWNER_L1);

	c = fresh(VMEXIT_TPAUSE);
	v.proc_ctls |= PROC_RDTSC;
	v.proc2_ctls |= PROC2_USER_WAIT;
	EXPECT_EQ(nested_exit_owner(&c), OWNER_L1);
}

TEST(unknown_reasons)
{
	struct reflect_ctx c = fresh(35);

	EXPECT_EQ(nested_exit_owner(&c), OWNER_L0);
	EXPECT_STREQ(nested_exit_name(35), "?");
	c.reason = VMEXIT_COUNT;
	EXPECT_EQ(nested_exit_owner(&c), OWNER_L0);
	c.reason = 0xffff;
	EXPECT_EQ(nested_exit_owner(&c), OWNER_L0);
	EXPECT_STREQ(nested_exit_name(0xffff), "?");
	c.reason = VMEXIT_CPUID | VMEXIT_ENTRY_FAILURE;
	EXPECT_EQ(nested_exit_owner(&c), OWNER_L0);
	EXPECT_STREQ(nested_exit_name(VMEXIT_CPUID), "CPUID");
}

TEST(exceptions)
{
	static const struct {
		const char *name;
		u32 bitmap, mask, match, info, error;
		enum nested_owner owner;
	} rows[] = {
		{ "#UD wanted", BIT(VEC_UD), 0, 0, INTR_TYPE_HARD_EXC | VEC_UD, 0, OWNER_L1 },
		{ "#UD not wanted", BIT(VEC_GP), 0, 0, INTR_TYPE_HARD_EXC | VEC_UD, 0, OWNER_L0 },
		{ "#BP is a software exception", BIT(VEC_BP), 0, 0, INTR_TYPE_SOFT_EXC | VEC_BP, 0,
		  OWNER_L1 },
		{ "NMI", ~0u, 0, 0, INTR_TYPE_NMI | VEC_NMI, 0, OWNER_L0 },
		{ "machine check", ~0u, 0, 0, INTR_TYPE_HARD_EXC | VEC_MC, 0, OWNER_L0 },
		{ "#PF, mask 0", BIT(VEC_PF), 0, 0, INTR_TYPE_HARD_EXC | VEC_PF, 2, OWNER_L1 },
		{ "#PF, bit clear", 0, 0, 0, INTR_TYPE_HARD_EXC | VEC_PF, 2, OWNER_L0 },
		{ "#PF, match, bit set", BIT(VEC_PF), 1, 1, INTR_TYPE_HARD_EXC | VEC_PF, 3, OWNER_L1 },
		{ "#PF, mismatch, bit set", BIT(VEC_PF), 1, 1, INTR_TYPE_HARD_EXC | VEC_PF, 2,
		  OWNER_L0 },
		{ "#PF, mismatch, bit clear", 0, 1, 1, INTR_TYPE_HARD_EXC | VEC_PF, 2, OWNER_L1 },
		{ "#PF, match, bit clear", 0, 1, 1, INTR_TYPE_HARD_EXC | VEC_PF, 1, OWNER_L0 },
		{ "#PF, cannot match", BIT(VEC_PF), 0, 1, INTR_TYPE_HARD_EXC | VEC_PF, 1, OWNER_L0 },
	};

	FOR_EACH_ROW(r, rows) {
		struct reflect_ctx c = fresh(VMEXIT_EXCEPTION_NMI);

		CASE("%s", r->name);
		v.exception_bitmap = r->bitmap;
		v.pf_ec_mask = r->mask;
		v.pf_ec_match = r->match;
		c.intr_info = INTR_INFO_VALID | r->info;
		c.intr_error = r->error;
		EXPECT_EQ(nested_exit_owner(&c), r->owner);
	}
}

#define TO(cr)		((u64)(cr) | (u64)REG_RBX << QUAL_CR_REG_SHIFT)
#define FROM(cr)	(TO(cr) | CR_TYPE_MOV_FROM << QUAL_CR_TYPE_SHIFT)
#define CLTS		((u64)CR_TYPE_CLTS << QUAL_CR_TYPE_SHIFT)
#define LMSW(x)		((u64)CR_TYPE_LMSW << QUAL_CR_TYPE_SHIFT | (u64)(x) << QUAL_CR_LMSW_SHIFT)

TEST(control_registers)
{
	static const struct {
		const char *name;
		u64 qual, value, mask, shadow;
		u32 proc;
		bool wants;
	} rows[] = {
		{ "CR0, owned bit changes", TO(0), CR0_PG, CR0_PG, 0, 0, true },
		{ "CR0, owned bit as shadowed", TO(0), CR0_PG, CR0_PG, CR0_PG, 0, false },
		{ "CR0, bit not owned", TO(0), CR0_TS, CR0_PG, 0, 0, false },
		{ "CR4, owned bit changes", TO(4), 0, CR4_VMXE, CR4_VMXE, 0, true },
		{ "CR4, bit not owned", TO(4), CR4_PGE, CR4_VMXE, 0, 0, false },
		{ "CR3 load, no exiting", TO(3), 0x1000, 0, 0, 0, false },
		{ "CR3 load, exiting", TO(3), 0x1000, 0, 0, PROC_CR3_LOAD, true },
		{ "CR3 store, no exiting", FROM(3), 0, 0, 0, PROC_CR3_LOAD, false },
		{ "CR3 store, exiting", FROM(3), 0, 0, 0, PROC_CR3_STORE, true },
		{ "CR8 load", TO(8), 5, 0, 0, PROC_CR8_LOAD, true },
		{ "CR8 load, no exiting", TO(8), 5, 0, 0, PROC_CR8_STORE, false },
		{ "CR8 store", FROM(8), 0, 0, 0, PROC_CR8_STORE, true },
		{ "CLTS, owned and shadowed set", CLTS, 0, CR0_TS, CR0_TS, 0, true },
		{ "CLTS, shadowed clear", CLTS, 0, CR0_TS, 0, 0, false },
		{ "CLTS, not owned", CLTS, 0, 0, CR0_TS, 0, false },
		{ "LMSW sets PE", LMSW(1), 0, CR0_PE, 0, 0, true },
		{ "LMSW sets PE again", LMSW(1), 0, CR0_PE, CR0_PE, 0, false },
		{ "LMSW cannot clear PE", LMSW(0), 0, CR0_PE, CR0_PE, 0, false },
		{ "LMSW clears TS", LMSW(0), 0, CR0_TS, CR0_TS, 0, true },
		{ "LMSW sets MP, not owned", LMSW(2), 0, CR0_TS, 0, 0, false },
		{ "LMSW has no bit 5", LMSW(CR0_NE), 0, CR0_NE, 0, 0, false },
	};

	FOR_EACH_ROW(r, rows) {
		struct reflect_ctx c = fresh(VMEXIT_CR_ACCESS);

		CASE("%s", r->name);
		v.proc_ctls |= r->proc;
		v.cr0_mask = v.cr4_mask = r->mask;
		v.cr0_shadow = v.cr4_shadow = r->shadow;
		gpr[REG_RBX] = r->value;
		c.qual = r->qual;
		EXPECT_EQ(nested_exit_owner(&c), r->wants ? OWNER_L1 : OWNER_L0);
	}
}

TEST(cr3_targets)
{
	struct reflect_ctx c = fresh(VMEXIT_CR_ACCESS);

	v.proc_ctls |= PROC_CR3_LOAD;
	v.cr3_target0 = 0x1000;
	v.cr3_target1 = 0x2000;
	v.cr3_target2 = 0x3000;
	v.cr3_target_count = 2;
	c.qual = TO(3);
	gpr[REG_RBX] = 0x2000;
	EXPECT_EQ(nested_exit_owner(&c), OWNER_L0);
	gpr[REG_RBX] = 0x3000;
	EXPECT_EQ(nested_exit_owner(&c), OWNER_L1);
	/* Outside 64-bit mode the operand has 32 bits. */
	gpr[REG_RBX] = 0x100002000ull;
	EXPECT_EQ(nested_exit_owner(&c), OWNER_L1);
	c.l2_64bit = false;
	EXPECT_EQ(nested_exit_owner(&c), OWNER_L0);
	/* A count beyond the fields reads no further. */
	v.cr3_target_count = ~0u;
	gpr[REG_RBX] = 0x9000;
	EXPECT_EQ(nested_exit_owner(&c), OWNER_L1);
}

TEST(io)
{
	struct reflect_ctx c = fresh(VMEXIT_IO_INSTRUCTION);

	c.qual = 0x3f8ull << QUAL_IO_PORT_SHIFT;
	v.proc_ctls |= PROC_IO_BITMAPS | PROC_UNCOND_IO;	/* the bitmaps win */
	v.io_bitmap_a = PAGE_IO_A;
	v.io_bitmap_b = PAGE_IO_B;
	EXPECT_EQ(nested_exit_owner(&c), OWNER_L0);
	memory[PAGE_IO_A + 0x3f8 / 8] = 1;
	EXPECT_EQ(nested_exit_owner(&c), OWNER_L1);
	c.qual = 0x3f7ull << QUAL_IO_PORT_SHIFT | 1;
	EXPECT_EQ(nested_exit_owner(&c), OWNER_L1);
	c.qual = 0x3f6ull << QUAL_IO_PORT_SHIFT | 1;
	EXPECT_EQ(nested_exit_owner(&c), OWNER_L0);
	c.qual = 0xffffull << QUAL_IO_PORT_SHIFT | 1;
	EXPECT_EQ(nested_exit_owner(&c), OWNER_L1);
	memory[PAGE_IO_B] = 1;
	c.qual = 0x7ffdull << QUAL_IO_PORT_SHIFT | 3;
	EXPECT_EQ(nested_exit_owner(&c), OWNER_L1);
	/* Where L1 has no memory the bitmap reads as ones. */
	v.io_bitmap_a = 0x100000;
	c.qual = 0;
	EXPECT_EQ(nested_exit_owner(&c), OWNER_L1);
}

TEST(msrs)
{
	struct reflect_ctx c = fresh(VMEXIT_WRMSR);

	gpr[REG_RCX] = 0xffffffff00000000ull | IA32_EFER;
	EXPECT_EQ(nested_exit_owner(&c), OWNER_L1);
	v.proc_ctls |= PROC_MSR_BITMAPS;
	v.msr_bitmap = PAGE_MSR;
	EXPECT_EQ(nested_exit_owner(&c), OWNER_L0);
	memory[PAGE_MSR + 0xc00 + 0x80 / 8] = 1;
	EXPECT_EQ(nested_exit_owner(&c), OWNER_L1);
	c.reason = VMEXIT_RDMSR;
	EXPECT_EQ(nested_exit_owner(&c), OWNER_L0);
	memory[PAGE_MSR + 0x400 + 0x80 / 8] = 1;
	EXPECT_EQ(nested_exit_owner(&c), OWNER_L1);
	gpr[REG_RCX] = 0x40000000;
	EXPECT_EQ(nested_exit_owner(&c), OWNER_L1);
}

TEST(vmread_with_shadowing)
{
	struct reflect_ctx c = fresh(VMEXIT_VMREAD);

	v.proc2_ctls |= PROC2_SHADOW_VMCS;
	v.vmread_bitmap = PAGE_VMREAD;
	c.insn_info = (u32)REG_RDX << 28;
	gpr[REG_RDX] = VMCS_GUEST_RIP;
	EXPECT_EQ(nested_exit_owner(&c), OWNER_L0);
	memory[PAGE_VMREAD + VMCS_GUEST_RIP / 8] = 1 << (VMCS_GUEST_RIP % 8);
	EXPECT_EQ(nested_exit_owner(&c), OWNER_L1);
	gpr[REG_RDX] = 0x8000;
	EXPECT_EQ(nested_exit_owner(&c), OWNER_L1);
	gpr[REG_RDX] = BIT_ULL(32);
	EXPECT_EQ(nested_exit_owner(&c), OWNER_L1);
	c.l2_64bit = false;
	EXPECT_EQ(nested_exit_owner(&c), OWNER_L0);
}

TEST(bitmaps_in_fields)
{
	struct reflect_ctx c = fresh(VMEXIT_XSAVES);

	v.proc2_ctls |= PROC2_XSAVES | PROC2_ENCLS;
	v.xss_exit_bitmap = BIT_ULL(8) | BIT_ULL(40);
	gpr[REG_RAX] = BIT_ULL(8);
	EXPECT_EQ(nested_exit_owner(&c), OWNER_L0);
	c.l2_xss = BIT_ULL(8);
	EXPECT_EQ(nested_exit_owner(&c), OWNER_L1);
	gpr[REG_RAX] = 0;
	gpr[REG_RDX] = BIT_ULL(8);
	c.l2_xss = BIT_ULL(40);
	EXPECT_EQ(nested_exit_owner(&c), OWNER_L1);

	c.reason = VMEXIT_ENCLS;
	v.encls_exit_bitmap = BIT_ULL(63) | BIT_ULL(2);
	gpr[REG_RAX] = 2;
	EXPECT_EQ(nested_exit_owner(&c), OWNER_L1);
	gpr[REG_RAX] = 3;
	EXPECT_EQ(nested_exit_owner(&c), OWNER_L0);
	gpr[REG_RAX] = 200;
	EXPECT_EQ(nested_exit_owner(&c), OWNER_L1);
}
