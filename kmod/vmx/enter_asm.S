/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The switch into the guest and back. Offsets are those of struct nv_regs (general
 * registers by their encoding), asserted in enter.c.
 */
#include <linux/linkage.h>
#include <asm/alternative.h>
#include <asm/asm.h>
#include <asm/cpufeatures.h>
#include <asm/nospec-branch.h>
#include <asm/segment.h>
#include <asm/unwind_hints.h>

#define GPR(n)		((n) * 8)
#define SPEC_CTRL	GPR(17)
#define SPEC_CTRL_HOST	GPR(18)
#define SPEC_CTRL_PASSED GPR(19)
#define HOST_RSP	0x6c14
#define IA32_SPEC_CTRL	0x48

/* Four taken branches each: more than the longest branch history there is holds (194). */
#define HISTORY_ROUNDS	64

/*
 * The kernel's own macros for VERW and the branch history use an operand and a function
 * that newer kernels keep for KVM's modules, so these are ours. When they are needed is
 * the kernel's decision, by its features.
 */
.macro CLEAR_BUFFERS
	ALTERNATIVE_2 "jmp .Lno_verw\@", "", X86_FEATURE_CLEAR_CPU_BUF, \
		      "", X86_FEATURE_CLEAR_CPU_BUF_VM
	/* With a memory operand: the other form clears nothing. It changes ZF alone. */
	verw	verw_selector(%rip)
.Lno_verw\@:
.endm

/* The fence: what follows is not speculated with fewer rounds. */
.macro OVERWRITE_BRANCH_HISTORY
	ALTERNATIVE "jmp .Lhistory_done\@", "", X86_FEATURE_CLEAR_BHB_LOOP_ON_VMEXIT
	mov	$HISTORY_ROUNDS, %ecx
.Lround\@:
	jmp	.Lfirst\@
	int3
.Lfirst\@:
	jmp	.Lsecond\@
	int3
.Lsecond\@:
	jmp	.Lthird\@
	int3
.Lthird\@:
	dec	%ecx
	jnz	.Lround\@
	lfence
.Lhistory_done\@:
.endm

/* The guest's IA32_SPEC_CTRL into the CPU: no return and no indirect branch from here on. */
.macro LOAD_GUEST_SPEC_CTRL
	ALTERNATIVE "jmp .Lguest_done\@", "", X86_FEATURE_MSR_SPEC_CTRL
	mov	SPEC_CTRL(%rdi), %eax
	cmp	SPEC_CTRL_HOST(%rdi), %eax
	je	.Lguest_done\@
	mov	$IA32_SPEC_CTRL, %ecx
	xor	%edx, %edx
	wrmsr
.Lguest_done\@:
.endm

/*
 * The host's again, struct nv_regs in %rdi. IBRS of the old kind (KERNEL_IBRS) has to be
 * written after every exit, even if it is set: only then does it hold for what the
 * guest trained.
 */
.macro LOAD_HOST_SPEC_CTRL
	ALTERNATIVE "jmp .Lhost_done\@", "", X86_FEATURE_MSR_SPEC_CTRL
	mov	$IA32_SPEC_CTRL, %ecx
	cmpb	$0, SPEC_CTRL_PASSED(%rdi)
	je	.Lguest_known\@
	rdmsr
	mov	%eax, SPEC_CTRL(%rdi)
.Lguest_known\@:
	mov	SPEC_CTRL_HOST(%rdi), %eax
	ALTERNATIVE "", "jmp .Lwrite\@", X86_FEATURE_KERNEL_IBRS
	cmp	SPEC_CTRL(%rdi), %eax
	je	.Lwritten\@
.Lwrite\@:
	xor	%edx, %edx
	wrmsr
.Lwritten\@:
	/* Not past a branch above that was predicted wrong. */
	lfence
.Lhost_done\@:
.endm

.section .rodata, "a"
.balign 2
SYM_DATA_LOCAL(verw_selector, .word __KERNEL_DS)

