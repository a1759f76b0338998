/* SPDX-License-Identifier: GPL-2.0 */
/* A bare-metal guest's flat binary inside the test program: struct guest_blob, see guest_run.h */
#define CAT_(a, b)	a ## b
#define CAT(a, b)	CAT_(a, b)
#define STR_(a)		#a
#define STR(a)		STR_(a)

	.section .rodata
	.balign	16
image:	.incbin	BLOB_FILE
image_end:
name:	.asciz	STR(BLOB)
	.section .data.rel.ro, "aw"
	.balign	8
	.globl	CAT(guest_, BLOB)
CAT(guest_, BLOB):
	.quad	image, image_end - image, name
	.section .note.GNU-stack, "", @progbits
