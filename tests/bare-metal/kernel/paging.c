/* Four-level paging: rights, error codes, accessed and dirty bits, large pages, PCID, and code that changes under the processor. */
#include "kernel.h"

#define P 1ul
#define W 2ul
#define U 4ul
#define A 0x20ul
#define D 0x40ul
#define PS 0x80ul
#define G 0x100ul
#define NX (1ul << 63)
#define ADDRESS 0x000ffffffffff000ul
/* Entry 1 of the PML4, so that no other page is near. */
#define BASE 0x8000000000ul
#define PAGE(n) (BASE + (n) * 4096ul)

extern u64 pml4[];
extern u8 user_read[], user_write[], user_return[], just_return[];
static u64 level3[512] __attribute__((aligned(4096)));
static u64 level2[512] __attribute__((aligned(4096)));
static u64 level1[512] __attribute__((aligned(4096)));
static u64 other4[512] __attribute__((aligned(4096)));
static u64 other3[512] __attribute__((aligned(4096)));
static u64 other2[512] __attribute__((aligned(4096)));
static u64 other1[512] __attribute__((aligned(4096)));
static u8 memory[4 * 4096] __attribute__((aligned(4096)));
static u32 features[4], structured[4];

static void invlpg(u64 a) { asm volatile("invlpg (%0)" ::"r"(a) : "memory"); }
static void map(int n, u64 entry) {
  level1[n] = entry;
  invlpg(PAGE(n));
}
static void read(u64 a) { (void)*(volatile u8 *)a; }
static void write(u64 a) { *(volatile u8 *)a = 0xc3; }
static void call(u64 a) { ((void (*)(void))a)(); }
static void read_as_user(u64 a) { asm volatile("stac; mov (%0),%%al; clac" ::"r"(a) : "rax"); }
static void user(u64 code, u64 a, const char *name, u64 error) {
  struct user u = {code + USER_WINDOW, USER_CODE64, 2, a};
  u64 left = try(enter_user, (u64)&u);
  check(name, left, error == ~0ul ? FAULT(SYSTEM_CALL) : FAULT(PF));
  if (error != ~0ul) check("  error", trap.error, error), check("  CR2", trap_cr2, a);
}
static void fault(const char *name, void (*fn)(u64), u64 a, u64 error) {
  check(name, try(fn, a), FAULT(PF));
  check("  error", trap.error, error);
  check("  CR2", trap_cr2, a);
}
static void passes(const char *name, void (*fn)(u64), u64 a) { check(name, try(fn, a), 0); }

static void test_rights(u64 physical) {
  map(0, 0);
  fault("read of nothing", read, PAGE(0), 0);
  fault("write to nothing", write, PAGE(0) + 0x123, 2);
  fault("fetch of nothing", call, PAGE(0), 0x10);
  user((u64)user_read, PAGE(0), "user read of nothing", 4);
  map(0, physical | P | NX);
  passes("supervisor read", read, PAGE(0));
  fault("write to a read-only page", write, PAGE(0), 3);
  fault("fetch of an NX page", call, PAGE(0), 0x11);
  user((u64)user_read, PAGE(0), "user read of a supervisor page", 5);
  user((u64)user_write, PAGE(0), "user write to a supervisor page", 7);
  user(PAGE(0) - USER_WINDOW, PAGE(0), "user fetch of a supervisor page", 0x15);
  WRITE("cr0", READ("cr0") & ~0x10000ul);
  passes("write to a read-only page without CR0.WP", write, PAGE(0));
  WRITE("cr0", READ("cr0") | 0x10000ul);
  fault("and with it again", write, PAGE(0), 3);
  map(0, physical | P | U);
  user((u64)user_read, PAGE(0), "user read", ~0ul);
  user((u64)user_write, PAGE(0), "user write to a read-only page", 7);
  map(0, physical | P | W | U);
  user((u64)user_write, PAGE(0), "user write", ~0ul);
  memory[0] = user_return[0];
  user(PAGE(0) - USER_WINDOW, 0, "user fetch", ~0ul);
  level2[0] &= ~U;
  invlpg(PAGE(0));
  user((u64)user_read, PAGE(0), "U is asked for at every level", 5);
  level2[0] |= U | NX;
  invlpg(PAGE(0));
  fault("NX counts at every level", call, PAGE(0), 0x11);
  level2[0] &= ~NX;
  invlpg(PAGE(0));
  u32 size[4];
  cpuid(0x80000008, size);
  if ((size[0] & 0xff) < 52) {
    map(0, physical | P | W | 1ul << 51);
    fault("reserved bit", read, PAGE(0), 9);
    fault("reserved bit, write", write, PAGE(0), 0xb);
  }
  map(1, 0);
  map(0, physical | P | W | NX);
  check("access over the end of the last page", try(({ void f(u64 a) { *(volatile u32 *)a = 1; } f; }), PAGE(1) - 2), FAULT(PF));
  check("  error", trap.error, 2);
  check("  CR2 is the second page", trap_cr2, PAGE(1));
}

