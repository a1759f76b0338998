/* SPDX-License-Identifier: GPL-2.0 */
/*
 * int l1_switch(bool launched): enter L2 with the registers in `l2`, come back
 * with them saved there. 0 after an exit, 1 VMfailInvalid, 2 VMfailValid.
 */
#define HOST_RSP	0x6c14

	.macro	regs insn_load
	.if	\insn_load
	mov	l2 + 0x08, %rcx
	mov	l2 + 0x10, %rdx
	mov	l2 + 0x18, %rbx
	mov	l2 + 0x20, %rbp
	mov	l2 + 0x28, %rsi
	mov	l2 + 0x30, %rdi
	mov	l2 + 0x38, %r8
	mov	l2 + 0x40, %r9
	mov	l2 + 0x48, %r10
	mov	l2 + 0x50, %r11
	mov	l2 + 0x58, %r12
	mov	l2 + 0x60, %r13
	mov	l2 + 0x68, %r14
	mov	l2 + 0x70, %r15
	mov	l2 + 0x00, %rax
	.else
	mov	%rax, l2 + 0x00
	mov	%rcx, l2 + 0x08
	mov	%rdx, l2 + 0x10
	mov	%rbx, l2 + 0x18
	mov	%rbp, l2 + 0x20
	mov	%rsi, l2 + 0x28
	mov	%rdi, l2 + 0x30
	mov	%r8, l2 + 0x38
	mov	%r9, l2 + 0x40
	mov	%r10, l2 + 0x48
	mov	%r11, l2 + 0x50
	mov	%r12, l2 + 0x58
	mov	%r13, l2 + 0x60
	mov	%r14, l2 + 0x68
	mov	%r15, l2 + 0x70
	.endif
	.endm

	.text
	.globl	l1_switch, l1_exit
l1_switch:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	mov	$HOST_RSP, %eax
	vmwrite	%rsp, %rax
	test	%edi, %edi
	regs	1
	jnz	1f
	vmlaunch
	jmp	2f
1:	vmresume
2:	mov	$1, %eax		/* mov leaves the flags alone */
	jc	3f
	mov	$2, %eax
	jmp	3f
l1_exit:
	regs	0
	xor	%eax, %eax
3:	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret
	.section .note.GNU-stack, "", @progbits
