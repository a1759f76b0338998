// SPDX-License-Identifier: GPL-2.0
/*
 * A guest's frame as a DHCP request, and the answer to it: what is read stays in the
 * frame, what is written in the room given, and an answer's lengths fit each other.
 */
#include "net/dhcp.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void answer(const struct dhcp_query *q, size_t room)
{
	static const uint32_t dns[] = { 1, 2, 3 };
	struct dhcp_answer a = {
		.type = DHCP_ACK, .mac = { 2 }, .server = 0x0a000001, .address = q->wanted,
		.mask = 0xffffff00, .router = 0x0a000001, .broadcast = 0x0a0000ff, .dns = dns,
		.ndns = 3, .seconds = 60,
	};
	uint8_t *out = malloc(room ? room : 1);
	size_t len;

	a.type = q->xid % 3 ? q->xid % 3 == 1 ? DHCP_OFFER : DHCP_NAK : DHCP_ACK;
	len = out ? dhcp_build(q, &a, out, room) : 0;
	if (len > room || (len && (size_t)(out[16] << 8 | out[17]) != len - 14) ||
	    (len && (size_t)(out[38] << 8 | out[39]) != len - 34))
		abort();
	if (room >= 1024 && !len)
		abort();
	free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* An allocation of the frame's size, so that reading behind it is seen. */
	uint8_t *frame = malloc(size ? size : 1);
	struct dhcp_query q;

	if (!frame)
		return 0;
	memcpy(frame, data, size);
	if (dhcp_parse(frame, size, &q)) {
		if (memcmp(q.mac, frame + 6, 6))
			abort();
		answer(&q, 1024);
		answer(&q, size);
	}
	free(frame);
	return 0;
}
