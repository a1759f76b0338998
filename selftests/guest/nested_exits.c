// SPDX-License-Identifier: GPL-2.0
/*
 * L2 does something, L1 has asked to see it or not: which exit comes, with what
 * in the VMCS, and what L2 finds when nobody asked.
 */
#include "l1.h"
#include "apic.h"

#define PORT	GUEST_PORT_NOTHING
#define HOLE	(GUEST_FREE + 0x200000ul)

static u64 qual(void)
{
	return vmr(VMCS_EXIT_QUALIFICATION);
}

/* ---- instructions that always exit --------------------------------------- */

static void l2_cpuid(void)
{
	struct cpuid_regs r = cpuid(7, 3);

	EXPECT(r.eax == 0x11 && r.ebx == 0x22 && r.ecx == 0x33 && r.edx == 0x44,
	       "CPUID in L2 gives %x %x %x %x", r.eax, r.ebx, r.ecx, r.edx);
	vmcall(0);
}

GUEST_CASE(cpuid_exits, NEED_VMX)
{
	l1_start(l2_cpuid);
	EXPECT_EXIT(VMEXIT_CPUID);
	EXPECT_EQ(l2.rax, 7, "EAX");
	EXPECT_EQ(l2.rcx, 3, "ECX");
	EXPECT_EQ(vmr(VMCS_EXIT_INSN_LEN), 2, "the length of CPUID");
	l2.rax = 0x11;
	l2.rbx = 0x22;
	l2.rcx = 0x33;
	l2.rdx = 0x44;
	l1_skip_insn();
	EXPECT_L2_DONE();
	EXPECT_EQ(vmr(VMCS_EXIT_INSN_LEN), 3, "the length of VMCALL");
}

static void l2_all_registers(void)
{
	asm volatile("mov $0x1, %%eax; mov $0x2, %%ebx; mov $0x3, %%ecx; mov $0x4, %%edx;"
		     "mov $0x5, %%esi; mov $0x6, %%edi; mov $0x8, %%r8d; mov $0x9, %%r9d;"
		     "mov $0x10, %%r10d; mov $0x11, %%r11d; mov $0x12, %%r12d; mov $0x13, %%r13d;"
		     "mov $0x14, %%r14d; mov $0x15, %%r15d; vmcall;"
		     "add %%r15, %%r14; mov %%r14, %%rax; vmcall"
		     : : : "rax", "rbx", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12",
		     "r13", "r14", "r15", "memory");
}

GUEST_CASE(registers_survive_both_ways, NEED_VMX)
{
	l1_start(l2_all_registers);
	EXPECT_EXIT(VMEXIT_VMCALL);
	EXPECT(l2.rax == 1 && l2.rbx == 2 && l2.rcx == 3 && l2.rdx == 4 && l2.rsi == 5 &&
	       l2.rdi == 6, "%llx %llx %llx %llx %llx %llx", l2.rax, l2.rbx, l2.rcx, l2.rdx, l2.rsi,
	       l2.rdi);
	EXPECT(l2.r8 == 8 && l2.r9 == 9 && l2.r10 == 0x10 && l2.r11 == 0x11 && l2.r12 == 0x12 &&
	       l2.r13 == 0x13 && l2.r14 == 0x14 && l2.r15 == 0x15, "r8..r15");
	l2.r14 = 0x1000;
	l2.r15 = 0x0234;
	l1_skip_insn();
	EXPECT_EXIT(VMEXIT_VMCALL);
	EXPECT_EQ(l2.rax, 0x1234, "the sum");
}

static void l2_vmx_insns(void)
{
	asm volatile("vmxoff; vmlaunch; vmresume" : : : "memory", "cc");
	asm volatile("vmread %0, %%rax; vmwrite %%rax, %0" : : "r"(0x681eull) : "rax", "cc");
	asm volatile("vmptrld (%0); vmclear (%0); vmptrst (%0); vmxon (%0)" : : "r"(HOLE) : "cc");
	asm volatile("invd; xor %%eax, %%eax; vmcall" : : : "rax", "memory", "cc");
}

GUEST_CASE(vmx_instructions_exit, NEED_VMX)
{
	static const u8 order[] = {
		VMEXIT_VMXOFF, VMEXIT_VMLAUNCH, VMEXIT_VMRESUME, VMEXIT_VMREAD, VMEXIT_VMWRITE,
		VMEXIT_VMPTRLD, VMEXIT_VMCLEAR, VMEXIT_VMPTRST, VMEXIT_VMXON, VMEXIT_INVD,
	};
	unsigned int i;

	l1_start(l2_vmx_insns);
	for (i = 0; i < ARRAY_SIZE(order); i++) {
		EXPECT_EXIT(order[i]);
		l1_skip_insn();
	}
	EXPECT_L2_DONE();
}

static void l2_xsetbv(void)
{
	asm volatile("xsetbv" : : "a"(1), "d"(0), "c"(0));
	vmcall(0);
}

