// SPDX-License-Identifier: GPL-2.0
/*
 * Instructions that leave for user space, and what the run page says: port I/O
 * in all sizes and as strings, MMIO in the forms drivers use, HLT, shutdown.
 */
#include "lib/guest_run.h"

#include <stdlib.h>
#include <string.h>

GUEST(run_exits);

#define PORT		0x50
#define MMIO		0xd0000000u
#define MMIO_SIZE	4096

static struct vm vm;

static struct vcpu *start(const char *name)
{
	vm_create(&vm, 0);
	return guest_load(&vm, &guest_run_exits, name);
}

struct io {
	u8 direction, size;
	u16 port;
	u32 bytes;
	const char *data;
};

static u8 *io_data(struct vcpu *vcpu)
{
	return (u8 *)vcpu->run + vcpu->run->io.data_offset;
}

static void describe(const struct kvm_run *run)
{
	ktap_say("  it is %s port %#x size %u count %u", run->io.direction ? "OUT" : "IN",
		 run->io.port, run->io.size, run->io.count);
}

/* One piece of an expected transfer: the exit may carry any number of its items. */
static u32 io_piece(struct vcpu *vcpu, const struct io *io, u32 done)
{
	struct kvm_run *run = vcpu->run;
	u32 n = run->io.size * run->io.count;

	if (run->io.direction != io->direction || run->io.port != io->port ||
	    run->io.size != io->size || !n || done + n > io->bytes) {
		ktap_fail(__FILE__, __LINE__, "wrong I/O exit at byte %u of %u", done, io->bytes);
		describe(run);
		ktap_stop();
	}
	if (io->direction == KVM_EXIT_IO_IN)
		memcpy(io_data(vcpu), io->data + done, n);
	else
		EXPECT(!memcmp(io_data(vcpu), io->data + done, n), "port %#x, byte %u", io->port,
		       done);
	return n;
}

static void run_io(struct vcpu *vcpu, const struct io *ios, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++) {
		u32 done = 0;

		while (done < ios[i].bytes) {
			int ret = guest_run(vcpu);

			if (ret != KVM_EXIT_IO) {
				ktap_fail(__FILE__, __LINE__, "transfer %zu: KVM_RUN gives %d", i,
					  ret);
				vcpu_dump(vcpu);
				ktap_stop();
			}
			done += io_piece(vcpu, &ios[i], done);
		}
	}
	guest_run_to_end(vcpu);
	vm_destroy(&vm);
}

#define OUT(port, size, data) { KVM_EXIT_IO_OUT, size, port, sizeof(data) - 1, data }
#define IN(port, size, data) { KVM_EXIT_IO_IN, size, port, sizeof(data) - 1, data }

static void io_sizes(const void *arg)
{
	static const struct io ios[] = {
		OUT(PORT, 1, "\x11"), OUT(PORT + 2, 2, "\x33\x22"), OUT(PORT + 4, 4,
									"\x77\x66\x55\x44"),
		OUT(0xfff0, 1, "\x88"),
		IN(PORT, 1, "\x99"), IN(PORT + 2, 2, "\xbb\xaa"), IN(PORT + 4, 4,
								     "\xff\xee\xdd\xcc"),
	};

	run_io(start("_io_sizes"), ios, ARRAY_LEN(ios));
}

static void io_strings(const void *arg)
{
	static const struct io ios[] = {
		OUT(PORT, 1, "nestvm"),
		IN(PORT + 4, 4, "\1\1\1\1\2\2\2\2\3\3\3\3"),
		OUT(PORT, 1, "sen"),
		OUT(PORT, 2, "ne"),
	};

	run_io(start("_io_strings"), ios, ARRAY_LEN(ios));
}

static void io_long_string(const void *arg)
{
	struct io io = { KVM_EXIT_IO_OUT, 1, PORT, 10000, NULL };
	char *data = malloc(io.bytes);
	u32 i;

	for (i = 0; i < io.bytes; i++)
		data[i] = i * 7;
	io.data = data;
	run_io(start("_io_long_string"), &io, 1);
}

static void io_string_fault(const void *arg)
{
	static const struct io io = OUT(PORT, 1, "xxx");

	run_io(start("_io_string_fault"), &io, 1);
}

static void io_string_in_fault(const void *arg)
{
	static const struct io io = IN(PORT, 1, "abc");

	run_io(start("_io_string_in_fault"), &io, 1);
}

static void io_strings_step(const void *arg)
{
	static const struct io ios[] = { OUT(PORT, 1, "\0\0\0"), IN(PORT, 1, "abc") };

	run_io(start("_io_strings_step"), ios, ARRAY_LEN(ios));
}

