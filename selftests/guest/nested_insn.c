// SPDX-License-Identifier: GPL-2.0
/* What each VMX instruction answers (SDM 3C "VMX Instruction Reference"), case by case. */
#include "l1.h"

static void no_l2(void)
{
	vmcall(0);
}

/* VMXON without a current VMCS. */
static void root(void)
{
	l1_prepare();
	ASSERT(vmxon(pa(&l1_vmxon_region)) == VMX_OK, "VMXON");
}

static void expect_error(int line, int ret, u32 error)
{
	if (ret != VMX_ERROR)
		failed("line %d: the result is %x, should be VMfailValid", line, ret);
	else if (vmr(VMCS_INSN_ERROR) != error)
		failed("line %d: error %llu, should be %u", line, vmr(VMCS_INSN_ERROR), error);
}
#define EXPECT_ERROR(ret, error) expect_error(__LINE__, ret, error)
#define EXPECT_RET(ret, want, what) EXPECT_EQ(ret, want, "the result of " what)

/* Above what the CPU can address. */
static u64 too_high(void)
{
	return 1ull << (cpuid(0x80000008, 0).eax & 0xff);
}

/* All of them, with operands that would be fine; VMXON apart. */
static void all_raise(int vector)
{
	struct inv_desc d = { 0, 0 };
	u64 v = 0;

	EXPECT_RET(vmxoff(), VMX_TRAP + vector, "VMXOFF");
	EXPECT_RET(vmclear(pa(&l1_vmcs2)), VMX_TRAP + vector, "VMCLEAR");
	EXPECT_RET(vmptrld(pa(&l1_vmcs2)), VMX_TRAP + vector, "VMPTRLD");
	EXPECT_RET(vmptrst(&v), VMX_TRAP + vector, "VMPTRST");
	EXPECT_RET(vmread(VMCS_GUEST_RIP, &v), VMX_TRAP + vector, "VMREAD");
	EXPECT_RET(vmwrite(VMCS_GUEST_RIP, v), VMX_TRAP + vector, "VMWRITE");
	EXPECT_RET(vmlaunch_fails(), VMX_TRAP + vector, "VMLAUNCH");
	EXPECT_RET(vmresume_fails(), VMX_TRAP + vector, "VMRESUME");
	if (l1_ctl_allowed(VMCS_PROC2_CTLS, PROC2_EPT))
		EXPECT_RET(invept(INVEPT_ALL, &d), VMX_TRAP + vector, "INVEPT");
	if (l1_ctl_allowed(VMCS_PROC2_CTLS, PROC2_VPID))
		EXPECT_RET(invvpid(INVVPID_ALL, &d), VMX_TRAP + vector, "INVVPID");
}

GUEST_CASE(outside_vmx_operation_is_ud, NEED_VMX)
{
	l1_prepare();
	all_raise(VEC_UD);
	write_cr4(read_cr4() & ~CR4_VMXE);
	EXPECT_RET(vmxon(pa(&l1_vmxon_region)), VMX_TRAP + VEC_UD, "VMXON without CR4.VMXE");
}

GUEST_CASE(vmxon_needs_feature_control, NEED_VMX)
{
	u64 feature;

	if (!cpu_has_vmx())
		skip("CPUID shows no VT-x");
	feature = rdmsr(IA32_FEATURE_CONTROL);
	if (feature & FEATURE_CONTROL_LOCKED)
		skip("IA32_FEATURE_CONTROL is locked already");
	wrmsr(IA32_FEATURE_CONTROL, FEATURE_CONTROL_LOCKED);
	l1_prepare();		/* finds it locked, leaves it */
	EXPECT_RET(vmxon(pa(&l1_vmxon_region)), VMX_TRAP + VEC_GP, "VMXON forbidden by firmware");
	EXPECT_EQ(CATCH("wrmsr", , ARGS("c"(IA32_FEATURE_CONTROL), "a"(5), "d"(0))), VEC_GP,
		  "the vector of writing a locked IA32_FEATURE_CONTROL");
}