GUEST_CASE(xsetbv_exits, NEED_VMX)
{
	if (!(cpuid(1, 0).ecx & BIT(26)))
		skip("CPUID shows no XSAVE");
	l1_start(l2_xsetbv);
	vmw(VMCS_GUEST_CR4, vmr(VMCS_GUEST_CR4) | CR4_OSXSAVE);
	EXPECT_EXIT(VMEXIT_XSETBV);
	l1_skip_insn();
	EXPECT_L2_DONE();
}

static void l2_triple_fault(void)
{
	struct descriptor_ptr none = { 0, 0 };

	asm volatile("lidt %0; ud2" : : "m"(none));
}

GUEST_CASE(triple_fault_exits, NEED_VMX)
{
	l1_start(l2_triple_fault);
	EXPECT_EXIT(VMEXIT_TRIPLE_FAULT);
	EXPECT_EQ(qual(), 0, "the qualification");
	vmw(VMCS_GUEST_IDTR_BASE, pa(idt));
	vmw(VMCS_GUEST_IDTR_LIMIT, 4095);
	l1_set_l2(l2_cpuid);
	EXPECT_EXIT(VMEXIT_CPUID);
}

/* ---- instructions with a control of their own ----------------------------- */

static void l2_one_hlt(void) { hlt(); vmcall(0); }
static void l2_one_invlpg(void) { invlpg((void *)0x123456); vmcall(0); }
static void l2_one_rdtsc(void) { rdtsc(); vmcall(0); }
static void l2_one_rdpmc(void) { asm volatile("rdpmc" : : "c"(0) : "rax", "rdx"); vmcall(0); }
static void l2_one_pause(void) { cpu_relax(); vmcall(0); }
static void l2_one_mwait(void) { asm volatile("mwait" : : "a"(0), "c"(0)); vmcall(0); }
static void l2_one_monitor(void) { asm volatile("monitor" : : "a"(0), "c"(0), "d"(0)); vmcall(0); }
static void l2_one_mov_dr(void) { write_dr6(DR6_FIXED1); vmcall(0); }
static void l2_one_cr3_load(void) { write_cr3(read_cr3()); vmcall(0); }
static void l2_one_cr3_store(void) { read_cr3(); vmcall(0); }
static void l2_one_wbinvd(void) { asm volatile("wbinvd"); vmcall(0); }
static void l2_one_sgdt(void) { asm volatile("sgdt (%0)" : : "r"(HOLE)); vmcall(0); }
static void l2_one_str(void) { asm volatile("str %%eax" : : : "rax"); vmcall(0); }
static void l2_one_rdtscp(void) { asm volatile("rdtscp" : : : "rax", "rcx", "rdx"); vmcall(0); }
static void l2_one_rdrand(void) { asm volatile("rdrand %%rax" : : : "rax", "cc"); vmcall(0); }
static void l2_one_rdseed(void) { asm volatile("rdseed %%rax" : : : "rax", "cc"); vmcall(0); }

static const struct {
	const char *name;
	u32 field, bit, reason;
	void (*l2)(void);
	bool exits_only;	/* without the control it is nothing L2 can do here */
} controls[] = {
	{ "HLT", VMCS_PROC_CTLS, PROC_HLT, VMEXIT_HLT, l2_one_hlt, true },
	{ "INVLPG", VMCS_PROC_CTLS, PROC_INVLPG, VMEXIT_INVLPG, l2_one_invlpg, false },
	{ "RDTSC", VMCS_PROC_CTLS, PROC_RDTSC, VMEXIT_RDTSC, l2_one_rdtsc, false },
	{ "RDPMC", VMCS_PROC_CTLS, PROC_RDPMC, VMEXIT_RDPMC, l2_one_rdpmc, true },
	{ "PAUSE", VMCS_PROC_CTLS, PROC_PAUSE, VMEXIT_PAUSE, l2_one_pause, false },
	{ "MWAIT", VMCS_PROC_CTLS, PROC_MWAIT, VMEXIT_MWAIT, l2_one_mwait, true },
	{ "MONITOR", VMCS_PROC_CTLS, PROC_MONITOR, VMEXIT_MONITOR, l2_one_monitor, true },
	{ "MOV DR", VMCS_PROC_CTLS, PROC_MOV_DR, VMEXIT_MOV_DR, l2_one_mov_dr, false },
	{ "MOV to CR3", VMCS_PROC_CTLS, PROC_CR3_LOAD, VMEXIT_CR_ACCESS, l2_one_cr3_load, false },
	{ "MOV from CR3", VMCS_PROC_CTLS, PROC_CR3_STORE, VMEXIT_CR_ACCESS, l2_one_cr3_store,
	  false },
	{ "WBINVD", VMCS_PROC2_CTLS, PROC2_WBINVD, VMEXIT_WBINVD, l2_one_wbinvd, false },
	{ "SGDT", VMCS_PROC2_CTLS, PROC2_DESC_TABLE, VMEXIT_GDTR_IDTR, l2_one_sgdt, false },
	{ "STR", VMCS_PROC2_CTLS, PROC2_DESC_TABLE, VMEXIT_LDTR_TR, l2_one_str, false },
	{ "RDTSCP", VMCS_PROC_CTLS, PROC_RDTSC, VMEXIT_RDTSCP, l2_one_rdtscp, true },
	{ "RDRAND", VMCS_PROC2_CTLS, PROC2_RDRAND, VMEXIT_RDRAND, l2_one_rdrand, true },
	{ "RDSEED", VMCS_PROC2_CTLS, PROC2_RDSEED, VMEXIT_RDSEED, l2_one_rdseed, true },
};

