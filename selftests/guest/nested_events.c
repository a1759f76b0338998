// SPDX-License-Identifier: GPL-2.0
/*
 * Exceptions, interrupts and NMIs between L2 and L1: intercepted, injected,
 * interrupted half-way.
 */
#include "l1.h"
#include "apic.h"

#define HOLE	(GUEST_FREE + 0x200000ul)
#define VALID	INTR_INFO_VALID
#define IRQ	0x55

static u64 qual(void)
{
	return vmr(VMCS_EXIT_QUALIFICATION);
}

static void use_apic(void)
{
	if (cpu_has_x2apic())
		apic_x2apic();
	apic_enable();
}

/* ---- exceptions --------------------------------------------------------------- */

static void l2_ud(void)
{
	EXPECT_EQ(CATCH("ud2", , ), VEC_UD, "the vector in L2");
	vmcall(0);
}

GUEST_CASE(exception_bitmap, NEED_VMX)
{
	l1_start(l2_ud);
	EXPECT_L2_DONE();
	vmw(VMCS_EXCEPTION_BITMAP, BIT(VEC_UD));
	l1_set_l2(l2_ud);
	EXPECT_EXIT(VMEXIT_EXCEPTION_NMI);
	EXPECT_EQ(vmr(VMCS_EXIT_INTR_INFO), VALID | INTR_TYPE_HARD_EXC | VEC_UD,
		  "the interruption");
	/* Give it back. */
	vmw(VMCS_ENTRY_INTR_INFO, VALID | INTR_TYPE_HARD_EXC | VEC_UD);
	EXPECT_L2_DONE();
	EXPECT_EQ(vmr(VMCS_ENTRY_INTR_INFO) & VALID, 0, "the valid bit after the entry");
}

static void l2_gp(void)
{
	EXPECT_EQ(CATCH("mov %w0, %%fs", , "r"(0x208)), VEC_GP, "the vector in L2");
	EXPECT_EQ(trap.error, 0x208, "the error code in L2");
	vmcall(0);
}

GUEST_CASE(exception_with_error_code, NEED_VMX)
{
	l1_start(l2_gp);
	vmw(VMCS_EXCEPTION_BITMAP, BIT(VEC_GP));
	EXPECT_EXIT(VMEXIT_EXCEPTION_NMI);
	EXPECT_EQ(vmr(VMCS_EXIT_INTR_INFO),
		  VALID | INTR_INFO_ERROR_CODE | INTR_TYPE_HARD_EXC | VEC_GP,
		  "the interruption");
	EXPECT_EQ(vmr(VMCS_EXIT_INTR_ERROR), 0x208, "the error code");
	vmw(VMCS_ENTRY_INTR_INFO, VALID | INTR_INFO_ERROR_CODE | INTR_TYPE_HARD_EXC | VEC_GP);
	vmw(VMCS_ENTRY_ERROR_CODE, 0x208);
	EXPECT_L2_DONE();
}

static void l2_int3(void)
{
	EXPECT_EQ(CATCH("int3", , ), VEC_BP, "the vector in L2");
	vmcall(0);
}

GUEST_CASE(software_exception, NEED_VMX)
{
	l1_start(l2_int3);
	vmw(VMCS_EXCEPTION_BITMAP, BIT(VEC_BP));
	EXPECT_EXIT(VMEXIT_EXCEPTION_NMI);
	EXPECT_EQ(vmr(VMCS_EXIT_INTR_INFO), VALID | INTR_TYPE_SOFT_EXC | VEC_BP,
		  "the interruption");
	EXPECT_EQ(vmr(VMCS_EXIT_INSN_LEN), 1, "the length of INT3");
	vmw(VMCS_ENTRY_INTR_INFO, VALID | INTR_TYPE_SOFT_EXC | VEC_BP);
	vmw(VMCS_ENTRY_INSN_LEN, 1);
	EXPECT_L2_DONE();
}

static void l2_int1(void)
{
	EXPECT_EQ(CATCH(".byte 0xf1", , ), VEC_DB, "the vector in L2");
	vmcall(trap.rip - (unsigned long)l2_int1);
}

