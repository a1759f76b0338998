// SPDX-License-Identifier: GPL-2.0
#include "net.h"

#include "../conf/place.h"
#include "../conf/vmdir.h"
#include "link.h"
#include "room.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <netlink/errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define TUN_DEVICE	"/dev/net/tun"

void net_tap_name(const char *vm, const char *adapter, char out[IFNAMSIZ])
{
	const char *state = place_state(NULL);

	snprintf(out, IFNAMSIZ, "nvt-%011llx",
		 (unsigned long long)net_hash(state ? state : "", vm, adapter) >> 20);
}

static int open_tap(struct net_tap *t, struct refusal *r)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI };

	t->fd = open(TUN_DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (t->fd < 0)
		return refuse_text(r, errno == EACCES || errno == EPERM ? REASON_NEED_PRIVILEGE :
				   REASON_NET_FAILED, "%s cannot be opened: %s. It is the kernel's "
				   "module \"tun\" (\"modprobe tun\").", TUN_DEVICE, strerror(errno));
	memcpy(ifr.ifr_name, t->ifname, IFNAMSIZ);
	if (ioctl(t->fd, TUNSETIFF, &ifr) < 0) {
		if (errno == EBUSY)
			return refuse_text(r, REASON_NET_CONFLICT, "tap %s is there already: another "
					   "process has the adapter, or an interface has its name.",
					   t->ifname);
		return refuse_text(r, errno == EPERM ? REASON_NEED_PRIVILEGE : REASON_NET_FAILED,
				   "a tap cannot be made: %s. It needs CAP_NET_ADMIN: start the VM as "
				   "root, or without privilege give the adapter a network of its own, "
				   "\"nestvm adapter set VM ADAPTER --user\".", strerror(errno));
	}
	return 0;
}

/* Down until it is locked, so that no frame passes before. */
static int join(struct nl_sock *sk, int tap, int bridge, const struct vm_adapter *a)
{
	int ret = link_set_master(sk, tap, bridge);

	if (!ret && !a->mac_spoofing)
		ret = link_lock_port(sk, tap, a->mac);
	return ret ? ret : link_set_up(sk, tap, true);
}

static int connect_tap(struct nl_sock *sk, const char *vm, const struct vm_adapter *a,
		       const struct net_switch *s, struct net_tap *t, struct refusal *r)
{
	char owner[2 * VM_NAME_MAX + 2], mark[LINK_ALIAS_MAX];
	struct link tap, br;
	int ret;

	snprintf(owner, sizeof(owner), "%s/%s", vm, a->name);
	if (store_mark("adapter", owner, mark, r) < 0)
		return -1;
	ret = link_find(sk, s->bridge, &br);
	if (ret == -NLE_OBJ_NOTFOUND)
		return refuse_text(r, REASON_NET_CONFLICT, "bridge %s of switch \"%s\" is gone from this "
				   "host: \"nestvm switch repair\" makes it again.", s->bridge, s->name);
	if (!ret)
		ret = link_find(sk, t->ifname, &tap);
	if (!ret)
		ret = link_set_alias(sk, tap.index, mark);
	net_no_ipv6(t->ifname);
	if (!ret)
		ret = join(sk, tap.index, br.index, a);
	return ret < 0 ? net_failed(ret, "connecting adapter", owner, r) : 0;
}

int net_tap_check(const struct vm_adapter *a, struct refusal *r)
{
	struct net_switch s;

	if (geteuid())
		return refuse_text(r, REASON_NEED_PRIVILEGE, "adapter \"%s\" is on switch \"%s\", and "
				   "only root may connect a VM to a switch: start the VM as root, or "
				   "give the adapter a network that needs no privilege (\"nestvm "
				   "adapter set VM %s --user\").", a->name, a->link.sw, a->name);
	return switch_load(a->link.sw, &s, r);
}

int net_tap_open(const char *vm, const struct vm_adapter *a, struct net_tap *t,
		 struct refusal *r)
{
	struct net_switch s;
	struct nl_sock *sk;
	int lock, ret;

