/* SPDX-License-Identifier: GPL-2.0 */
/* First instructions of a guest, its trap entries, and the way to CPL 3 and back. */

	.section .head, "ax"
	.globl	_start
_start:					/* struct guest_header */
	jmp	1f
	.org	_start + 12, 0x90
	.long	0x5453454e
	.quad	guest_cases
	.quad	guest_cases_end
1:	lea	boot_stack + 0x8000, %rsp
	xor	%ebp, %ebp
	call	guest_start
	hlt

	.text
	/*
	 * One entry a vector, 16 bytes apart. The CPU has pushed an error code or we
	 * push a zero, so that struct trap_frame has one layout.
	 */
	.balign	16
	.globl	trap_entries
trap_entries:
	vector = 0
	.rept	256
	.balign	16
	has_code = (vector == 8) || ((vector >= 10) && (vector <= 14))
	.if	has_code || (vector == 17) || (vector == 21)
	.else
	push	$0
	.endif
	push	$vector
	jmp	trap_common
	vector = vector + 1
	.endr

trap_common:
	push	%r15
	push	%r14
	push	%r13
	push	%r12
	push	%r11
	push	%r10
	push	%r9
	push	%r8
	push	%rdi
	push	%rsi
	push	%rbp
	push	%rbx
	push	%rdx
	push	%rcx
	push	%rax
	cld
	mov	%rsp, %rdi
	mov	%rsp, %rbp
	and	$~15, %rsp
	call	trap_handler
	mov	%rbp, %rsp
	pop	%rax
	pop	%rcx
	pop	%rdx
	pop	%rbx
	pop	%rbp
	pop	%rsi
	pop	%rdi
	pop	%r8
	pop	%r9
	pop	%r10
	pop	%r11
	pop	%r12
	pop	%r13
	pop	%r14
	pop	%r15
	add	$16, %rsp
	iretq

	/*
	 * void run_user(void (*fn)(void)): call fn at CPL 3. It comes back through
	 * vector 0x40, whose handler ends in user_return.
	 */
	.globl	run_user
run_user:
	push	%rbx
	push	%rbp
	push	%r12
	push	%r13
	push	%r14
	push	%r15
	pushfq
	mov	%rsp, user_saved_rsp
	mov	%rsp, tss_rsp0
	lea	user_stack + 0x4000, %rax
	movq	$user_end, -8(%rax)
	sub	$8, %rax
	push	$0x23			/* SS: user data */
	push	%rax
	push	$2			/* RFLAGS */
	push	$0x2b			/* CS: user code */
	push	%rdi
	iretq

user_end:				/* still at CPL 3 */
	int	$0x40

	.globl	user_return
user_return:
	mov	user_saved_rsp, %rsp
	mov	$0x10, %eax
	mov	%eax, %ss
	popfq
	pop	%r15
	pop	%r14
	pop	%r13
	pop	%r12
	pop	%rbp
	pop	%rbx
	ret

	/* Start-up code of another CPU, copied to GUEST_AP_START; see smp_start(). */
	.globl	ap_start, ap_start_end, ap_cr3, ap_entry
	.code16
ap_start:
	cli
	xor	%ax, %ax
	mov	%ax, %ds
	lgdtl	(0x8000 + ap_gdtr - ap_start)
	mov	$0x620, %eax		/* PAE OSFXSR OSXMMEXCPT */
	mov	%eax, %cr4
	mov	(0x8000 + ap_cr3 - ap_start), %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx
	rdmsr
	or	$0x900, %eax		/* LME NXE */
	wrmsr
	mov	$0x80010033, %eax
	mov	%eax, %cr0
	ljmpl	$0x08, $(0x8000 + 1f - ap_start)
	.code64
1:	mov	$0x10, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %ss
	lea	ap_stack + 0x4000, %rsp
	mov	(0x8000 + ap_entry - ap_start), %rax
	call	*%rax
	hlt
	.balign	8
ap_cr3:	.long	0
	.balign	8
ap_entry: .quad	0
ap_gdt:	.quad	0, 0x00af9b000000ffff, 0x00cf93000000ffff
ap_gdtr: .word	. - ap_gdt - 1
	.long	0x8000 + ap_gdt - ap_start
ap_start_end:

	.bss
	.balign	16
	.globl	boot_stack, user_stack, ap_stack, user_saved_rsp
boot_stack: .skip 0x8000
user_stack: .skip 0x4000
ap_stack: .skip 0x4000
user_saved_rsp: .skip 8
	.section .note.GNU-stack, "", @progbits
