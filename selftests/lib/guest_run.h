/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Run a bare-metal guest program: its cases become cases of the KTAP program,
 * each in a virtual machine of its own.
 */
#ifndef SELFTESTS_GUEST_RUN_H
#define SELFTESTS_GUEST_RUN_H

#include "vm.h"
#include "guest/params.h"

struct guest_blob {
	const u8 *image;
	size_t size;
	const char *name;
};

/* The guest in guest/NAME.c */
#define GUEST(name) extern const struct guest_blob guest_##name

/*
 * main() of a program: @own cases (may be NULL), then those of @blob that have
 * no leading underscore (these are parts of own cases).
 */
int guest_main(const struct guest_blob *blob, const struct ktap_case *own, size_t count,
	       int argc, char **argv);

/* Put the guest into @vm's memory, chosen case @name. vcpu 0 is ready to run it. */
struct vcpu *guest_load(struct vm *vm, const struct guest_blob *blob, const char *name);
struct guest_params *guest_params(struct vm *vm);

/*
 * KVM_RUN until an exit that is not the guest's report: the exit reason. At the
 * guest's end: GUEST_ENDED with the verdict taken over into the case (a skip
 * ends it).
 */
#define GUEST_ENDED	1000
int guest_run(struct vcpu *vcpu);

/* Run to the end; every other exit fails the case. */
void guest_run_to_end(struct vcpu *vcpu);

/* The same in a thread, for vCPUs other than the first. Ends with the process. */
void guest_run_in_thread(struct vcpu *vcpu);

#endif
