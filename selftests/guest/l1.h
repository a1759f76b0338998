/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A hypervisor of one virtual CPU: enough VT-x to enter an L2 and look at what
 * comes back. L2 is a C function of the same program, with L1's page tables,
 * GDT and IDT, and a stack of its own. An exception L2 takes by itself arrives
 * in the same handlers as one of L1.
 */
#ifndef SELFTESTS_L1_H
#define SELFTESTS_L1_H

#include "guest.h"
#include "vmx/vmx_defs.h"
#include "vmx/vmcs_fields.h"

/* What a VMX instruction can do (SDM 3C "Conventions"), or which vector it raised. */
#define VMX_OK		0
#define VMX_INVALID	1		/* VMfailInvalid */
#define VMX_ERROR	2		/* VMfailValid; the number is in the VMCS */
#define VMX_TRAP	0x100		/* + vector */

#define VMX(insn, outs, ...) ({							\
	int cf_, zf_;								\
	trap.vector = NO_TRAP;							\
	asm volatile("leaq 771f(%%rip), %%r11\n\t"				\
		     "movq %%r11, trap_resume\n\t"				\
		     insn "\n"							\
		     "771:\tmovq $0, trap_resume"				\
		     : outs "=@ccc"(cf_), "=@ccz"(zf_)				\
		     : __VA_ARGS__ : "r11", "memory");				\
	trap.vector != NO_TRAP ? VMX_TRAP + trap.vector :			\
	cf_ ? VMX_INVALID : zf_ ? VMX_ERROR : VMX_OK; })

static inline int vmxon(u64 pa) { return VMX("vmxon %[p]", , [p] "m"(pa)); }
static inline int vmxoff(void) { return VMX("vmxoff", , ); }
static inline int vmclear(u64 pa) { return VMX("vmclear %[p]", , [p] "m"(pa)); }
static inline int vmptrld(u64 pa) { return VMX("vmptrld %[p]", , [p] "m"(pa)); }
static inline int vmptrst(u64 *pa) { return VMX("vmptrst (%[p])", , [p] "r"(pa)); }
/* Flags are cleared first: who takes it for a hypercall leaves them as they are. */
static inline int vmcall_root(void)
{
	u64 rax = ~0ull;

	return VMX("or $1, %%r11; vmcall", ARGS("+a"(rax), ), );
}

static inline int vmlaunch_fails(void) { return VMX("vmlaunch", , ); }
static inline int vmresume_fails(void) { return VMX("vmresume", , ); }

static inline int vmread(u64 field, u64 *v)
{
	return VMX("vmread %[f], %[v]", ARGS([v] "+r"(*v), ), [f] "r"(field));
}

static inline int vmwrite(u64 field, u64 v)
{
	return VMX("vmwrite %[v], %[f]", , [f] "r"(field), [v] "r"(v));
}

struct inv_desc {
	u64 id, addr;
};

static inline int invept(u64 type, const struct inv_desc *d)
{
	return VMX("invept (%[d]), %[t]", , [d] "r"(d), [t] "r"(type));
}

static inline int invvpid(u64 type, const struct inv_desc *d)
{
	return VMX("invvpid (%[d]), %[t]", , [d] "r"(d), [t] "r"(type));
}

/* A VMCS or VMXON region; word 0 is the revision. */
struct vmx_region {
	u32 revision, abort;
	u8 data[4088];
} __aligned(4096);

extern struct vmx_region l1_vmxon_region, l1_vmcs, l1_vmcs2;

/* L2's registers, except RSP, RIP and RFLAGS, which are in the VMCS. */
struct l2_regs {
	u64 rax, rcx, rdx, rbx, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15;
};
extern struct l2_regs l2;

static inline u64 pa(const volatile void *p) { return (unsigned long)p; }

/* CR4.VMXE and IA32_FEATURE_CONTROL as VMXON asks for. Skips the case without VT-x. */
void l1_prepare(void);

/* l1_prepare() and VMXON; a fresh l1_vmcs made current, with an L2 that would run @fn. */
void l1_start(void (*fn)(void));

/* The current VMCS, filled from nothing. */
void l1_fill_vmcs(void (*fn)(void));

/* Where L2 goes on, on an empty stack. */
void l1_set_l2(void (*fn)(void));

/* VMREAD and VMWRITE that must succeed. */
u64 vmr(u32 field);
void vmw(u32 field, u64 v);

/* Capability MSR of a control field: low half must be 1, high half may be 1. */
u64 l1_ctl_cap(u32 field);
bool l1_ctl_allowed(u32 field, u32 bits);

/* Set bits of a control field, or skip the case because @what is not offered. */
void l1_ctl_set(u32 field, u32 bits, const char *what);
void l1_ctl_clear(u32 field, u32 bits);

/* VMLAUNCH or VMRESUME: VMX_OK after an exit, or how the entry failed. */
int l1_enter(void);

/* Enter and return the exit reason; a failed entry ends the case. */
u32 l1_run(void);

/* Enter and fail the case, saying where L2 is, unless it exits for @reason. */
void l1_expect_exit(int line, u32 reason);
#define EXPECT_EXIT(reason) l1_expect_exit(__LINE__, reason)

/* Step L2 over the instruction that exited. */
void l1_skip_insn(void);

/* Run until L2 says it is done by vmcall(0); every other exit fails the case. */
#define EXPECT_L2_DONE() do {							\
	EXPECT_EXIT(VMEXIT_VMCALL);						\
	EXPECT_EQ(l2.rax, 0, "what L2 says");					\
} while (0)

/* L1 takes all of L2's exits; @code arrives in l2.rax. */
static inline void vmcall(u64 code)
{
	asm volatile("vmcall" : : "a"(code) : "memory");
}

/* Pages for the tables of exits: L1 sets bits in them. */
extern u8 l1_io_bitmaps[2][4096], l1_msr_bitmap[4096];

/* EPT 1:1 over 4 GiB in 2-MiB pages, on. Skips where it is not offered. */
void l1_ept_on(void);
u64 l1_eptp(void);
u64 *l1_ept_pml4e(u64 gpa);
u64 *l1_ept_pdpte(u64 gpa);
u64 *l1_ept_2m(u64 gpa);
u64 *l1_ept_4k(u64 gpa);	/* splits; up to 4 times */
void l1_invept(void);

#define EPT_R	BIT_ULL(0)
#define EPT_W	BIT_ULL(1)
#define EPT_X	BIT_ULL(2)
#define EPT_RWX	7ull
#define EPT_WB	(6ull << 3)
#define EPT_PS	BIT_ULL(7)
#define EPT_A	BIT_ULL(8)
#define EPT_D	BIT_ULL(9)

#endif