GUEST_CASE(vmxon_operand, NEED_VMX)
{
	u32 revision;

	l1_prepare();
	revision = l1_vmxon_region.revision;
	EXPECT_RET(vmxon(pa(&l1_vmxon_region) + 8), VMX_INVALID, "VMXON unaligned");
	EXPECT_RET(vmxon(too_high()), VMX_INVALID, "VMXON beyond the address width");
	l1_vmxon_region.revision = revision + 1;
	EXPECT_RET(vmxon(pa(&l1_vmxon_region)), VMX_INVALID, "VMXON with a wrong revision");
	l1_vmxon_region.revision = revision | VMCS_SHADOW_BIT;
	EXPECT_RET(vmxon(pa(&l1_vmxon_region)), VMX_INVALID, "VMXON with the shadow bit");
	l1_vmxon_region.revision = revision;
	EXPECT_RET(vmxon(pa(&l1_vmxon_region)), VMX_OK, "VMXON");
}

GUEST_CASE(vmxon_in_root, NEED_VMX)
{
	root();
	EXPECT_RET(vmxon(pa(&l1_vmxon_region)), VMX_INVALID, "VMXON in root without a VMCS");
	vmclear(pa(&l1_vmcs));
	vmptrld(pa(&l1_vmcs));
	EXPECT_ERROR(vmxon(pa(&l1_vmxon_region)), VMERR_VMXON_IN_ROOT);
}

GUEST_CASE(vmxoff_and_on_again, NEED_VMX)
{
	u64 current = 0;

	l1_start(no_l2);
	EXPECT_RET(vmxoff(), VMX_OK, "VMXOFF");
	EXPECT_RET(vmxoff(), VMX_TRAP + VEC_UD, "VMXOFF twice");
	EXPECT_RET(vmxon(pa(&l1_vmxon_region)), VMX_OK, "VMXON");
	EXPECT_RET(vmptrst(&current), VMX_OK, "VMPTRST");
	EXPECT_EQ(current, VMCS_NONE, "the current VMCS after VMXON");
	EXPECT_RET(vmxoff(), VMX_OK, "VMXOFF");
	write_cr4(read_cr4() & ~CR4_VMXE);
}

GUEST_CASE(fixed_control_register_bits, NEED_VMX)
{
	root();
	EXPECT_EQ(CATCH("mov %0, %%cr4", , "r"(read_cr4() & ~CR4_VMXE)), VEC_GP,
		  "the vector of clearing CR4.VMXE in VMX operation");
	EXPECT_EQ(CATCH("mov %0, %%cr0", , "r"(read_cr0() & ~CR0_NE)), VEC_GP,
		  "the vector of clearing CR0.NE in VMX operation");
	vmxoff();
	write_cr0(read_cr0() & ~CR0_NE);
	EXPECT_RET(vmxon(pa(&l1_vmxon_region)), VMX_TRAP + VEC_GP, "VMXON without CR0.NE");
}

static void in_user(void)
{
	struct inv_desc d = { 0, 0 };
	u64 v = 0;

	EXPECT_RET(vmxon(pa(&l1_vmxon_region)), VMX_TRAP + VEC_GP, "VMXON");
	EXPECT_RET(vmxoff(), VMX_TRAP + VEC_GP, "VMXOFF");
	EXPECT_RET(vmclear(pa(&l1_vmcs)), VMX_TRAP + VEC_GP, "VMCLEAR");
	EXPECT_RET(vmptrld(pa(&l1_vmcs)), VMX_TRAP + VEC_GP, "VMPTRLD");
	EXPECT_RET(vmptrst(&v), VMX_TRAP + VEC_GP, "VMPTRST");
	EXPECT_RET(vmread(VMCS_GUEST_RIP, &v), VMX_TRAP + VEC_GP, "VMREAD");
	EXPECT_RET(vmwrite(VMCS_GUEST_RIP, v), VMX_TRAP + VEC_GP, "VMWRITE");
	EXPECT_RET(vmlaunch_fails(), VMX_TRAP + VEC_GP, "VMLAUNCH");
	EXPECT_RET(vmresume_fails(), VMX_TRAP + VEC_GP, "VMRESUME");
	EXPECT_EQ(trap.error, 0, "the error code");
	if (PARAMS->args[0])
		EXPECT_RET(invept(INVEPT_ALL, &d), VMX_TRAP + VEC_GP, "INVEPT");
	if (PARAMS->args[1])
		EXPECT_RET(invvpid(INVVPID_ALL, &d), VMX_TRAP + VEC_GP, "INVVPID");
}

