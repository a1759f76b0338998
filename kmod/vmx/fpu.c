// SPDX-License-Identifier: GPL-2.0
/* The guest's floating-point and vector registers. */
#include "vmx/fpu.h"
#include <linux/kvm.h>
#include <linux/slab.h>
#include <asm/fpu/api.h>
#include <asm/fpu/xcr.h>
#include <asm/special_insns.h>
#include "vcpu.h"

/* Layout of the FXSAVE area and the XSAVE header (SDM 1 "XSAVE Area"). */
#define FX_CWD		0
#define FX_SWD		2
#define FX_TWD		4
#define FX_OPCODE	6
#define FX_IP		8
#define FX_DP		16
#define FX_MXCSR	24
#define FX_MXCSR_MASK	28
#define FX_ST		32
#define FX_XMM		160
#define FX_SIZE		512
#define XSTATE_BV	512
#define XCOMP_BV	520
#define XSAVE_HEADER	64
#define MXCSR_RESET	0x1f80

static u64 xcr0_supported;	/* 0: no XSAVE on this CPU */
static u64 xcr0_host;
static size_t area_size;
static u32 mxcsr_mask;

struct fpu_area {
	void *raw;		/* as allocated */
	u8 *image;		/* 64-byte aligned */
};

int vmx_fpu_init(void)
{
	u8 *probe;

	area_size = FX_SIZE + XSAVE_HEADER;
	if (boot_cpu_has(X86_FEATURE_XSAVE)) {
		xcr0_host = xgetbv(0);
		xcr0_supported = xcr0_host & (XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512);
		/* The size for all that is enabled in XCR0 now, which is no less. */
		area_size = max_t(size_t, area_size, cpuid_ebx(0xd));
	}
	probe = kzalloc(FX_SIZE + 64, GFP_KERNEL);
	if (!probe)
		return -ENOMEM;
	kernel_fpu_begin();
	asm volatile("fxsave64 (%0)" : : "r" (PTR_ALIGN(probe, 64)) : "memory");
	kernel_fpu_end();
	mxcsr_mask = *(u32 *)(PTR_ALIGN(probe, 64) + FX_MXCSR_MASK) ?: 0xffbf;
	kfree(probe);
	return 0;
}

u64 vmx_fpu_xcr0_supported(void)
{
	return xcr0_supported;
}

int vmx_fpu_create(struct nv_vcpu *vcpu)
{
	struct fpu_area *area = kzalloc(sizeof(*area), GFP_KERNEL_ACCOUNT);

	if (!area)
		return -ENOMEM;
	area->raw = kvzalloc(area_size + 64, GFP_KERNEL_ACCOUNT);
	if (!area->raw) {
		kfree(area);
		return -ENOMEM;
	}
	area->image = PTR_ALIGN((u8 *)area->raw, 64);
	vcpu->fpu = area;
	vmx_fpu_reset(vcpu);
	return 0;
}

void vmx_fpu_destroy(struct nv_vcpu *vcpu)
{
	if (!vcpu->fpu)
		return;
	kvfree(vcpu->fpu->raw);
	kfree(vcpu->fpu);
	vcpu->fpu = NULL;
}

void vmx_fpu_reset(struct nv_vcpu *vcpu)
{
	u8 *image = vcpu->fpu->image;

	memset(image, 0, area_size);
	/* SDM 3A "IA-32 and Intel 64 Processor States Following Power-up": FCW 40H. */
	*(u16 *)(image + FX_CWD) = 0x40;
	*(u32 *)(image + FX_MXCSR) = MXCSR_RESET;
	*(u32 *)(image + FX_MXCSR_MASK) = mxcsr_mask;
	*(u64 *)(image + XSTATE_BV) = XCR0_X87 | XCR0_SSE;
}

void vmx_fpu_load(struct nv_vcpu *vcpu)
{
	u8 *image = vcpu->fpu->image;

	kernel_fpu_begin_mask(0);
	/*
	 * Without CR4.OSXSAVE the guest can neither read XCR0 nor use what it enables; it
	 * sets the bit with an exit only (vmx_cr4_host_mask()). PKRU and IA32_XSS stay the
	 * thread's: no guest is offered CR4.PKE or XSAVES, and XCR0 keeps PKRU from XRSTOR.
	 */
	vcpu->xcr0_loaded = xcr0_supported && vcpu->xcr0 != xcr0_host &&
			    (vmcs_read(VMCS_GUEST_CR4) & CR4_OSXSAVE);
	if (xcr0_supported) {
		asm volatile("xrstor64 (%0)" : : "r" (image), "a" ((u32)xcr0_supported), "d" (0)
			     : "memory");
		if (vcpu->xcr0_loaded)
			xsetbv(0, vcpu->xcr0);
	} else {
		asm volatile("fxrstor64 (%0)" : : "r" (image) : "memory");
	}
}

