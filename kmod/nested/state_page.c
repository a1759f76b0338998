// SPDX-License-Identifier: GPL-2.0
/* Saved nested state as pairs of encoding and value. Pure, see kmod/pure.mk. */
#include "nested/state_page.h"

#define L(NAME, member, number) [number] = offsetof(struct state_live, member),
static const u16 live_offset[] = { STATE_PAGE_LIVES(L) };
#undef L

#define LIVE_COUNT	ARRAY_SIZE(live_offset)

static_assert(VMCS12_FIELD_COUNT + LIVE_COUNT <= ARRAY_SIZE(((struct state_page *)0)->pair));

static u64 *live_at(struct state_live *live, unsigned int i)
{
	return (u64 *)((u8 *)live + live_offset[i]);
}

static void add_pair(struct state_page *page, u32 encoding, u64 value)
{
	struct state_pair *p;

	if (!value)
		return;
	p = &page->pair[page->count++];
	p->encoding = encoding;
	p->value = value;
}

void state_page_write(struct state_page *page, const struct vmcs12 *v,
		      const struct state_live *live)
{
	unsigned int i;

	memset(page, 0, sizeof(*page));
	page->revision = v->revision;
	page->format = STATE_PAGE_FORMAT;
	page->launch_state = v->launch_state;
	for (i = 0; i < VMCS12_FIELD_COUNT; i++) {
		const struct vmcs12_field *f = vmcs12_field_at(i);

		add_pair(page, f->encoding, vmcs12_read(v, f->encoding));
	}
	for (i = 0; i < LIVE_COUNT; i++)
		add_pair(page, STATE_PAGE_LIVE + i, *live_at((struct state_live *)live, i));
}

/* One bit for each thing that may come once. */
struct seen {
	u64 bits[(VMCS12_FIELD_COUNT + LIVE_COUNT + 63) / 64];
};

static bool see(struct seen *seen, unsigned int i)
{
	u64 *word = &seen->bits[i / 64], bit = BIT_ULL(i % 64);
	bool before = *word & bit;

	*word |= bit;
	return before;
}

static enum state_page_error read_field(const struct state_pair *p, struct vmcs12 *v,
					struct seen *seen)
{
	const struct vmcs12_field *f = vmcs12_find(p->encoding);

	/* The high half of a field is no field; of one we do not have, 0 says nothing. */
	if (!f || (p->encoding & VMCS_ENC_HIGH))
		return p->value ? STATE_PAGE_UNKNOWN : STATE_PAGE_OK;
	if (see(seen, f - vmcs12_field_at(0)))
		return STATE_PAGE_TWICE;
	if (f->size < sizeof(u64) && p->value >> (8 * f->size))
		return STATE_PAGE_WIDTH;
	vmcs12_write(v, p->encoding, p->value);
	return STATE_PAGE_OK;
}

static enum state_page_error read_pair(const struct state_pair *p, struct vmcs12 *v,
				       struct state_live *live, struct seen *seen)
{
	unsigned int i = p->encoding - STATE_PAGE_LIVE;

	if (p->reserved)
		return STATE_PAGE_RESERVED;
	if (p->encoding < STATE_PAGE_LIVE)
		return read_field(p, v, seen);
	if (i >= LIVE_COUNT)
		return p->value ? STATE_PAGE_UNKNOWN : STATE_PAGE_OK;
	i = array_index_nospec(i, LIVE_COUNT);
	if (see(seen, VMCS12_FIELD_COUNT + i))
		return STATE_PAGE_TWICE;
	*live_at(live, i) = p->value;
	return STATE_PAGE_OK;
}

enum state_page_error state_page_read(const struct state_page *page, struct vmcs12 *v,
				      struct state_live *live, u32 *at)
{
	enum state_page_error error = STATE_PAGE_OK;
	struct seen seen = {};
	u32 i;

	memset(v, 0, sizeof(*v));
	memset(live, 0, sizeof(*live));
	*at = page->revision;
	if (page->revision != VMCS12_REVISION)
		return STATE_PAGE_REVISION;
	*at = page->format;
	if (page->format != STATE_PAGE_FORMAT)
		return STATE_PAGE_BAD_FORMAT;
	*at = page->count;
	if (page->count > ARRAY_SIZE(page->pair))
		return STATE_PAGE_COUNT;
	*at = page->launch_state;
	if (page->launch_state != VMCS12_CLEAR && page->launch_state != VMCS12_LAUNCHED)
		return STATE_PAGE_LAUNCH_STATE;
	v->revision = page->revision;
	v->launch_state = page->launch_state;
	for (i = 0; i < page->count && !error; i++) {
		*at = page->pair[i].encoding;
		error = read_pair(&page->pair[i], v, live, &seen);
	}
	return error;
}