GUEST_CASE(cpl_3_is_gp, NEED_VMX)
{
	l1_start(no_l2);
	PARAMS->args[0] = l1_ctl_allowed(VMCS_PROC2_CTLS, PROC2_EPT);
	PARAMS->args[1] = l1_ctl_allowed(VMCS_PROC2_CTLS, PROC2_VPID);
	/* The I/O ports of the report are not user's: let it have them. */
	asm volatile("pushfq; orq $0x3000, (%%rsp); popfq" : : : "memory", "cc");
	run_user(in_user);
}

GUEST_CASE(vmclear_errors, NEED_VMX)
{
	u64 current = 0;

	root();
	EXPECT_RET(vmclear(pa(&l1_vmcs) + 4), VMX_INVALID, "VMCLEAR unaligned, no VMCS");
	vmclear(pa(&l1_vmcs));
	vmptrld(pa(&l1_vmcs));
	EXPECT_ERROR(vmclear(pa(&l1_vmcs) + 4), VMERR_VMCLEAR_ADDRESS);
	EXPECT_ERROR(vmclear(too_high()), VMERR_VMCLEAR_ADDRESS);
	EXPECT_ERROR(vmclear(pa(&l1_vmxon_region)), VMERR_VMCLEAR_VMXON_POINTER);
	EXPECT_RET(vmclear(pa(&l1_vmcs2)), VMX_OK, "VMCLEAR of another");
	vmptrst(&current);
	EXPECT_EQ(current, pa(&l1_vmcs), "the current VMCS");
	EXPECT_RET(vmclear(pa(&l1_vmcs)), VMX_OK, "VMCLEAR of the current");
	vmptrst(&current);
	EXPECT_EQ(current, VMCS_NONE, "the current VMCS after its VMCLEAR");
	EXPECT_RET(vmread(VMCS_GUEST_RIP, &current), VMX_INVALID, "VMREAD without a VMCS");
	EXPECT_RET(vmwrite(VMCS_GUEST_RIP, 0), VMX_INVALID, "VMWRITE without a VMCS");
	EXPECT_RET(vmlaunch_fails(), VMX_INVALID, "VMLAUNCH without a VMCS");
	EXPECT_RET(vmresume_fails(), VMX_INVALID, "VMRESUME without a VMCS");
}

GUEST_CASE(vmptrld_errors, NEED_VMX)
{
	u64 current = 0;

	root();
	EXPECT_RET(vmptrld(pa(&l1_vmcs) + 0x10), VMX_INVALID, "VMPTRLD unaligned, no VMCS");
	vmclear(pa(&l1_vmcs));
	EXPECT_RET(vmptrld(pa(&l1_vmcs)), VMX_OK, "VMPTRLD");
	EXPECT_ERROR(vmptrld(pa(&l1_vmcs2) + 0x800), VMERR_VMPTRLD_ADDRESS);
	EXPECT_ERROR(vmptrld(too_high()), VMERR_VMPTRLD_ADDRESS);
	EXPECT_ERROR(vmptrld(pa(&l1_vmxon_region)), VMERR_VMPTRLD_VMXON_POINTER);
	l1_vmcs2.revision++;
	EXPECT_ERROR(vmptrld(pa(&l1_vmcs2)), VMERR_VMPTRLD_REVISION);
	l1_vmcs2.revision--;
	if (!l1_ctl_allowed(VMCS_PROC2_CTLS, PROC2_SHADOW_VMCS)) {
		l1_vmcs2.revision |= VMCS_SHADOW_BIT;
		EXPECT_ERROR(vmptrld(pa(&l1_vmcs2)), VMERR_VMPTRLD_REVISION);
	}
	EXPECT_RET(vmptrst(&current), VMX_OK, "VMPTRST");
	EXPECT_EQ(current, pa(&l1_vmcs), "the current VMCS after failed VMPTRLDs");
}