GUEST_CASE(controls_switch_exits, NEED_VMX)
{
	unsigned int i;

	l1_start(l2_one_pause);
	for (i = 0; i < ARRAY_SIZE(controls); i++) {
		u32 field = controls[i].field, got;
		u64 before = vmr(field);

		if (!l1_ctl_allowed(field, controls[i].bit)) {
			say("%s: its exit is not offered", controls[i].name);
			continue;
		}
		if (controls[i].reason == VMEXIT_RDTSCP &&
		    !l1_ctl_allowed(VMCS_PROC2_CTLS, PROC2_RDTSCP))
			continue;
		vmw(field, before | controls[i].bit);
		l1_set_l2(controls[i].l2);
		got = l1_run();
		EXPECT(got == controls[i].reason, "%s: exit reason %x, should be %x",
		       controls[i].name, got, controls[i].reason);
		l1_skip_insn();
		got = l1_run();
		if (got == controls[i].reason) {	/* the store of CR3 in front of its load */
			l1_skip_insn();
			got = l1_run();
		}
		EXPECT(got == VMEXIT_VMCALL, "%s: after it, exit reason %x", controls[i].name, got);
		vmw(field, before & ~(u64)controls[i].bit);
		if (!controls[i].exits_only && !((u32)l1_ctl_cap(field) & controls[i].bit)) {
			l1_set_l2(controls[i].l2);
			got = l1_run();
			EXPECT(got == VMEXIT_VMCALL, "%s: exit reason %x with its control off",
			       controls[i].name, got);
		}
		vmw(field, before);
	}
}

GUEST_CASE(invlpg_qualification, NEED_VMX)
{
	l1_start(l2_one_invlpg);
	l1_ctl_set(VMCS_PROC_CTLS, PROC_INVLPG, "INVLPG exiting");
	EXPECT_EXIT(VMEXIT_INVLPG);
	EXPECT_EQ(qual(), 0x123456, "the address");
}

static void l2_dr(void)
{
	asm volatile("mov %%rbx, %%dr3; mov %%dr6, %%rsi" : : "b"(0x77ull) : "rsi");
	vmcall(0);
}

GUEST_CASE(mov_dr_qualification, NEED_VMX)
{
	l1_start(l2_dr);
	l1_ctl_set(VMCS_PROC_CTLS, PROC_MOV_DR, "MOV-DR exiting");
	EXPECT_EXIT(VMEXIT_MOV_DR);
	EXPECT_EQ(qual(), 3 | REG_RBX << 8, "the qualification of MOV to DR3");
	l1_skip_insn();
	EXPECT_EXIT(VMEXIT_MOV_DR);
	EXPECT_EQ(qual(), 6 | QUAL_DR_FROM | REG_RSI << 8, "the qualification of MOV from DR6");
	l1_skip_insn();
	EXPECT_L2_DONE();
}

/* ---- I/O ------------------------------------------------------------------ */

static void l2_io(void)
{
	asm volatile("outb %%al, $0x80" : : "a"(0x42));
	asm volatile("inl %%dx, %%eax" : : "d"(0x5678) : "rax");
	vmcall(0);
}

GUEST_CASE(io_unconditional, NEED_VMX)
{
	l1_start(l2_io);
	l1_ctl_set(VMCS_PROC_CTLS, PROC_UNCOND_IO, "unconditional I/O exiting");
	EXPECT_EXIT(VMEXIT_IO_INSTRUCTION);
	EXPECT_EQ(qual(), QUAL_IO_IMMEDIATE | PORT << 16, "the qualification of OUT");
	EXPECT_EQ(l2.rax & 0xff, 0x42, "AL");
	l1_skip_insn();
	EXPECT_EXIT(VMEXIT_IO_INSTRUCTION);
	EXPECT_EQ(qual(), 3 | QUAL_IO_IN | 0x5678 << 16, "the qualification of IN");
	l1_skip_insn();
	EXPECT_L2_DONE();
}

static void l2_io_bitmap(void)
{
	outb(PORT, 1);
	outb(0x8080, 2);
	outl(0x80, 3);			/* reaches 0x83 */
	asm volatile("xor %%ecx, %%ecx; inc %%ecx; rep outsb" : : "S"(HOLE), "d"(0x81) : "rcx");
	vmcall(0);
}