static void test_supervisor_modes(u64 physical) {
  u64 cr4 = READ("cr4");
  map(0, physical | P | W | U);
  *(u8 *)PAGE(0) = 0xc3;
  if (structured[1] & 1 << 7) {
    passes("fetch of a user page", call, PAGE(0));
    WRITE("cr4", cr4 | 1 << 20);
    fault("SMEP", call, PAGE(0), 0x11);
    passes("SMEP leaves data alone", read, PAGE(0));
  }
  if (structured[1] & 1 << 20) {
    WRITE("cr4", cr4 | 1 << 21);
    fault("SMAP read", read, PAGE(0), 1);
    fault("SMAP write", write, PAGE(0), 3);
    passes("SMAP with AC", read_as_user, PAGE(0));
    fault("SMAP again", read, PAGE(0), 1);
    user((u64)user_read, PAGE(0), "SMAP does not concern users", ~0ul);
  }
  WRITE("cr4", cr4);
}

static void test_accessed_dirty(u64 physical) {
  level2[0] &= ~A;
  level3[0] &= ~A;
  map(2, physical | P | W);
  WRITE("cr3", READ("cr3"));
  read(PAGE(2));
  check("read sets A", level1[2] & (A | D), A);
  check("  in the directory", level2[0] & A, A);
  check("  and above", level3[0] & A, A);
  write(PAGE(2));
  check("write sets D", level1[2] & (A | D), A | D);
  check("  not in the directory", level2[0] & D, 0);
  map(2, physical | P);
  check("a refused write", try(write, PAGE(2)), FAULT(PF));
  check("  does not set D", level1[2] & D, 0);
  map(2, physical | P | W);
  user((u64)user_read, PAGE(2), "a refused user access", 5);
  check("  does not set A", level1[2] & A, 0);
}

static void test_large(u64 physical) {
  u64 two = physical & ~0x1ffffful;
  level2[1] = two | P | W | PS;
  WRITE("cr3", READ("cr3"));
  u64 at = BASE + 0x200000 + (physical - two);
  *(volatile u8 *)physical = 0x5a;
  check("2 MiB page", *(volatile u8 *)at, 0x5a);
  check("  A", level2[1] & (A | D), A);
  write(at);
  check("  D", level2[1] & (A | D), A | D);
  level2[1] = two | P | W | PS | 1 << 13;
  WRITE("cr3", READ("cr3"));
  fault("  reserved address bit", read, at, 9);
  level2[1] = 0;
  u32 extended[4];
  cpuid(0x80000001, extended);
  level3[1] = P | W | PS;
  WRITE("cr3", READ("cr3"));
  at = BASE + 0x40000000 + physical;
  if (extended[3] & 1 << 26) {
    check("1 GiB page", *(volatile u8 *)at, 0xc3);
    check("  A", level3[1] & (A | D), A);
  } else fault("1 GiB pages that there are not", read, at, 9);
  level3[1] = 0;
  WRITE("cr3", READ("cr3"));
}

static void invpcid(u64 type, u64 pcid, u64 address) {
  u64 descriptor[2] = {pcid, address};
  asm volatile("invpcid (%0),%1" ::"r"(descriptor), "r"(type) : "memory");
}
static void bad_type(u64 type) { invpcid(type, 0, 0); }
static void bad_pcid(u64 pcid) { invpcid(0, pcid, 0); }

