// SPDX-License-Identifier: GPL-2.0
/*
 * Which frames an adapter lets out and in, and MAC addresses as text.
 *
 * links: vmm/virtio/frame_filter.c
 */
#include "lib/ktap.h"
#include "vmm/virtio/frame_filter.h"

#include <string.h>

#define OWN	"\x52\x00\x00\x00\x00\x01"
#define OTHER	"\x52\x00\x00\x00\x00\x02"
#define GROUP	"\x01\x00\x5e\x00\x00\xfb"
#define ALL	"\xff\xff\xff\xff\xff\xff"
#define TYPE	"\x08\x00"

struct row {
	const char *what;
	const char *frame;
	size_t len;
	bool leaves, enters;		/* with spoofing off */
};

static const struct row rows[] = {
	{ "own to other", OTHER OWN TYPE, 14, true, false },
	{ "own to all", ALL OWN TYPE, 14, true, true },
	{ "other to own", OWN OTHER TYPE, 14, false, true },
	{ "other to other", OTHER OTHER TYPE, 14, false, false },
	{ "other to group", GROUP OTHER TYPE, 14, false, true },
	{ "other to all", ALL OTHER TYPE, 14, false, true },
	{ "all to own", OWN ALL TYPE, 14, false, true },
	{ "short by one", OWN OWN TYPE, 13, false, false },
	{ "nothing", "", 0, false, false },
};

static void filters(const void *arg)
{
	struct frame_filter f = { 0 };
	const struct row *r;

	memcpy(f.mac, OWN, MAC_BYTES);
	for (r = rows; r < rows + sizeof(rows) / sizeof(rows[0]); r++) {
		const uint8_t *frame = (const uint8_t *)r->frame;

		f.spoofing = false;
		EXPECT_EQ(frame_may_leave(&f, frame, r->len), r->leaves, r->what);
		EXPECT_EQ(frame_may_enter(&f, frame, r->len), r->enters, r->what);
		f.spoofing = true;
		EXPECT_EQ(frame_may_leave(&f, frame, r->len), r->len >= 14, r->what);
		EXPECT_EQ(frame_may_enter(&f, frame, r->len), r->len >= 14, r->what);
	}
}

static void addresses(const void *arg)
{
	static const char * const bad[] = {
		"", "52:4e:56:01:02", "52:4e:56:01:02:0", "52:4e:56:01:02:03:", "52-4e-56-01-02-03",
		"524e56010203", "5g:4e:56:01:02:03", "53:4e:56:01:02:03", "ff:ff:ff:ff:ff:ff",
		"00:00:00:00:00:00", " 2:4e:56:01:02:03", "52:4e:56:01:02:0x",
	};
	uint8_t mac[MAC_BYTES], again[MAC_BYTES];
	char text[MAC_TEXT];
	unsigned int i;

	EXPECT(mac_parse("52:4E:56:aB:02:03", mac), "a good address");
	mac_print(mac, text);
	EXPECT(!strcmp(text, "52:4e:56:ab:02:03"), "printed as %s", text);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		EXPECT(!mac_parse(bad[i], mac), "\"%s\"", bad[i]);
	EXPECT(mac_make(mac) && mac_make(again), "made");
	EXPECT((mac[0] & 3) == 2, "locally administered, one adapter's");
	EXPECT(memcmp(mac, again, MAC_BYTES), "two alike");
}

int main(int argc, char **argv)
{
	static const struct ktap_case cases[] = {
		{ "filters", filters },
		{ "addresses", addresses },
	};

	return ktap_main(cases, sizeof(cases) / sizeof(cases[0]), argc, argv);
}
