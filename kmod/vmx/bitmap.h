/* SPDX-License-Identifier: GPL-2.0 */
/*
 * MSR bitmaps and I/O bitmaps of the VMCS (SDM 3C "MSR-Bitmap Address", "I/O-
 * Bitmap Addresses"): set, look up, merge. A set bit means "exit".
 */
#ifndef NESTVM_VMX_BITMAP_H
#define NESTVM_VMX_BITMAP_H

#include "pure.h"

#define VMX_BITMAP_SIZE		4096u

#define MSR_READ		BIT(0)
#define MSR_WRITE		BIT(1)
#define MSR_READ_WRITE		(MSR_READ | MSR_WRITE)

/* A bit's place: byte in the 4 KiB page (or in the 8 KiB of both I/O pages). */
struct vmx_bit {
	u32 byte;
	u8 mask;
};

/* False if the MSR is in neither range: such an access always exits. */
bool msr_bitmap_pos(u32 msr, bool write, struct vmx_bit *pos);

/* Does the access exit? True for an MSR outside the ranges. */
bool msr_bitmap_test(const void *bitmap, u32 msr, bool write);

/* @access: MSR_READ, MSR_WRITE or both. Outside the ranges nothing happens. */
void msr_bitmap_intercept(void *bitmap, u32 msr, u32 access);
void msr_bitmap_pass(void *bitmap, u32 msr, u32 access);
void msr_bitmap_intercept_all(void *bitmap);

/*
 * Does an access of @size (1, 2, 4) bytes at @port exit? An access that wraps
 * around port FFFFH always does.
 */
bool io_bitmap_test(const void *a, const void *b, u16 port, u32 size);
void io_bitmap_intercept(void *a, void *b, u16 port, u32 count);
void io_bitmap_pass(void *a, void *b, u16 port, u32 count);

/* The bit of a port: @b_page says which of the two pages. */
void io_bitmap_pos(u16 port, bool *b_page, struct vmx_bit *pos);

/* dst = x | y over one 4 KiB page: an access exits if either level wants it. */
void vmx_bitmap_merge(void *dst, const void *x, const void *y);

#endif
