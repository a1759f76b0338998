// SPDX-License-Identifier: GPL-2.0
/* The interrupt chips and the timer in the kernel, and its paravirtual clock. */
#include "parts.h"

#include "../machine.h"

#include <errno.h>
#include <string.h>
#include <time.h>

/* Flags that KVM_SET_CLOCK takes; with 0 the guest's clock goes on where it stood. */
#define CLOCK_FLAGS_SET 0

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000ull + ts.tv_nsec;
}

static int save_chips(struct machine *m, struct pack *p, struct nvl_error *err)
{
	struct kvm_pit_state2 pit = { 0 };
	struct kvm_irqchip chip;
	unsigned int i;
	int ret;

	/* The timer before the chips it interrupts: seen twice is better than not at all. */
	pack_u64(p, now_ns());
	ret = nvl_vm_ioctl(m->vm, KVM_GET_PIT2, &pit, "the timer's state cannot be read", err);
	if (ret < 0)
		return ret;
	pack_blob(p, &pit, sizeof(pit));
	for (i = 0; i < KVM_NR_IRQCHIPS; i++) {
		memset(&chip, 0, sizeof(chip));
		chip.chip_id = i;
		ret = nvl_vm_ioctl(m->vm, KVM_GET_IRQCHIP, &chip,
				   "an interrupt chip's state cannot be read", err);
		if (ret < 0)
			return ret;
		pack_blob(p, &chip, sizeof(chip));
	}
	return 0;
}

int irqchip_state_save(struct machine *m, struct pack *p, struct nvl_error *err)
{
	bool clock = nvl_vm_cap(m->vm, KVM_CAP_ADJUST_CLOCK) > 0;
	struct kvm_clock_data data = { 0 };
	int ret;

	pack_bool(p, !m->split);
	if (!m->split) {
		ret = save_chips(m, p, err);
		if (ret < 0)
			return ret;
	}
	pack_bool(p, clock);
	if (!clock)
		return 0;
	ret = nvl_vm_ioctl(m->vm, KVM_GET_CLOCK, &data, "the guest's clock cannot be read", err);
	pack_u64(p, data.clock);
	return ret;
}

struct chips_state {
	uint64_t when_ns;
	struct kvm_pit_state2 pit;
	struct kvm_irqchip chip[KVM_NR_IRQCHIPS];
};

static void parse_struct(struct unpack *u, void *to, size_t size)
{
	size_t len;
	const uint8_t *p = unpack_blob(u, size, &len);

	if (!p || len != size)
		u->failed = true;
	else
		memcpy(to, p, size);
}

static int load_chips(struct machine *m, struct chips_state *c, struct nvl_error *err)
{
	unsigned int i;
	int ret;

	for (i = 0; i < KVM_NR_IRQCHIPS; i++) {
		ret = nvl_vm_ioctl(m->vm, KVM_SET_IRQCHIP, &c->chip[i],
				   "an interrupt chip's state cannot be restored", err);
		if (ret < 0)
			return ret;
	}
	/* Counts began at a moment of the other side's clock. */
	for (i = 0; i < 3; i++)
		c->pit.channels[i].count_load_time += now_ns() - c->when_ns;
	return nvl_vm_ioctl(m->vm, KVM_SET_PIT2, &c->pit, "the timer's state cannot be restored",
			    err);
}

int irqchip_state_load(struct machine *m, struct unpack *u, struct nvl_error *err)
{
	struct kvm_clock_data data = { .flags = CLOCK_FLAGS_SET };
	struct chips_state c = { 0 };
	bool chips, clock;
	unsigned int i;
	int ret = 0;

	chips = unpack_bool(u);
	if (chips) {
		c.when_ns = unpack_u64(u);
		parse_struct(u, &c.pit, sizeof(c.pit));
		for (i = 0; i < KVM_NR_IRQCHIPS; i++)
			parse_struct(u, &c.chip[i], sizeof(c.chip[i]));
	}
	clock = unpack_bool(u);
	if (clock)
		data.clock = unpack_u64(u);
	if (!unpack_ok(u))
		return nvl_fail(err, EBADMSG,
				"the state of the interrupt chips is not what nestvm writes.");
	for (i = 0; chips && i < KVM_NR_IRQCHIPS; i++)
		if (c.chip[i].chip_id != i)
			return nvl_fail(err, EBADMSG, "the state's interrupt chips are not the PC's.");
	if (chips == m->split)
		return nvl_fail(err, EINVAL,
				"the state was made with the interrupt chips in the %s: start the VM with --irqchip %s.",
				chips ? "kernel" : "launcher", chips ? "kernel" : "split");
	if (chips)
		ret = load_chips(m, &c, err);
	/* A device without the clock never showed it to the guest either. */
	if (ret == 0 && clock && nvl_vm_cap(m->vm, KVM_CAP_ADJUST_CLOCK) > 0)
		ret = nvl_vm_ioctl(m->vm, KVM_SET_CLOCK, &data,
				   "the guest's clock cannot be restored", err);
	return ret;
}
