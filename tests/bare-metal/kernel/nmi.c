/* Non-maskable interrupts (SDM vol. 3, 6.7): from the local APIC to itself, and from the PIT through LINT0. */
#include "kernel.h"

#define APIC 0xfee00000ul
#define APIC_REGISTER(offset) (*(volatile u32 *)(APIC + (offset)))
enum { APIC_ID = 0x20, APIC_EOI = 0xb0, APIC_SPURIOUS = 0xf0, APIC_ICR = 0x300, APIC_ICR2 = 0x310, APIC_LINT0 = 0x350 };
#define DELIVER_NMI 0x400
#define ASSERT 0x4000
extern u64 pdpt[];
static u64 devices[512] __attribute__((aligned(4096)));
static int seen_inside;

static void send(void) {
  APIC_REGISTER(APIC_ICR2) = APIC_REGISTER(APIC_ID);
  APIC_REGISTER(APIC_ICR) = DELIVER_NMI | ASSERT;
}
/* Time for what is under way to arrive. */
static void wait_for(int count) {
  for (int i = 0; i < 1000000 && resumed_count < count; i++) asm volatile("pause" ::: "memory");
}
static void arm(void (*call)(void)) {
  resumed_vector = NMI;
  resumed_count = 0;
  resumed_call = call;
}
static void send_again(void) {
  if (resumed_count > 1) return;
  send();
  wait_for(2);
  seen_inside = resumed_count;
}

static void sleep(u64 unused) {
  (void)unused;
  /* the first interrupt controller alone, input 0, and the PIT once in 55 ms */
  outb(0x20, 0x11);
  outb(0x21, 0x20);
  outb(0x21, 4);
  outb(0x21, 1);
  outb(0x21, 0xfe);
  APIC_REGISTER(APIC_LINT0) = DELIVER_NMI;
  outb(0x43, 0x30);
  outb(0x40, 0xff);
  outb(0x40, 0xff);
  if (!resumed_count) asm volatile("hlt" ::: "memory");
}

void test_nmi(void) {
  pdpt[3] = (u64)devices | 3;
  devices[APIC >> 21 & 511] = (APIC & ~0x1ffffful) | 0x93; /* not cached */
  APIC_REGISTER(APIC_SPURIOUS) = 0x1ff;
  set_gate(NMI, 0, 1, 1);
  arm(0);
  send();
  wait_for(1);
  check("NMI while interrupts are off", resumed_count, 1);
  check("  CS", trap.cs, CODE64);
  check("  on its interrupt stack", trap_stack, (u64)interrupt_stack + INTERRUPT_STACK);
  set_gate(NMI, 0, 0, 1);
  arm(send_again);
  send();
  wait_for(2);
  check("NMI in the handler of an NMI waits", seen_inside, 1);
  check("  for its IRET", resumed_count, 2);
  arm(0);
  check("NMI ends HLT", try(sleep, 0), 0);
  check("  once", resumed_count, 1);
  APIC_REGISTER(APIC_LINT0) = 0x10700;
  outb(0x21, 0xff);
  resumed_vector = -1;
  pdpt[3] = 0;
  WRITE("cr3", READ("cr3"));
}
