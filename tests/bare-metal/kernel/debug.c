/* Single-step, breakpoints and watchpoints, the shadow of MOV SS (SDM vol. 3, chapter 17). */
#include "kernel.h"

#define BS 0x4000
#define BD 0x2000
extern u8 stepped[], stepped_1[], stepped_2[], stepped_end[], shadowed[], shadowed_end[], stopped[], watched[];
extern void run_stepped(u64), run_shadowed(u64), run_stopped(u64), run_watched(u64), run_general(u64), run_away(u64);
static u64 watched_data[4];

static void arm(void) {
  WRITE("dr6", 0xffff0ff0);
  resumed_vector = DB;
  resumed_count = 0;
}
static void test_single_step(void) {
  arm();
  check("single-step", try(run_stepped, 0), 0);
  check("  traps", resumed_count, 4);
  check("  after the first instruction", resumed_rip[0], (u64)stepped_1);
  check("  and the second", resumed_rip[1], (u64)stepped_2);
  check("  DR6", resumed_dr6[0] & 0xe00f, BS);
  arm();
  check("single-step of a jump to nowhere", try(run_away, 0x7000000000), FAULT(PF));
  check("  traps first", resumed_count, 1);
  check("  there", resumed_rip[0], 0x7000000000);
  arm();
  check("MOV SS and TF", try(run_shadowed, 0), 0);
  check("  one trap less", resumed_count, 2);
  check("  after the shadow", resumed_rip[0], (u64)shadowed);
}
static void test_breakpoints(void) {
  WRITE("dr0", (u64)stopped);
  WRITE("dr7", 0x401);
  arm();
  check("instruction breakpoint", try(run_stopped, 0), 0);
  check("  hits", resumed_count, 1);
  check("  before the instruction", resumed_rip[0], (u64)stopped);
  check("  DR6", resumed_dr6[0] & 0xe00f, 1);
  WRITE("dr1", (u64)&watched_data[1]);
  WRITE("dr7", 0x404 | 0xdul << 20); /* four bytes, write */
  arm();
  check("write watchpoint", try(run_watched, (u64)watched_data), 0);
  check("  hits", resumed_count, 1);
  check("  after the instruction", resumed_rip[0], (u64)watched);
  check("  DR6", resumed_dr6[0] & 0xe00f, 2);
  WRITE("dr7", 0x404 | 0xful << 20); /* read or write */
  arm();
  check("access watchpoint", try(run_watched, (u64)watched_data), 0);
  check("  hits", resumed_count, 2);
  WRITE("dr7", 0x400);
  arm();
  check("nothing armed", try(run_watched, (u64)watched_data), 0);
  check("  hits", resumed_count, 0);
}
static void read_dr5(u64 x) { (void)x; (void)READ("dr5"); }
static void test_registers(void) {
  resumed_vector = -1;
  WRITE("dr6", 0xffff0ff0);
  WRITE("dr7", 0x2400);
  check("general detection", try(run_general, 0), FAULT(DB));
  check("  DR6", trap_dr6 & 0xe00f, BD);
  check("  GD is off in the handler", READ("dr7") & 0x2000, 0);
  WRITE("dr7", 0x400);
  WRITE("dr6", 0xffff0ff0);
  check("DR5 is DR7", READ("dr5"), 0x400);
  WRITE("cr4", READ("cr4") | 8);
  check("DR5 with CR4.DE", try(read_dr5, 0), FAULT(UD));
  WRITE("cr4", READ("cr4") & ~8ul);
}

void test_debug(void) {
  test_single_step();
  test_breakpoints();
  test_registers();
  resumed_vector = -1;
}
