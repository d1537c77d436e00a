/* Virtual-8086 mode (SDM vol. 3, chapter 20), which a 32-bit kernel may enter and a 64-bit one not. */
#include "kernel.h"

#define VM 0x20000
#define IOPL3 0x3000
#define PIECE(name) extern u8 name[];
PIECE(v86_segments) PIECE(v86_cli) PIECE(v86_sti) PIECE(v86_pushf) PIECE(v86_popf) PIECE(v86_iret) PIECE(v86_int)
PIECE(v86_int3) PIECE(v86_in) PIECE(v86_hlt) PIECE(v86_cr0) PIECE(v86_lar) PIECE(v86_limit) PIECE(v86_stack_limit)
extern void v86(void), long_v86(u64), compat_v86(u64);
extern u32 v86_flags, v86_code, v86_results[4];
static int ports_allowed;
static u8 stack[512] __attribute__((aligned(16)));

/* Where the code was left, as the frame says. */
enum { VECTOR = 16, ERROR, FRAME_IP = 20, FRAME_CS, FRAME_FLAGS, FRAME_SP, FRAME_SS, FRAME_ES, FRAME_DS, FRAME_FS, FRAME_GS, DS_THEN };

static void run(const char *name, u8 *code, u32 flags, u32 vector, u32 error) {
  describe_task(TASK_A, task_a_state, 0, 2);
  task_a_state[1] = (u32)(u64)(stack + sizeof stack);
  task_a_state[2] = DATA;
  task_a_state[25] = 0x68 << 16; /* the I/O bitmap: it ends before it begins, or allows the first 200 ports */
  if (ports_allowed) gdt[TASK_A / 8] += 25;
  v86_flags = VM | flags | 2;
  v86_code = (u32)(u64)code;
  run_legacy(v86);
  check(name, legacy[VECTOR], vector);
  check("  error", legacy[ERROR], error);
  check("  comes from there", legacy[FRAME_FLAGS] & VM, VM);
}
static void at(u8 *code, int offset) { check("  at the instruction", legacy[FRAME_IP], (u64)code - 0x8000 + offset); }

static void test_frame(void) {
  run("virtual-8086 mode", v86_segments, 0, UD, 0);
  check("  CS", v86_results[0] & 0xffff, 0x800);
  check("  a paragraph lower", v86_results[1] & 0xffff, 0x800);
  check("  SP", v86_results[2] & 0xffff, 0xefe);
  check("  the stack", v86_results[3] & 0xffff, 0x800);
  check("  CS of the frame", legacy[FRAME_CS] & 0xffff, 0x800);
  check("  SS", legacy[FRAME_SS] & 0xffff, 0x700);
  check("  SP", legacy[FRAME_SP] & 0xffff, 0xefe);
  check("  ES", legacy[FRAME_ES] & 0xffff, 0x7ff);
  check("  DS", legacy[FRAME_DS] & 0xffff, 0x800);
  check("  FS", legacy[FRAME_FS] & 0xffff, 0x3333);
  check("  GS", legacy[FRAME_GS] & 0xffff, 0x4444);
  check("  DS of the handler is null", legacy[DS_THEN] & 0xffff, 0);
}
static void test_level(void) {
  run("CLI at IOPL 0", v86_cli, 0, GP, 0);
  at(v86_cli, 0);
  run("STI at IOPL 0", v86_sti, 0, GP, 0);
  run("PUSHF at IOPL 0", v86_pushf, 0, GP, 0);
  run("POPF at IOPL 0", v86_popf, 0, GP, 0);
  run("IRET at IOPL 0", v86_iret, 0, GP, 0);
  run("INT n at IOPL 0", v86_int, 0, GP, 0);
  run("CLI at IOPL 3", v86_cli, IOPL3 | 0x200, UD, 0);
  check("  IF", legacy[FRAME_FLAGS] & 0x200, 0);
  run("PUSHF at IOPL 3", v86_pushf, IOPL3, UD, 0);
  check("  flags", v86_results[0] & 0xffff, 0x3002);
  run("POPF at IOPL 3", v86_popf, IOPL3, UD, 0);
  check("  flags", legacy[FRAME_FLAGS] & 0x7fff, 0x7ed7);
  run("IRET at IOPL 3", v86_iret, IOPL3, UD, 0);
  run("INT n at IOPL 3, gate for level 0", v86_int, IOPL3, GP, 0x1f * 8 + 2);
  idt32[BP] |= 3ul << 45;
  run("INT3 at IOPL 0", v86_int3, 0, BP, 0);
  idt32[BP] &= ~(3ul << 45);
  run("HLT", v86_hlt, IOPL3, GP, 0);
  run("MOV from CR0", v86_cr0, IOPL3, GP, 0);
  run("LAR", v86_lar, IOPL3, UD, 0);
  run("IN without a bitmap", v86_in, IOPL3, GP, 0);
  ports_allowed = 1;
  run("IN with a bitmap", v86_in, 0, UD, 0);
  ports_allowed = 0;
}

void test_v86(void) {
  test_frame();
  test_level();
  if (all_checks()) {
    run("beyond 64 KiB", v86_limit, 0, GP, 0);
    run("beyond 64 KiB of the stack", v86_stack_limit, 0, SS, 0);
  }
  restore_task();
  check("IRET with VM in 64-bit mode", try(long_v86, 0), 0);
  check("  stays there", legacy[0] & VM, 0);
  if (!all_checks()) return;
  check("IRET with VM in compatibility mode", try(compat_v86, 0), 0);
  check("  stays there", legacy[0] & VM, 0);
}
