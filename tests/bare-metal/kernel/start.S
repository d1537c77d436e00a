/* From multiboot's protected mode into 64-bit mode; exception stubs; the ways into and out of user code. */
#include "selectors.h"
        .section .multiboot, "a"
        .align 4
        .long 0x1badb002, 0, -0x1badb002

        .text
        .code32
        .globl start
start:  cli
        mov     $stack_end, %esp
        mov     16(%ebx), %edi          /* the command line, in the multiboot information */
        mov     %edi, command_line
        mov     $low_source, %esi
        mov     $0x8000, %edi
        mov     $low_size, %ecx
        cld
        rep movsb
        /* the first GiB for the kernel, the second one as a view of it for user code, 2 MiB pages */
        movl    $pdpt + 7, pml4
        movl    $pd_kernel + 7, pdpt
        movl    $pd_user + 7, pdpt + 8
        mov     $0x83, %eax
        xor     %ecx, %ecx
1:      mov     %eax, pd_kernel(,%ecx,8)
        mov     %eax, %edx
        or      $4, %edx
        mov     %edx, pd_user(,%ecx,8)
        add     $0x200000, %eax
        inc     %ecx
        cmp     $512, %ecx
        jne     1b
        call    enter_long
        .code64
        lidt    idt_pointer
        mov     $tss64, %rax
        mov     $gdt + TASK, %rdx
        mov     %ax, 2(%rdx)
        shr     $16, %rax
        mov     %al, 4(%rdx)
        mov     %ah, 7(%rdx)
        mov     $TASK, %ax
        ltr     %ax
        xor     %eax, %eax
        lldt    %ax
        call    main
9:      hlt
        jmp     9b

        /* Called in flat protected mode without paging, returns in 64-bit mode. */
        .code32
        .globl enter_long
enter_long:
        pop     %ebx
        mov     %cr4, %eax
        or      $0x620, %eax            /* PAE, OSFXSR, OSXMMEXCPT */
        mov     %eax, %cr4
        mov     $pml4, %eax
        mov     %eax, %cr3
        mov     $0xc0000080, %ecx
        rdmsr
        or      $0x901, %eax            /* NXE, LME, SCE */
        wrmsr
        mov     %cr0, %eax
        and     $~0xc, %eax
        or      $0x80010022, %eax       /* PG, WP, NE, MP */
        mov     %eax, %cr0
        lgdt    gdt_pointer
        ljmp    $CODE64, $1f
        .code64
1:      mov     $DATA, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        mov     %ebx, %ebx
        jmp     *%rbx

        /* ---- exceptions ---- */
        .macro stub vector
        .align 16
        .if \vector == 8 || (\vector >= 10 && \vector <= 14) || \vector == 17
        nop
        nop
        .else
        push    $0
        .endif
        push    $\vector
        jmp     common
        .endm
        .globl stubs
        .align 16
stubs:
        .set n, 0
        .rept 256
        stub    n
        .set n, n + 1
        .endr
common: push    %rax
        push    %rcx
        push    %rdx
        push    %rbx
        push    %rbp
        push    %rsi
        push    %rdi
        push    %r8
        push    %r9
        push    %r10
        push    %r11
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        mov     $DATA, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %rsp, %rdi
        cld
        mov     %rsp, %rbx
        and     $~15, %rsp
        call    on_trap
        mov     %rbx, %rsp
        test    %eax, %eax
        jz      recover
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %r11
        pop     %r10
        pop     %r9
        pop     %r8
        pop     %rdi
        pop     %rsi
        pop     %rbp
        pop     %rbx
        pop     %rdx
        pop     %rcx
        pop     %rax
        add     $16, %rsp
        iretq

        .globl try
try:    push    %rbx
        push    %rbp
        push    %r12
        push    %r13
        push    %r14
        push    %r15
        push    recover_rsp
        mov     %rsp, recover_rsp
        mov     %rdi, %rax
        mov     %rsi, %rdi
        call    *%rax
        xor     %eax, %eax
        jmp     1f
recover:
        mov     trap + 15 * 8, %rax
        inc     %rax
