/* Console, exception gates, and the order of the tests. */
#include "kernel.h"

extern u8 stubs[];
extern u64 idt[];
int resumed_vector = -1, resumed_count;
void (*resumed_call)(void);
u64 resumed_rip[32], resumed_dr6[32], trap_cr2, trap_dr6, trap_stack;
static int checks, failures;

static void put(char c) {
  while (!(inb(0x3fd) & 0x20)) {}
  outb(0x3f8, (u8)c);
}
void print(const char *text) {
  for (; *text; text++) put(*text);
}
static void print_hex(u64 v) {
  int shift = 60;
  while (shift > 0 && !(v >> shift)) shift -= 4;
  for (; shift >= 0; shift -= 4) put("0123456789abcdef"[v >> shift & 15]);
}
void check(const char *name, u64 got, u64 want) {
  checks++;
  if (got != want) failures++;
  print(got == want ? "ok " : "FAIL ");
  print(name);
  print(": ");
  print_hex(got);
  if (got != want) {
    print(" instead of ");
    print_hex(want);
  }
  print("\n");
}

int all_checks(void) {
  extern const char *command_line;
  const char *c = command_line;
  while (*c && !(c[0] == 'a' && c[1] == 'l' && c[2] == 'l')) c++;
  return *c != 0;
}

void set_gate(int vector, int dpl, int ist, int present) {
  u64 to = (u64)stubs + 16 * vector;
  u64 attributes = (u64)(present << 7 | dpl << 5 | 14) << 40;
  idt[2 * vector] = (to & 0xffff) | (u64)CODE64 << 16 | (u64)ist << 32 | attributes | (to >> 16 & 0xffff) << 48;
  idt[2 * vector + 1] = to >> 32;
}

/* Called by every stub: nonzero when the interrupted code is to go on. */
int on_trap(struct frame *f) {
  trap = *f;
  trap_cr2 = READ("cr2");
  trap_dr6 = READ("dr6");
  trap_stack = (u64)f + sizeof *f;
  if ((int)f->vector != resumed_vector) return 0;
  resumed_rip[resumed_count & 31] = f->rip;
  resumed_dr6[resumed_count & 31] = trap_dr6;
  resumed_count++;
  if (resumed_call) resumed_call();
  WRITE("dr6", 0xffff0ff0);
  f->flags |= 0x10000; /* RF: an instruction breakpoint strikes once */
  return 1;
}

void main(void) {
  outb(0x21, 0xff); /* no device interrupts */
  outb(0xa1, 0xff);
  for (int vector = 0; vector < 256; vector++) set_gate(vector, 0, 0, 1);
  set_gate(BP, 3, 0, 1);
  set_gate(SYSTEM_CALL, 3, 0, 1);
  tss64[0] = 0;
  *(u64 *)((u8 *)tss64 + 0x24) = (u64)interrupt_stack + INTERRUPT_STACK; /* IST1 */
  *(u16 *)((u8 *)tss64 + 0x66) = 0x68;                                  /* no I/O bitmap */
  test_faults();
  test_paging();
  test_rings();
  test_debug();
  test_modes();
  test_v86();
  test_nmi();
  test_dma();
  print(failures ? "some checks failed, of " : "all checks passed: ");
  print_hex(checks);
  print("\n");
  outb(0xf4, failures ? 1 : 0);
}