GUEST_CASE(io_bitmaps, NEED_VMX)
{
	l1_start(l2_io_bitmap);
	l1_ctl_set(VMCS_PROC_CTLS, PROC_IO_BITMAPS, "I/O bitmaps");
	vmw(VMCS_IO_BITMAP_A, pa(l1_io_bitmaps[0]));
	vmw(VMCS_IO_BITMAP_B, pa(l1_io_bitmaps[1]));
	EXPECT_L2_DONE();

	l1_io_bitmaps[1][0x80 / 8] = 1;
	l1_set_l2(l2_io_bitmap);
	EXPECT_EXIT(VMEXIT_IO_INSTRUCTION);
	EXPECT_EQ(qual() >> 16, 0x8080, "the port");
	l1_skip_insn();
	EXPECT_L2_DONE();

	l1_io_bitmaps[1][0x80 / 8] = 0;
	l1_io_bitmaps[0][0x83 / 8] = 1 << (0x83 % 8);
	l1_set_l2(l2_io_bitmap);
	EXPECT_EXIT(VMEXIT_IO_INSTRUCTION);
	EXPECT_EQ(qual(), 3 | QUAL_IO_IMMEDIATE | 0x80 << 16, "the qualification");
	l1_skip_insn();
	EXPECT_L2_DONE();

	l1_io_bitmaps[0][0x81 / 8] = 1 << (0x81 % 8);
	l1_set_l2(l2_io_bitmap);
	EXPECT_EXIT(VMEXIT_IO_INSTRUCTION);
	EXPECT_EQ(qual() >> 16, 0x80, "the port");
	l1_skip_insn();
	EXPECT_EXIT(VMEXIT_IO_INSTRUCTION);
	EXPECT_EQ(qual(), QUAL_IO_STRING | QUAL_IO_REP | 0x81 << 16,
		  "the qualification of REP OUTS");
	EXPECT_EQ(vmr(VMCS_GUEST_LINEAR), HOLE, "the linear address");
	l1_skip_insn();
	EXPECT_L2_DONE();
}

/* ---- MSRs ------------------------------------------------------------------ */

static void l2_msr(void)
{
	wrmsr(IA32_SYSENTER_ESP, rdmsr(IA32_SYSENTER_ESP) + 1);
	wrmsr(IA32_KERNEL_GS_BASE, rdmsr(IA32_KERNEL_GS_BASE) + 1);
	vmcall(0);
}

GUEST_CASE(msr_bitmap, NEED_VMX)
{
	const u32 low = IA32_SYSENTER_ESP, high = IA32_KERNEL_GS_BASE & 0x1fff;

	wrmsr(IA32_KERNEL_GS_BASE, 0x1000);
	l1_start(l2_msr);
	l1_ctl_set(VMCS_PROC_CTLS, PROC_MSR_BITMAPS, "MSR bitmaps");
	EXPECT_L2_DONE();
	EXPECT_EQ(rdmsr(IA32_KERNEL_GS_BASE), 0x1001, "KERNEL_GS_BASE after L2 wrote it");
	EXPECT_EQ(vmr(VMCS_GUEST_SYSENTER_ESP), 1, "SYSENTER_ESP of L2");
	EXPECT_EQ(rdmsr(IA32_SYSENTER_ESP), 0, "SYSENTER_ESP of L1");

	l1_msr_bitmap[low / 8] |= 1 << (low % 8);
	l1_msr_bitmap[3072 + high / 8] |= 1 << (high % 8);
	l1_set_l2(l2_msr);
	EXPECT_EXIT(VMEXIT_RDMSR);
	EXPECT_EQ((u32)l2.rcx, IA32_SYSENTER_ESP, "ECX");
	EXPECT_EQ(vmr(VMCS_EXIT_INSN_LEN), 2, "the length");
	l2.rax = 0x100;
	l2.rdx = 0;
	l1_skip_insn();
	EXPECT_EXIT(VMEXIT_WRMSR);
	EXPECT_EQ((u32)l2.rcx, IA32_KERNEL_GS_BASE, "ECX");
	EXPECT_EQ((u32)l2.rax, 0x1002, "EAX");
	l1_skip_insn();
	EXPECT_L2_DONE();
	EXPECT_EQ(vmr(VMCS_GUEST_SYSENTER_ESP), 0x101, "SYSENTER_ESP of L2");
	EXPECT_EQ(rdmsr(IA32_KERNEL_GS_BASE), 0x1001, "KERNEL_GS_BASE after a write that exited");
}

static void l2_odd_msrs(void)
{
	EXPECT_EQ(CATCH("rdmsr", , "c"(0x12345), "rax", "rdx"), NO_TRAP,
		  "the vector, L1 answering");
	vmcall(0);
}

GUEST_CASE(msr_outside_the_bitmap, NEED_VMX)
{
	l1_start(l2_odd_msrs);
	l1_ctl_set(VMCS_PROC_CTLS, PROC_MSR_BITMAPS, "MSR bitmaps");
	EXPECT_EXIT(VMEXIT_RDMSR);
	EXPECT_EQ((u32)l2.rcx, 0x12345, "ECX");
	l1_skip_insn();
	EXPECT_L2_DONE();
}

