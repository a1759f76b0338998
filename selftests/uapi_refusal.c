// SPDX-License-Identifier: GPL-2.0
/* NESTVM_GET_REFUSAL: one memory per file, of the last refusal that had a reason. */
#include "lib/uapi.h"

#include <errno.h>
#include <string.h>

static void nothing_at_first(const void *arg)
{
	int dev = nestvm_open();
	struct nestvm_refusal r = last_refusal(dev);
	struct vcpu *vcpu;
	struct vm vm;

	EXPECT(r.id == NESTVM_REFUSED_NOTHING && !r.error && !r.text[0], "%u \"%s\"", r.id, r.text);
	vm_create(&vm, 0);
	vcpu = vm_add_vcpu(&vm);
	r = last_refusal(vm.fd);
	EXPECT(r.id == NESTVM_REFUSED_NOTHING && !r.error && !r.text[0], "%u \"%s\"", r.id, r.text);
	r = last_refusal(vcpu->fd);
	EXPECT(r.id == NESTVM_REFUSED_NOTHING && !r.error && !r.text[0], "%u \"%s\"", r.id, r.text);
}

static void each_file_has_its_own(const void *arg)
{
	struct nestvm_refusal r;
	struct vm a, b;
	int dev = nestvm_open();

	vm_create(&a, 0);
	vm_create(&b, 0);
	vm_add_vcpu(&a);
	EXPECT_REFUSED(a.fd, KVM_CREATE_VCPU, 0, EEXIST, NESTVM_REFUSED_VCPU_LIMIT);
	EXPECT_EQ(last_refusal(b.fd).id, NESTVM_REFUSED_NOTHING, "the reason on another VM");
	EXPECT_EQ(last_refusal(a.vcpus[0].fd).id, NESTVM_REFUSED_NOTHING, "the reason on a vCPU");
	EXPECT_REFUSED(dev, KVM_CREATE_VM, 77, EINVAL, NESTVM_REFUSED_CAPABILITY);
	EXPECT_EQ(last_refusal(a.dev).id, NESTVM_REFUSED_NOTHING,
		  "the reason on another opener's file");

	/* What goes well later does not wipe it out; a second look gives the same. */
	vm_add_vcpu(&a);
	r = last_refusal(a.fd);
	EXPECT_EQ(r.id, NESTVM_REFUSED_VCPU_LIMIT, "the reason, later");
	EXPECT(strstr(r.text, "vCPU"), "\"%s\" does not say what was refused", r.text);
}

/* A caller with a short struct gets the beginning, and nothing behind it is touched. */
static void output_is_cut_off(const void *arg)
{
	struct {
		struct nestvm_device_info info;
		u64 behind;
	} longer = { .info.size = sizeof(longer), .behind = 0 };
	int dev = nestvm_open();

	MUST(dev, NESTVM_GET_DEVICE_INFO, &longer);
	EXPECT_EQ(longer.behind, 0, "what lies behind the struct");
	EXPECT_EQ(longer.info.api_version, NESTVM_API_VERSION, "the API version");
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "nothing_at_first", nothing_at_first, NULL, 0 },
		{ "each_file_has_its_own", each_file_has_its_own, NULL, 0 },
		{ "output_is_cut_off", output_is_cut_off, NULL, 0 },
	};

	return ktap_main(cases, ARRAY_LEN(cases), argc, argv);
}