/* INT1 is of a type of its own, with a length: for L2 itself, and as an exit. */
GUEST_CASE(privileged_software_exception, NEED_VMX)
{
	u64 behind;

	l1_start(l2_int1);
	EXPECT_EXIT(VMEXIT_VMCALL);
	behind = (unsigned long)l2_int1 + l2.rax;
	EXPECT_EQ(*(u8 *)(behind - 1), 0xf1, "the instruction before the return address");
	vmw(VMCS_EXCEPTION_BITMAP, BIT(VEC_DB));
	l1_set_l2(l2_int1);
	EXPECT_EXIT(VMEXIT_EXCEPTION_NMI);
	EXPECT_EQ(vmr(VMCS_EXIT_INTR_INFO), VALID | INTR_TYPE_PRIV_EXC | VEC_DB,
		  "the interruption");
	EXPECT_EQ(vmr(VMCS_EXIT_INSN_LEN), 1, "the length of INT1");
	EXPECT_EQ(vmr(VMCS_GUEST_RIP), behind - 1, "RIP: at INT1");
	vmw(VMCS_ENTRY_INTR_INFO, VALID | INTR_TYPE_PRIV_EXC | VEC_DB);
	vmw(VMCS_ENTRY_INSN_LEN, 1);
	EXPECT_EXIT(VMEXIT_VMCALL);
	EXPECT_EQ((unsigned long)l2_int1 + l2.rax, behind, "the return address");
}

static void l2_pf(void)
{
	EXPECT_EQ(CATCH("mov (%0), %%rax", , "r"(HOLE + 0x10), "rax"), VEC_PF, "the vector in L2");
	EXPECT_EQ(CATCH("mov %%rax, (%0)", , "r"(HOLE + 0x20), "rax"), VEC_PF, "the vector in L2");
	vmcall(0);
}

GUEST_CASE(page_fault_mask_and_match, NEED_VMX)
{
	*page_entry(HOLE) = 0;
	invlpg((void *)HOLE);
	l1_start(l2_pf);
	EXPECT_L2_DONE();

	vmw(VMCS_EXCEPTION_BITMAP, BIT(VEC_PF));	/* only writes */
	vmw(VMCS_PF_EC_MASK, PFERR_W);
	vmw(VMCS_PF_EC_MATCH, PFERR_W);
	l1_set_l2(l2_pf);
	EXPECT_EXIT(VMEXIT_EXCEPTION_NMI);
	EXPECT_EQ(vmr(VMCS_EXIT_INTR_INFO),
		  VALID | INTR_INFO_ERROR_CODE | INTR_TYPE_HARD_EXC | VEC_PF,
		  "the interruption");
	EXPECT_EQ(vmr(VMCS_EXIT_INTR_ERROR), PFERR_W, "the error code");
	EXPECT_EQ(qual(), HOLE + 0x20, "the address");

	vmw(VMCS_EXCEPTION_BITMAP, 0);			/* the sense is inverted: all but writes */
	l1_set_l2(l2_pf);
	EXPECT_EXIT(VMEXIT_EXCEPTION_NMI);
	EXPECT_EQ(qual(), HOLE + 0x10, "the address");

	vmw(VMCS_PF_EC_MASK, 0);
	vmw(VMCS_PF_EC_MATCH, 0);
	l1_set_l2(l2_pf);
	EXPECT_L2_DONE();
}

static volatile u32 taken;
static volatile u64 taken_rip;

static void count_only(struct trap_frame *f)
{
	taken++;
	taken_rip = f->rip;
}

static void l2_soft_int(void)
{
	asm volatile("int $0x55");
	vmcall(0);
}

GUEST_CASE(inject_software_interrupt, NEED_VMX)
{
	on_trap(IRQ, count_only);
	l1_start(l2_soft_int);
	vmw(VMCS_ENTRY_INTR_INFO, VALID | INTR_TYPE_SOFT_INTR | IRQ);
	vmw(VMCS_ENTRY_INSN_LEN, 2);
	EXPECT_L2_DONE();
	EXPECT_EQ(taken, 1, "times the handler ran");
	EXPECT_EQ(taken_rip, (unsigned long)l2_soft_int + 2, "the return address: behind INT n");
}

static void l2_only_done(void)
{
	vmcall(0);
}

