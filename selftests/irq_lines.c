// SPDX-License-Identifier: GPL-2.0
/*
 * Lines of the in-kernel IOAPIC and PIC, MSI, routing, irqfd with resampling,
 * and ioeventfd.
 */
#include "lib/guest_run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

GUEST(irq_lines);

#define VEC		0x60
#define MSI_ADDRESS	0xfee00000u

static struct vm vm;

static struct vcpu *start(const char *name, unsigned int flags)
{
	vm_create(&vm, flags);
	return guest_load(&vm, &guest_irq_lines, name);
}

static void expect_step(struct vcpu *vcpu, u8 step)
{
	int ret = guest_run(vcpu);

	if (ret != KVM_EXIT_IO || vcpu->run->io.port != 0x50) {
		ktap_fail(__FILE__, __LINE__, "before step %u: KVM_RUN gives %d", step, ret);
		vcpu_dump(vcpu);
		ktap_stop();
	}
	EXPECT_EQ(*((u8 *)vcpu->run + vcpu->run->io.data_offset), step, "the step");
}

static void line(u32 gsi, u32 level)
{
	struct kvm_irq_level l = { .irq = gsi, .level = level };

	MUST(vm.fd, KVM_IRQ_LINE, &l);
}

static void edge(const void *arg)
{
	struct vcpu *vcpu = start("_edge", VM_IRQCHIP);

	expect_step(vcpu, 1);
	line(5, 1);
	line(5, 0);
	expect_step(vcpu, 2);
	expect_step(vcpu, 3);
	line(5, 1);
	line(5, 0);
	guest_run_to_end(vcpu);
}

static void level(const void *arg)
{
	struct vcpu *vcpu = start("_level", VM_IRQCHIP);

	expect_step(vcpu, 1);
	line(5, 1);
	expect_step(vcpu, 2);
	line(5, 0);
	guest_run_to_end(vcpu);
}

static void pic(const void *arg)
{
	struct vcpu *vcpu = start("_pic", VM_IRQCHIP);

	expect_step(vcpu, 1);
	line(3, 1);
	line(3, 0);
	guest_run_to_end(vcpu);
}

/* kvmtool makes the PIT before what it ticks for. */
static void pit_before_chips(const void *arg)
{
	struct kvm_enable_cap split = { .cap = KVM_CAP_SPLIT_IRQCHIP, .args[0] = 24 };
	struct kvm_pit_config config = { 0 };
	struct kvm_pit_state2 s;

	vm_create(&vm, 0);
	MUST(vm.fd, KVM_CREATE_PIT2, &config);
	MUST(vm.fd, KVM_GET_PIT2, &s);
	EXPECT(ioctl(vm.fd, KVM_CREATE_PIT2, &config) < 0 && errno == EEXIST, "a second: %d", errno);
	if (device_is_nestvm(vm.dev))
		EXPECT(ioctl(vm.fd, KVM_ENABLE_CAP, &split) < 0 && errno == EEXIST,
		       "the split irqchip, which leaves it nothing to tick for: %d", errno);
	MUST(vm.fd, KVM_CREATE_IRQCHIP, 0);
	guest_run_to_end(guest_load(&vm, &guest_irq_lines, "_pit"));
}

static void pit_of_split_chip(const void *arg)
{
	struct kvm_pit_config config = { 0 };

	vm_create(&vm, VM_SPLIT);
	if (device_is_nestvm(vm.dev))
		EXPECT(ioctl(vm.fd, KVM_CREATE_PIT2, &config) < 0 && errno == ENOENT, "%d", errno);
}

static int irqfd(u32 gsi, u32 flags, int resample)
{
	struct kvm_irqfd i = { .fd = eventfd(0, EFD_NONBLOCK), .gsi = gsi, .flags = flags,
			       .resamplefd = resample };

	MUST(vm.fd, KVM_IRQFD, &i);
	return i.fd;
}