static void test_pcid(u64 physical) {
  if (!(features[2] & 1 << 17)) return;
  u64 usual = READ("cr3");
  memory[0] = 1;
  memory[4096] = 2;
  for (int i = 0; i < 512; i++) other4[i] = pml4[i];
  other4[1] = (u64)other3 | P | W | U;
  other3[0] = (u64)other2 | P | W | U;
  other2[0] = (u64)other1 | P | W | U;
  other1[3] = (physical + 4096) | P | W;
  map(3, physical | P | W);
  WRITE("cr4", READ("cr4") | 1 << 17);
  u64 one = usual | 1, two = (u64)other4 | 2, keep = 1ul << 63;
  for (int round = 0; round < 2; round++) {
    WRITE("cr3", one | (round ? keep : 0));
    check("PCID 1", *(volatile u8 *)PAGE(3), 1);
    WRITE("cr3", two | (round ? keep : 0));
    check("PCID 2", *(volatile u8 *)PAGE(3), 2);
  }
  other1[3] = (physical + 8192) | P | W;
  memory[8192] = 3;
  invpcid(0, 2, PAGE(3));
  check("INVPCID of an address", *(volatile u8 *)PAGE(3), 3);
  other1[3] = (physical + 4096) | P | W;
  invpcid(1, 2, 0);
  check("INVPCID of a context", *(volatile u8 *)PAGE(3), 2);
  level1[3] = (physical + 8192) | P | W;
  WRITE("cr3", one);
  check("MOV CR3 without bit 63 forgets", *(volatile u8 *)PAGE(3), 3);
  level1[3] = physical | P | W | G;
  invpcid(2, 0, 0);
  check("INVPCID of everything", *(volatile u8 *)PAGE(3), 1);
  level1[3] = (physical + 8192) | P | W;
  invpcid(2, 0, 0);
  check("  global pages too", *(volatile u8 *)PAGE(3), 3);
  check("INVPCID type 4", try(bad_type, 4), FAULT(GP));
  check("INVPCID of PCID 4096", try(bad_pcid, 4096), FAULT(GP));
  WRITE("cr3", usual);
  WRITE("cr4", READ("cr4") & ~(1ul << 17));
}

static void test_changing_code(u64 physical) {
  /* mov $n, %eax; ret, seen at two addresses */
  u8 *code = memory;
  u64 (*run)(void) = (u64 (*)(void))PAGE(4);
  map(4, physical | P | W);
  code[0] = 0xb8;
  *(u32 *)(code + 1) = 7;
  code[5] = 0xc3;
  check("code", run(), 7);
  *(u32 *)(code + 1) = 8;
  asm volatile("jmp 1f; 1:");
  check("changed by another address", run(), 8);
  *(u8 *)(PAGE(4) + 1) = 9;
  check("changed at its own", run(), 9);
  /* an instruction on two pages, whose second half changes, and then the mapping of it */
  map(5, (physical + 4096) | P | W);
  u8 *cross = (u8 *)PAGE(5) - 2;
  cross[0] = 0xb8;
  *(u32 *)(cross + 1) = 0x01020304;
  cross[5] = 0xc3;
  run = (u64 (*)(void))cross;
  check("an instruction on two pages", run(), 0x01020304);
  memory[4096] = 0x55;
  check("  its second page changed", run(), 0x01025504);
  memory[8192] = 0x66;
  memory[8193] = 0x77;
  memory[8194] = 0x88;
  memory[8195] = 0xc3;
  map(5, (physical + 8192) | P | W);
  check("  its second page mapped anew", run(), 0x88776604);
  memory[4095] = 0x44;
  check("  its first page changed", run(), 0x88776644);
  map(5, 0);
  check("  its second page gone", try(({ void f(u64 a) { ((void (*)(void))a)(); } f; }), (u64)cross), FAULT(PF));
  check("  error", trap.error, 0x10);
  check("  CR2", trap_cr2, PAGE(5));
  check("  at the instruction", trap.rip, (u64)cross);
}

void test_paging(void) {
  u64 physical = (u64)memory;
  cpuid(1, features);
  cpuid(7, structured);
  pml4[1] = (u64)level3 | P | W | U;
  level3[0] = (u64)level2 | P | W | U;
  level2[0] = (u64)level1 | P | W | U;
  /* user_return is what the page holds for fetches of it */
  for (int i = 0; i < 16; i++) memory[i] = user_return[i];
  test_rights(physical);
  test_supervisor_modes(physical);
  test_accessed_dirty(physical);
  test_large(physical);
  test_pcid(physical);
  test_changing_code(physical);
}