GUEST_CASE(inject_external_interrupt, NEED_VMX)
{
	on_trap(IRQ, count_only);
	l1_start(l2_only_done);
	vmw(VMCS_GUEST_RFLAGS, RFLAGS_FIXED1 | RFLAGS_IF);
	vmw(VMCS_ENTRY_INTR_INFO, VALID | INTR_TYPE_EXT | IRQ);
	EXPECT_L2_DONE();
	EXPECT_EQ(taken, 1, "times the handler ran");
	EXPECT_EQ(taken_rip, (unsigned long)l2_only_done, "the return address");
}

GUEST_CASE(inject_into_halted_l2, NEED_VMX)
{
	if (!(rdmsr(IA32_VMX_MISC) & VMX_MISC_ACTIVITY_HLT))
		skip("the activity state HLT is not offered");
	on_trap(IRQ, count_only);
	l1_start(l2_only_done);
	vmw(VMCS_GUEST_ACTIVITY, ACTIVITY_HLT);
	vmw(VMCS_GUEST_RFLAGS, RFLAGS_FIXED1 | RFLAGS_IF);
	vmw(VMCS_ENTRY_INTR_INFO, VALID | INTR_TYPE_EXT | IRQ);
	EXPECT_L2_DONE();
	EXPECT_EQ(taken, 1, "times the handler ran");
	EXPECT_EQ(vmr(VMCS_GUEST_ACTIVITY), ACTIVITY_ACTIVE, "the activity state");
}

GUEST_CASE(inject_nmi, NEED_VMX)
{
	on_trap(VEC_NMI, count_only);
	l1_start(l2_only_done);
	vmw(VMCS_ENTRY_INTR_INFO, VALID | INTR_TYPE_NMI | VEC_NMI);
	EXPECT_L2_DONE();
	EXPECT_EQ(taken, 1, "times the handler ran");
}

/* The delivery itself faults: L1 learns what was being delivered. */
GUEST_CASE(idt_vectoring, NEED_VMX)
{
	*page_entry(HOLE) = 0;
	invlpg((void *)HOLE);
	on_trap(IRQ, count_only);
	l1_start(l2_only_done);
	vmw(VMCS_EXCEPTION_BITMAP, BIT(VEC_PF));
	vmw(VMCS_GUEST_IDTR_BASE, HOLE);
	vmw(VMCS_GUEST_RFLAGS, RFLAGS_FIXED1 | RFLAGS_IF);
	vmw(VMCS_ENTRY_INTR_INFO, VALID | INTR_TYPE_EXT | IRQ);
	EXPECT_EXIT(VMEXIT_EXCEPTION_NMI);
	EXPECT_EQ(vmr(VMCS_EXIT_INTR_INFO) & 0xff, VEC_PF, "the vector");
	EXPECT_EQ(qual(), HOLE + IRQ * 16, "the address: the gate");
	EXPECT_EQ(vmr(VMCS_IDT_VECTORING_INFO), VALID | INTR_TYPE_EXT | IRQ, "what was delivered");
	EXPECT_EQ(vmr(VMCS_GUEST_RIP), (unsigned long)l2_only_done, "RIP");
	EXPECT_EQ(taken, 0, "times the handler ran");

	/* L1 repairs and injects it again. */
	vmw(VMCS_GUEST_IDTR_BASE, pa(idt));
	vmw(VMCS_ENTRY_INTR_INFO, vmr(VMCS_IDT_VECTORING_INFO));
	EXPECT_L2_DONE();
	EXPECT_EQ(taken, 1, "times the handler ran");
	EXPECT_EQ(vmr(VMCS_IDT_VECTORING_INFO) & VALID, 0, "the valid bit now");
}

/* Type 7: an MTF exit is pending, before the first instruction. */
GUEST_CASE(inject_monitor_trap, NEED_VMX)
{
	if (!l1_ctl_allowed(VMCS_PROC_CTLS, PROC_MTF))
		skip("the monitor trap flag is not offered");
	l1_start(l2_only_done);
	vmw(VMCS_ENTRY_INTR_INFO, VALID | INTR_TYPE_OTHER);
	EXPECT_EXIT(VMEXIT_MTF);
	EXPECT_EQ(vmr(VMCS_GUEST_RIP), (unsigned long)l2_only_done, "RIP");
	EXPECT_EQ(vmr(VMCS_ENTRY_INTR_INFO) & VALID, 0, "the valid bit after the entry");
	EXPECT_L2_DONE();
}