GUEST_CASE(msr_without_bitmap, NEED_VMX)
{
	l1_start(l2_msr);
	l1_ctl_clear(VMCS_PROC_CTLS, PROC_MSR_BITMAPS);
	EXPECT_EXIT(VMEXIT_RDMSR);
	l1_skip_insn();
	EXPECT_EXIT(VMEXIT_WRMSR);
}

/* An MSR L0 does not have: #GP in L2, whatever the bitmap of L1 lets pass. */
static void l2_unknown_msr(void)
{
	EXPECT_EQ(CATCH("rdmsr", , "c"(0x1234), "rax", "rdx"), VEC_GP, "the vector");
	vmcall(0);
}

GUEST_CASE(unknown_msr_is_gp_in_l2, NEED_VMX)
{
	l1_start(l2_unknown_msr);
	l1_ctl_set(VMCS_PROC_CTLS, PROC_MSR_BITMAPS, "MSR bitmaps");
	EXPECT_L2_DONE();
}

/* ---- control registers ------------------------------------------------------ */

static void l2_cr0(void)
{
	u64 cr0 = read_cr0();

	vmcall(cr0);
	write_cr0(cr0 ^ CR0_TS);	/* masked, differs from the shadow */
	write_cr0(cr0 ^ CR0_MP);	/* not masked */
	asm volatile("clts");
	asm volatile("lmsw %w0" : : "r"((u16)0x9));
	vmcall(0);
}

GUEST_CASE(cr0_mask_and_shadow, NEED_VMX)
{
	u64 cr0;

	l1_start(l2_cr0);
	cr0 = vmr(VMCS_GUEST_CR0);
	vmw(VMCS_CR0_MASK, CR0_TS);
	vmw(VMCS_CR0_SHADOW, CR0_TS);
	EXPECT_EXIT(VMEXIT_VMCALL);
	EXPECT_EQ(l2.rax, cr0 | CR0_TS, "CR0 as L2 reads it");
	l1_skip_insn();
	EXPECT_EXIT(VMEXIT_CR_ACCESS);
	EXPECT_EQ(qual() & 0x3f, 0, "the qualification of MOV to CR0");
	l1_skip_insn();
	EXPECT_EXIT(VMEXIT_CR_ACCESS);
	EXPECT_EQ(qual() & 0x3f, CR_TYPE_CLTS << 4, "the qualification of CLTS");
	EXPECT_EQ(vmr(VMCS_GUEST_CR0), (cr0 ^ CR0_MP) & ~CR0_TS, "CR0 with MP changed, TS not");
	l1_skip_insn();
	vmw(VMCS_CR0_SHADOW, 0);
	EXPECT_EXIT(VMEXIT_CR_ACCESS);
	EXPECT_EQ(qual() & 0xffff003f, CR_TYPE_LMSW << 4 | 9u << 16, "the qualification of LMSW");
	l1_skip_insn();
	EXPECT_L2_DONE();
}

static void l2_cr4(void)
{
	u64 cr4 = read_cr4();

	write_cr4(cr4 | CR4_PGE);
	vmcall(cr4);
	write_cr4(cr4 | CR4_DE);
	vmcall(read_cr4());
}

GUEST_CASE(cr4_mask_and_shadow, NEED_VMX)
{
	u64 cr4;

	l1_start(l2_cr4);
	cr4 = vmr(VMCS_GUEST_CR4);
	vmw(VMCS_CR4_MASK, CR4_VMXE | CR4_PGE);
	vmw(VMCS_CR4_SHADOW, 0);
	EXPECT_EXIT(VMEXIT_CR_ACCESS);
	EXPECT_EQ(qual() & 0x3f, 4, "the qualification of MOV to CR4");
	l1_skip_insn();
	EXPECT_EXIT(VMEXIT_VMCALL);
	EXPECT_EQ(l2.rax, cr4 & ~CR4_VMXE, "CR4 as L2 reads it");
	l1_skip_insn();
	EXPECT_EXIT(VMEXIT_VMCALL);
	EXPECT_EQ(l2.rax, (cr4 & ~CR4_VMXE) | CR4_DE, "CR4 as L2 reads it");
	EXPECT_EQ(vmr(VMCS_GUEST_CR4), cr4 | CR4_DE, "CR4 of L2");
	EXPECT_EQ(read_cr4(), cr4, "CR4 of L1");
}

static void l2_cr3(void)
{
	asm volatile("mov %%cr3, %%rdi; mov %%rdi, %%cr3" : : : "rdi", "memory");
	vmcall(0);
}