.section .noinstr.text, "ax"

/* int vmx_switch(struct nv_regs *regs, bool launched, unsigned long *host_rsp) */
SYM_FUNC_START(vmx_switch)
	push	%rbp
	push	%rbx
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	push	%rdi

	/* The stack is nearly always where it was: as L1, a VMWRITE may be an exit. */
	cmp	%rsp, (%rdx)
	je	5f
	mov	%rsp, (%rdx)
	mov	$HOST_RSP, %eax
	vmwrite	%rsp, %rax
5:

	LOAD_GUEST_SPEC_CTRL

	/* Through the loads and VERW below it keeps: CF = launched. */
	bt	$0, %esi

	mov	GPR(0)(%rdi), %rax
	mov	GPR(1)(%rdi), %rcx
	mov	GPR(2)(%rdi), %rdx
	mov	GPR(3)(%rdi), %rbx
	mov	GPR(5)(%rdi), %rbp
	mov	GPR(6)(%rdi), %rsi
	mov	GPR(8)(%rdi), %r8
	mov	GPR(9)(%rdi), %r9
	mov	GPR(10)(%rdi), %r10
	mov	GPR(11)(%rdi), %r11
	mov	GPR(12)(%rdi), %r12
	mov	GPR(13)(%rdi), %r13
	mov	GPR(14)(%rdi), %r14
	mov	GPR(15)(%rdi), %r15
	mov	GPR(7)(%rdi), %rdi

	CLEAR_BUFFERS
	/* A guest's exit goes on at vmx_exit_point: objtool is told that the stack is as here. */
	UNWIND_HINT_SAVE
	jnc	2f
1:	vmresume
	jmp	3f
2:	vmlaunch
	jmp	3f
	_ASM_EXTABLE(1b, 3f)
	_ASM_EXTABLE(2b, 3f)

	/* VMfail: the host's stack is as it was, the registers are the guest's. */
3:	mov	$1, %ebx
	jmp	4f

SYM_INNER_LABEL(vmx_exit_point, SYM_L_GLOBAL)
	UNWIND_HINT_RESTORE
	ANNOTATE_NOENDBR
	push	%rdi
	mov	8(%rsp), %rdi
	mov	%rax, GPR(0)(%rdi)
	mov	%rcx, GPR(1)(%rdi)
	mov	%rdx, GPR(2)(%rdi)
	mov	%rbx, GPR(3)(%rdi)
	mov	%rbp, GPR(5)(%rdi)
	mov	%rsi, GPR(6)(%rdi)
	popq	GPR(7)(%rdi)
	mov	%r8,  GPR(8)(%rdi)
	mov	%r9,  GPR(9)(%rdi)
	mov	%r10, GPR(10)(%rdi)
	mov	%r11, GPR(11)(%rdi)
	mov	%r12, GPR(12)(%rdi)
	mov	%r13, GPR(13)(%rdi)
	mov	%r14, GPR(14)(%rdi)
	mov	%r15, GPR(15)(%rdi)
	xor	%ebx, %ebx

	/*
	 * Nothing of the guest stays in a register, or speculation could use it;
	 * and no return is predicted from what the guest left behind.
	 */
4:	xor	%eax, %eax
	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%esi, %esi
	xor	%ebp, %ebp
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
	xor	%r12d, %r12d
	xor	%r13d, %r13d
	xor	%r14d, %r14d
	xor	%r15d, %r15d
	FILL_RETURN_BUFFER %rcx, RSB_CLEAR_LOOPS, X86_FEATURE_RSB_VMEXIT, \
			   X86_FEATURE_RSB_VMEXIT_LITE
	pop	%rdi
	LOAD_HOST_SPEC_CTRL
	OVERWRITE_BRANCH_HISTORY
	mov	%ebx, %eax
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	RET
SYM_FUNC_END(vmx_switch)
