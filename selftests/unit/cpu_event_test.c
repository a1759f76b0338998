// SPDX-License-Identifier: GPL-2.0
#include "harness.h"
#include "cpu_event.h"
#include "x86.h"

static u32 hard(u8 vector)
{
	return INTR_INFO_VALID | INTR_TYPE_HARD_EXC | vector;
}

/* A second exception while @first is being delivered. */
static struct nv_events after(u32 first, u8 second)
{
	struct nv_events ev = { .user_intr = -1 };

	ev.reinject.info = first;
	nv_event_raise(&ev, second, false, 0, 0);
	return ev;
}

/* SDM 3A, table "Interrupt and Exception Classes" */
TEST(classes)
{
	unsigned int v;

	for (v = 0; v < 256; v++) {
		bool page = v == 14 || v == 20;
		bool contributory = v == 0 || (v >= 10 && v <= 13) || v == 21;

		CASE("vector %u", v);
		EXPECT_EQ(nv_exception_class(v),
			  page ? EXC_PAGE : contributory ? EXC_CONTRIBUTORY : EXC_BENIGN);
	}
}

/* Table "Conditions for Generating a Double Fault", every pair of exceptions. */
TEST(pairs)
{
	static const enum { SERIAL, DOUBLE } table[3][3] = {
		[EXC_BENIGN]		= { SERIAL, SERIAL, SERIAL },
		[EXC_CONTRIBUTORY]	= { SERIAL, DOUBLE, SERIAL },
		[EXC_PAGE]		= { SERIAL, DOUBLE, DOUBLE },
	};
	unsigned int a, b;

	for (a = 0; a < 32; a++)
		for (b = 0; b < 32; b++) {
			struct nv_events ev = after(hard(a), b);
			bool twice = table[nv_exception_class(a)][nv_exception_class(b)] == DOUBLE;

			CASE("%u, then %u", a, b);
			if (a == VEC_DF && nv_exception_class(b) != EXC_BENIGN) {
				EXPECT_TRUE(ev.triple_fault);
				EXPECT_FALSE(nv_event_valid(&ev.exception));
			} else if (twice) {
				EXPECT_EQ(ev.exception.info, hard(VEC_DF) | INTR_INFO_ERROR_CODE);
				EXPECT_EQ(ev.exception.error, 0);
				EXPECT_FALSE(ev.triple_fault);
			} else {
				EXPECT_EQ(ev.exception.info, hard(b));
				EXPECT_FALSE(ev.triple_fault);
			}
			EXPECT_FALSE(nv_event_valid(&ev.reinject));
		}
}

/* What is no exception is not part of that table: it is delivered again afterwards. */
TEST(interrupt_being_delivered)
{
	static const u32 types[] = { INTR_TYPE_EXT, INTR_TYPE_NMI, INTR_TYPE_SOFT_INTR };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(types); i++) {
		struct nv_events ev = after(INTR_INFO_VALID | types[i] | 0x0d, VEC_GP);

		CASE("type %#x", types[i]);
		EXPECT_EQ(ev.exception.info, hard(VEC_GP));
		EXPECT_EQ(ev.reinject.info, INTR_INFO_VALID | types[i] | 0x0d);
	}
}

/* One that waits counts as the first, and before the one being delivered. */
TEST(waiting)
{
	struct nv_events ev = { .user_intr = -1 };

	nv_event_raise(&ev, VEC_PF, true, 2, 0x1234);
	EXPECT_EQ(ev.exception.info, hard(VEC_PF) | INTR_INFO_ERROR_CODE);
	EXPECT_EQ(ev.exception.error, 2);
	EXPECT_EQ(ev.exception.payload, 0x1234);
	nv_event_raise(&ev, VEC_GP, true, 8, 0);
	EXPECT_EQ(nv_event_vector(&ev.exception), VEC_DF);
	nv_event_raise(&ev, VEC_GP, true, 8, 0);
	EXPECT_TRUE(ev.triple_fault);
	nv_events_clear(&ev);
	EXPECT_FALSE(ev.triple_fault);
}

TEST(soft)
{
	struct nv_events ev = { .user_intr = -1 };

	nv_event_raise_soft(&ev, INTR_TYPE_SOFT_EXC, VEC_BP, 1);
	EXPECT_EQ(ev.exception.info, INTR_INFO_VALID | INTR_TYPE_SOFT_EXC | VEC_BP);
	EXPECT_EQ(ev.exception.insn_len, 1);
	nv_event_raise_soft(&ev, INTR_TYPE_PRIV_EXC, VEC_DB, 1);
	EXPECT_EQ(ev.exception.info, INTR_INFO_VALID | INTR_TYPE_PRIV_EXC | VEC_DB);
}