void vmx_fpu_save(struct nv_vcpu *vcpu)
{
	u8 *image = vcpu->fpu->image;

	if (xcr0_supported) {
		if (vcpu->xcr0_loaded)
			xsetbv(0, xcr0_host);
		asm volatile("xsave64 (%0)" : : "r" (image), "a" ((u32)xcr0_supported), "d" (0)
			     : "memory");
	} else {
		asm volatile("fxsave64 (%0)" : : "r" (image) : "memory");
	}
	kernel_fpu_end();
}

void vmx_fpu_get_image(struct nv_vcpu *vcpu, void *buf, size_t len)
{
	memset(buf, 0, len);
	memcpy(buf, vcpu->fpu->image, min(len, area_size));
	if (!xcr0_supported && len >= FX_SIZE + XSAVE_HEADER)
		*(u64 *)(buf + XSTATE_BV) = XCR0_X87 | XCR0_SSE;
}

int vmx_fpu_set_image(struct nv_vcpu *vcpu, const void *buf, size_t len)
{
	u64 bv = *(u64 *)(buf + XSTATE_BV);
	unsigned int i;

	/* What XRSTOR would fault on must not get in: it runs in the host. */
	if (bv & ~(xcr0_supported ?: (XCR0_X87 | XCR0_SSE)))
		return -EINVAL;
	for (i = XCOMP_BV; i < FX_SIZE + XSAVE_HEADER; i++)
		if (((const u8 *)buf)[i])
			return -EINVAL;
	if (*(u32 *)(buf + FX_MXCSR) & ~mxcsr_mask)
		return -EINVAL;
	memcpy(vcpu->fpu->image, buf, min(len, area_size));
	return 0;
}


void vmx_fpu_get(struct nv_vcpu *vcpu, struct kvm_fpu *fpu)
{
	const u8 *image = vcpu->fpu->image;

	memset(fpu, 0, sizeof(*fpu));
	memcpy(fpu->fpr, image + FX_ST, sizeof(fpu->fpr));
	fpu->fcw = *(u16 *)(image + FX_CWD);
	fpu->fsw = *(u16 *)(image + FX_SWD);
	fpu->ftwx = image[FX_TWD];
	fpu->last_opcode = *(u16 *)(image + FX_OPCODE);
	fpu->last_ip = *(u64 *)(image + FX_IP);
	fpu->last_dp = *(u64 *)(image + FX_DP);
	memcpy(fpu->xmm, image + FX_XMM, sizeof(fpu->xmm));
	fpu->mxcsr = *(u32 *)(image + FX_MXCSR);
}

void vmx_fpu_set(struct nv_vcpu *vcpu, const struct kvm_fpu *fpu)
{
	u8 *image = vcpu->fpu->image;

	memcpy(image + FX_ST, fpu->fpr, sizeof(fpu->fpr));
	*(u16 *)(image + FX_CWD) = fpu->fcw;
	*(u16 *)(image + FX_SWD) = fpu->fsw;
	image[FX_TWD] = fpu->ftwx;
	*(u16 *)(image + FX_OPCODE) = fpu->last_opcode;
	*(u64 *)(image + FX_IP) = fpu->last_ip;
	*(u64 *)(image + FX_DP) = fpu->last_dp;
	memcpy(image + FX_XMM, fpu->xmm, sizeof(fpu->xmm));
	/* A reserved bit would make XRSTOR fault in the host. */
	*(u32 *)(image + FX_MXCSR) = fpu->mxcsr & mxcsr_mask;
	*(u64 *)(image + XSTATE_BV) |= XCR0_X87 | XCR0_SSE;
}

/*
 * XSAVE may leave a component in its initial state out of the image (XSTATE_BV
 * bit clear): then it reads as zero.
 */
void vmx_fpu_get_xmm(struct nv_vcpu *vcpu, unsigned int n, void *buf)
{
	const u8 *image = vcpu->fpu->image;

	if (!xcr0_supported || (*(u64 *)(image + XSTATE_BV) & XCR0_SSE))
		memcpy(buf, image + FX_XMM + 16 * n, 16);
	else
		memset(buf, 0, 16);
}

void vmx_fpu_set_xmm(struct nv_vcpu *vcpu, unsigned int n, const void *buf)
{
	u8 *image = vcpu->fpu->image;

	if (xcr0_supported && !(*(u64 *)(image + XSTATE_BV) & XCR0_SSE))
		memset(image + FX_XMM, 0, 256);
	memcpy(image + FX_XMM + 16 * n, buf, 16);
	*(u64 *)(image + XSTATE_BV) |= XCR0_SSE;
}
