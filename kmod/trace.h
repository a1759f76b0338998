/* SPDX-License-Identifier: GPL-2.0 */
/* Tracepoints of nestvm (events/nestvm in tracefs). */
#include "compat.h"

#undef TRACE_SYSTEM
#define TRACE_SYSTEM nestvm

#if !defined(NESTVM_TRACE_H) || defined(TRACE_HEADER_MULTI_READ)
#define NESTVM_TRACE_H

#include <linux/tracepoint.h>
#include "vmx/vmx_defs.h"


TRACE_EVENT(nestvm_entry,
	TP_PROTO(u32 vcpu, u64 rip, bool l2),
	TP_ARGS(vcpu, rip, l2),
	TP_STRUCT__entry(__field(u32, vcpu) __field(u64, rip) __field(bool, l2)),
	TP_fast_assign(__entry->vcpu = vcpu; __entry->rip = rip; __entry->l2 = l2;),
	TP_printk("vcpu %u L%d rip %llx", __entry->vcpu, __entry->l2 ? 2 : 1, __entry->rip)
);

TRACE_EVENT(nestvm_exit,
	TP_PROTO(u32 vcpu, u32 reason, bool l2),
	TP_ARGS(vcpu, reason, l2),
	TP_STRUCT__entry(__field(u32, vcpu) __field(u32, reason) __field(bool, l2)),
	TP_fast_assign(__entry->vcpu = vcpu; __entry->reason = reason; __entry->l2 = l2;),
	TP_printk("vcpu %u L%d reason %u", __entry->vcpu, __entry->l2 ? 2 : 1, __entry->reason)
);

TRACE_EVENT(nestvm_inject,
	TP_PROTO(u32 vcpu, u32 info, u32 error, bool l2),
	TP_ARGS(vcpu, info, error, l2),
	TP_STRUCT__entry(__field(u32, vcpu) __field(u32, info) __field(u32, error)
			 __field(bool, l2)),
	TP_fast_assign(__entry->vcpu = vcpu; __entry->info = info; __entry->error = error;
		       __entry->l2 = l2;),
	TP_printk("vcpu %u L%d info %08x error %x", __entry->vcpu, __entry->l2 ? 2 : 1,
		  __entry->info, __entry->error)
);

TRACE_EVENT(nestvm_ept_fault,
	TP_PROTO(u32 vcpu, u64 gpa, u64 qual, int result),
	TP_ARGS(vcpu, gpa, qual, result),
	TP_STRUCT__entry(__field(u32, vcpu) __field(u64, gpa) __field(u64, qual)
			 __field(int, result)),
	TP_fast_assign(__entry->vcpu = vcpu; __entry->gpa = gpa; __entry->qual = qual;
		       __entry->result = result;),
	TP_printk("vcpu %u gpa %llx qualification %llx result %d", __entry->vcpu, __entry->gpa,
		  __entry->qual, __entry->result)
);

TRACE_EVENT(nestvm_nested_entry,
	TP_PROTO(u32 vcpu, u64 vmcs12, u64 rip),
	TP_ARGS(vcpu, vmcs12, rip),
	TP_STRUCT__entry(__field(u32, vcpu) __field(u64, vmcs12) __field(u64, rip)),
	TP_fast_assign(__entry->vcpu = vcpu; __entry->vmcs12 = vmcs12; __entry->rip = rip;),
	TP_printk("vcpu %u vmcs12 %llx rip %llx", __entry->vcpu, __entry->vmcs12, __entry->rip)
);

TRACE_EVENT(nestvm_nested_exit,
	TP_PROTO(u32 vcpu, u32 reason, u64 qual),
	TP_ARGS(vcpu, reason, qual),
	TP_STRUCT__entry(__field(u32, vcpu) __field(u32, reason) __field(u64, qual)),
	TP_fast_assign(__entry->vcpu = vcpu; __entry->reason = reason; __entry->qual = qual;),
	TP_printk("vcpu %u reason %x qualification %llx", __entry->vcpu, __entry->reason,
		  __entry->qual)
);

TRACE_EVENT(nestvm_nested_entry_failure,
	TP_PROTO(u32 vcpu, const char *rule, u32 reason),
	TP_ARGS(vcpu, rule, reason),
	TP_STRUCT__entry(__field(u32, vcpu) __string(rule, rule) __field(u32, reason)),
	TP_fast_assign(__entry->vcpu = vcpu; nv_assign_str(rule, rule); __entry->reason = reason;),
	TP_printk("vcpu %u rule %s reason %x", __entry->vcpu, __get_str(rule), __entry->reason)
);


#endif

#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH .
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace
#include <trace/define_trace.h>