/* Of a software interrupt L1 needs the length as well, to inject it again. */
GUEST_CASE(idt_vectoring_of_a_software_interrupt, NEED_VMX)
{
	*page_entry(HOLE) = 0;
	invlpg((void *)HOLE);
	on_trap(IRQ, count_only);
	l1_start(l2_soft_int);
	vmw(VMCS_EXCEPTION_BITMAP, BIT(VEC_PF));
	vmw(VMCS_GUEST_IDTR_BASE, HOLE);
	EXPECT_EXIT(VMEXIT_EXCEPTION_NMI);
	EXPECT_EQ(vmr(VMCS_IDT_VECTORING_INFO), VALID | INTR_TYPE_SOFT_INTR | IRQ,
		  "what was delivered");
	EXPECT_EQ(vmr(VMCS_EXIT_INSN_LEN), 2, "the length of INT n");
	vmw(VMCS_GUEST_IDTR_BASE, pa(idt));
	vmw(VMCS_ENTRY_INTR_INFO, vmr(VMCS_IDT_VECTORING_INFO));
	vmw(VMCS_ENTRY_INSN_LEN, 2);
	EXPECT_L2_DONE();
	EXPECT_EQ(taken, 1, "times the handler ran");
	EXPECT_EQ(taken_rip, (unsigned long)l2_soft_int + 2, "the return address: behind INT n");
}

/* ---- interrupts ------------------------------------------------------------------- */

static void l2_spin(void)
{
	for (;;)
		cpu_relax();
}

GUEST_CASE(external_interrupt_exits, NEED_VMX | NEED_IRQCHIP)
{
	use_apic();
	count_irq(IRQ);
	l1_start(l2_spin);
	l1_ctl_set(VMCS_PIN_CTLS, PIN_EXT_INTR, "external-interrupt exiting");
	vmw(VMCS_GUEST_RFLAGS, RFLAGS_FIXED1 | RFLAGS_IF);
	apic_timer(IRQ, 100000);
	EXPECT_EXIT(VMEXIT_EXTERNAL_INTERRUPT);
	EXPECT_EQ(vmr(VMCS_EXIT_INTR_INFO) & VALID, 0, "the valid bit without acknowledgement");
	EXPECT_EQ(irqs[IRQ], 0, "interrupts so far");
	sti();
	asm volatile("nop");
	cli();
	EXPECT_EQ(irqs[IRQ], 1, "interrupts once L1 lets them in");
}

GUEST_CASE(external_interrupt_acknowledged, NEED_VMX | NEED_IRQCHIP)
{
	use_apic();
	count_irq(IRQ);
	l1_start(l2_spin);
	l1_ctl_set(VMCS_PIN_CTLS, PIN_EXT_INTR, "external-interrupt exiting");
	l1_ctl_set(VMCS_EXIT_CTLS, EXIT_ACK_INTR, "acknowledgement on exit");
	vmw(VMCS_GUEST_RFLAGS, RFLAGS_FIXED1 | RFLAGS_IF);
	apic_timer(IRQ, 100000);
	EXPECT_EXIT(VMEXIT_EXTERNAL_INTERRUPT);
	EXPECT_EQ(vmr(VMCS_EXIT_INTR_INFO), VALID | INTR_TYPE_EXT | IRQ, "the interruption");
	EXPECT(apic_bit(APIC_ISR, IRQ), "not in service");
	apic_eoi();
	EXPECT(!apic_bit(APIC_ISR, IRQ), "in service after EOI");
	sti();
	asm volatile("nop");
	cli();
	EXPECT_EQ(irqs[IRQ], 0, "interrupts L1 took itself");
}

/* Without the control the interrupt is L2's, through its IDT. */
static void l2_wait_irq(void)
{
	sti();
	while (!irqs[IRQ])
		cpu_relax();
	vmcall(0);
}

GUEST_CASE(external_interrupt_goes_to_l2, NEED_VMX | NEED_IRQCHIP)
{
	use_apic();
	count_irq(IRQ);
	l1_start(l2_wait_irq);
	apic_timer(IRQ, 100000);
	EXPECT_L2_DONE();
	EXPECT_EQ(irqs[IRQ], 1, "interrupts");
}