	t->fd = -1;
	net_tap_name(vm, a->name, t->ifname);
	sk = net_begin(&lock, r);
	if (!sk)
		return -1;
	ret = switch_load(a->link.sw, &s, r);
	if (!ret && s.state != RECORD_READY)
		ret = refuse_text(r, REASON_NET_CONFLICT, "switch \"%s\" is half made or half removed, "
				  "because a command was cut off: \"nestvm switch repair\" finishes it.",
				  s.name);
	if (!ret)
		ret = open_tap(t, r);
	if (!ret)
		ret = connect_tap(sk, vm, a, &s, t, r);
	net_end(sk, lock);
	if (ret < 0)
		net_tap_close(t);
	return ret;
}

void net_tap_close(struct net_tap *t)
{
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}

int net_tap_set_spoofing(const char *vm, const struct vm_adapter *a, struct refusal *r)
{
	char ifname[IFNAMSIZ];
	struct nl_sock *sk;
	struct link tap;
	int lock, ret;

	net_tap_name(vm, a->name, ifname);
	sk = net_begin(&lock, r);
	if (!sk)
		return -1;
	ret = link_find(sk, ifname, &tap);
	if (!ret)
		ret = a->mac_spoofing ? link_unlock_port(sk, tap.index, a->mac) :
		      link_lock_port(sk, tap.index, a->mac);
	net_end(sk, lock);
	return ret < 0 ? net_failed(ret, "changing tap", ifname, r) : 0;
}

/* ---- repair: taps of running VMs whose bridge has been made again ---- */

/* What the VM's configuration says of adapter @owner, VM/ADAPTER. */
static bool find_adapter(const char *owner, struct vm_adapter *a)
{
	char vm[VM_NAME_MAX + 1];
	const char *slash = strchr(owner, '/');
	struct vm_conf conf;
	struct vmdir d;
	unsigned int i;
	bool found;

	if (!slash || slash - owner > VM_NAME_MAX)
		return false;
	snprintf(vm, sizeof(vm), "%.*s", (int)(slash - owner), owner);
	if (vmdir_open(&d, vm, VMDIR_READ, NULL) < 0)
		return false;
	found = vmdir_load(&d, &conf, NULL) == 0;
	vmdir_close(&d);
	if (!found)
		return false;
	for (i = 0; i < conf.nadapters && strcmp(conf.adapters[i].name, slash + 1); i++)
		;
	found = i < conf.nadapters && conf.adapters[i].link.net == VM_NET_SWITCH;
	if (found)
		*a = conf.adapters[i];
	conf_free(&conf);
	return found;
}

static int repair_one(struct nl_sock *sk, const struct link *tap,
		      const struct net_repair_say *say, struct refusal *r)
{
	char owner[2 * VM_NAME_MAX + 2];
	struct vm_adapter a;
	struct net_switch s;
	struct link br;
	int ret;

	if (tap->master || !store_marked(tap->alias, "adapter", owner, sizeof(owner)) ||
	    !find_adapter(owner, &a) || switch_load(a.link.sw, &s, NULL) < 0)
		return 0;
	ret = link_find(sk, s.bridge, &br);
	if (!ret)
		ret = link_set_up(sk, tap->index, false);
	if (!ret)
		ret = join(sk, tap->index, br.index, &a);
	if (ret < 0)
		return net_failed(ret, "connecting adapter", owner, r);
	net_say(say, "adapter %s is connected to switch \"%s\" again", owner, s.name);
	return 0;
}

int tap_repair(struct nl_sock *sk, const struct net_repair_say *say, struct refusal *r)
{
	struct link *links;
	int i, n, ret = 0;

	n = link_list(sk, &links);
	if (n < 0)
		return net_failed(n, "reading the host's interfaces", "", r);
	for (i = 0; i < n && !ret; i++)
		ret = repair_one(sk, &links[i], say, r);
	free(links);
	return ret;
}
