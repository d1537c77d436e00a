/* A kernel that only tests the processor: what its parts share. */
#pragma once
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long u64;

#include "selectors.h"

enum { DE, DB, NMI, BP, OF, BR, UD, NM, DF, TS = 10, NP, SS, GP, PF, MF = 16, AC, MC, XM };
/* What try() gives back for an exception of this vector. */
#define FAULT(vector) ((vector) + 1)

/* User code sees all memory a second time, from here on. */
#define USER_WINDOW 0x40000000ul

struct frame {
  u64 r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
  u64 vector, error, rip, cs, flags, rsp, ss;
};
/* The last exception, and how it left CR2 and DR6. */
extern struct frame trap;
extern u64 trap_cr2, trap_dr6, trap_stack;
/* Exceptions of this vector are counted, their addresses kept, resumed_call is called, and the code goes on. */
extern int resumed_vector, resumed_count;
extern void (*resumed_call)(void);
extern u64 resumed_rip[32], resumed_dr6[32];

/* Calls fn(argument): 0, or FAULT(vector) when it was left by an exception or interrupt. */
extern u64 try(void (*fn)(u64), u64 argument);
/* Runs code of user.S at level 3 with these flags and RDI; ends by an exception. */
struct user { u64 rip, cs, flags, rdi; };
extern void enter_user(u64 user);
#define USER(label) ((u64)(label) + USER_WINDOW)

/* Checks that only a complete processor survives: asked for by the word `all` on the command line. */
int all_checks(void);
void check(const char *name, u64 got, u64 want);
void print(const char *text);
/* Gate of the IDT: present, for level `dpl`, on interrupt stack `ist`. */
void set_gate(int vector, int dpl, int ist, int present);
extern u64 gdt[], tss64[];
extern u8 interrupt_stack[];
#define INTERRUPT_STACK 8192
extern u64 entered[];

#define READ(register) ({ u64 v; asm volatile("mov %%" register ",%0" : "=r"(v)); v; })
#define WRITE(register, v) asm volatile("mov %0,%%" register ::"r"((u64)(v)) : "memory")
static inline u64 rdmsr(u32 n) { u32 a, d; asm volatile("rdmsr" : "=a"(a), "=d"(d) : "c"(n)); return a | (u64)d << 32; }
static inline void wrmsr(u32 n, u64 v) { asm volatile("wrmsr" ::"c"(n), "a"((u32)v), "d"((u32)(v >> 32))); }
static inline void cpuid(u32 leaf, u32 r[4]) {
  asm volatile("cpuid" : "=a"(r[0]), "=b"(r[1]), "=c"(r[2]), "=d"(r[3]) : "a"(leaf), "c"(0));
}
static inline void outb(u16 port, u8 v) { asm volatile("outb %0,%1" ::"a"(v), "Nd"(port)); }
static inline u8 inb(u16 port) { u8 v; asm volatile("inb %1,%0" : "=a"(v) : "Nd"(port)); return v; }

/* modes.c: runs a 32-bit routine in legacy protected mode, what it finds and how it ends goes to `legacy`; tasks for it. */
extern u32 legacy[], task_a_state[];
extern u64 idt32[];
void run_legacy(void (*routine)(void));
void describe_task(int selector, u32 *state, void (*code)(void), u32 flags);
void restore_task(void);

void test_faults(void);
void test_paging(void);
void test_rings(void);
void test_debug(void);
void test_modes(void);
void test_v86(void);
void test_nmi(void);
void test_dma(void);
