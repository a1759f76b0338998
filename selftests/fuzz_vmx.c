// SPDX-License-Identifier: GPL-2.0
/*
 * Random VMX instructions by a bare-metal L1 (guest/fuzz_vmx.c). Whatever becomes
 * of the VM, the kernel survives and its log stays clean.
 *
 *	fuzz_vmx [--device PATH]	seed and number: $FUZZ_SEED, $FUZZ_COUNT
 */
#include "lib/guest_run.h"
#include "lib/uapi.h"
#include "lib/canary.h"
#include "lib/random.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

GUEST(fuzz_vmx);

#define COUNT	10000
#define CANARY_MIB	64
#define STUCK	40		/* looks without progress, 10 ms each */

static struct vm vm;
static volatile bool stuck;

static void on_signal(int sig)
{
}

/* End a VM whose L1 or L2 has become a loop or a sleep. */
static void *watch(void *thread)
{
	struct timespec wait = { 0, 10000000 };
	u64 seen = 0;
	int looks = 0;

	for (;;) {
		u64 now = guest_params(&vm)->results[0];

		nanosleep(&wait, NULL);
		looks = now == seen ? looks + 1 : 0;
		seen = now;
		if (looks >= STUCK) {
			stuck = true;
			vm.vcpus[0].run->immediate_exit = 1;
			pthread_kill(*(pthread_t *)thread, SIGUSR1);
		}
	}
	return NULL;
}

/* One VM until it has had enough or died: how many instructions it did. */
static u64 one_vm(u64 seed, u64 left)
{
	pthread_t self = pthread_self(), thread;
	struct vcpu *vcpu;
	u64 done;

	stuck = false;
	vm_create(&vm, VM_EXPOSE);
	vcpu = guest_load(&vm, &guest_fuzz_vmx, "_random_instructions");
	guest_params(&vm)->seed = seed;
	guest_params(&vm)->args[0] = left;
	ASSERT(!pthread_create(&thread, NULL, watch, &self), "no thread");
	/* The guest's own reports do not count here: it knows not what it does. */
	while (!stuck && vcpu_run(vcpu) == KVM_EXIT_IO)
		if (vcpu->run->io.port == GUEST_PORT_END)
			break;
	pthread_cancel(thread);
	pthread_join(thread, NULL);
	done = guest_params(&vm)->results[0];
	vm_destroy(&vm);
	return done > left ? left : done;
}

static void random_instructions(const void *arg)
{
	struct sigaction sa = { .sa_handler = on_signal };
	u64 seed = from_env("FUZZ_SEED", 1), left = from_env("FUZZ_COUNT", COUNT), vms = 0;
	struct nestvm_device_info before = { 0 }, after;
	int dev = device_open();

	if (device_is_nestvm(dev))
		before = device_info(dev);
	ktap_say("FUZZ_SEED=%llu FUZZ_COUNT=%llu", seed, left);
	canary_start(CANARY_MIB);
	sigaction(SIGUSR1, &sa, NULL);
	while (left) {
		left -= one_vm(seed + vms, left);
		vms++;
		canary_stir();
		ASSERT(vms < 2000, "%llu instructions are left after %llu VMs", left, vms);
	}
	ktap_say("%llu VMs", vms);
	canary_check();
	if (!device_is_nestvm(dev))
		return;
	after = device_info(dev);
	EXPECT(after.vms == before.vms && after.vmcs_regions == before.vmcs_regions &&
	       after.table_pages == before.table_pages, "%llu VMs, %llu VMCSs, %llu EPT pages are left",
	       after.vms, after.vmcs_regions, after.table_pages);
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "random_instructions", random_instructions, NULL, 300 },
	};

	return guest_main(&guest_fuzz_vmx, cases, ARRAY_LEN(cases), argc, argv);
}