GUEST_CASE(cr3_exits_and_targets, NEED_VMX)
{
	l1_start(l2_cr3);
	l1_ctl_set(VMCS_PROC_CTLS, PROC_CR3_LOAD | PROC_CR3_STORE, "CR3 exiting");
	EXPECT_EXIT(VMEXIT_CR_ACCESS);
	EXPECT_EQ(qual(), 3 | CR_TYPE_MOV_FROM << 4 | REG_RDI << 8,
		  "the qualification of MOV from CR3");
	l2.rdi = read_cr3();
	l1_skip_insn();
	EXPECT_EXIT(VMEXIT_CR_ACCESS);
	EXPECT_EQ(qual(), 3 | REG_RDI << 8, "the qualification of MOV to CR3");
	l1_skip_insn();
	EXPECT_L2_DONE();

	if ((rdmsr(IA32_VMX_MISC) & VMX_MISC_CR3_TARGETS) >> VMX_MISC_CR3_TARGETS_SHIFT < 2)
		return;
	vmw(VMCS_CR3_TARGET_COUNT, 2);
	vmw(VMCS_CR3_TARGET1, read_cr3());
	l1_ctl_clear(VMCS_PROC_CTLS, PROC_CR3_STORE);
	l1_set_l2(l2_cr3);
	EXPECT_L2_DONE();
}

static void l2_cr8(void)
{
	asm volatile("mov %0, %%cr8" : : "r"(6ull));
	vmcall(read_cr8());
	asm volatile("mov %0, %%cr8" : : "r"(3ull));
	vmcall(0);
}

GUEST_CASE(cr8_exits, NEED_VMX | NEED_IRQCHIP)
{
	l1_start(l2_cr8);
	l1_ctl_set(VMCS_PROC_CTLS, PROC_CR8_LOAD | PROC_CR8_STORE, "CR8 exiting");
	EXPECT_EXIT(VMEXIT_CR_ACCESS);
	EXPECT_EQ(qual() & 0x3f, 8, "the qualification of MOV to CR8");
	l1_skip_insn();
	EXPECT_EXIT(VMEXIT_CR_ACCESS);
	EXPECT_EQ(qual() & 0x3f, 8 | CR_TYPE_MOV_FROM << 4, "the qualification of MOV from CR8");
}

GUEST_CASE(tpr_shadow_and_threshold, NEED_VMX | NEED_IRQCHIP)
{
	u8 *page = (u8 *)HOLE;

	memset(page, 0, 4096);
	l1_start(l2_cr8);
	l1_ctl_set(VMCS_PROC_CTLS, PROC_TPR_SHADOW, "the TPR shadow");
	vmw(VMCS_PROC_CTLS, vmr(VMCS_PROC_CTLS) & ~(u64)(PROC_CR8_LOAD | PROC_CR8_STORE));
	vmw(VMCS_VIRTUAL_APIC, pa(page));
	page[APIC_TPR] = 0x70;
	vmw(VMCS_TPR_THRESHOLD, 5);
	EXPECT_EXIT(VMEXIT_VMCALL);
	EXPECT_EQ(l2.rax, 6, "CR8 as L2 reads it");
	EXPECT_EQ(page[APIC_TPR], 0x60, "the TPR in the virtual-APIC page");
	EXPECT_EQ(apic_read(APIC_TPR), 0, "the TPR of L1");
	l1_skip_insn();
	EXPECT_EXIT(VMEXIT_TPR_BELOW_THRESHOLD);
	EXPECT_EQ(page[APIC_TPR], 0x30, "the TPR in the virtual-APIC page");
	vmw(VMCS_TPR_THRESHOLD, 3);
	EXPECT_L2_DONE();
}

/* ---- time ------------------------------------------------------------------- */

static void l2_tsc(void)
{
	vmcall(rdtsc());
	vmcall(rdmsr(IA32_TSC));
}

GUEST_CASE(tsc_offset, NEED_VMX)
{
	const u64 offset = 1ull << 50;
	u64 before;

	l1_start(l2_tsc);
	l1_ctl_set(VMCS_PROC_CTLS, PROC_TSC_OFFSET, "TSC offsetting");
	vmw(VMCS_TSC_OFFSET, offset);
	before = rdtsc();
	EXPECT_EXIT(VMEXIT_VMCALL);
	EXPECT(l2.rax > before + offset && l2.rax < rdtsc() + offset,
	       "L2's RDTSC is %llx, L1's was %llx", l2.rax, before);
	l1_skip_insn();
	before = rdtsc();
	EXPECT_EXIT(VMEXIT_VMCALL);
	EXPECT(l2.rax > before + offset && l2.rax < rdtsc() + offset,
	       "L2's RDMSR of the TSC is %llx, L1's TSC was %llx", l2.rax, before);
}

/*
 * Interrupts are on: the emulator does not look for those of L0 while a guest
 * has them off, and L0 may make the timer from one of its own.
 */
static void l2_spin(void)
{
	sti();
	for (;;)
		cpu_relax();
}

