/* Levels 0 and 3 in 64-bit mode: what user code may not do, and the ways between the two. */
#include "kernel.h"

#define EXTERN(name) extern u8 name[];
EXTERN(user_return) EXTERN(user_cli) EXTERN(user_hlt) EXTERN(user_in) EXTERN(user_sgdt) EXTERN(user_smsw) EXTERN(user_int77)
EXTERN(user_int3) EXTERN(user_syscall) EXTERN(user_sysenter) EXTERN(user_gate) EXTERN(user_unaligned) EXTERN(user_rdmsr)
EXTERN(user_flags) EXTERN(user_wrfsbase) EXTERN(user_cr0) EXTERN(user_call_null) EXTERN(user_lar) EXTERN(user_rdtsc)
EXTERN(user_iretq) EXTERN(user_stack_end) EXTERN(system_call) EXTERN(through_gate)
extern void do_sysretq(u64), do_sysretl(u64);

static void user(const char *name, u8 *code, u64 flags, int vector, u64 error) {
  struct user u = {USER(code), USER_CODE64, flags, 0x123456789ab};
  check(name, try(enter_user, (u64)&u), FAULT(vector));
  check("  error", trap.error, error);
}
static u32 structured[4];

static void test_forbidden(void) {
  user("user code", user_return, 2, SYSTEM_CALL, 0);
  check("  CS", trap.cs, USER_CODE64);
  check("  SS", trap.ss, USER_DATA);
  check("  RSP", trap.rsp, (u64)user_stack_end + USER_WINDOW);
  user("CLI", user_cli, 2, GP, 0);
  user("CLI with IOPL 3", user_cli, 0x3002, SYSTEM_CALL, 0);
  user("HLT", user_hlt, 2, GP, 0);
  user("IN", user_in, 2, GP, 0);
  user("IN with IOPL 3", user_in, 0x3002, SYSTEM_CALL, 0);
  user("RDMSR", user_rdmsr, 2, GP, 0);
  user("MOV from CR0", user_cr0, 2, GP, 0);
  user("INT n of a gate for level 0", user_int77, 2, GP, 0x77 * 8 + 2);
  user("INT3", user_int3, 2, BP, 0);
  user("far call of null", user_call_null, 2, GP, 0);
  u64 cr4 = READ("cr4");
  user("SGDT", user_sgdt, 2, SYSTEM_CALL, 0);
  if (structured[2] & 1 << 2) {
    WRITE("cr4", cr4 | 1 << 11);
    user("SGDT with UMIP", user_sgdt, 2, GP, 0);
    user("SMSW with UMIP", user_smsw, 2, GP, 0);
  }
  user("RDTSC", user_rdtsc, 2, SYSTEM_CALL, 0);
  WRITE("cr4", cr4 | 4);
  user("RDTSC with TSD", user_rdtsc, 2, GP, 0);
  WRITE("cr4", cr4);
  if (structured[1] & 1) {
    user("WRFSBASE without CR4.FSGSBASE", user_wrfsbase, 2, UD, 0);
    WRITE("cr4", cr4 | 1 << 16);
    user("WRFSBASE", user_wrfsbase, 2, SYSTEM_CALL, 0);
    check("  read back", trap.rbx, 0x123456789ab);
    check("  as the MSR", rdmsr(0xc0000100), 0x123456789ab);
    check("  GS too", rdmsr(0xc0000101), 0x123456789ab);
    WRITE("cr4", cr4);
  }
}

static void test_flags_and_alignment(void) {
  user("POPF", user_flags, 2, SYSTEM_CALL, 0);
  /* ID, AC, NT, DF and the arithmetic flags change; IF, IOPL, VIF, VIP, RF and VM do not */
  check("  flags", trap.rbx, 0x244cd7);
  user("IRET at level 3", user_iretq, 2, SYSTEM_CALL, 0);
  check("  keeps IOPL and IF", trap.rbx, 2);
  user("unaligned access", user_unaligned, 2, SYSTEM_CALL, 0);
  u64 cr0 = READ("cr0");
  WRITE("cr0", cr0 | 1 << 18);
  user("AM without AC", user_unaligned, 2, SYSTEM_CALL, 0);
  user("#AC", user_unaligned, 0x40002, AC, 0);
  WRITE("cr0", cr0);
  user("AC without AM", user_unaligned, 0x40002, SYSTEM_CALL, 0);
  user("LAR and its like", user_lar, 2, SYSTEM_CALL, 0);
  check("  LAR of an inner segment", trap.rdx & 0xff, 0);
  check("  LSL", trap.rdx >> 8 & 0xff, 1);
  check("  limit", trap.r8, 0xffffffff);
  check("  VERW", trap.r9 & 0xff, 1);
  check("  VERR", trap.r10 & 0xff, 1);
}

