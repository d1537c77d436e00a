/* Exceptions of level 0 in 64-bit mode: vectors, error codes, saved addresses, double faults. */
#include "kernel.h"

static u64 at;
static void divide(u64 by) { asm volatile("xor %%edx,%%edx; mov $1,%%eax; div %0" ::"r"(by) : "rax", "rdx"); }
static void overflow(u64 x) { asm volatile("mov $2,%%edx; xor %%eax,%%eax; div %k0" ::"r"(x) : "rax", "rdx"); }
static void undefined(u64 x) { (void)x; asm volatile("ud2"); }
static void read(u64 address) { asm volatile("mov (%0),%%al" ::"r"(address) : "rax"); }
static void push_at(u64 address) {
  asm volatile("mov %%rsp,%%rbx; mov %0,%%rsp; push %%rax; mov %%rbx,%%rsp" ::"r"(address) : "rbx", "memory");
}
static void load_ds(u64 selector) { asm volatile("mov %0,%%ds" ::"r"(selector)); }
static void load_ss(u64 selector) { asm volatile("mov %0,%%ss" ::"r"(selector)); }
static void load_tr(u64 selector) { asm volatile("ltr %w0" ::"r"(selector)); }
static void breakpoint(u64 x) { (void)x; asm volatile("int3"); }
static void interrupt(u64 x) { (void)x; asm volatile("int $0x77"); }
static void write_cr0(u64 v) { WRITE("cr0", v); }
static void write_cr3(u64 v) { WRITE("cr3", v); }
static void write_cr4(u64 v) { WRITE("cr4", v); }
static void write_efer(u64 v) { wrmsr(0xc0000080, v); }
static void write_msr(u64 n) { wrmsr((u32)n, 0); }
static void write_lstar(u64 v) { wrmsr(0xc0000082, v); }
static void far_return(u64 selector) { asm volatile("push %0; lea 1f(%%rip),%%rax; push %%rax; lretq; 1:" ::"r"(selector) : "rax"); }
static void interrupt_return(u64 frame) {
  u64 *f = (u64 *)frame;
  asm volatile("mov %%rsp,%%rax; push %0; push %%rax; push %1; push %2; push %3; iretq" ::"r"(f[0]), "r"(f[1]), "r"(f[2]), "r"(f[3]) : "rax");
}
static void aligned_move(u64 address) { asm volatile("movaps (%0),%%xmm0" ::"r"(address)); }
static void sse_divide(u64 x) {
  u32 mxcsr = 0x1f80 & ~0x200, usual = 0x1f80;
  (void)x;
  asm volatile("ldmxcsr %0; xorps %%xmm1,%%xmm1; pcmpeqd %%xmm0,%%xmm0; psrld $26,%%xmm0; pslld $24,%%xmm0; divss %%xmm1,%%xmm0; ldmxcsr %1" ::"m"(mxcsr), "m"(usual));
}
static void x87_divide(u64 x) {
  u16 control = 0x37b;
  (void)x;
  asm volatile("fninit; fldcw %0; fld1; fldz; fdivrp; fwait" ::"m"(control));
}
static void task_switched(u64 x) {
  (void)x;
  asm volatile("mov %%cr0,%%rax; or $8,%%al; mov %%rax,%%cr0; xorps %%xmm0,%%xmm0" ::: "rax");
}
static void misalign_stack(u64 x) {
  (void)x;
  asm volatile("mov %%rsp,%%rbx; mov %%rsp,%0; sub $3,%%rsp; int $0x77" : "=m"(at)::"rbx");
}

static void fault(const char *name, void (*fn)(u64), u64 argument, int vector, u64 error) {
  check(name, try(fn, argument), FAULT(vector));
  check("  error", trap.error, error);
}

static void test_double_fault(void) {
  set_gate(DF, 0, 1, 1);
  set_gate(PF, 0, 0, 0);
  fault("page fault without a gate is a double fault", read, 0x7000000000, DF, 0);
  check("  on the interrupt stack", trap_stack, (u64)interrupt_stack + INTERRUPT_STACK);
  set_gate(PF, 0, 0, 1);
  set_gate(UD, 0, 0, 0);
  fault("#UD without a gate is #NP", undefined, 0, NP, UD * 8 + 2 + 1);
  set_gate(UD, 0, 0, 1);
  set_gate(DE, 0, 0, 0);
  fault("#DE without a gate is a double fault", divide, 0, DF, 0);
  set_gate(DE, 0, 0, 1);
  set_gate(0x77, 0, 0, 0);
  fault("INT n without a gate", interrupt, 0, NP, 0x77 * 8 + 2);
  set_gate(0x77, 0, 0, 1);
}