GUEST_CASE(vmread_vmwrite_errors, NEED_VMX)
{
	u64 v = 0;

	l1_start(no_l2);
	EXPECT_ERROR(vmread(0x67fe, &v), VMERR_UNSUPPORTED_FIELD);
	EXPECT_ERROR(vmwrite(0x67fe, v), VMERR_UNSUPPORTED_FIELD);
	EXPECT_ERROR(vmread(VMCS_GUEST_RIP | 1, &v), VMERR_UNSUPPORTED_FIELD);
	EXPECT_ERROR(vmread(VMCS_GUEST_RIP | BIT(12), &v), VMERR_UNSUPPORTED_FIELD);
	EXPECT_ERROR(vmread(VMCS_GUEST_RIP | BIT_ULL(32), &v), VMERR_UNSUPPORTED_FIELD);
	EXPECT_ERROR(vmwrite(~0ull, v), VMERR_UNSUPPORTED_FIELD);
	if (rdmsr(IA32_VMX_MISC) & VMX_MISC_WRITE_ANY)
		EXPECT_RET(vmwrite(VMCS_EXIT_REASON, 5), VMX_OK, "VMWRITE of a read-only field");
	else
		EXPECT_ERROR(vmwrite(VMCS_EXIT_REASON, 5), VMERR_READ_ONLY_FIELD);
}

GUEST_CASE(memory_operands, NEED_VMX)
{
	static u64 words[2] = { 0x1234, 0x5678 };
	u64 *hole = (u64 *)(unsigned long)(GUEST_FREE + 0x1000);
	const u64 bad = 1ull << 47;

	l1_start(no_l2);
	EXPECT_RET(VMX("vmwrite %[m], %[f]", , [m] "m"(words[0]), [f] "r"((u64)VMCS_GUEST_RSP)),
		   VMX_OK, "VMWRITE from memory");
	EXPECT_RET(VMX("vmread %[f], (%[p])", , [p] "r"(&words[1]),
		       [f] "r"((u64)VMCS_GUEST_RSP)), VMX_OK, "VMREAD to memory");
	EXPECT_EQ(words[1], 0x1234, "the word in memory");
	EXPECT_RET(VMX("vmread %[f], 8(%[p],%[i],2)", , [p] "r"((u64)(unsigned long)words - 32),
		       [i] "r"(16ull), [f] "r"((u64)VMCS_HOST_RIP)), VMX_OK,
		   "VMREAD to base + index * 2 + displacement");
	EXPECT_EQ(words[1], vmr(VMCS_HOST_RIP), "the word in memory");

	*page_entry(pa(hole)) &= ~PTE_P;
	invlpg(hole);
	EXPECT_RET(VMX("vmptrld (%[p])", , [p] "r"(hole)), VMX_TRAP + VEC_PF, "VMPTRLD of a hole");
	EXPECT_EQ(trap.cr2, pa(hole), "CR2");
	EXPECT_EQ(trap.error, 0, "the error code");
	EXPECT_RET(vmptrst(hole + 1), VMX_TRAP + VEC_PF, "VMPTRST into a hole");
	EXPECT_EQ(trap.error, PFERR_W, "the error code");
	*page_entry(pa(hole)) = pa(hole) | PTE_P;
	invlpg(hole);
	EXPECT_RET(VMX("vmread %[f], (%[p])", , [p] "r"(hole), [f] "r"((u64)VMCS_HOST_RIP)),
		   VMX_TRAP + VEC_PF, "VMREAD to a read-only page");
	EXPECT_EQ(trap.error, PFERR_P | PFERR_W, "the error code");
	EXPECT_RET(VMX("vmclear (%[p])", , [p] "r"(bad)), VMX_TRAP + VEC_GP,
		   "VMCLEAR (non-canonical)");
	EXPECT_RET(VMX("push %%rbp; mov %[p], %%rbp; leaq 772f(%%rip), %%r11;"
		       "movq %%r11, trap_resume; vmclear (%%rbp); 772: pop %%rbp", ,
		       [p] "r"(bad)), VMX_TRAP + VEC_SS, "VMCLEAR (non-canonical through RBP)");
}

