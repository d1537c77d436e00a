/* Code that the disk's controller overwrites without the processor storing anything (82371SB datasheet, 2.7: bus-master IDE). */
#include "kernel.h"

enum { DATA_PORT = 0x1f0, COUNT, LBA_LOW = 0x1f3, LBA_MID, LBA_HIGH, DRIVE, COMMAND, CONTROL = 0x3f6 };
enum { READ_DMA = 0xc8, BUSY = 0x80, NO_INTERRUPT = 2, START = 1, TO_MEMORY = 8, ACTIVE = 1, LAST = 0x8000 };
/* As the test that starts this kernel fills its disk: MOV EAX, imm32; RET in the first two sectors, then two ends of it. */
enum { FIRST, SECOND, END_FIRST, END_SECOND };
static u8 pages[8192] __attribute__((aligned(4096)));
static struct { u32 address; u16 bytes, flags; } region __attribute__((aligned(8)));

static inline void outl(u16 port, u32 v) { asm volatile("outl %0,%1" ::"a"(v), "Nd"(port)); }
static inline u32 inl(u16 port) { u32 v; asm volatile("inl %1,%0" : "=a"(v) : "Nd"(port)); return v; }
static u16 pci(int offset) {
  outl(0xcf8, 0x80000000 | 1 << 11 | 1 << 8 | offset); /* 00:01.1 */
  return 0xcfc;
}

static void load(u32 sector, u8 *to) {
  u16 bus_master = inl(pci(0x20)) & 0xfff0;
  outl(pci(4), inl(pci(4)) | 5);
  region.address = (u32)(u64)to;
  region.bytes = 512;
  region.flags = LAST;
  outb(bus_master, TO_MEMORY);
  outl(bus_master + 4, (u32)(u64)&region);
  outb(bus_master + 2, 6);
  outb(CONTROL, NO_INTERRUPT);
  outb(DRIVE, 0xe0);
  outb(COUNT + 1, 1);
  outb(LBA_LOW, sector);
  outb(LBA_MID, 0);
  outb(LBA_HIGH, 0);
  outb(COMMAND, READ_DMA);
  outb(bus_master, TO_MEMORY | START);
  while (inb(bus_master + 2) & ACTIVE || inb(COMMAND) & BUSY) {}
  outb(bus_master, 0);
}
static u64 call(u8 *code) {
  u32 (*function)(void) = (u32 (*)(void))code;
  return function();
}
static u64 call_often(u8 *code) {
  u64 last = 0;
  for (int i = 0; i < 200000; i++) last = call(code);
  return last;
}

void test_dma(void) {
  load(FIRST, pages);
  check("code from the disk", call(pages), 0x1111);
  load(SECOND, pages);
  check("  overwritten by the disk", call(pages), 0x2222);
  load(FIRST, pages);
  check("  that runs often", call_often(pages), 0x1111);
  load(SECOND, pages);
  check("  overwritten", call(pages), 0x2222);
  load(FIRST, pages + 512);
  check("  beside code that stays", call(pages + 512), 0x1111);
  check("  which stays", call_often(pages), 0x2222);
  /* an instruction on two pages, of which the disk has the second one */
  u8 *crossing = pages + 4096 - 3;
  crossing[0] = 0xb8;
  crossing[1] = crossing[2] = 0x11;
  load(END_FIRST, pages + 4096);
  check("  on two pages", call_often(crossing), 0x1111);
  load(END_SECOND, pages + 4096);
  check("  of which the second is overwritten", call(crossing), 0x12341111);
}
