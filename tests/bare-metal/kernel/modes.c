/* What modes.S did in compatibility mode, in protected mode and in real mode. */
#include "kernel.h"

#define EXTERN(name) extern void name(u64);
EXTERN(compat_old_opcodes) EXTERN(compat_limit) EXTERN(compat_down) EXTERN(compat_null) EXTERN(compat_bound) EXTERN(compat_into)
extern void legacy_mode(void (*routine)(void));
extern void small_limit(void), small_stack(void), two_levels(void), two_levels_write(void), two_levels_4m(void), pae(void);
extern void tasks(void), nested_task(void), sixteen(void), task_b(void), task_c(void);
extern u32 page_directory[], page_table[], task_b_state[], legacy_low[];
extern u64 page_pointers[], page_directories[], pml4[];
extern u8 stubs32[], real_fault_at[], start[];
static u8 memory[8192] __attribute__((aligned(4096)));
static u8 task_stack[1024] __attribute__((aligned(16)));

/* After `routine` in legacy mode: vector, error and CR2 are legacy[16..18]. */
void run_legacy(void (*routine)(void)) {
  for (int i = 0; i < 32; i++) legacy[i] = 0;
  legacy[16] = ~0u;
  legacy_mode(routine);
}
static void fault(const char *name, void (*routine)(void), u32 vector, u32 error) {
  run_legacy(routine);
  check(name, legacy[16], vector);
  check("  error", legacy[17], error);
}

static void test_compatibility(void) {
  check("32-bit code", try(compat_old_opcodes, 0), 0);
  check("  INC", legacy[0], 6);
  check("  AAM", legacy[1] & 0xffff, 0x0f03);
  check("  DAA", legacy[2] & 0xff, 0x14);
  check("  PUSHAL", legacy[3], 32);
  check("BOUND", try(compat_bound, 0), FAULT(BR));
  check("INTO", try(compat_into, 0), FAULT(OF));
  if (!all_checks()) return;
  check("limit", try(compat_limit, 0), FAULT(GP));
  check("  error", trap.error, 0);
  check("  CS", trap.cs, CODE32);
  check("expand-down", try(compat_down, 0), FAULT(GP));
  check("null segment", try(compat_null, 0), FAULT(GP));
}

static void test_protected_paging(void) {
  u32 at = (u32)(u64)memory;
  page_directory[0] = 0x83;
  page_directory[1] = (u32)(u64)page_table | 3;
  page_directory[2] = 0x83;
  page_table[0] = at | 3;
  page_table[1] = (at + 4096) | 3;
  page_table[2] = 0;
  page_table[3] = at | 1;
  *(u32 *)(memory + 4) = 0xfeedface;
  fault("32-bit paging, nothing there", two_levels, PF, 0);
  check("  CR2", legacy[18], 0x402010);
  check("  read", legacy[0], 0xfeedface);
  check("  A", legacy[1] & 0x60, 0x20);
  check("  A and D", legacy[2] & 0x60, 0x60);
  check("  A of the table", legacy[3] & 0x60, 0x20);
  check("  written", *(u32 *)(memory + 4096 + 8), 0x1234);
  fault("32-bit paging, read-only", two_levels_write, PF, 3);
  check("  CR2", legacy[18], 0x403020);
  run_legacy(two_levels_4m);
  check("4 MiB page", legacy[16], ~0u);
  check("  the same memory", legacy[0], 1);
  check("  A", legacy[1] & 0x60, 0x20);
  for (int i = 0; i < 4; i++) page_pointers[i] = 0;
  page_pointers[0] = (u64)page_directories | 1;
  page_directories[0] = 0x83;
  page_directories[1] = 0x83 | 1ul << 63;
  *(u32 *)memory = 0;
  fault("PAE, NX", pae, PF, 0x11);
  check("  CR2", legacy[18], 0x200000);
  check("  A and not D", page_directories[1] & 0x60, 0x20);
}

/* The 64-bit task again. */
void restore_task(void) {
  gdt[TASK / 8] &= ~(2ul << 40);
  asm volatile("ltr %w0" ::"r"(TASK));
}
void describe_task(int selector, u32 *state, void (*code)(void), u32 flags) {
  u64 base = (u64)state;
  gdt[selector / 8] = 0x67 | (base & 0xffffff) << 16 | 0x89ul << 40 | (base >> 24) << 56;
  for (int i = 0; i < 26; i++) state[i] = 0;
  state[7] = READ("cr3");
  state[8] = (u32)(u64)code;
  state[9] = flags;
  state[14] = (u32)(u64)(task_stack + sizeof task_stack);
  state[18] = state[20] = state[21] = DATA;
  state[19] = CODE32;
}
static void test_tasks(void) {
  describe_task(TASK_A, task_a_state, 0, 2);
  describe_task(TASK_B, task_b_state, task_b, 2);
  task_b_state[16] = 0x99;
  run_legacy(tasks);
  check("task switch by JMP", legacy[16], ~0u);
  check("  ESI back", legacy[0], 0x77);
  check("  TR back", legacy[1], TASK_A);
  check("  CR0.TS", legacy[2] & 8, 8);
  check("  the other task is free again", legacy[3] >> 8 & 0xff, 0x89);
  check("  ESI there", legacy[4], 0x99);
  check("  ESI saved", legacy[5], 0x77);
  describe_task(TASK_A, task_a_state, 0, 2);
  describe_task(TASK_B, task_b_state, task_c, 2);
  run_legacy(nested_task);
  check("task switch by CALL", legacy[16], ~0u);
  check("  ESI back", legacy[0], 0x55);
  check("  NT off again", legacy[1] & 0x4000, 0);
  check("  NT there", legacy[2] & 0x4000, 0x4000);
  check("  link", legacy[3] & 0xffff, TASK_A);
  restore_task();
}

static void test_sixteen_bits(void) {
  run_legacy(sixteen);
  check("16-bit code and real mode", legacy[16], ~0u);
  check("  PUSH AX", legacy_low[0] & 0xffff, 0x7efe);
  check("  PUSH EAX", legacy_low[1] & 0xffff, 0x7efa);
  check("  INT clears IF", legacy_low[2] & 0x200, 0);
  check("  ES keeps its limit", legacy_low[3], *(u32 *)0x100000);
  check("  FS", legacy_low[4] & 0xffff, 0xabcd);
  check("  FS has 64 KiB", legacy_low[5], GP);
  check("  at the instruction", legacy_low[6] & 0xffff, (u64)real_fault_at & 0xffff);
}

void test_modes(void) {
  test_compatibility();
  for (int vector = 0; vector < 32; vector++) {
    u64 to = (u64)stubs32 + 16 * vector;
    idt32[vector] = (to & 0xffff) | (u64)CODE32 << 16 | 0x8eul << 40 | (to >> 16 & 0xffff) << 48;
  }
  if (all_checks()) {
    fault("limit in protected mode", small_limit, GP, 0);
    fault("limit of the stack", small_stack, SS, 0);
  }
  test_protected_paging();
  test_tasks();
  test_sixteen_bits();
}