struct field {
	const char *name;
	u32 encoding, bits;
};

#define NAT 64
#define F(NAME, member, encoding, width, shadow) { #NAME, encoding, width },
static const struct field fields[] = { VMCS_FIELDS(F) };
#undef F
#undef NAT

static u64 pattern(const struct field *f, u64 seed)
{
	u64 v = (f->encoding * 0x9e3779b97f4a7c15ull) ^ seed * 0xbf58476d1ce4e5b9ull;

	/* A CPU may drop reserved bits of access rights when they are written. */
	if (f->encoding >= VMCS_GUEST_ES_AR && f->encoding <= VMCS_GUEST_TR_AR)
		v &= 0x1f0ff;
	return f->bits == 64 ? v : v & ((1ull << f->bits) - 1);
}

static bool writable(const struct field *f)
{
	return (f->encoding & VMCS_ENC_TYPE) != VMCS_TYPE_READ_ONLY;
}

static void write_all(u64 seed)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct field *f = &fields[i];
		u64 v = 0;
		int got = vmread(f->encoding, &v);

		if (got == VMX_OK && writable(f))
			EXPECT(vmwrite(f->encoding, pattern(f, seed) |
				       (f->bits < 64 ? 1ull << 63 : 0)) == VMX_OK, "VMWRITE %s", f->name);
		else if (got != VMX_OK)
			EXPECT(vmwrite(f->encoding, 0) == got, "VMWRITE %s, VMREAD fails", f->name);
	}
}

static void read_all(u64 seed, const char *when)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		const struct field *f = &fields[i];
		u64 v = 0;

		if (!writable(f) || vmread(f->encoding, &v) != VMX_OK)
			continue;
		EXPECT(v == pattern(f, seed), "%s %s: %llx, was %llx", f->name, when, v,
		       pattern(f, seed));
	}
}

GUEST_CASE(every_field_keeps_its_value, NEED_VMX)
{
	unsigned int i, highest = 0, supported = 0;

	l1_start(no_l2);
	write_all(1);
	read_all(1, "at once");
	vmclear(pa(&l1_vmcs2));
	vmptrld(pa(&l1_vmcs2));
	write_all(2);
	vmptrld(pa(&l1_vmcs));
	read_all(1, "after another VMCS was current");
	vmclear(pa(&l1_vmcs));
	vmptrld(pa(&l1_vmcs2));
	read_all(2, "in the second VMCS");
	vmptrld(pa(&l1_vmcs));
	read_all(1, "after VMCLEAR");
	vmxoff();
	vmxon(pa(&l1_vmxon_region));
	vmptrld(pa(&l1_vmcs));
	read_all(1, "after VMXOFF");

	for (i = 0; i < ARRAY_SIZE(fields); i++) {
		u64 v = 0;

		if (vmread(fields[i].encoding, &v) != VMX_OK)
			continue;
		supported++;
		highest = max_t(u32, highest, fields[i].encoding & VMCS_ENC_INDEX);
	}
	EXPECT(supported >= 100, "only %u fields", supported);
	EXPECT((rdmsr(IA32_VMX_VMCS_ENUM) & 0x3fe) >= highest, "IA32_VMX_VMCS_ENUM %llx, index %x",
	       rdmsr(IA32_VMX_VMCS_ENUM), highest);
}