static void l2_hlt(void)
{
	sti_hlt();
	vmcall(0);
}

GUEST_CASE(interrupt_ends_hlt_of_l2, NEED_VMX | NEED_IRQCHIP)
{
	use_apic();
	count_irq(IRQ);
	l1_start(l2_hlt);
	l1_ctl_set(VMCS_PIN_CTLS, PIN_EXT_INTR, "external-interrupt exiting");
	l1_ctl_set(VMCS_EXIT_CTLS, EXIT_ACK_INTR, "acknowledgement on exit");
	apic_timer(IRQ, 1000000);
	EXPECT_EXIT(VMEXIT_EXTERNAL_INTERRUPT);
	apic_eoi();
	EXPECT_EQ(vmr(VMCS_GUEST_ACTIVITY), ACTIVITY_HLT, "the activity state");
	vmw(VMCS_GUEST_ACTIVITY, ACTIVITY_ACTIVE);
	EXPECT_L2_DONE();
}

static void l2_sti_hlt(void)
{
	sti_hlt();
	vmcall(0);
}

/* The window opens in HLT, and wakes L2 as an interrupt would. */
GUEST_CASE(interrupt_window_in_hlt, NEED_VMX | NEED_IRQCHIP)
{
	l1_start(l2_sti_hlt);
	l1_ctl_clear(VMCS_PROC_CTLS, PROC_HLT);
	l1_ctl_set(VMCS_PROC_CTLS, PROC_INTR_WINDOW, "interrupt-window exiting");
	EXPECT_EXIT(VMEXIT_INTR_WINDOW);
	EXPECT_EQ(vmr(VMCS_GUEST_RIP), (unsigned long)l2_sti_hlt + 2, "RIP: behind HLT");
	EXPECT_EQ(vmr(VMCS_GUEST_ACTIVITY), ACTIVITY_HLT, "the activity state");
	EXPECT_EXIT(VMEXIT_INTR_WINDOW);	/* entered in HLT, it is open at once */
	EXPECT_EQ(vmr(VMCS_GUEST_RIP), (unsigned long)l2_sti_hlt + 2, "RIP: behind HLT");
	EXPECT_EQ(vmr(VMCS_GUEST_ACTIVITY), ACTIVITY_HLT, "the activity state");
	l1_ctl_clear(VMCS_PROC_CTLS, PROC_INTR_WINDOW);
	vmw(VMCS_GUEST_ACTIVITY, ACTIVITY_ACTIVE);
	EXPECT_L2_DONE();
}

GUEST_CASE(nmi_window_in_hlt, NEED_VMX | NEED_IRQCHIP)
{
	l1_start(l2_sti_hlt);
	l1_ctl_clear(VMCS_PROC_CTLS, PROC_HLT);
	l1_ctl_set(VMCS_PIN_CTLS, PIN_NMI_EXIT | PIN_VIRTUAL_NMIS, "virtual NMIs");
	l1_ctl_set(VMCS_PROC_CTLS, PROC_NMI_WINDOW, "NMI-window exiting");
	vmw(VMCS_GUEST_ACTIVITY, ACTIVITY_HLT);
	EXPECT_EXIT(VMEXIT_NMI_WINDOW);
	EXPECT_EQ(vmr(VMCS_GUEST_RIP), (unsigned long)l2_sti_hlt, "RIP");
	EXPECT_EQ(vmr(VMCS_GUEST_ACTIVITY), ACTIVITY_HLT, "the activity state");
}

#define TIMER_TICKS	1000000

