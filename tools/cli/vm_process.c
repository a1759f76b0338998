// SPDX-License-Identifier: GPL-2.0
#include "vm_process.h"

#include "../conf/files.h"
#include "../conf/rules.h"
#include "../conf/vtx.h"
#include "../net/net.h"
#include "../vmm/state/state.h"
#include "cmd.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void set_net(const char *vm, const struct vm_adapter *a, struct net_config *net)
{
	static const enum net_kind kinds[] = {
		[VM_NET_NONE] = NET_NONE, [VM_NET_USER] = NET_USER, [VM_NET_SWITCH] = NET_SWITCH,
	};

	*net = (struct net_config){
		.name = a->name, .kind = kinds[a->link.net], .spoofing = a->mac_spoofing,
		.vm = vm, .adapter = a,
	};
	memcpy(net->mac, a->mac, sizeof(net->mac));
}

/* The configuration and its strings live as long as the machine. */
static int configure(struct vm_process *p, struct refusal *r)
{
	const struct vm_conf *c = &p->conf;
	struct machine_config *mc = &p->config;
	unsigned int i;

	if (vmdir_socket(p->d, "ctl", p->control_path, sizeof(p->control_path), r) < 0 ||
	    vmdir_socket(p->d, "con", p->console_path, sizeof(p->console_path), r) < 0)
		return -1;
	*mc = (struct machine_config){
		.name = p->d->name,
		.control_path = p->control_path,
		.console_path = p->console_path,
		.restart_on_reset = true,
		.device = c->device ?: NVL_DEFAULT_DEVICE,
		.kernel = c->kernel,
		.initrd = c->initrd,
		.append = c->append ?: "",
		.memory = c->dynamic_memory ? c->memory_max : c->memory,
		.vcpus = c->vcpus,
		.expose = conf_has_vtx(c),
		.vtx_withhold = ~c->vtx_features & (VTX_BIT(VTX_COUNT) - 1),
		.dynamic_memory = c->dynamic_memory,
		.memory_startup = c->dynamic_memory ? c->memory : 0,
		.memory_min = c->dynamic_memory ? c->memory_min : 0,
		.ndisks = c->ndisks,
	};
	for (i = 0; i < c->ndisks; i++)
		mc->disks[i] = (struct disk_config){ c->disks[i].path, c->disks[i].read_only };
	mc->nnets = c->nadapters;
	for (i = 0; i < c->nadapters; i++) {
		if (c->adapters[i].link.net == VM_NET_SWITCH &&
		    net_tap_check(&c->adapters[i], r) < 0)
			return -1;
		set_net(p->d->name, &c->adapters[i], &mc->nets[i]);
	}
	return 0;
}

static int failed(struct refusal *r, const char *name, const struct nvl_error *err)
{
	/* The rules said yes, and the module knows better: its reason, under our name for it. */
	if (err->refused)
		return refuse_text(r, reason_of_kernel(err->refused), "VM \"%s\" did not start: %s",
				   name, err->text);
	return refuse(r, START_FAILED, name, err->text);
}

static int create(struct vm_process *p, struct vmdir *d, bool arrives, bool disks_later,
		  struct refusal *r)
{
	struct nvl_error err = { 0 };

	memset(p, 0, sizeof(*p));
	if (vmdir_run_lock(d, r) < 0)
		return -1;
	if (vmdir_load(d, &p->conf, r) < 0)
		return -1;
	p->d = d;
	if (configure(p, r) < 0)
		goto free_conf;
	p->config.arrives = arrives;
	p->config.disks_later = disks_later;
	/* Left by a process that was killed; the run lock says that it is no more. */
	unlink(p->control_path);
	unlink(p->console_path);
	p->m = malloc(sizeof(*p->m));
	if (!p->m) {
		refuse_text(r, REASON_HOST_FAILED, "no memory left on the host.");
		goto free_conf;
	}
	if (machine_create(p->m, &p->config, &err) < 0) {
		failed(r, d->name, &err);
		vm_process_destroy(p);
		return -1;
	}
	return 0;

free_conf:
	conf_free(&p->conf);
	return -1;
}

int vm_process_create_empty(struct vm_process *p, struct vmdir *d, struct refusal *r)
{
	return create(p, d, true, true, r);
}

struct loading {
	vm_progress *progress;
	void *arg;
};

static bool loaded_so_far(void *ctx, uint64_t done, uint64_t total)
{
	struct loading *l = ctx;

	if (l->progress)
		l->progress(l->arg, done, total);
	return true;
}

static int load(struct vm_process *p, const char *file, struct loading *l, struct refusal *r)
{
	struct state_watch watch = { loaded_so_far, l };
	struct nvl_error err = { 0 };
	int ret;

	ret = state_arrive_file(p->m, file, &watch, &err);
	if (ret < 0)
		return refuse_text(r, ret == -EBADMSG ? REASON_STATE_DAMAGED : REASON_STATE_FOREIGN,
				   "VM \"%s\" cannot go on from its saved state: %s It is still there; "
				   "\"nestvm remove-saved-state %s\" throws it away.", p->d->name,
				   err.text, p->d->name);
	return 0;
}

int vm_process_create(struct vm_process *p, struct vmdir *d, vm_progress *progress, void *arg,
		      struct refusal *r)
{
	struct loading l = { progress, arg };
	char saved[PATH_MAX];

	if (create(p, d, vmdir_saved(d), false, r) < 0)
		return -1;
	if (!vmdir_saved(d))
		return 0;
	/*
	 * The saved state goes before the guest takes its first step: the disks are
	 * those of the guest that runs from here on, and no other may start from it.
	 */
	if (load(p, vmdir_file(d, "saved", saved), &l, r) < 0 ||
	    files_remove_tree(saved, r) < 0 || files_sync(d->path, r) < 0) {
		vm_process_destroy(p);
		return -1;
	}
	return 0;
}

int vm_process_run(struct vm_process *p)
{
	struct nvl_error err = { 0 };
	int status;

	machine_run(p->m, &err);
	if (p->m->report)
		fprintf(stderr, "\n%s", p->m->report);
	status = run_status(p->m);
	fprintf(stderr, "nestvm: VM \"%s\": %s (status %d)\n", p->d->name, p->m->end_text, status);
	return status;
}

void vm_process_destroy(struct vm_process *p)
{
	if (p->m) {
		machine_destroy(p->m);
		free(p->m);
	}
	unlink(p->control_path);
	unlink(p->console_path);
	conf_free(&p->conf);
	p->m = NULL;
}
