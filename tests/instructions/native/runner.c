/*
 * Runs instruction snippets on the real CPU in user mode and records what they leave behind.
 *
 * stdin:  a stream of batches: u32 count, then count records of struct snippet.
 * stdout: for every snippet one struct state.
 *
 * Everything happens inside one signal handler: the first int3 enters it; it writes the next snippet's registers into the
 * saved context and returns through sigreturn, which loads them all at once (general registers, flags, CS for 32-bit code,
 * x87/SSE image). The snippet ends at the int3 that fills its slot or at a fault; either comes back as a signal whose saved
 * context is the after-state, with the exception's vector and error code as the kernel saw them.
 *
 * The addresses and the layout of struct state stand in ../layout.ts, too.
 */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#define CODE_BASE 0x20000000ul
#define SLOT_BYTES 64
#define SLOTS 64
#define WINDOW_PAGES 0x30000000ul
#define WINDOW_BASE (WINDOW_PAGES + 0xe00)
#define WINDOW_BYTES 1024
#define GS_BASE 0x2fff8000ul
#define USER32_CS 0x23
#define USER64_CS 0x33
#define USER_DS 0x2b
#define FX_BYTES 512

/* EFLAGS bits that a snippet may start with: CF PF AF ZF SF OF DF AC. */
#define INPUT_FLAGS 0x40cd5ul

struct state {
  uint64_t gpr[16]; /* in encoding order: rax rcx rdx rbx rsp rbp rsi rdi r8.. */
  uint64_t rip;
  uint64_t rflags;
  uint16_t vector;
  uint16_t cs;
  uint32_t error;
  uint64_t cr2;
  uint8_t fx[FX_BYTES];
  uint8_t window[WINDOW_BYTES];
};

struct snippet {
  uint32_t compat32;
  uint32_t entry; /* offset of the first instruction in the slot */
  uint8_t code[SLOT_BYTES];
  struct state before;
};

static const int GREG[16] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP, REG_RSI, REG_RDI,
                             REG_R8,  REG_R9,  REG_R10, REG_R11, REG_R12, REG_R13, REG_R14, REG_R15};

static struct snippet batch[SLOTS];
static struct state after[SLOTS];
static volatile uint32_t count, current;
static volatile int running;
static ucontext_t home;
static uint8_t home_fx[FX_BYTES];

static void load_fx(ucontext_t *uc, const uint8_t *fx) {
  uint8_t *area = (uint8_t *)uc->uc_mcontext.fpregs;
  memcpy(area, fx, 416);
  /* XSTATE_BV in the XSAVE header: x87 and SSE are loaded from the image, every other component starts clean. */
  uint32_t magic;
  memcpy(&magic, area + 464, 4);
  if (magic == 0x46505853) {
    uint64_t present = 3;
    memcpy(area + 512, &present, 8);
  }
}

static void load_segments(void) {
  /* 32-bit code needs usable data segments; a 64-bit process starts with null ones, and a snippet may have loaded others. */
  __asm__ volatile("movl %0, %%ds; movl %0, %%es; movl %0, %%gs" ::"r"(USER_DS));
  /* The base comes after the selector: loading GS sets the base from the descriptor. Needs FSGSBASE. */
  __asm__ volatile("wrgsbase %0" ::"r"(GS_BASE));
}

static void start_snippet(ucontext_t *uc, uint32_t slot) {
  const struct snippet *s = &batch[slot];
  load_segments();
  greg_t *g = uc->uc_mcontext.gregs;
  for (int i = 0; i < 16; i++) g[GREG[i]] = (greg_t)s->before.gpr[i];
  g[REG_RIP] = (greg_t)(CODE_BASE + slot * SLOT_BYTES + s->entry);
  g[REG_EFL] = (greg_t)((s->before.rflags & INPUT_FLAGS) | 0x202);
  uint64_t segments = (uint64_t)g[REG_CSGSFS];
  segments = (segments & ~0xfffful) | (s->compat32 ? USER32_CS : USER64_CS);
  g[REG_CSGSFS] = (greg_t)segments;
  load_fx(uc, s->before.fx);
  memset((void *)WINDOW_PAGES, 0, 0x2000);
  memcpy((void *)WINDOW_BASE, s->before.window, WINDOW_BYTES);
}