/* What waited belonged to the state before: none of it happens to the one that was set. */
static void state_set_while_it_waits(const void *arg)
{
	struct kvm_regs before, after;
	u64 which;

	for (which = 0; which < 6; which++) {
		struct vcpu *vcpu = start("_left_for_good");
		int ret;

		vm.mem[0x1100] = 0xf4;		/* hlt */
		memset(vm.mem + 0x1101, 0x90, 64);
		guest_params(&vm)->args[0] = which;
		ret = guest_run(vcpu);
		EXPECT(ret == KVM_EXIT_IO || ret == KVM_EXIT_MMIO, "%llu: exit %s", which,
		       exit_name(ret));
		memset(ret == KVM_EXIT_IO ? io_data(vcpu) : vcpu->run->mmio.data, 0x55, 8);
		MUST(vcpu->fd, KVM_GET_REGS, &before);
		before.rip = 0x1100;
		MUST(vcpu->fd, KVM_SET_REGS, &before);
		vcpu_expect_exit(vcpu, KVM_EXIT_HLT);
		MUST(vcpu->fd, KVM_GET_REGS, &after);
		before.rip++;
		before.rflags &= ~(1ull << 16);		/* RF, which ends with HLT */
		EXPECT(!memcmp(&before, &after, sizeof(before)),
		       "%llu: RIP %llx RAX %llx RCX %llx RSI %llx RDI %llx", which, after.rip,
		       after.rax, after.rcx, after.rsi, after.rdi);
		vm_destroy(&vm);
	}
}

/* Memory behind the window; the length of each access is the instruction's. */
static void run_mmio(const void *arg)
{
	static u8 behind[MMIO_SIZE];
	struct vcpu *vcpu = start(arg);
	struct kvm_run *run = vcpu->run;
	unsigned int accesses = 0;
	int ret;

	while ((ret = guest_run(vcpu)) == KVM_EXIT_MMIO) {
		u64 at = run->mmio.phys_addr - MMIO;
		u32 len = run->mmio.len;

		ASSERT(len == 1 || len == 2 || len == 4 || len == 8, "len %u", len);
		ASSERT(at + len <= MMIO_SIZE, "address %#llx", run->mmio.phys_addr);
		if (run->mmio.is_write)
			memcpy(behind + at, run->mmio.data, len);
		else
			memcpy(run->mmio.data, behind + at, len);
		accesses++;
	}
	if (ret != GUEST_ENDED) {
		ktap_fail(__FILE__, __LINE__, "after %u accesses KVM_RUN gives %d", accesses, ret);
		vcpu_dump(vcpu);
	}
	vm_destroy(&vm);
}

static void hlt_exits(const void *arg)
{
	struct vcpu *vcpu = start("_hlt");
	struct kvm_regs before, after;

	vcpu_expect_exit(vcpu, KVM_EXIT_HLT);
	MUST(vcpu->fd, KVM_GET_REGS, &before);
	vcpu_expect_exit(vcpu, KVM_EXIT_HLT);
	MUST(vcpu->fd, KVM_GET_REGS, &after);
	EXPECT_EQ(after.rip - before.rip, 1, "how far RIP moved");
	guest_run_to_end(vcpu);
	vm_destroy(&vm);
}

static void triple_fault_shuts_down(const void *arg)
{
	struct vcpu *vcpu = start("_triple_fault");

	vcpu_expect_exit(vcpu, KVM_EXIT_SHUTDOWN);
	vm_destroy(&vm);
}

static void cpuid_is_what_was_set(const void *arg)
{
	static const struct kvm_cpuid_entry2 more[] = {
		{ .function = 0x40000000, .eax = 0x40000001, .ebx = 0x11111111,
		  .ecx = 0x22222222, .edx = 0x33333333 },
		{ .function = 0x40000001, .index = 5, .eax = 0x55,
		  .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX },
		{ .function = 0x40000001, .index = 6, .eax = 0x66,
		  .flags = KVM_CPUID_FLAG_SIGNIFCANT_INDEX },
	};
	struct vcpu *vcpu = start("_cpuid");
	struct kvm_cpuid2 *cpuid = vm_cpuid(&vm);
	u32 i, kept = 0;

	for (i = 0; i < cpuid->nent; i++)
		if (cpuid->entries[i].function >> 8 != 0x400000)
			cpuid->entries[kept++] = cpuid->entries[i];
	ASSERT(kept + ARRAY_LEN(more) <= 256, "no room");
	memcpy(&cpuid->entries[kept], more, sizeof(more));
	cpuid->nent = kept + ARRAY_LEN(more);
	MUST(vcpu->fd, KVM_SET_CPUID2, cpuid);
	guest_run_to_end(vcpu);
	vm_destroy(&vm);
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "hlt_exits", hlt_exits, NULL, 0 },
		{ "io_sizes", io_sizes, NULL, 0 },
		{ "io_strings", io_strings, NULL, 0 },
		{ "io_long_string", io_long_string, NULL, 0 },
		{ "io_string_fault", io_string_fault, NULL, 0 },
		{ "io_string_in_fault", io_string_in_fault, NULL, 0 },
		{ "io_strings_step", io_strings_step, NULL, 0 },
		{ "state_set_while_it_waits", state_set_while_it_waits, NULL, 0 },
		{ "mmio_strings_step", run_mmio, "_mmio_strings_step", 0 },
		{ "mmio_moves", run_mmio, "_mmio_moves", 0 },
		{ "mmio_arithmetic", run_mmio, "_mmio_arithmetic", 0 },
		{ "mmio_strings", run_mmio, "_mmio_strings", 0 },
		{ "mmio_then_fault", run_mmio, "_mmio_then_fault", 0 },
		{ "cpuid_is_what_was_set", cpuid_is_what_was_set, NULL, 0 },
		{ "triple_fault_shuts_down", triple_fault_shuts_down, NULL, 0 },
	};

	return guest_main(&guest_run_exits, cases, ARRAY_LEN(cases), argc, argv);
}