GUEST_CASE(preemption_timer, NEED_VMX)
{
	u32 rate = rdmsr(IA32_VMX_MISC) & VMX_MISC_PREEMPT_RATE;
	u64 t0, t1;

	l1_start(l2_spin);
	l1_ctl_set(VMCS_PIN_CTLS, PIN_PREEMPT_TIMER, "the preemption timer");
	vmw(VMCS_GUEST_PREEMPT_TIMER, 1000000 >> rate);
	t0 = rdtsc();
	EXPECT_EXIT(VMEXIT_PREEMPT_TIMER);
	t1 = rdtsc();
	EXPECT(t1 - t0 >= 990000, "it came after %llu ticks", t1 - t0);
	vmw(VMCS_GUEST_PREEMPT_TIMER, 0);
	l1_set_l2(l2_spin);
	EXPECT_EXIT(VMEXIT_PREEMPT_TIMER);
	EXPECT_EQ(vmr(VMCS_GUEST_RIP), (unsigned long)l2_spin, "RIP with a timer of 0");

	l1_ctl_set(VMCS_EXIT_CTLS, EXIT_SAVE_PREEMPT_TIMER, "saving of the preemption timer");
	vmw(VMCS_GUEST_PREEMPT_TIMER, 0x7fffffff);
	l1_set_l2(l2_cpuid);
	EXPECT_EXIT(VMEXIT_CPUID);
	EXPECT(vmr(VMCS_GUEST_PREEMPT_TIMER) < 0x7fffffff &&
	       vmr(VMCS_GUEST_PREEMPT_TIMER) > 0x40000000,
	       "the saved timer is %llx", vmr(VMCS_GUEST_PREEMPT_TIMER));
}

static void l2_nops(void)
{
	asm volatile("nop; nop; nop");
	vmcall(0);
}

GUEST_CASE(monitor_trap_flag, NEED_VMX)
{
	int i;

	l1_start(l2_nops);
	l1_ctl_set(VMCS_PROC_CTLS, PROC_MTF, "the monitor trap flag");
	for (i = 1; i <= 3; i++) {
		EXPECT_EXIT(VMEXIT_MTF);
		EXPECT_EQ(vmr(VMCS_GUEST_RIP), (unsigned long)l2_nops + i, "RIP");
	}
}

/* ---- L1's state after an exit, MSR lists ------------------------------------- */

static void l2_spoil(void)
{
	struct descriptor_ptr none = { 0, 0 };

	write_dr7(DR7_FIXED1 | 1);
	asm volatile("mov %0, %%fs; mov %0, %%gs; mov %0, %%ds; mov %0, %%es" : : "r"(0));
	asm volatile("pushq $0x8d7; popfq; mov $0x1234, %%eax; lgdt %0; lidt %0; vmcall"
		     : : "m"(none) : "rax", "memory", "cc");
}

GUEST_CASE(host_state_is_loaded, NEED_VMX)
{
	struct descriptor_ptr gdtr, idtr;
	u16 ds, es, fs, gs, tr;
	u64 cr0 = read_cr0(), cr4 = read_cr4(), flags;

	l1_start(l2_spoil);
	vmw(VMCS_HOST_FS_BASE, 0x12340000);
	vmw(VMCS_HOST_GS_BASE, 0xffff800000000000);
	vmw(VMCS_HOST_SYSENTER_CS, 0x40);
	vmw(VMCS_HOST_SYSENTER_EIP, 0x5000);
	EXPECT_EXIT(VMEXIT_VMCALL);
	flags = read_rflags();
	EXPECT_EQ(flags & ~(RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF),
		  RFLAGS_FIXED1, "RFLAGS");
	EXPECT_EQ(read_cr0(), cr0, "CR0");
	EXPECT_EQ(read_cr4(), cr4 | CR4_VMXE, "CR4");
	EXPECT_EQ(read_dr7(), DR7_FIXED1, "DR7");
	asm volatile("mov %%ds, %0; mov %%es, %1; mov %%fs, %2; mov %%gs, %3; str %4"
		     : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs), "=r"(tr));
	EXPECT(ds == SEL_DATA && es == SEL_DATA && fs == SEL_DATA && gs == SEL_DATA &&
	       tr == SEL_TSS,
	       "selectors %x %x %x %x %x", ds, es, fs, gs, tr);
	EXPECT_EQ(rdmsr(IA32_FS_BASE), 0x12340000, "the base of FS");
	EXPECT_EQ(rdmsr(IA32_GS_BASE), 0xffff800000000000, "the base of GS");
	EXPECT_EQ(rdmsr(IA32_SYSENTER_CS), 0x40, "SYSENTER_CS");
	EXPECT_EQ(rdmsr(IA32_SYSENTER_EIP), 0x5000, "SYSENTER_EIP");
	asm volatile("sgdt %0; sidt %1" : "=m"(gdtr), "=m"(idtr));
	EXPECT(gdtr.base == pa(gdt) && gdtr.limit == 0xffff, "GDTR %llx %x", gdtr.base, gdtr.limit);
	EXPECT(idtr.base == pa(idt) && idtr.limit == 0xffff, "IDTR %llx %x", idtr.base, idtr.limit);

	EXPECT_EQ(vmr(VMCS_GUEST_RFLAGS) & 0x8d7, 0x8d7, "RFLAGS of L2");
	EXPECT_EQ(vmr(VMCS_GUEST_GDTR_LIMIT), 0, "GDTR's limit of L2");
	EXPECT_EQ(vmr(VMCS_GUEST_DS_SEL), 0, "DS of L2");
	EXPECT(vmr(VMCS_GUEST_DS_AR) & SEG_AR_UNUSABLE, "DS's rights of L2: %llx",
	       vmr(VMCS_GUEST_DS_AR));
	if (vmr(VMCS_EXIT_CTLS) & EXIT_SAVE_DEBUG)
		EXPECT_EQ(vmr(VMCS_GUEST_DR7), DR7_FIXED1 | 1, "DR7 of L2");
}