GUEST_CASE(high_halves, NEED_VMX)
{
	l1_start(no_l2);
	vmw(VMCS_TSC_OFFSET, 0x1122334455667788);
	EXPECT_EQ(vmr(VMCS_TSC_OFFSET | 1), 0x11223344, "the high half");
	vmw(VMCS_TSC_OFFSET | 1, 0xaabbccdd);
	EXPECT_EQ(vmr(VMCS_TSC_OFFSET), 0xaabbccdd55667788,
		  "the field after its high half was written");
	vmw(VMCS_TSC_OFFSET, 0x99);
	EXPECT_EQ(vmr(VMCS_TSC_OFFSET | 1), 0, "the high half");
}

GUEST_CASE(launch_state, NEED_VMX)
{
	l1_start(no_l2);
	EXPECT_ERROR(vmresume_fails(), VMERR_VMRESUME_NOT_LAUNCHED);
	EXPECT_EXIT(VMEXIT_VMCALL);
	EXPECT_ERROR(vmlaunch_fails(), VMERR_VMLAUNCH_NOT_CLEAR);
	l1_skip_insn();
	l1_set_l2(no_l2);
	EXPECT_EXIT(VMEXIT_VMCALL);
	vmclear(pa(&l1_vmcs));
	vmptrld(pa(&l1_vmcs));
	EXPECT_ERROR(vmresume_fails(), VMERR_VMRESUME_NOT_LAUNCHED);
}

GUEST_CASE(entry_blocked_by_mov_ss, NEED_VMX)
{
	l1_start(no_l2);
	EXPECT_ERROR(VMX("mov %%ss, %%eax; mov %%eax, %%ss; vmlaunch", , "a"(0)),
		     VMERR_ENTRY_MOV_SS);
}

/* A hypervisor may take L1's VMCALL for a hypercall of its own; then there is no VMfail. */
GUEST_CASE(vmcall_in_root, NEED_VMX)
{
	int ret;

	root();
	ret = vmcall_root();
	if (ret == VMX_OK)
		skip("VMCALL is a hypercall here");
	EXPECT_RET(ret, VMX_INVALID, "VMCALL without a VMCS");
	vmclear(pa(&l1_vmcs));
	vmptrld(pa(&l1_vmcs));
	EXPECT_ERROR(vmcall_root(), VMERR_VMCALL_IN_ROOT);
}

GUEST_CASE(vmfunc_in_root, NEED_VMX)
{
	root();
	EXPECT_RET(VMX("vmfunc", , "a"(0), "c"(0)), VMX_TRAP + VEC_UD, "VMFUNC in root");
}

GUEST_CASE(flags_of_success_and_failure, NEED_VMX)
{
	const u64 all = RFLAGS_CF | RFLAGS_PF | RFLAGS_AF | RFLAGS_ZF | RFLAGS_SF | RFLAGS_OF;
	u64 after;

	l1_start(no_l2);
	asm volatile("pushfq; orq %1, (%%rsp); popfq; vmread %2, %%rax; pushfq; pop %0"
		     : "=&r"(after) : "r"(all), "r"((u64)VMCS_GUEST_RIP) : "rax", "memory", "cc");
	EXPECT_EQ(after & all, 0, "the flags after VMsucceed");
	asm volatile("pushfq; orq %1, (%%rsp); popfq; vmread %2, %%rax; pushfq; pop %0"
		     : "=&r"(after) : "r"(all), "r"(0x67feull) : "rax", "memory", "cc");
	EXPECT_EQ(after & all, RFLAGS_ZF, "the flags after VMfailValid");
	vmclear(pa(&l1_vmcs));
	asm volatile("pushfq; orq %1, (%%rsp); popfq; vmread %2, %%rax; pushfq; pop %0"
		     : "=&r"(after) : "r"(all), "r"((u64)VMCS_GUEST_RIP) : "rax", "memory", "cc");
	EXPECT_EQ(after & all, RFLAGS_CF, "the flags after VMfailInvalid");
}