/* SDM 3C "VMX-Preemption Timer": it counts in HLT, and ends it. */
GUEST_CASE(timer_of_l2_entered_in_hlt, NEED_VMX | NEED_IRQCHIP)
{
	u64 rate = rdmsr(IA32_VMX_MISC) & VMX_MISC_PREEMPT_RATE, start;

	use_apic();
	count_irq(IRQ);
	l1_start(l2_sti_hlt);
	l1_ctl_clear(VMCS_PROC_CTLS, PROC_HLT);
	l1_ctl_set(VMCS_PIN_CTLS, PIN_PREEMPT_TIMER | PIN_EXT_INTR, "the preemption timer");
	vmw(VMCS_GUEST_ACTIVITY, ACTIVITY_HLT);
	vmw(VMCS_GUEST_PREEMPT_TIMER, TIMER_TICKS >> rate);
	apic_timer(IRQ, 500 * TIMER_TICKS);
	start = rdtsc();
	EXPECT_EXIT(VMEXIT_PREEMPT_TIMER);
	start = rdtsc() - start;
	EXPECT(start >= TIMER_TICKS && start < 10 * TIMER_TICKS, "after %llu", start);
	EXPECT_EQ(vmr(VMCS_GUEST_ACTIVITY), ACTIVITY_HLT, "the activity state");
}

static void l2_with_if_clear(void)
{
	asm volatile("nop; nop; nop; nop");
	vmcall(0);
}

/* What waited for the entry comes before L2's first instruction, or its handler's. */
GUEST_CASE(interrupt_pending_at_the_entry, NEED_VMX | NEED_IRQCHIP)
{
	use_apic();
	count_irq(IRQ);
	on_trap(IRQ + 1, count_only);
	l1_start(l2_with_if_clear);
	l1_ctl_set(VMCS_PIN_CTLS, PIN_EXT_INTR, "external-interrupt exiting");
	apic_ipi(0, APIC_ICR_ASSERT | IRQ);
	EXPECT_EXIT(VMEXIT_EXTERNAL_INTERRUPT);
	EXPECT_EQ(vmr(VMCS_GUEST_RIP), (unsigned long)l2_with_if_clear, "RIP");
	vmw(VMCS_ENTRY_INTR_INFO, VALID | INTR_TYPE_EXT | (IRQ + 1));
	vmw(VMCS_GUEST_RFLAGS, RFLAGS_FIXED1 | RFLAGS_IF);
	EXPECT_EXIT(VMEXIT_EXTERNAL_INTERRUPT);
	EXPECT_EQ(vmr(VMCS_GUEST_RFLAGS) & RFLAGS_IF, 0, "IF: that of the handler");
	EXPECT_EQ(taken, 0, "times the handler ran: not a step of it");
	EXPECT_EQ(vmr(VMCS_IDT_VECTORING_INFO) & VALID, 0, "the valid bit: it was delivered");

	/* L0's way to do it must not be taken for L1's timer. */
	if (!l1_ctl_allowed(VMCS_PIN_CTLS, PIN_PREEMPT_TIMER))
		return;
	l1_set_l2(l2_with_if_clear);
	l1_ctl_set(VMCS_PIN_CTLS, PIN_PREEMPT_TIMER, "the preemption timer");
	vmw(VMCS_GUEST_PREEMPT_TIMER, ~0u);
	EXPECT_EXIT(VMEXIT_EXTERNAL_INTERRUPT);
	EXPECT_EQ(vmr(VMCS_GUEST_RIP), (unsigned long)l2_with_if_clear, "RIP");
	sti();
	asm volatile("nop");
	cli();
	EXPECT_EQ(irqs[IRQ], 1, "interrupts of L1");
	EXPECT_L2_DONE();
}

static void l2_window(void)
{
	asm volatile("nop; nop; sti; nop");
	vmcall(0);
}

GUEST_CASE(interrupt_window, NEED_VMX)
{
	l1_start(l2_window);
	l1_ctl_set(VMCS_PROC_CTLS, PROC_INTR_WINDOW, "interrupt-window exiting");
	EXPECT_EXIT(VMEXIT_INTR_WINDOW);
	EXPECT_EQ(vmr(VMCS_GUEST_RIP), (unsigned long)l2_window + 4, "RIP: behind STI's shadow");
	EXPECT(vmr(VMCS_GUEST_RFLAGS) & RFLAGS_IF, "IF is off");
	EXPECT_EQ(vmr(VMCS_GUEST_INTERRUPTIBILITY), 0, "interruptibility");
	EXPECT_EXIT(VMEXIT_INTR_WINDOW);	/* it stays open */
	l1_ctl_clear(VMCS_PROC_CTLS, PROC_INTR_WINDOW);
	EXPECT_L2_DONE();
}

/* ---- NMI ------------------------------------------------------------------------- */

