/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Master boot record: fetch the loader through the BIOS, collect the e820 map,
 * go to protected mode and call the loader.
 */
#include "boot.h"

	.code16
	.text
	.globl	_start
_start:
	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	$BOOT_STACK, %sp
	cld
	sti

	movw	$packet, %si
	movb	$0x42, %ah
	int	$0x13
	movb	$'D', %al
	jc	fail

	/* One entry of 20 bytes a call, until the BIOS says it was the last. */
	xorl	%ebx, %ebx
	xorl	%ebp, %ebp
	movw	$BOOT_E820_MAP, %di
1:	movl	$0xe820, %eax
	movl	$0x534d4150, %edx
	movl	$20, %ecx
	int	$0x15
	jc	2f
	incl	%ebp
	addw	$20, %di
	cmpl	$BOOT_E820_MAX, %ebp
	jae	2f
	testl	%ebx, %ebx
	jnz	1b
2:	movl	%ebp, BOOT_E820_COUNT
	testl	%ebp, %ebp
	movb	$'M', %al
	jz	fail

	cli
	inb	$0x92, %al
	orb	$2, %al
	andb	$0xfe, %al
	outb	%al, $0x92
	lgdt	gdt_ptr
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	ljmpl	$0x8, $protected

	/* AL names the step: D disk, M memory map. */
fail:	movw	$0x3f8, %dx
	outb	%al, %dx
3:	hlt
	jmp	3b

	.code32
protected:
	movw	$0x10, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	%ax, %fs
	movw	%ax, %gs
	movl	$BOOT_STACK, %esp
	movl	$BOOT_LOADER, %eax
	jmp	*%eax

	.balign	8
gdt:	.quad	0
	.quad	0x00cf9b000000ffff
	.quad	0x00cf93000000ffff
gdt_ptr:
	.word	gdt_ptr - gdt - 1
	.long	gdt

	.balign	4
packet:	.byte	16, 0
	.word	BOOT_LOADER_SECTORS
	.word	0, BOOT_LOADER >> 4
	.quad	1

	.org	510
	.word	0xaa55