static void record(const ucontext_t *uc, struct state *out) {
  const greg_t *g = uc->uc_mcontext.gregs;
  for (int i = 0; i < 16; i++) out->gpr[i] = (uint64_t)g[GREG[i]];
  out->rip = (uint64_t)g[REG_RIP];
  out->rflags = (uint64_t)g[REG_EFL];
  out->vector = (uint16_t)g[REG_TRAPNO];
  out->cs = (uint16_t)g[REG_CSGSFS];
  out->error = (uint32_t)g[REG_ERR];
  out->cr2 = out->vector == 14 ? (uint64_t)g[REG_CR2] : 0;
  memcpy(out->fx, uc->uc_mcontext.fpregs, 416);
  memset(out->fx + 416, 0, FX_BYTES - 416);
  memcpy(out->window, (void *)WINDOW_BASE, WINDOW_BYTES);
}

static void on_signal(int signal, siginfo_t *info, void *context) {
  ucontext_t *uc = context;
  (void)info;
  /* Drop what a snippet's POPF may have left (NT, AC, ID). */
  __asm__ volatile("pushq $0x202; popfq" ::: "cc", "memory");
  if (!running) {
    if (signal != SIGTRAP) _exit(3);
    running = 1;
    memcpy(&home, uc, sizeof home);
    memcpy(home_fx, uc->uc_mcontext.fpregs, FX_BYTES);
  } else {
    record(uc, &after[current]);
    current++;
  }
  if (current < count) {
    start_snippet(uc, current);
    return;
  }
  running = 0;
  greg_t *g = uc->uc_mcontext.gregs;
  for (int i = 0; i < NGREG; i++) g[i] = home.uc_mcontext.gregs[i];
  load_fx(uc, home_fx);
}

static void *map_fixed(unsigned long address, size_t bytes, int protection) {
  void *p = mmap((void *)address, bytes, protection, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
  if (p != (void *)address) {
    perror("mmap");
    exit(2);
  }
  return p;
}

static void read_fully(void *to, size_t bytes) {
  if (fread(to, 1, bytes, stdin) != bytes) {
    fprintf(stderr, "truncated input\n");
    exit(2);
  }
}

static void prepare_cpu(void) {
  stack_t stack = {.ss_size = 1 << 16};
  stack.ss_sp = map_fixed(0x40000000ul, stack.ss_size, PROT_READ | PROT_WRITE);
  sigaltstack(&stack, 0);
  struct sigaction action = {.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER};
  action.sa_sigaction = on_signal;
  const int caught[] = {SIGTRAP, SIGSEGV, SIGILL, SIGFPE, SIGBUS};
  for (unsigned i = 0; i < sizeof caught / sizeof *caught; i++) sigaction(caught[i], &action, 0);
  map_fixed(WINDOW_PAGES, 0x2000, PROT_READ | PROT_WRITE);
  map_fixed(CODE_BASE, SLOTS * SLOT_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC);
}

int main(void) {
  prepare_cpu();
  uint32_t n;
  while (fread(&n, 4, 1, stdin) == 1) {
    if (n == 0 || n > SLOTS) {
      fprintf(stderr, "bad batch size %u\n", n);
      return 2;
    }
    read_fully(batch, n * sizeof *batch);
    memset((void *)CODE_BASE, 0xcc, SLOTS * SLOT_BYTES);
    for (uint32_t i = 0; i < n; i++) memcpy((uint8_t *)CODE_BASE + i * SLOT_BYTES, batch[i].code, SLOT_BYTES);
    count = n;
    current = 0;
    __asm__ volatile("int3" ::: "memory");
    if (current != count || fwrite(after, sizeof *after, n, stdout) != n) return 2;
    fflush(stdout);
  }
  return 0;
}