static void l2_nmi_to_self(void)
{
	apic_ipi(0, APIC_ICR_NMI | APIC_ICR_ASSERT);
	while (!taken)
		cpu_relax();
	vmcall(0);
}

GUEST_CASE(nmi_exits, NEED_VMX | NEED_IRQCHIP)
{
	use_apic();
	on_trap(VEC_NMI, count_only);
	l1_start(l2_nmi_to_self);
	l1_ctl_set(VMCS_PIN_CTLS, PIN_NMI_EXIT, "NMI exiting");
	EXPECT_EXIT(VMEXIT_EXCEPTION_NMI);
	EXPECT_EQ(vmr(VMCS_EXIT_INTR_INFO), VALID | INTR_TYPE_NMI | VEC_NMI, "the interruption");
	EXPECT_EQ(taken, 0, "NMIs handled");
}

GUEST_CASE(nmi_goes_to_l2, NEED_VMX | NEED_IRQCHIP)
{
	use_apic();
	on_trap(VEC_NMI, count_only);
	l1_start(l2_nmi_to_self);
	EXPECT_L2_DONE();
	EXPECT_EQ(taken, 1, "NMIs handled");
}

static void l2_after_nmi(void)
{
	vmcall(1);
	asm volatile("mov %%rsp, %%rax; pushq $0x10; push %%rax; pushfq; pushq $0x08; pushq $1f;"
		     "iretq; 1: nop; nop; vmcall" : : : "rax", "memory");
}

GUEST_CASE(virtual_nmi_blocking_and_window, NEED_VMX)
{
	l1_start(l2_after_nmi);
	l1_ctl_set(VMCS_PIN_CTLS, PIN_NMI_EXIT | PIN_VIRTUAL_NMIS, "virtual NMIs");
	l1_ctl_set(VMCS_PROC_CTLS, PROC_NMI_WINDOW, "NMI-window exiting");
	vmw(VMCS_GUEST_INTERRUPTIBILITY, INTR_STATE_NMI);
	EXPECT_EXIT(VMEXIT_VMCALL);		/* blocked: no window yet */
	EXPECT_EQ(l2.rax, 1, "how far L2 is");
	EXPECT_EQ(vmr(VMCS_GUEST_INTERRUPTIBILITY), INTR_STATE_NMI, "interruptibility");
	l1_skip_insn();
	EXPECT_EXIT(VMEXIT_NMI_WINDOW);		/* IRET unblocks */
	EXPECT_EQ(vmr(VMCS_GUEST_INTERRUPTIBILITY) & INTR_STATE_NMI, 0, "NMI blocking after IRET");
}

GUEST_CASE(injected_nmi_blocks, NEED_VMX)
{
	on_trap(VEC_NMI, NULL);
	l1_start(l2_spin);
	l1_ctl_set(VMCS_PIN_CTLS, PIN_NMI_EXIT | PIN_VIRTUAL_NMIS, "virtual NMIs");
	*page_entry(HOLE) = 0;
	invlpg((void *)HOLE);
	vmw(VMCS_EXCEPTION_BITMAP, BIT(VEC_PF));
	vmw(VMCS_GUEST_IDTR_BASE, HOLE);
	vmw(VMCS_ENTRY_INTR_INFO, VALID | INTR_TYPE_NMI | VEC_NMI);
	EXPECT_EXIT(VMEXIT_EXCEPTION_NMI);
	EXPECT_EQ(vmr(VMCS_IDT_VECTORING_INFO), VALID | INTR_TYPE_NMI | VEC_NMI,
		  "what was delivered");
}

static void l2_nmi_behind_iret(void)
{
	apic_ipi(0, APIC_ICR_NMI | APIC_ICR_ASSERT);
	asm volatile("mov %%rsp, %%rax; pushq $0x10; push %%rax; pushfq; pushq $0x08; pushq $1f;"
		     "iretq; 1: nop; nop; xor %%eax, %%eax; vmcall" : : : "rax", "memory");
}