static void l2_efer(void)
{
	vmcall(rdmsr(IA32_EFER));
	wrmsr(IA32_EFER, rdmsr(IA32_EFER) | IA32_EFER_SCE);
	wrmsr(IA32_PAT, 0x0606060606060606);
	vmcall(0);
}

GUEST_CASE(efer_and_pat_are_switched, NEED_VMX)
{
	u64 efer = rdmsr(IA32_EFER), pat = rdmsr(IA32_PAT);

	l1_start(l2_efer);
	l1_ctl_set(VMCS_ENTRY_CTLS, ENTRY_LOAD_EFER | ENTRY_LOAD_PAT, "loading of EFER and PAT");
	l1_ctl_set(VMCS_EXIT_CTLS, EXIT_LOAD_EFER | EXIT_SAVE_EFER | EXIT_LOAD_PAT | EXIT_SAVE_PAT,
		   "saving of EFER and PAT");
	vmw(VMCS_GUEST_EFER, efer & ~IA32_EFER_NXE);
	vmw(VMCS_GUEST_PAT, pat);
	vmw(VMCS_HOST_EFER, efer);
	vmw(VMCS_HOST_PAT, pat);
	EXPECT_EXIT(VMEXIT_VMCALL);
	EXPECT_EQ(l2.rax, efer & ~IA32_EFER_NXE, "EFER of L2");
	EXPECT_EQ(rdmsr(IA32_EFER), efer, "EFER of L1");
	l1_skip_insn();
	EXPECT_L2_DONE();
	EXPECT_EQ(vmr(VMCS_GUEST_EFER), (efer & ~IA32_EFER_NXE) | IA32_EFER_SCE,
		  "EFER saved for L2");
	EXPECT_EQ(vmr(VMCS_GUEST_PAT), 0x0606060606060606, "PAT saved for L2");
	EXPECT_EQ(rdmsr(IA32_EFER), efer, "EFER of L1");
	EXPECT_EQ(rdmsr(IA32_PAT), pat, "PAT of L1");
}

struct msr_entry {
	u32 index, reserved;
	u64 value;
} __aligned(16);

static void l2_gs(void)
{
	vmcall(rdmsr(IA32_KERNEL_GS_BASE));
}

GUEST_CASE(msr_lists, NEED_VMX)
{
	static struct msr_entry load[2], store[2], host[1];

	l1_start(l2_gs);
	wrmsr(IA32_KERNEL_GS_BASE, 0x1000);
	load[0] = (struct msr_entry){ IA32_KERNEL_GS_BASE, 0, 0x2000 };
	load[1] = (struct msr_entry){ IA32_CSTAR, 0, 0x3000 };
	store[0] = (struct msr_entry){ IA32_KERNEL_GS_BASE, 0, 0 };
	store[1] = (struct msr_entry){ IA32_CSTAR, 0, 0 };
	host[0] = (struct msr_entry){ IA32_KERNEL_GS_BASE, 0, 0x4000 };
	vmw(VMCS_ENTRY_MSR_LOAD, pa(load));
	vmw(VMCS_ENTRY_MSR_LOAD_COUNT, 2);
	vmw(VMCS_EXIT_MSR_STORE, pa(store));
	vmw(VMCS_EXIT_MSR_STORE_COUNT, 2);
	vmw(VMCS_EXIT_MSR_LOAD, pa(host));
	vmw(VMCS_EXIT_MSR_LOAD_COUNT, 1);
	EXPECT_EXIT(VMEXIT_VMCALL);
	EXPECT_EQ(l2.rax, 0x2000, "KERNEL_GS_BASE of L2");
	EXPECT_EQ(store[0].value, 0x2000, "KERNEL_GS_BASE stored");
	EXPECT_EQ(store[1].value, 0x3000, "CSTAR stored");
	EXPECT_EQ(rdmsr(IA32_KERNEL_GS_BASE), 0x4000, "KERNEL_GS_BASE of L1");

	load[1].index = IA32_FS_BASE;		/* not allowed in this list */
	EXPECT_EQ(l1_run(), VMEXIT_MSR_LOAD_FAILURE | VMEXIT_ENTRY_FAILURE, "the exit reason");
	EXPECT_EQ(qual(), 2, "the number of the entry");
}