static void test_control_registers(void) {
  u64 cr0 = READ("cr0"), cr3 = READ("cr3"), cr4 = READ("cr4"), efer = rdmsr(0xc0000080);
  if (!all_checks()) return;
  fault("CR0.PG without PE", write_cr0, cr0 & ~1ul, GP, 0);
  fault("CR0.NW without CD", write_cr0, cr0 | 1 << 29, GP, 0);
  fault("CR0 above bit 31", write_cr0, cr0 | 1ul << 40, GP, 0);
  fault("CR4.PAE off in 64-bit mode", write_cr4, cr4 & ~0x20ul, GP, 0);
  fault("CR4 reserved bit", write_cr4, cr4 | 1ul << 31, GP, 0);
  fault("CR4.PCIDE while CR3 has a PCID", write_cr4, cr4 | 1 << 17, (cr3 & 0xfff) ? GP : -1, 0);
  WRITE("cr4", cr4);
  fault("EFER.LME off while paging", write_efer, efer & ~0x100ul, GP, 0);
  fault("EFER reserved bit", write_efer, efer | 1ul << 20, GP, 0);
  fault("an MSR that no processor has", write_msr, 0xdeadbeef, GP, 0);
  fault("LSTAR must be canonical", write_lstar, 1ul << 50, GP, 0);
  fault("CR3 above the physical addresses", write_cr3, cr3 | 1ul << 60, GP, 0);
}

void test_faults(void) {
  fault("#DE by zero", divide, 0, DE, 0);
  fault("#DE by overflow", overflow, 1, DE, 0);
  fault("#UD", undefined, 0, UD, 0);
  fault("#BP is a trap", breakpoint, 0, BP, 0);
  check("  behind INT3", *(u8 *)(trap.rip - 1), 0xcc);
  fault("INT n", interrupt, 0, 0x77, 0);
  fault("non-canonical read", read, 1ul << 47, GP, 0);
  set_gate(SS, 0, 1, 1); /* there is no other stack */
  set_gate(GP, 0, 1, 1);
  fault("non-canonical push", push_at, 1ul << 55, SS, 0);
  set_gate(SS, 0, 0, 1);
  set_gate(GP, 0, 0, 1);
  fault("DS beyond the table", load_ds, 0xfff8, GP, 0xfff8);
  fault("DS from a local table that is not there", load_ds, 0x0c, GP, 0x0c);
  fault("DS of a system segment", load_ds, TASK, GP, TASK);
  fault("DS not present", load_ds, ABSENT_DATA, NP, ABSENT_DATA);
  fault("SS not present", load_ss, ABSENT_DATA, SS, ABSENT_DATA);
  fault("SS of another level", load_ss, DATA | 3, GP, DATA);
  fault("SS of code", load_ss, CODE64, GP, CODE64);
  check("null SS at level 0", try(load_ss, 0), 0);
  fault("LTR of a busy task", load_tr, TASK, GP, TASK);
  fault("RETF to data", far_return, DATA, GP, DATA);
  fault("RETF to null", far_return, 0, GP, 0);
  u64 frame[4] = {DATA, 2, DATA, 0x100000};
  fault("IRET to data", interrupt_return, (u64)frame, GP, DATA);
  frame[2] = CODE64;
  frame[3] = 1ul << 50;
  fault("IRET to a non-canonical address", interrupt_return, (u64)frame, GP, 0);
  fault("MOVAPS off alignment", aligned_move, (u64)frame | 1, GP, 0);
  fault("#XM", sse_divide, 0, XM, 0);
  asm volatile("ldmxcsr %0" ::"m"((u32){0x1f80}));
  fault("#MF", x87_divide, 0, MF, 0);
  asm volatile("fninit");
  fault("#NM", task_switched, 0, NM, 0);
  asm volatile("clts");
  fault("frames are aligned", misalign_stack, 0, 0x77, 0);
  check("  to 16 bytes", trap_stack & 15, 0);
  check("  with the old RSP", trap.rsp, at - 3);
  test_control_registers();
  test_double_fault();
}
