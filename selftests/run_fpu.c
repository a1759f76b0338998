// SPDX-License-Identifier: GPL-2.0
/*
 * x87, SSE, AVX and XCR0 of two vCPUs and of this process, in turn on one
 * thread: nobody finds another's.
 */
#include "lib/guest_run.h"

#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>

GUEST(run_fpu);

/* KVM_RUN between loading and storing XMM: a system call keeps them all. */
static long run_with_xmm(int fd, const u8 *before, u8 *after)
{
	register long rax asm("rax") = SYS_ioctl;
	register long rdi asm("rdi") = fd;
	register long rsi asm("rsi") = KVM_RUN;
	register long rdx asm("rdx") = 0;

	asm volatile("movdqu (%4), %%xmm0; movdqu 16(%4), %%xmm7; movdqu 32(%4), %%xmm15;"
		     "syscall;"
		     "movdqu %%xmm0, (%5); movdqu %%xmm7, 16(%5); movdqu %%xmm15, 32(%5)"
		     : "+r"(rax) : "r"(rdi), "r"(rsi), "r"(rdx), "r"(before), "r"(after)
		     : "rcx", "r11", "memory", "xmm0", "xmm7", "xmm15");
	return rax;
}

static void step(struct vcpu *vcpu, unsigned int round)
{
	u8 before[48], after[48];
	long ret;

	memset(before, 0xc0 + round, sizeof(before));
	memset(after, 0, sizeof(after));
	ret = run_with_xmm(vcpu->fd, before, after);
	ASSERT(ret == 0, "KVM_RUN gives %ld", ret);
	EXPECT(!memcmp(before, after, sizeof(after)), "round %u: XMM of this process changed",
	       round);
}

static void in_turn(const void *arg)
{
	struct vm vm[2];
	struct vcpu *vcpu[2];
	unsigned int round, i;

	for (i = 0; i < 2; i++) {
		vm_create(&vm[i], 0);
		vcpu[i] = guest_load(&vm[i], &guest_run_fpu, arg);
		guest_params(&vm[i])->args[0] = 0x1234 + i * 0x55;
	}
	for (round = 0; round < 20; round++) {
		for (i = 0; i < 2; i++) {
			step(vcpu[i], round);
			if (vcpu[i]->run->exit_reason != KVM_EXIT_IO ||
			    vcpu[i]->run->io.port != 0x50)
				goto ended;
		}
	}
ended:
	for (i = 0; i < 2; i++) {
		if (vcpu[i]->run->exit_reason == KVM_EXIT_IO &&
		    vcpu[i]->run->io.port == GUEST_PORT_SAY)
			ktap_say("  guest: %s", vm[i].mem + *(u32 *)((u8 *)vcpu[i]->run +
				 vcpu[i]->run->io.data_offset));
		guest_run_to_end(vcpu[i]);
	}
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "x87", in_turn, "_x87", 0 },
		{ "sse", in_turn, "_sse", 0 },
		{ "avx", in_turn, "_avx", 0 },
		{ "xcr0", in_turn, "_xcr0", 0 },
	};

	return guest_main(&guest_run_fpu, cases, ARRAY_LEN(cases), argc, argv);
}
