// SPDX-License-Identifier: GPL-2.0
#include "guest_run.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct guest_header *header_of(const struct guest_blob *blob)
{
	const struct guest_header *h = (const void *)blob->image;

	if (blob->size < sizeof(*h) || h->magic != GUEST_MAGIC)
		abort();	/* the build is wrong */
	return h;
}

/* What a guest address points to in the image. */
static const void *in_image(const struct guest_blob *blob, u64 addr)
{
	if (addr < GUEST_BASE || addr >= GUEST_BASE + blob->size)
		abort();
	return blob->image + (addr - GUEST_BASE);
}

static const struct guest_case *cases_of(const struct guest_blob *blob, size_t *count)
{
	const struct guest_header *h = header_of(blob);

	*count = (h->cases_end - h->cases) / sizeof(struct guest_case);
	return in_image(blob, h->cases);
}

static const char *name_of(const struct guest_blob *blob, const struct guest_case *c)
{
	return in_image(blob, (uintptr_t)c->name);
}

struct guest_params *guest_params(struct vm *vm)
{
	return (void *)(vm->mem + GUEST_PARAMS);
}

struct vcpu *guest_load(struct vm *vm, const struct guest_blob *blob, const char *name)
{
	size_t i, count;
	const struct guest_case *cases = cases_of(blob, &count);
	struct vcpu *vcpu = vm->nr_vcpus ? &vm->vcpus[0] : vm_add_vcpu(vm);

	for (i = 0; i < count; i++)
		if (!strcmp(name_of(blob, &cases[i]), name))
			break;
	ASSERT(i < count, "guest %s has no case %s", blob->name, name);
	memcpy(vm->mem + GUEST_BASE, blob->image, blob->size);
	guest_params(vm)->case_nr = i;
	vcpu_long_mode(vcpu, GUEST_BASE);
	return vcpu;
}

static u32 out_value(const struct kvm_run *run)
{
	u32 value = 0;

	memcpy(&value, (const u8 *)run + run->io.data_offset, run->io.size);
	return value;
}

/* A line the guest wants printed; also kept, as it may be the reason of a skip. */
static char last_said[240];

static void say(struct vm *vm, u32 addr)
{
	if (addr >= vm->mem_size) {
		ktap_fail(__FILE__, __LINE__, "the guest reports text at %#x", addr);
		return;
	}
	snprintf(last_said, sizeof(last_said), "%.*s", (int)(vm->mem_size - addr), vm->mem + addr);
	ktap_say("  guest: %s", last_said);
}

static void end(u32 verdict)
{
	if (verdict == GUEST_SKIPPED)
		ktap_skip("%s", last_said);
	if (verdict != GUEST_PASSED)
		ktap_fail(__FILE__, __LINE__, "the guest reports a failure");
}

int guest_run(struct vcpu *vcpu)
{
	struct kvm_run *run = vcpu->run;

	for (;;) {
		int ret = vcpu_run(vcpu);

		if (ret == -EINTR && !ktap_late() && !run->immediate_exit)
			continue;
		if (ret == -EAGAIN)	/* a CPU that was woken and still waits for its start-up */
			continue;
		if (ret != KVM_EXIT_IO || run->io.direction != KVM_EXIT_IO_OUT)
			return ret;
		if (run->io.port == GUEST_PORT_SAY) {
			say(vcpu->vm, out_value(run));
		} else if (run->io.port == GUEST_PORT_END) {
			end(out_value(run));
			return GUEST_ENDED;
		} else if ((run->io.port & 0x7ff0) != GUEST_PORT_NOTHING) {
			return ret;
		}
	}
}

static void wrong_end(struct vcpu *vcpu, int ret)
{
	if (ret < 0)
		ktap_fail(__FILE__, __LINE__, "vCPU %td: KVM_RUN failed: %s. %s",
			  vcpu - vcpu->vm->vcpus, strerror(-ret), refusal_text(vcpu->fd));
	else
		ktap_fail(__FILE__, __LINE__, "vCPU %td left the guest unexpectedly",
			  vcpu - vcpu->vm->vcpus);
	vcpu_dump(vcpu);
	ktap_stop();
}

void guest_run_to_end(struct vcpu *vcpu)
{
	int ret = guest_run(vcpu);

	if (ret != GUEST_ENDED)
		wrong_end(vcpu, ret);
}

static void *run_thread(void *arg)
{
	int ret = guest_run(arg);

	if (ret != GUEST_ENDED && ret != -EINTR)
		wrong_end(arg, ret);
	return NULL;
}

void guest_run_in_thread(struct vcpu *vcpu)
{
	pthread_t thread;

	ASSERT(!pthread_create(&thread, NULL, run_thread, vcpu), "no thread");
	pthread_detach(thread);
}

struct guest_test {
	const struct guest_blob *blob;
	const struct guest_case *c;
};

static void run_guest_case(const void *arg)
{
	const struct guest_test *t = arg;
	unsigned int flags = 0;
	struct vcpu *vcpu;
	static struct vm vm;	/* a thread may be in there until the process ends */

	if (t->c->need & (NEED_IRQCHIP | NEED_2_CPUS))
		flags |= VM_IRQCHIP;
	if (t->c->need & NEED_VMX)
		flags |= VM_EXPOSE;
	vm_create(&vm, flags);
	vcpu = guest_load(&vm, t->blob, name_of(t->blob, t->c));
	if (t->c->need & NEED_2_CPUS)
		guest_run_in_thread(vm_add_vcpu(&vm));
	guest_run_to_end(vcpu);
	if (vm.nr_vcpus == 1)
		vm_destroy(&vm);
}

int guest_main(const struct guest_blob *blob, const struct ktap_case *own, size_t count,
	       int argc, char **argv)
{
	size_t i, n = count, guests;
	const struct guest_case *gc = cases_of(blob, &guests);
	struct ktap_case *cases = calloc(count + guests, sizeof(*cases));
	struct guest_test *tests = calloc(guests, sizeof(*tests));

	if (own)
		memcpy(cases, own, count * sizeof(*own));
	for (i = 0; i < guests; i++) {
		const char *name = name_of(blob, &gc[i]);

		if (name[0] == '_')
			continue;
		tests[i] = (struct guest_test){ blob, &gc[i] };
		cases[n++] = (struct ktap_case){
			.name = name,
			.fn = run_guest_case,
			.arg = &tests[i],
			.timeout = gc[i].need & NEED_LONG_TIME ? 10 * KTAP_TIMEOUT : 0,
		};
	}
	return ktap_main(cases, n, argc, argv);
}