GUEST_CASE(invept_operand, NEED_VMX)
{
	struct inv_desc d = { l1_eptp(), 0 };
	u64 cap;

	l1_start(no_l2);
	if (!l1_ctl_allowed(VMCS_PROC2_CTLS, PROC2_EPT)) {
		EXPECT_RET(invept(INVEPT_ALL, &d), VMX_TRAP + VEC_UD, "INVEPT without EPT");
		return;
	}
	cap = rdmsr(IA32_VMX_EPT_VPID_CAP);
	EXPECT_ERROR(invept(0, &d), VMERR_INVALID_OPERAND);
	EXPECT_ERROR(invept(3, &d), VMERR_INVALID_OPERAND);
	EXPECT_ERROR(invept(BIT_ULL(32) | INVEPT_ALL, &d), VMERR_INVALID_OPERAND);
	if (cap & EPT_CAP_INVEPT_ALL)
		EXPECT_RET(invept(INVEPT_ALL, &d), VMX_OK, "INVEPT of all");
	if (cap & EPT_CAP_INVEPT_SINGLE) {
		EXPECT_RET(invept(INVEPT_SINGLE, &d), VMX_OK, "INVEPT of one");
		d.id |= 7;	/* no such memory type */
		EXPECT_ERROR(invept(INVEPT_SINGLE, &d), VMERR_INVALID_OPERAND);
		d.id = l1_eptp() | too_high();
		EXPECT_ERROR(invept(INVEPT_SINGLE, &d), VMERR_INVALID_OPERAND);
	}
}

GUEST_CASE(invvpid_operand, NEED_VMX)
{
	struct inv_desc d = { 1, 0x1000 };
	u64 cap;

	l1_start(no_l2);
	if (!l1_ctl_allowed(VMCS_PROC2_CTLS, PROC2_VPID)) {
		EXPECT_RET(invvpid(INVVPID_ALL, &d), VMX_TRAP + VEC_UD, "INVVPID without VPID");
		return;
	}
	cap = rdmsr(IA32_VMX_EPT_VPID_CAP);
	EXPECT_ERROR(invvpid(4, &d), VMERR_INVALID_OPERAND);
	if (cap & VPID_CAP_ALL)
		EXPECT_RET(invvpid(INVVPID_ALL, &d), VMX_OK, "INVVPID of all");
	if (cap & VPID_CAP_SINGLE) {
		EXPECT_RET(invvpid(INVVPID_SINGLE, &d), VMX_OK, "INVVPID of one");
		d.id = 0;
		EXPECT_ERROR(invvpid(INVVPID_SINGLE, &d), VMERR_INVALID_OPERAND);
		d.id = 0x10001;		/* bits 63:16 are reserved */
		EXPECT_ERROR(invvpid(INVVPID_SINGLE, &d), VMERR_INVALID_OPERAND);
	}
	if (cap & VPID_CAP_ADDR) {
		d = (struct inv_desc){ 1, 1ull << 47 };
		EXPECT_ERROR(invvpid(INVVPID_ADDR, &d), VMERR_INVALID_OPERAND);
		d.addr = 0x1000;
		EXPECT_RET(invvpid(INVVPID_ADDR, &d), VMX_OK, "INVVPID of an address");
	}
	if (cap & VPID_CAP_SINGLE_GLOBAL) {
		d.id = 0;
		EXPECT_ERROR(invvpid(INVVPID_SINGLE_GLOBAL, &d), VMERR_INVALID_OPERAND);
	}
}