static void kick(int fd)
{
	u64 one = 1;

	ASSERT(write(fd, &one, 8) == 8, "%s", strerror(errno));
}

static u64 rung(int fd)
{
	u64 count = 0;

	return read(fd, &count, 8) == 8 ? count : 0;
}

static void edge_by_irqfd(const void *arg)
{
	struct vcpu *vcpu = start("_edge", VM_IRQCHIP);
	struct kvm_irqfd off;
	int fd;

	expect_step(vcpu, 1);
	fd = irqfd(5, 0, 0);
	kick(fd);
	expect_step(vcpu, 2);
	off = (struct kvm_irqfd){ .fd = fd, .gsi = 5, .flags = KVM_IRQFD_FLAG_DEASSIGN };
	MUST(vm.fd, KVM_IRQFD, &off);
	kick(fd);			/* nobody listens any more */
	expect_step(vcpu, 3);
	guest_run_to_end(vcpu);
}

/* A level line by eventfd: at EOI the line goes down and the resampler is told. */
static void resample(const void *arg)
{
	struct vcpu *vcpu = start("_resample", VM_IRQCHIP);
	int again = eventfd(0, EFD_NONBLOCK), fd;
	u64 count;

	if (!device_cap(vm.dev, KVM_CAP_IRQFD_RESAMPLE))
		ktap_skip("no KVM_CAP_IRQFD_RESAMPLE");
	expect_step(vcpu, 1);
	fd = irqfd(5, KVM_IRQFD_FLAG_RESAMPLE, again);
	EXPECT(read(again, &count, 8) < 0 && errno == EAGAIN, "resampled before anything happened");
	kick(fd);
	expect_step(vcpu, 2);
	EXPECT_EQ(rung(again), 1, "resamples after one interrupt");
	kick(fd);
	guest_run_to_end(vcpu);
	EXPECT_EQ(rung(again), 1, "resamples after another");
}

static struct kvm_irq_routing *routing(u32 gsi)
{
	struct kvm_irq_routing *r = calloc(1, sizeof(*r) + sizeof(r->entries[0]));

	r->nr = 1;
	r->entries[0] = (struct kvm_irq_routing_entry) {
		.gsi = gsi, .type = KVM_IRQ_ROUTING_MSI,
		.u.msi = { .address_lo = MSI_ADDRESS, .data = VEC },
	};
	return r;
}

static void msi_and_routing(const void *arg)
{
	struct vcpu *vcpu = start("_msi", VM_IRQCHIP);
	struct kvm_msi msi = { .address_lo = MSI_ADDRESS, .data = VEC };

	if (!device_cap(vm.dev, KVM_CAP_SIGNAL_MSI) || !device_cap(vm.dev, KVM_CAP_IRQ_ROUTING))
		ktap_skip("no KVM_CAP_SIGNAL_MSI or KVM_CAP_IRQ_ROUTING");
	expect_step(vcpu, 1);
	EXPECT_EQ(MUST(vm.fd, KVM_SIGNAL_MSI, &msi), 1, "how many got it");
	expect_step(vcpu, 2);
	MUST(vm.fd, KVM_SET_GSI_ROUTING, routing(30));
	kick(irqfd(30, 0, 0));
	guest_run_to_end(vcpu);
}

