// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions a hypervisor may intercept, and exceptions, as the manual has
 * them. A guest cannot tell that it is one.
 */
#include "apic.h"

#define HOLE	(GUEST_FREE + 0x200000ul)

#define EXPECT_TRAP(vector, what, ...) EXPECT_EQ(CATCH(__VA_ARGS__), vector, "the vector of " what)

static int try_rdmsr(u32 msr)
{
	return CATCH("rdmsr", , "c"(msr), "rax", "rdx");
}

static int try_wrmsr(u32 msr, u64 v)
{
	return CATCH("wrmsr", , ARGS("c"(msr), "a"((u32)v), "d"((u32)(v >> 32))));
}

static int try_cr0(u64 v)
{
	return CATCH("mov %0, %%cr0", , "r"(v));
}

static int try_cr4(u64 v)
{
	return CATCH("mov %0, %%cr4", , "r"(v));
}

static int try_xsetbv(u32 index, u64 v)
{
	return CATCH("xsetbv", , ARGS("c"(index), "a"((u32)v), "d"((u32)(v >> 32))));
}

GUEST_CASE(rdmsr_wrmsr_keep_values, 0)
{
	static const struct {
		u32 msr;
		u64 a, b;
	} rows[] = {
		{ IA32_PAT, 0x0606060606060606, IA32_PAT_RESET },
		{ IA32_SYSENTER_CS, 0x10, 0 },
		{ IA32_SYSENTER_ESP, 0x123456, 0 },
		{ IA32_SYSENTER_EIP, 0xffff800000001234, 0 },
		{ IA32_STAR, 0x0023001000000000, 0 },
		{ IA32_LSTAR, 0xffffffff81000000, 0x1000 },
		{ IA32_CSTAR, 0x2000, 0 },
		{ IA32_FMASK, 0x47700, 0 },
		{ IA32_FS_BASE, 0x7fff12345678, 0 },
		{ IA32_GS_BASE, 0xffff888000000000, 0 },
		{ IA32_KERNEL_GS_BASE, 0xffff888000000008, 0x77 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(rows); i++) {
		wrmsr(rows[i].msr, rows[i].a);
		EXPECT(rdmsr(rows[i].msr) == rows[i].a, "MSR %x is %llx", rows[i].msr,
		       rdmsr(rows[i].msr));
		wrmsr(rows[i].msr, rows[i].b);
		EXPECT(rdmsr(rows[i].msr) == rows[i].b, "MSR %x is %llx", rows[i].msr,
		       rdmsr(rows[i].msr));
	}
}

GUEST_CASE(rdmsr_wrmsr_refuse, 0)
{
	EXPECT_EQ(try_rdmsr(0x12345), VEC_GP, "the vector of RDMSR of no MSR");
	EXPECT_EQ(trap.error, 0, "the error code");
	EXPECT_EQ(try_wrmsr(0x12345, 0), VEC_GP, "the vector of WRMSR of no MSR");
	EXPECT_EQ(try_rdmsr(0xc0012345), VEC_GP, "the vector of RDMSR of no MSR");
	EXPECT_EQ(try_rdmsr(0xffffffff), VEC_GP, "the vector of RDMSR of no MSR");
	EXPECT_EQ(try_wrmsr(IA32_PAT, 0x0202020202020202), VEC_GP,
		  "the vector for a memory type of 2");
	EXPECT_EQ(try_wrmsr(IA32_LSTAR, 1ull << 62), VEC_GP,
		  "the vector for a non-canonical LSTAR");
	EXPECT_EQ(try_wrmsr(IA32_FS_BASE, 1ull << 62), VEC_GP,
		  "the vector for a non-canonical base");
	EXPECT_EQ(try_wrmsr(IA32_EFER, rdmsr(IA32_EFER) | BIT(1)), VEC_GP,
		  "the vector for EFER bit 1");
	EXPECT_EQ(try_wrmsr(IA32_EFER, rdmsr(IA32_EFER) & ~IA32_EFER_LME), VEC_GP,
		  "the vector for clearing EFER.LME with paging on");
}

GUEST_CASE(efer_nxe_and_sce, 0)
{
	u64 efer = rdmsr(IA32_EFER);

	EXPECT_EQ(efer, IA32_EFER_LME | IA32_EFER_LMA | IA32_EFER_NXE, "EFER");
	wrmsr(IA32_EFER, efer | IA32_EFER_SCE);
	EXPECT_EQ(rdmsr(IA32_EFER), efer | IA32_EFER_SCE, "EFER with SCE");
	wrmsr(IA32_EFER, efer & ~IA32_EFER_NXE);
	*page_entry(HOLE) |= PTE_NX;
	invlpg((void *)HOLE);
	EXPECT_TRAP(VEC_PF, "NX while it is reserved", "mov (%0), %%rax", , "r"(HOLE), "rax");
	EXPECT(trap.error & PFERR_RSVD, "error code %llx", trap.error);
	wrmsr(IA32_EFER, efer);
	EXPECT_TRAP(NO_TRAP, "NX once it is on", "mov (%0), %%rax", , "r"(HOLE), "rax");
}

GUEST_CASE(cr0, 0)
{
	u64 cr0 = read_cr0();
	u16 msw;

	EXPECT_EQ(cr0, CR0_PG | CR0_WP | CR0_NE | CR0_ET | CR0_MP | CR0_PE, "CR0");
	write_cr0(cr0 | CR0_TS);
	EXPECT_EQ(read_cr0(), cr0 | CR0_TS, "CR0 with TS");
	asm volatile("clts");
	EXPECT_EQ(read_cr0(), cr0, "CR0 after CLTS");
	asm volatile("lmsw %w0" : : "r"((u16)(cr0 | CR0_TS)));
	EXPECT_EQ(read_cr0(), cr0 | CR0_TS, "CR0 after LMSW");
	asm volatile("lmsw %w0" : : "r"((u16)0));
	EXPECT_EQ(read_cr0(), (cr0 & ~(CR0_MP | CR0_EM | CR0_TS)), "CR0 after LMSW of 0: PE stays");
	asm volatile("smsw %w0" : "=r"(msw));
	EXPECT_EQ(msw, (u16)read_cr0(), "what SMSW gives");
	write_cr0(cr0);
	EXPECT_EQ(try_cr0(cr0 & ~CR0_PE), VEC_GP, "the vector for PG without PE");
	EXPECT_EQ(try_cr0(cr0 | CR0_NW), VEC_GP, "the vector for NW without CD");
	EXPECT_EQ(try_cr0(cr0 | BIT_ULL(32)), VEC_GP, "the vector for bit 32");
	EXPECT_EQ(read_cr0(), cr0, "CR0 after refused writes");
	write_cr0(cr0 | CR0_CD);
	EXPECT_EQ(read_cr0(), cr0 | CR0_CD, "CR0 with CD");
	write_cr0(cr0);
}

GUEST_CASE(cr3_cr4, 0)
{
	u64 cr4 = read_cr4(), cr3 = read_cr3();

	write_cr4(cr4 | CR4_PGE | CR4_DE);
	EXPECT_EQ(read_cr4(), cr4 | CR4_PGE | CR4_DE, "CR4");
	write_cr4(cr4);
	EXPECT_EQ(try_cr4(cr4 & ~CR4_PAE), VEC_GP, "the vector for PAE off in 64-bit mode");
	EXPECT_EQ(try_cr4(cr4 | BIT_ULL(31)), VEC_GP, "the vector for CR4 bit 31");
	EXPECT_EQ(try_cr4(cr4 | BIT_ULL(63)), VEC_GP, "the vector for CR4 bit 63");
	EXPECT_EQ(read_cr4(), cr4, "CR4 after refused writes");
	write_cr3(cr3);
	EXPECT_EQ(read_cr3(), cr3, "CR3");
	EXPECT_TRAP(VEC_GP, "CR3 bit 63", "mov %0, %%cr3", , "r"(cr3 | BIT_ULL(62)));
}

GUEST_CASE(cr8, NEED_IRQCHIP)
{
	write_cr8(9);
	EXPECT_EQ(read_cr8(), 9, "CR8");
	EXPECT_EQ(apic_read(APIC_TPR), 0x90, "the TPR");
	apic_write(APIC_TPR, 0x35);
	EXPECT_EQ(read_cr8(), 3, "CR8");
	write_cr8(0);
	EXPECT_EQ(apic_read(APIC_TPR), 0, "the TPR");
	EXPECT_TRAP(VEC_GP, "CR8 above 15", "mov %0, %%cr8", , "r"(16ull));
}

GUEST_CASE(xsetbv, 0)
{
	u64 cr4 = read_cr4();
	u64 xcr0;

	if (!(cpuid(1, 0).ecx & BIT(26)))
		skip("CPUID shows no XSAVE");
	EXPECT_EQ(cpuid(1, 0).ecx & BIT(27), 0, "CPUID.OSXSAVE before CR4.OSXSAVE");
	EXPECT_EQ(try_xsetbv(0, 1), VEC_UD, "the vector of XSETBV without CR4.OSXSAVE");
	write_cr4(cr4 | CR4_OSXSAVE);
	EXPECT(cpuid(1, 0).ecx & BIT(27), "CPUID.OSXSAVE after CR4.OSXSAVE");
	xcr0 = cpuid(0xd, 0).eax & 7;
	EXPECT_EQ(try_xsetbv(0, xcr0), NO_TRAP, "the vector of XSETBV of what CPUID shows");
	asm volatile("xgetbv" : "=a"(xcr0) : "c"(0) : "rdx");
	EXPECT_EQ((u32)xcr0, cpuid(0xd, 0).eax & 7, "XCR0");
	EXPECT_EQ(try_xsetbv(0, 0), VEC_GP, "the vector for XCR0 without x87");
	EXPECT_EQ(try_xsetbv(0, 5), VEC_GP, "the vector for AVX without SSE");
	EXPECT_EQ(try_xsetbv(0, BIT_ULL(62) | 7), VEC_GP, "the vector for XCR0 bit 62");
	EXPECT_EQ(try_xsetbv(1, 1), VEC_GP, "the vector for XCR1");
	EXPECT_EQ(try_xsetbv(0, 1), NO_TRAP, "the vector for x87 alone");
	write_cr4(cr4);
}

GUEST_CASE(invlpg_shows_a_new_mapping, 0)
{
	volatile u64 *at = (u64 *)HOLE;
	u64 *pte = page_entry(HOLE);

	at[0] = 0x1111;
	*(volatile u64 *)(HOLE + 0x1000) = 0x2222;
	EXPECT_EQ(at[0], 0x1111, "the first page");
	*pte = (HOLE + 0x1000) | PTE_P | PTE_W;
	invlpg((void *)HOLE);
	EXPECT_EQ(at[0], 0x2222, "the second page");
	*pte = HOLE | PTE_P | PTE_W;
	write_cr3(read_cr3());
	EXPECT_EQ(at[0], 0x1111, "the first page again");
}

GUEST_CASE(tsc, 0)
{
	u64 a = rdtsc(), b, c;
	u32 aux;

	b = rdtsc();
	EXPECT(b > a, "TSC %llx then %llx", a, b);
	if (CATCH("wrmsr", , ARGS("c"(IA32_TSC), "a"(0), "d"(0x100))) == NO_TRAP) {
		c = rdtsc();
		EXPECT(c >> 32 == 0x100, "TSC after it was written: %llx", c);
	}
	if (cpuid(0x80000001, 0).edx & BIT(27)) {
		wrmsr(IA32_TSC_AUX, 0x77);
		asm volatile("rdtscp" : "=c"(aux) : : "rax", "rdx");
		EXPECT_EQ(aux, 0x77, "ECX after RDTSCP");
	}
	write_cr4(read_cr4() | CR4_TSD);
	EXPECT_EQ(CATCH("rdtsc", , , "rax", "rdx"), NO_TRAP,
		  "the vector of RDTSC at CPL 0 with TSD");
	write_cr4(read_cr4() & ~CR4_TSD);
}

GUEST_CASE(harmless_ones, 0)
{
	EXPECT_TRAP(NO_TRAP, "PAUSE", "pause", , );
	EXPECT_TRAP(NO_TRAP, "WBINVD", "wbinvd", , );
	EXPECT_TRAP(NO_TRAP, "SGDT", "sgdt (%0)", , "r"(HOLE));
	EXPECT_TRAP(NO_TRAP, "SIDT", "sidt (%0)", , "r"(HOLE));
	if (cpuid(1, 0).ecx & BIT(30))
		EXPECT_TRAP(NO_TRAP, "RDRAND", "rdrand %%rax", , , "rax");
	EXPECT_TRAP(VEC_UD, "VMXOFF or #UD", "rsm", , );
}

GUEST_CASE(exceptions, 0)
{
	EXPECT_TRAP(VEC_UD, "UD2", "ud2", , );
	EXPECT_TRAP(VEC_DE, "division by 0", "xor %%ecx, %%ecx; div %%ecx", , , "rax", "rcx",
		    "rdx");
	EXPECT_TRAP(VEC_GP, "a non-canonical address", "mov (%0), %%rax", , "r"(1ull << 62), "rax");
	EXPECT_EQ(trap.error, 0, "the error code");
	EXPECT_TRAP(VEC_GP, "a segment beyond the table", "mov %w0, %%fs", , "r"(0x200));
	EXPECT_EQ(trap.error, 0x200, "the error code");
	EXPECT_TRAP(VEC_SS, "a non-canonical address by RSP",
		    "mov %%rsp, %%rdx; leaq 772f(%%rip), %%r11; movq %%r11, trap_resume;"
		    "mov %0, %%rbp; mov (%%rbp), %%rax; 772: mov %%rdx, %%rsp", ,
		    "r"(1ull << 62), "rax", "rdx", "rbx");
	EXPECT_TRAP(VEC_BP, "INT3", "int3", , );
	EXPECT_TRAP(VEC_GP, "WRMSR of no MSR", "mov $0x12345, %%ecx; wrmsr", , ,
		    "rax", "rcx", "rdx");
}

GUEST_CASE(page_faults, 0)
{
	u64 *pte = page_entry(HOLE);

	*pte = 0;
	invlpg((void *)HOLE);
	EXPECT_TRAP(VEC_PF, "a read", "mov (%0), %%rax", , "r"(HOLE + 8), "rax");
	EXPECT_EQ(trap.error, 0, "the error code");
	EXPECT_EQ(trap.cr2, HOLE + 8, "CR2");
	EXPECT_TRAP(VEC_PF, "a write", "mov %%rax, (%0)", , "r"(HOLE), "rax");
	EXPECT_EQ(trap.error, PFERR_W, "the error code");
	*pte = HOLE | PTE_P;
	invlpg((void *)HOLE);
	EXPECT_TRAP(VEC_PF, "a write to a read-only page", "mov %%rax, (%0)", , "r"(HOLE));
	EXPECT_EQ(trap.error, PFERR_P | PFERR_W, "the error code");
	*pte = HOLE | PTE_P | PTE_W | PTE_NX;
	invlpg((void *)HOLE);
	EXPECT_TRAP(VEC_PF, "a jump to a no-execute page", "jmp *%0", , "r"(HOLE));
	EXPECT_EQ(trap.error, PFERR_P | PFERR_I, "the error code");
	EXPECT_EQ(trap.rip, HOLE, "RIP");
	*pte = HOLE | PTE_P | PTE_W | BIT_ULL(51);
	if ((cpuid(0x80000008, 0).eax & 0xff) <= 51) {
		invlpg((void *)HOLE);
		EXPECT_TRAP(VEC_PF, "a reserved bit", "mov (%0), %%rax", , "r"(HOLE), "rax");
		EXPECT_EQ(trap.error, PFERR_P | PFERR_RSVD, "the error code");
	}
	*pte = HOLE | PTE_P | PTE_W;
	invlpg((void *)HOLE);
	EXPECT_TRAP(NO_TRAP, "a write again", "mov %%rax, (%0)", , "r"(HOLE));
	EXPECT_EQ(*pte & (PTE_A | PTE_D), PTE_A | PTE_D, "accessed and dirty");
}

static volatile u64 steps, last_dr6;

static void on_debug(struct trap_frame *f)
{
	steps++;
	last_dr6 = read_dr6();
	write_dr6(DR6_FIXED1);
	if (steps == 3)
		f->rflags &= ~RFLAGS_TF;
	f->rflags |= RFLAGS_RF;
}

GUEST_CASE(single_step, 0)
{
	on_trap(VEC_DB, on_debug);
	write_dr6(DR6_FIXED1);
	asm volatile("pushfq; orq $0x100, (%%rsp); popfq; nop; nop; nop; nop" : : : "memory", "cc");
	EXPECT_EQ(steps, 3, "steps");
	EXPECT_EQ(last_dr6 & (DR6_BS | 15), DR6_BS, "DR6");

	/* Over instructions that exit: the trap comes right behind each. */
	steps = 1;
	asm volatile("xor %%ecx, %%ecx; pushfq; orq $0x100, (%%rsp); popfq; cpuid; mov %%cr0, %%rax; nop; nop"
		     : : : "rax", "rbx", "rcx", "rdx", "memory", "cc");
	EXPECT_EQ(steps, 3, "steps over CPUID");
}

static volatile u64 int1_rip;

static void on_int1(struct trap_frame *f)
{
	steps++;
	last_dr6 = read_dr6();
	int1_rip = f->rip;
	ASSERT(steps < 10, "INT1 is delivered for ever");
}

static void user_int1(void)
{
	asm volatile(".byte 0xf1; nop");
}

/* A trap that leaves DR6 alone and asks no gate for its DPL: of CPL 3 as well. */
GUEST_CASE(int1, 0)
{
	u64 behind;

	on_trap(VEC_DB, on_int1);
	write_dr6(DR6_FIXED1 | DR6_RTM | BIT(1));
	asm volatile("lea 1f(%%rip), %0; .byte 0xf1; 1: nop" : "=r"(behind) : : "memory");
	EXPECT_EQ(steps, 1, "times the handler ran");
	EXPECT_EQ(int1_rip, behind, "RIP in the frame");
	EXPECT_EQ(last_dr6 & (DR6_BS | DR6_BD | 15), BIT(1), "DR6");
	run_user(user_int1);
	EXPECT_EQ(steps, 2, "times the handler ran");
	EXPECT_EQ(last_dr6 & (DR6_BS | DR6_BD | 15), BIT(1), "DR6");
}

GUEST_CASE(breakpoint_registers, 0)
{
	static volatile u64 watched;

	on_trap(VEC_DB, on_debug);
	steps = 10;
	write_dr6(DR6_FIXED1);
	write_dr0((unsigned long)&watched);
	write_dr7(DR7_FIXED1 | 3 | 0xdul << 16);	/* DR0: writes, 4 bytes */
	watched = 1;
	EXPECT_EQ(steps, 11, "traps");
	EXPECT_EQ(last_dr6 & 15, 1, "DR6");
	EXPECT_EQ(read_dr0(), (unsigned long)&watched, "DR0");
	write_dr7(DR7_FIXED1);
	watched = 2;
	EXPECT_EQ(steps, 11, "traps with DR7 off");
	EXPECT_EQ(read_dr7(), DR7_FIXED1, "DR7");
	EXPECT_TRAP(VEC_GP, "DR7 with a high half", "mov %0, %%dr7", , "r"(BIT_ULL(32)));
	write_cr4(read_cr4() | CR4_DE);
	EXPECT_TRAP(VEC_UD, "DR4 with CR4.DE", ".byte 0x0f, 0x21, 0xe0", , , "rax");
}

GUEST_CASE(fpu_not_available, 0)
{
	write_cr0(read_cr0() | CR0_TS);
	EXPECT_TRAP(VEC_NM, "x87 with CR0.TS", "fninit", , );
	EXPECT_TRAP(VEC_NM, "SSE with CR0.TS", ".byte 0x0f, 0x57, 0xc0", , );
	asm volatile("clts");
	EXPECT_TRAP(NO_TRAP, "SSE", ".byte 0x0f, 0x57, 0xc0", , );
	write_cr0(read_cr0() | CR0_EM);
	EXPECT_TRAP(VEC_NM, "x87 with CR0.EM", "fninit", , );
	EXPECT_TRAP(VEC_UD, "SSE with CR0.EM", ".byte 0x0f, 0x57, 0xc0", , );
	write_cr0(read_cr0() & ~CR0_EM);
	write_cr4(read_cr4() & ~CR4_OSFXSR);
	EXPECT_TRAP(VEC_UD, "SSE without CR4.OSFXSR", ".byte 0x0f, 0x57, 0xc0", , );
}

static void user(void)
{
	EXPECT_TRAP(VEC_GP, "HLT at CPL 3", "hlt", , );
	EXPECT_TRAP(VEC_GP, "CLI at CPL 3 with IOPL 0", "cli", , );
	EXPECT_TRAP(VEC_GP, "MOV CR0 at CPL 3", "mov %%cr0, %%rax", , , "rax");
	EXPECT_TRAP(VEC_GP, "RDMSR at CPL 3", "rdmsr", , "c"(0x10), "rax", "rdx");
	EXPECT_TRAP(VEC_GP, "OUT at CPL 3 with IOPL 0", "outb %%al, $0x50", , );
	EXPECT_TRAP(VEC_GP, "INVLPG at CPL 3", "invlpg (%0)", , "r"(HOLE));
	EXPECT_TRAP(VEC_PF, "a page of the supervisor", "mov (%0), %%rax", , "r"(HOLE), "rax");
	EXPECT_EQ(trap.error, PFERR_P | PFERR_U, "the error code");
	EXPECT_TRAP(NO_TRAP, "CPUID at CPL 3", "cpuid", , "a"(0), "rbx", "rcx", "rdx");
}

GUEST_CASE(cpl_3, 0)
{
	*page_entry(HOLE) = HOLE | PTE_P | PTE_W;
	invlpg((void *)HOLE);
	run_user(user);
}
