/* Into virtual-8086 mode by IRET, and what 16-bit code does there. It runs in the segment LOW; how it ends is legacy[16..27]. */
#include "selectors.h"
        .set    LOW, 0x800              /* paragraph of .low */
        .text
        .code32
        .globl v86, v86_task, v86_flags, v86_code
        /* Runs v86_code with v86_flags; TASK_A tells where the stack of level 0 is. */
v86:    mov     $TASK_A, %eax
        ltr     %ax
        pushl   $0x4444                 /* GS */
        pushl   $0x3333                 /* FS */
        pushl   $LOW                    /* DS */
        pushl   $0x2222                 /* ES */
        pushl   $0x700                  /* SS */
        pushl   $0xf00                  /* ESP */
        pushl   v86_flags
        pushl   $LOW
        mov     v86_code, %eax
        sub     $LOW * 16, %eax
        push    %eax
        iretl

        .section .low, "awx"
        .code16
        .macro  piece name
        .globl  \name
\name:
        .endm
        piece   v86_segments
        mov     %cs, %ax
        mov     %ax, %ds:v86_results - LOW * 16
        mov     $0xf800, %bx
        mov     %bx, %ds                /* no table is looked at */
        mov     $LOW - 1, %ax
        mov     %ax, %es
        mov     %es:v86_results - LOW * 16 + 16, %ax
        mov     $LOW, %bx
        mov     %bx, %ds
        mov     %ax, %ds:v86_results - LOW * 16 + 4
        push    %ds
        mov     %sp, %ax
        mov     %ax, %ds:v86_results - LOW * 16 + 8
        mov     %ss:(0xefe), %ax
        mov     %ax, %ds:v86_results - LOW * 16 + 12
        ud2
        piece   v86_cli
        cli
        ud2
        piece   v86_sti
        sti
        ud2
        piece   v86_pushf
        pushf
        pop     %ax
        mov     %ax, %ds:v86_results - LOW * 16
        ud2
        piece   v86_popf
        pushw   $0x7eff                 /* all but TF */
        popf
        ud2
        piece   v86_iret
        pushw   $0x2
        pushw   $LOW
        pushw   $1f - LOW * 16
        iret
1:      ud2
        piece   v86_int
        int     $0x1f
        ud2
        piece   v86_int3
        int3
        piece   v86_in
        in      $0x80, %al
        ud2
        piece   v86_hlt
        hlt
        ud2
        piece   v86_cr0
        mov     %cr0, %eax
        ud2
        piece   v86_lar
        lar     %ax, %ax
        hlt
        piece   v86_limit
        mov     $0xffff, %bx
        mov     (%bx), %ax
        ud2
        piece   v86_stack_limit
        mov     $1, %sp
        push    %ax
        ud2
        .align  4
        piece   v86_results
        .skip   16

        /* IRET with VM set in IA-32e mode: 64-bit code, and compatibility mode */
        .text
        .code64
        .globl  long_v86, compat_v86
long_v86:
        mov     %rsp, %rax
        push    $DATA
        push    %rax
        push    $0x20002
        push    $CODE64
        lea     1f(%rip), %rax
        push    %rax
        iretq
1:      pushfq
        pop     legacy
        ret
compat_v86:
        push    %rbx
        push    $CODE32
        lea     1f(%rip), %rax
        push    %rax
        lretq
        .code32
1:      pushl   $0x20002
        pushl   $CODE32
        pushl   $1f
        iretl
1:      pushfl
        pop     legacy
        ljmp    $CODE64, $2f
        .code64
2:      pop     %rbx
        ret

        .data
v86_flags:
        .long   0
v86_code:
        .long   0