static void routing_refused(const void *arg)
{
	struct kvm_irq_routing *r = routing(30);
	struct kvm_irqfd bad = { .fd = -1, .gsi = 5 };

	vm_create(&vm, VM_IRQCHIP);
	r->entries[0].type = 99;
	EXPECT(ioctl(vm.fd, KVM_SET_GSI_ROUTING, r) < 0 && errno == EINVAL, "type 99: %s",
	       strerror(errno));
	r = routing(0x7fffffff);
	EXPECT(ioctl(vm.fd, KVM_SET_GSI_ROUTING, r) < 0 && errno == EINVAL, "a large GSI: %s",
	       strerror(errno));
	r->flags = 1;
	EXPECT(ioctl(vm.fd, KVM_SET_GSI_ROUTING, r) < 0 && errno == EINVAL, "a flag: %s",
	       strerror(errno));
	EXPECT(ioctl(vm.fd, KVM_IRQFD, &bad) < 0 && errno == EBADF, "no file: %s", strerror(errno));
	bad.fd = 0;
	EXPECT(ioctl(vm.fd, KVM_IRQFD, &bad) < 0 && errno == EINVAL, "no eventfd: %s",
	       strerror(errno));
	bad.flags = 1u << 31;
	EXPECT(ioctl(vm.fd, KVM_IRQFD, &bad) < 0 && errno == EINVAL, "an unknown flag: %s",
	       strerror(errno));
}

static int doorbell(u64 addr, u32 len, u32 flags, u64 match)
{
	struct kvm_ioeventfd e = { .datamatch = match, .addr = addr, .len = len, .flags = flags,
				   .fd = eventfd(0, EFD_NONBLOCK) };

	MUST(vm.fd, KVM_IOEVENTFD, &e);
	return e.fd;
}

static void ioeventfd(const void *arg)
{
	struct vcpu *vcpu = start("_doorbell", 0);
	int mmio7, mmio, byte, word;
	struct kvm_ioeventfd off;

	if (!device_cap(vm.dev, KVM_CAP_IOEVENTFD))
		ktap_skip("no KVM_CAP_IOEVENTFD");
	mmio7 = doorbell(0xd0000000, 4, KVM_IOEVENTFD_FLAG_DATAMATCH, 7);
	mmio = doorbell(0xd0000000, 4, KVM_IOEVENTFD_FLAG_DATAMATCH, 8);
	byte = doorbell(0x60, 1, KVM_IOEVENTFD_FLAG_PIO, 0);
	word = doorbell(0x64, 4, KVM_IOEVENTFD_FLAG_PIO | KVM_IOEVENTFD_FLAG_DATAMATCH, 0x11);
	expect_step(vcpu, 1);
	EXPECT_EQ(rung(mmio7), 1, "writes of 7");
	EXPECT_EQ(rung(mmio), 1, "writes of 8");
	EXPECT_EQ(rung(byte), 1, "writes to the byte port");
	EXPECT_EQ(rung(word), 1, "writes to the double word port");

	off = (struct kvm_ioeventfd){ .datamatch = 7, .addr = 0xd0000000, .len = 4, .fd = mmio7,
		.flags = KVM_IOEVENTFD_FLAG_DATAMATCH | KVM_IOEVENTFD_FLAG_DEASSIGN };
	MUST(vm.fd, KVM_IOEVENTFD, &off);
	vcpu_expect_exit(vcpu, KVM_EXIT_MMIO);
	expect_step(vcpu, 2);
	EXPECT_EQ(rung(mmio7), 0, "writes after it was taken away");
	guest_run_to_end(vcpu);
	off.flags = 1u << 31;
	EXPECT(ioctl(vm.fd, KVM_IOEVENTFD, &off) < 0 && errno == EINVAL, "an unknown flag: %s",
	       strerror(errno));
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "edge", edge, NULL, 0 },
		{ "level", level, NULL, 0 },
		{ "pic", pic, NULL, 0 },
		{ "pit_before_chips", pit_before_chips, NULL, 0 },
		{ "pit_of_split_chip", pit_of_split_chip, NULL, 0 },
		{ "edge_by_irqfd", edge_by_irqfd, NULL, 0 },
		{ "resample", resample, NULL, 0 },
		{ "msi_and_routing", msi_and_routing, NULL, 0 },
		{ "routing_refused", routing_refused, NULL, 0 },
		{ "ioeventfd", ioeventfd, NULL, 0 },
	};

	return guest_main(&guest_irq_lines, cases, ARRAY_LEN(cases), argc, argv);
}
