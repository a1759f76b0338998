// SPDX-License-Identifier: GPL-2.0
/* What a VM's process does for an adapter, for a test that plays the VM. */
#include "../../../tools/net/net.h"

#include <stdlib.h>

int shim_tap(const char *vm, const char *sw, const char *mac, int spoofing, char *err);
int shim_spoofing(const char *vm, const char *mac, int spoofing, char *err);
void *shim_dhcp(const char *vm, const char *sw);
int shim_ask(void *port, const uint8_t *frame, size_t len, uint8_t *reply);

static struct vm_adapter adapter(const char *sw, const char *mac, int spoofing)
{
	struct vm_adapter a = { .name = "eth0", .link.net = VM_NET_SWITCH, .mac_spoofing = spoofing };

	snprintf(a.link.sw, sizeof(a.link.sw), "%s", sw);
	conf_parse_mac(mac, a.mac);
	return a;
}

/* The tap's descriptor; -1 with 1024 bytes of why. */
int shim_tap(const char *vm, const char *sw, const char *mac, int spoofing, char *err)
{
	struct vm_adapter a = adapter(sw, mac, spoofing);
	struct refusal r = { 0 };
	struct net_tap t;

	if (net_tap_open(vm, &a, &t, &r) < 0)
		snprintf(err, 1024, "%s: %.900s", reason_name(r.id), r.text);
	return t.fd;
}

int shim_spoofing(const char *vm, const char *mac, int spoofing, char *err)
{
	struct vm_adapter a = adapter("", mac, spoofing);
	struct refusal r = { 0 };
	int ret = net_tap_set_spoofing(vm, &a, &r);

	if (ret < 0)
		snprintf(err, 1024, "%s: %.900s", reason_name(r.id), r.text);
	return ret;
}

void *shim_dhcp(const char *vm, const char *sw)
{
	struct vm_adapter a = adapter(sw, "02:00:00:00:00:00", 1);
	struct dhcp_port *p = malloc(sizeof(*p));

	if (p)
		dhcp_port_init(p, vm, &a);
	return p;
}

/* -1: not for us; else the length of the reply, 0 for none. */
int shim_ask(void *port, const uint8_t *frame, size_t len, uint8_t *reply)
{
	size_t n;

	return dhcp_port_take(port, frame, len, reply, &n) ? (int)n : -1;
}
