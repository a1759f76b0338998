/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The switch into the guest and back. Offsets are those of struct nv_regs (general
 * registers by their encoding), asserted in enter.c.
 */
#include <linux/linkage.h>
#include <asm/asm.h>
#include <asm/nospec-branch.h>
#include <asm/unwind_hints.h>

#define GPR(n)		((n) * 8)
#define HOST_RSP	0x6c14

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

	/* Through the loads below the flags keep: ZF = not launched. */
	test	%sil, %sil

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

	/* A guest's exit goes on at vmx_exit_point: objtool is told that the stack is as here. */
	UNWIND_HINT_SAVE
	jz	2f
1:	vmresume
	jmp	3f
2:	vmlaunch
	jmp	3f
	_ASM_EXTABLE(1b, 3f)
	_ASM_EXTABLE(2b, 3f)

	/* VMfail: the host's stack is as it was, the registers are the guest's. */
3:	mov	$1, %eax
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
	xor	%eax, %eax

	/*
	 * Nothing of the guest stays in a register, or speculation could use it;
	 * and no return is predicted from what the guest left behind.
	 */
4:	xor	%ecx, %ecx
	xor	%edx, %edx
	xor	%esi, %esi
	xor	%edi, %edi
	xor	%r8d, %r8d
	xor	%r9d, %r9d
	xor	%r10d, %r10d
	xor	%r11d, %r11d
	FILL_RETURN_BUFFER %rcx, RSB_CLEAR_LOOPS, X86_FEATURE_RSB_VMEXIT, \
			   X86_FEATURE_RSB_VMEXIT_LITE
	pop	%rdi
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbx
	pop	%rbp
	RET
SYM_FUNC_END(vmx_switch)
