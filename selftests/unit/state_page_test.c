// SPDX-License-Identifier: GPL-2.0
#include "harness.h"
#include "nested/state_page.h"

static struct vmcs12 v, got;
static struct state_live live, got_live;
static struct state_page page;

/* Every field with a value of its own, all bits of its width used somewhere. */
static void fill(void)
{
	unsigned int i;

	memset(&v, 0, sizeof(v));
	v.revision = VMCS12_REVISION;
	v.launch_state = VMCS12_LAUNCHED;
	for (i = 0; i < VMCS12_FIELD_COUNT; i++)
		vmcs12_write(&v, vmcs12_field_at(i)->encoding, ~0x0123456789abcdefull * (i + 1));
	memset(&live, 0, sizeof(live));
	for (i = 0; i < sizeof(live) / sizeof(u64); i++)
		((u64 *)&live)[i] = 0xf00000000000000full + i;
	state_page_write(&page, &v, &live);
}

static enum state_page_error read_page(u32 *at)
{
	return state_page_read(&page, &got, &got_live, at);
}

TEST(round_trip)
{
	u32 at;

	fill();
	EXPECT_EQ(read_page(&at), STATE_PAGE_OK);
	EXPECT_TRUE(!memcmp(&v, &got, sizeof(v)));
	EXPECT_TRUE(!memcmp(&live, &got_live, sizeof(live)));
}

TEST(nothing_is_a_state)
{
	u32 at;

	memset(&v, 0, sizeof(v));
	memset(&live, 0, sizeof(live));
	v.revision = VMCS12_REVISION;
	state_page_write(&page, &v, &live);
	EXPECT_EQ(page.count, 0);
	fill();
	page.count = 0;
	page.launch_state = 0;
	EXPECT_EQ(read_page(&at), STATE_PAGE_OK);
	memset(&v, 0, sizeof(v));
	v.revision = VMCS12_REVISION;
	EXPECT_TRUE(!memcmp(&v, &got, sizeof(v)));
}

/* Where the fields lie in struct vmcs12 is no part of it: their order does not matter. */
TEST(any_order)
{
	u32 at, i;

	fill();
	for (i = 0; i < page.count / 2; i++) {
		struct state_pair swap = page.pair[i];

		page.pair[i] = page.pair[page.count - 1 - i];
		page.pair[page.count - 1 - i] = swap;
	}
	EXPECT_EQ(read_page(&at), STATE_PAGE_OK);
	EXPECT_TRUE(!memcmp(&v, &got, sizeof(v)));
}

static struct state_pair *pair_of(u32 encoding)
{
	u32 i;

	for (i = 0; i < page.count; i++)
		if (page.pair[i].encoding == encoding)
			return &page.pair[i];
	return NULL;
}

#define NO_FIELD	0x00fe
#define NO_LIVE		(STATE_PAGE_LIVE + 100)

static void other_revision(void) { page.revision ^= 1; }
static void other_format(void) { page.format++; }
static void too_many(void) { page.count = ARRAY_SIZE(page.pair) + 1; }
static void absurdly_many(void) { page.count = ~0u; }
static void odd_launch_state(void) { page.launch_state = 2; }
static void reserved(void) { pair_of(VMCS_GUEST_RIP)->reserved = 1; }
static void unknown_field(void) { pair_of(VMCS_GUEST_RIP)->encoding = NO_FIELD; }
static void unknown_live(void) { pair_of(STATE_PAGE_LIVE)->encoding = NO_LIVE; }
static void high_half(void) { pair_of(VMCS_GUEST_PAT)->encoding |= VMCS_ENC_HIGH; }
static void huge_encoding(void) { pair_of(VMCS_GUEST_RIP)->encoding = ~0u; }
static void twice(void) { *pair_of(VMCS_GUEST_RIP) = *pair_of(VMCS_GUEST_RSP); }
static void twice_live(void) { *pair_of(STATE_PAGE_LIVE) = *pair_of(STATE_PAGE_LIVE + 1); }
static void wide_16(void) { pair_of(VMCS_GUEST_ES_SEL)->value = 0x10000; }
static void wide_32(void) { pair_of(VMCS_PIN_CTLS)->value = 0x100000000ull; }

TEST(refused)
{
	static const struct {
		const char *name;
		void (*spoil)(void);
		enum state_page_error error;
		u32 at;
	} rows[] = {
		{ "revision", other_revision, STATE_PAGE_REVISION, VMCS12_REVISION ^ 1 },
		{ "format", other_format, STATE_PAGE_BAD_FORMAT, STATE_PAGE_FORMAT + 1 },
		{ "a pair too many", too_many, STATE_PAGE_COUNT, 256 },
		{ "absurdly many pairs", absurdly_many, STATE_PAGE_COUNT, ~0u },
		{ "launch state", odd_launch_state, STATE_PAGE_LAUNCH_STATE, 2 },
		{ "reserved word", reserved, STATE_PAGE_RESERVED, VMCS_GUEST_RIP },
		{ "unknown field", unknown_field, STATE_PAGE_UNKNOWN, NO_FIELD },
		{ "unknown state", unknown_live, STATE_PAGE_UNKNOWN, NO_LIVE },
		{ "high half", high_half, STATE_PAGE_UNKNOWN, VMCS_GUEST_PAT | VMCS_ENC_HIGH },
		{ "huge encoding", huge_encoding, STATE_PAGE_UNKNOWN, ~0u },
		{ "field twice", twice, STATE_PAGE_TWICE, VMCS_GUEST_RSP },
		{ "state twice", twice_live, STATE_PAGE_TWICE, STATE_PAGE_LIVE + 1 },
		{ "17 bits in 16", wide_16, STATE_PAGE_WIDTH, VMCS_GUEST_ES_SEL },
		{ "33 bits in 32", wide_32, STATE_PAGE_WIDTH, VMCS_PIN_CTLS },
	};

	FOR_EACH_ROW(r, rows) {
		u32 at;

		CASE("%s", r->name);
		fill();
		r->spoil();
		EXPECT_EQ(read_page(&at), r->error);
		EXPECT_EQ(at, r->at);
	}
}

/* A module that knows more fields saves them as 0 where they are not used. */
TEST(unknown_zero_is_ignored)
{
	u32 at;

	fill();
	pair_of(VMCS_GUEST_RIP)->value = 0;
	pair_of(VMCS_GUEST_RIP)->encoding = NO_FIELD;
	pair_of(STATE_PAGE_LIVE)->value = 0;
	pair_of(STATE_PAGE_LIVE)->encoding = NO_LIVE;
	EXPECT_EQ(read_page(&at), STATE_PAGE_OK);
	EXPECT_EQ(got.guest_rip, 0);
	EXPECT_EQ(got_live.l2_pat, 0);
}