/* Without virtual NMIs the blocking that L2 ends is the real one: then it exits. */
GUEST_CASE(nmi_exits_once_unblocked, NEED_VMX | NEED_IRQCHIP)
{
	use_apic();
	on_trap(VEC_NMI, count_only);
	l1_start(l2_nmi_behind_iret);
	l1_ctl_set(VMCS_PIN_CTLS, PIN_NMI_EXIT, "NMI exiting");
	vmw(VMCS_GUEST_INTERRUPTIBILITY, INTR_STATE_NMI);
	EXPECT_EXIT(VMEXIT_EXCEPTION_NMI);
	EXPECT_EQ(vmr(VMCS_EXIT_INTR_INFO), VALID | INTR_TYPE_NMI | VEC_NMI, "the interruption");
	EXPECT_EQ(*(u8 *)vmr(VMCS_GUEST_RIP), 0x90, "the instruction at RIP");
	EXPECT_EQ(((u8 *)vmr(VMCS_GUEST_RIP))[-1], 0xcf, "the instruction before: IRET");
	EXPECT_EQ(vmr(VMCS_GUEST_INTERRUPTIBILITY), 0, "interruptibility");
}

/* ---- traps ------------------------------------------------------------------------ */

static void l2_wbinvd_with_tf(void)
{
	asm volatile("wbinvd; nop; vmcall");
}

/* L0 emulates WBINVD: the single step that is due behind it is in the MTF exit's state. */
GUEST_CASE(single_step_at_monitor_trap_flag, NEED_VMX)
{
	on_trap(VEC_DB, count_only);
	l1_start(l2_wbinvd_with_tf);
	l1_ctl_set(VMCS_PROC_CTLS, PROC_MTF, "the monitor trap flag");
	l1_ctl_clear(VMCS_PROC2_CTLS, PROC2_WBINVD);
	vmw(VMCS_GUEST_RFLAGS, RFLAGS_FIXED1 | RFLAGS_TF);
	EXPECT_EXIT(VMEXIT_MTF);
	EXPECT_EQ(vmr(VMCS_GUEST_RIP), (unsigned long)l2_wbinvd_with_tf + 2, "RIP");
	EXPECT_EQ(vmr(VMCS_GUEST_PENDING_DBG), PENDING_DBG_BS, "pending debug exceptions");
	EXPECT_EQ(taken, 0, "traps");
	l1_ctl_clear(VMCS_PROC_CTLS, PROC_MTF);
	vmw(VMCS_EXCEPTION_BITMAP, BIT(VEC_DB));
	EXPECT_EXIT(VMEXIT_EXCEPTION_NMI);
	EXPECT_EQ(vmr(VMCS_GUEST_RIP), (unsigned long)l2_wbinvd_with_tf + 2, "RIP");
	EXPECT_EQ(qual() & DR6_BS, DR6_BS, "the trap");
}

/* Without virtual NMIs L1 may inject one where NMIs are blocked. */
GUEST_CASE(inject_nmi_where_blocked, NEED_VMX)
{
	on_trap(VEC_NMI, count_only);
	l1_start(l2_only_done);
	vmw(VMCS_GUEST_INTERRUPTIBILITY, INTR_STATE_NMI);
	vmw(VMCS_ENTRY_INTR_INFO, VALID | INTR_TYPE_NMI | VEC_NMI);
	EXPECT_L2_DONE();
	EXPECT_EQ(taken, 1, "times the handler ran");
}

static void nmi_of_l1(struct trap_frame *f)
{
	if (taken++)
		return;
	EXPECT_EXIT(VMEXIT_VMCALL);
	apic_ipi(0, APIC_ICR_NMI | APIC_ICR_ASSERT);
	wait_ticks(100000);
	let_l0_in();
	EXPECT_EQ(taken, 1, "NMIs handled inside the first one");
}

/* L2 and its virtual NMIs come and go while L1 handles an NMI: one of L1's waits for IRET. */
GUEST_CASE(nmi_blocking_of_l1_outlives_l2, NEED_VMX | NEED_IRQCHIP)
{
	use_apic();
	on_trap(VEC_NMI, nmi_of_l1);
	l1_start(l2_only_done);
	l1_ctl_set(VMCS_PIN_CTLS, PIN_NMI_EXIT | PIN_VIRTUAL_NMIS, "virtual NMIs");
	apic_ipi(0, APIC_ICR_NMI | APIC_ICR_ASSERT);
	EXPECT(WAIT_FOR(taken == 2), "%u NMIs handled", taken);
}