static void test_syscall(void) {
  wrmsr(0xc0000081, (u64)CODE64 << 32 | (u64)0x23 << 48);
  wrmsr(0xc0000082, (u64)system_call);
  wrmsr(0xc0000084, 0x200);
  struct user u = {USER(user_syscall), USER_CODE64, 0x202 | 0xd5, 0};
  check("SYSCALL", try(enter_user, (u64)&u), FAULT(SYSTEM_CALL));
  check("  RCX", entered[0], USER(user_syscall) + 2);
  check("  R11", entered[1], 0x202 | 0xd5);
  check("  CS", entered[2], CODE64);
  check("  SS", entered[3], DATA);
  check("  RSP stays", entered[4], (u64)user_stack_end + USER_WINDOW);
  check("  FMASK", entered[5] & 0x200, 0);
  u = (struct user){USER(user_return), 0, 0x3246 | 0x10000, 0};
  check("SYSRET", try(do_sysretq, (u64)&u), FAULT(SYSTEM_CALL));
  check("  CS", trap.cs, USER_CODE64);
  check("  SS", trap.ss, USER_DATA);
  check("  flags without RF", trap.flags, 0x3246);
  check("SYSRET to 32 bits", try(do_sysretl, (u64)&u), FAULT(SYSTEM_CALL));
  check("  CS", trap.cs, USER_CODE32);
  u64 efer = rdmsr(0xc0000080);
  wrmsr(0xc0000080, efer & ~1ul);
  user("SYSCALL without SCE", user_syscall, 2, UD, 0);
  wrmsr(0xc0000080, efer);
}

static void test_sysenter(void) {
  u32 vendor[4];
  cpuid(0, vendor);
  wrmsr(0x174, CODE64);
  wrmsr(0x175, (u64)interrupt_stack + 4096);
  wrmsr(0x176, (u64)system_call);
  if (vendor[1] != 0x756e6547) { /* AMD has no SYSENTER in long mode */
    user("SYSENTER on AMD", user_sysenter, 2, UD, 0);
    return;
  }
  struct user u = {USER(user_sysenter), USER_CODE64, 0x202, 0};
  check("SYSENTER", try(enter_user, (u64)&u), FAULT(SYSTEM_CALL));
  check("  CS", entered[2], CODE64);
  check("  SS", entered[3], DATA);
  check("  RSP", entered[4], (u64)interrupt_stack + 4096);
  check("  IF", entered[5] & 0x200, 0);
  wrmsr(0x174, 0);
  user("SYSENTER without a selector", user_sysenter, 2, GP, 0);
}

static void test_call_gate(void) {
  u64 to = (u64)through_gate;
  gdt[CALL_GATE / 8] = (to & 0xffff) | (u64)CODE64 << 16 | 0xecul << 40 | (to >> 16 & 0xffff) << 48;
  gdt[CALL_GATE / 8 + 1] = to >> 32;
  user("call gate", user_gate, 0x202, SYSTEM_CALL, 0);
  check("  return address", entered[0], trap.rip - 2);
  check("  CS", entered[1], USER_CODE64);
  check("  RSP", entered[2], (u64)user_stack_end + USER_WINDOW - 16);
  check("  SS", entered[3], USER_DATA);
  check("  null SS inside", entered[4], 0);
  check("  back on the user's stack", trap.rsp, (u64)user_stack_end + USER_WINDOW - 16);
  gdt[CALL_GATE / 8] &= ~(3ul << 45);
  user("call gate for level 0", user_gate, 2, GP, CALL_GATE);
  gdt[CALL_GATE / 8] |= 3ul << 45;
  gdt[CALL_GATE / 8] &= ~(1ul << 47);
  user("call gate that is not present", user_gate, 2, NP, CALL_GATE);
}

void test_rings(void) {
  cpuid(7, structured);
  test_forbidden();
  test_flags_and_alignment();
  test_syscall();
  test_sysenter();
  test_call_gate();
}
