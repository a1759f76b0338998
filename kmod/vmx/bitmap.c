// SPDX-License-Identifier: GPL-2.0
/* SDM 3C "MSR-Bitmap Address" and "I/O-Bitmap Addresses". Pure. */
#include "vmx/bitmap.h"

/*
 * The MSR bitmap's page, 1 KiB each:
 *
 *   000H  reads of  00000000H - 00001FFFH
 *   400H  reads of  C0000000H - C0001FFFH
 *   800H  writes of 00000000H - 00001FFFH
 *   C00H  writes of C0000000H - C0001FFFH
 */
#define MSR_RANGE_SIZE		0x2000u
#define MSR_HIGH_FIRST		0xc0000000u
#define MSR_BITMAP_HIGH		0x400u
#define MSR_BITMAP_WRITE	0x800u

bool msr_bitmap_pos(u32 msr, bool write, struct vmx_bit *pos)
{
	u32 base = write ? MSR_BITMAP_WRITE : 0;

	if (msr >= MSR_HIGH_FIRST) {
		msr -= MSR_HIGH_FIRST;
		base += MSR_BITMAP_HIGH;
	}
	if (msr >= MSR_RANGE_SIZE)
		return false;
	pos->byte = base + msr / 8;
	pos->mask = 1u << (msr % 8);
	return true;
}

bool msr_bitmap_test(const void *bitmap, u32 msr, bool write)
{
	struct vmx_bit pos;

	return !msr_bitmap_pos(msr, write, &pos) || (((const u8 *)bitmap)[pos.byte] & pos.mask);
}

void msr_bitmap_intercept(void *bitmap, u32 msr, u32 access)
{
	struct vmx_bit pos;
	u8 *p = bitmap;

	if ((access & MSR_READ) && msr_bitmap_pos(msr, false, &pos))
		p[pos.byte] |= pos.mask;
	if ((access & MSR_WRITE) && msr_bitmap_pos(msr, true, &pos))
		p[pos.byte] |= pos.mask;
}

void msr_bitmap_pass(void *bitmap, u32 msr, u32 access)
{
	struct vmx_bit pos;
	u8 *p = bitmap;

	if ((access & MSR_READ) && msr_bitmap_pos(msr, false, &pos))
		p[pos.byte] &= ~pos.mask;
	if ((access & MSR_WRITE) && msr_bitmap_pos(msr, true, &pos))
		p[pos.byte] &= ~pos.mask;
}

void msr_bitmap_intercept_all(void *bitmap)
{
	memset(bitmap, 0xff, VMX_BITMAP_SIZE);
}

void io_bitmap_pos(u16 port, bool *b_page, struct vmx_bit *pos)
{
	*b_page = port & 0x8000;
	pos->byte = (port & 0x7fff) / 8;
	pos->mask = 1u << (port % 8);
}

bool io_bitmap_test(const void *a, const void *b, u16 port, u32 size)
{
	struct vmx_bit pos;
	bool b_page;
	u32 i;

	/* "If an I/O operation 'wraps around' the 16-bit I/O-port space, ... causes a VM exit." */
	if ((u32)port + size > 0x10000)
		return true;
	for (i = 0; i < size; i++) {
		io_bitmap_pos(port + i, &b_page, &pos);
		if (((const u8 *)(b_page ? b : a))[pos.byte] & pos.mask)
			return true;
	}
	return false;
}

void io_bitmap_intercept(void *a, void *b, u16 port, u32 count)
{
	struct vmx_bit pos;
	bool b_page;
	u32 i;

	for (i = port; i < 0x10000 && i - port < count; i++) {
		io_bitmap_pos(i, &b_page, &pos);
		((u8 *)(b_page ? b : a))[pos.byte] |= pos.mask;
	}
}

void io_bitmap_pass(void *a, void *b, u16 port, u32 count)
{
	struct vmx_bit pos;
	bool b_page;
	u32 i;

	for (i = port; i < 0x10000 && i - port < count; i++) {
		io_bitmap_pos(i, &b_page, &pos);
		((u8 *)(b_page ? b : a))[pos.byte] &= ~pos.mask;
	}
}

/* The pages are page-aligned, so word-wise; @dst may be one of the sources. */
void vmx_bitmap_merge(void *dst, const void *x, const void *y)
{
	const unsigned long *px = x, *py = y;
	unsigned long *pd = dst;
	u32 i;

	for (i = 0; i < VMX_BITMAP_SIZE / sizeof(*pd); i++)
		pd[i] = px[i] | py[i];
}