1:      mov     recover_rsp, %rsp
        mov     $DATA, %ecx
        mov     %ecx, %ss
        pop     recover_rsp
        push    $2
        popfq
        pop     %r15
        pop     %r14
        pop     %r13
        pop     %r12
        pop     %rbp
        pop     %rbx
        ret

        .globl enter_user
enter_user:
        mov     %rsp, %rax
        and     $~15, %rax
        mov     %rax, tss64 + 4
        push    $USER_DATA
        push    $user_stack_end + 0x40000000
        push    16(%rdi)
        push    8(%rdi)
        push    (%rdi)
        mov     24(%rdi), %rdi
        xor     %eax, %eax
        iretq

        /* Where SYSCALL, SYSENTER and the call gate lead: what they left in the registers goes to `entered`. */
        .globl system_call
system_call:
        mov     %rcx, entered
        mov     %r11, entered + 8
        mov     %cs, %eax
        mov     %rax, entered + 16
        mov     %ss, %eax
        mov     %rax, entered + 24
        mov     %rsp, entered + 32
        mov     recover_rsp, %rsp
        pushfq
        pop     entered + 40
        movq    $SYSTEM_CALL, trap + 15 * 8
        jmp     recover
        .globl through_gate
through_gate:
        mov     (%rsp), %rax
        mov     %rax, entered
        mov     8(%rsp), %rax
        mov     %rax, entered + 8
        mov     16(%rsp), %rax
        mov     %rax, entered + 16
        mov     24(%rsp), %rax
        mov     %rax, entered + 24
        mov     %ss, %eax
        mov     %rax, entered + 32
        mov     %rsp, entered + 40
        lretq

        .globl do_sysretq, do_sysretl
do_sysretq:
        mov     %rsp, tss64 + 4
        mov     (%rdi), %rcx
        mov     16(%rdi), %r11
        mov     $user_stack_end + 0x40000000, %rsp
        sysretq
do_sysretl:
        mov     %rsp, tss64 + 4
        mov     (%rdi), %rcx
        mov     16(%rdi), %r11
        mov     $user_stack_end + 0x40000000, %rsp
        sysretl

        .data
        .align 16
        .globl gdt
gdt:    .quad   0
        .quad   0x00af9b000000ffff      /* CODE64 */
        .quad   0x00cf93000000ffff      /* DATA */
        .quad   0x00cf9b000000ffff      /* CODE32 */
        .quad   0x00cffb000000ffff      /* USER_CODE32 */
        .quad   0x00cff3000000ffff      /* USER_DATA */
        .quad   0x00affb000000ffff      /* USER_CODE64 */
        .quad   0x0000890000000067, 0   /* TASK */
        .quad   0, 0                    /* CALL_GATE: rings.c */
        .quad   0x00009b000000ffff      /* CODE16 */
        .quad   0x000093000000ffff      /* DATA16 */
        .quad   0x00409300000000ff      /* SMALL: limit 0xff */
        .quad   0                       /* TASK_A: modes.S */
        .quad   0                       /* TASK_B */
        .quad   0x00cf13000000ffff      /* ABSENT_DATA */
        .quad   0x0040970000000fff      /* DOWN: expand-down above 0xfff */
        .quad   0x0000000000000000
        .globl command_line
command_line:
        .quad   0
        .globl gdt_pointer
gdt_pointer:
        .word   . - gdt - 1
        .quad   gdt
        .globl idt_pointer
idt_pointer:
        .word   4095
        .quad   idt

        .bss
        .align 4096
        .globl pml4, pdpt, pd_kernel, pd_user, idt, tss64, trap, recover_rsp, entered, interrupt_stack, user_stack_end
pml4:   .skip   4096
pdpt:   .skip   4096
pd_kernel:      .skip 4096
pd_user:        .skip 4096
idt:    .skip   4096
tss64:  .skip   4096
interrupt_stack:        .skip 8192
        .skip   16384
stack_end:      .skip 8192
user_stack_end:
trap:   .skip   256
recover_rsp:    .skip 8
entered:        .skip 64
