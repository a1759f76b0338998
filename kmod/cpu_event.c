// SPDX-License-Identifier: GPL-2.0
/* Which event comes of two, and what waits. Pure. */
#include "cpu_event.h"
#include "x86.h"

/* SDM 3A "Interrupt 8—Double Fault Exception", table of interrupt and exception classes. */
enum nv_exc_class nv_exception_class(u8 vector)
{
	switch (vector) {
	case VEC_PF:
	case VEC_VE:
		return EXC_PAGE;
	case VEC_DE:
	case VEC_TS:
	case VEC_NP:
	case VEC_SS:
	case VEC_GP:
	case VEC_CP:
		return EXC_CONTRIBUTORY;
	}
	return EXC_BENIGN;
}

static bool is_exception(const struct nv_event *e)
{
	u32 type = e->info & INTR_INFO_TYPE;

	return nv_event_valid(e) && (type == INTR_TYPE_HARD_EXC || type == INTR_TYPE_SOFT_EXC ||
				     type == INTR_TYPE_PRIV_EXC);
}

static void set_exception(struct nv_events *ev, u32 type, u8 vector, bool has_error, u32 error,
			  u64 payload, u32 insn_len)
{
	ev->exception = (struct nv_event) {
		.info = INTR_INFO_VALID | type | vector | (has_error ? INTR_INFO_ERROR_CODE : 0),
		.error = error,
		.payload = payload,
		.insn_len = insn_len,
	};
}

void nv_event_raise(struct nv_events *ev, u8 vector, bool has_error, u32 error, u64 payload)
{
	struct nv_event *first;
	enum nv_exc_class a, b;

	/* The first is the one being delivered, or the one that waited already. */
	first = is_exception(&ev->exception) ? &ev->exception : &ev->reinject;
	if (!is_exception(first)) {
		set_exception(ev, INTR_TYPE_HARD_EXC, vector, has_error, error, payload, 0);
		return;
	}

	a = nv_exception_class(nv_event_vector(first));
	b = nv_exception_class(vector);
	if (nv_event_vector(first) == VEC_DF && b != EXC_BENIGN) {
		/* "Conditions for Generating a Double Fault": a third one is shutdown. */
		nv_events_clear(ev);
		ev->triple_fault = true;
		return;
	}
	if ((a == EXC_CONTRIBUTORY && b == EXC_CONTRIBUTORY) ||
	    (a == EXC_PAGE && b != EXC_BENIGN)) {
		first->info = 0;
		set_exception(ev, INTR_TYPE_HARD_EXC, VEC_DF, true, 0, 0, 0);
		return;
	}
	/* Handled serially: the second now, the first again when its cause recurs. */
	first->info = 0;
	set_exception(ev, INTR_TYPE_HARD_EXC, vector, has_error, error, payload, 0);
}

void nv_event_raise_soft(struct nv_events *ev, u32 type, u8 vector, u32 insn_len)
{
	set_exception(ev, type, vector, false, 0, 0, insn_len);
}

void nv_events_clear(struct nv_events *ev)
{
	ev->reinject.info = 0;
	ev->exception.info = 0;
	ev->triple_fault = false;
}
