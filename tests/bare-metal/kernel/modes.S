/* Compatibility mode, protected mode without IA-32e, task switches, 16-bit code and real mode. Results go to `legacy`. */
#include "selectors.h"
        .text
        /* Runs 32-bit code from 64-bit code: an exception ends it as it ends try(). */
        .macro compat name
        .globl \name
        .code64
\name:  push    %rbx
        push    $CODE32
        lea     1f(%rip), %rax
        push    %rax
        lretq
        .code32
1:
        .endm
        .macro end_compat
        ljmp    $CODE64, $2f
        .code64
2:      pop     %rbx
        ret
        .endm

        compat  compat_old_opcodes
        mov     $5, %eax
        .byte   0x40                    /* INC EAX, a REX prefix elsewhere */
        mov     %eax, legacy
        mov     $0x3599, %eax
        .byte   0xd4, 10                /* AAM */
        mov     %eax, legacy + 4
        mov     $0x79, %eax
        add     $0x35, %al
        .byte   0x27                    /* DAA */
        mov     %eax, legacy + 8
        mov     $-1, %eax
        cltd
        arpl    %cx, %dx
        mov     %esp, %ebx
        pushal
        sub     %esp, %ebx
        mov     %ebx, legacy + 12
        popal
        end_compat
        compat  compat_limit
        mov     $SMALL, %eax
        mov     %eax, %es
        mov     %es:0xfc, %eax
        mov     %es:0xfd, %eax
        end_compat
        compat  compat_down
        mov     $DOWN, %eax
        mov     %eax, %es
        mov     %es:0x2000, %eax
        mov     %es:0xfff, %eax
        end_compat
        compat  compat_null
        xor     %eax, %eax
        mov     %eax, %es
        mov     %es:0x2000, %eax
        end_compat
        compat  compat_bound
        mov     $9, %eax
        pushl   $8
        pushl   $1
        bound   %eax, (%esp)
        end_compat
        compat  compat_into
        mov     $0x7fffffff, %eax
        inc     %eax
        into
        end_compat

        /* legacy_mode(routine): leaves IA-32e mode, calls the 32-bit routine, comes back. */
        .globl legacy_mode
        .code64
legacy_mode:
        push    %rbx
        push    %rbp
        mov     %edi, %ebp
        push    $CODE32
        lea     1f(%rip), %rax
        push    %rax
        lretq
        .code32
1:      mov     %cr0, %eax
        and     $0x7fffffff, %eax
        mov     %eax, %cr0
        mov     $0xc0000080, %ecx
        rdmsr
        and     $~0x100, %eax
        wrmsr
        lidt    idt32_pointer
        mov     $DATA, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        mov     %esp, legacy_esp
        call    *%ebp
legacy_end:
        mov     legacy_esp, %esp
        mov     %cr0, %eax
        and     $0x7fffffff, %eax
        mov     %eax, %cr0
        call    enter_long
        .code64
        lidt    idt_pointer
        pop     %rbp
        pop     %rbx
        ret

        /* An exception of 32-bit code: vector, error and CR2, then back to 64-bit mode. */
        .code32
        .macro stub32 vector
        .align 16
        .if \vector == 8 || (\vector >= 10 && \vector <= 14) || \vector == 17
        .else
        pushl   $0
        .endif
        pushl   $\vector
        jmp     common32
        .endm
        .align 16
        .globl stubs32
stubs32:
        .set n, 0
        .rept 32
        stub32  n
        .set n, n + 1
        .endr
common32:
        cld
        mov     %ds, %ebx
        mov     $DATA, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        pop     legacy + 64
        pop     legacy + 68
        mov     %cr2, %eax
        mov     %eax, legacy + 72
        /* the frame, as long as one from virtual-8086 mode is, and DS as it came */
        mov     %esp, %esi
        mov     $legacy + 80, %edi
        mov     $9, %ecx
        rep movsl
        mov     %ebx, legacy + 116
        jmp     legacy_end

        .globl small_limit, small_stack, two_levels, two_levels_write, two_levels_4m, pae, tasks, nested_task, sixteen
small_limit:
        mov     $SMALL, %eax
        mov     %eax, %es
        mov     %es:0x100, %al
        ret
small_stack:
        mov     $SMALL, %eax
        mov     %eax, %ss
        mov     $0x80, %esp
        mov     %ss:0x200, %eax
        /* 32-bit paging: page_directory maps 4 MiB at 0 to themselves, page_table the 4 MiB at 0x400000 */
        .macro  paging directory, cr4
        mov     \cr4, %eax
        mov     %eax, %cr4
        mov     \directory, %eax
        mov     %eax, %cr3
        mov     %cr0, %eax
        or      $0x80010000, %eax
        mov     %eax, %cr0
        .endm
two_levels:
        paging  $page_directory, $0x10
        mov     0x400004, %eax
        mov     %eax, legacy
        movl    $0x1234, 0x401008
        mov     page_table, %eax
        mov     %eax, legacy + 4
        mov     page_table + 4, %eax
        mov     %eax, legacy + 8
        mov     page_directory + 4, %eax
        mov     %eax, legacy + 12
        mov     0x402010, %eax
        ret
two_levels_write:
        paging  $page_directory, $0x10
        mov     %eax, 0x403020
        ret
two_levels_4m:
        paging  $page_directory, $0x10
        mov     0x800000 + low_source, %eax
        cmp     low_source, %eax
        sete    legacy
        mov     page_directory + 8, %eax
        mov     %eax, legacy + 4
        ret
pae:
        paging  $page_pointers, $0x20
        mov     0x200000, %eax
        mov     %eax, legacy
        call    1f
1:      mov     $0x200000, %eax
        jmp     *%eax

tasks:
        mov     $TASK_A, %eax
        ltr     %ax
        mov     $0x77, %esi
        ljmp    $TASK_B, $0
        mov     %esi, legacy
        str     %eax
        mov     %eax, legacy + 4
        mov     %cr0, %eax
        mov     %eax, legacy + 8
        clts
        mov     gdt + TASK_B + 4, %eax
        mov     %eax, legacy + 12
        ret
        .globl task_b, task_c
task_b: mov     %esi, legacy + 16
        mov     task_a_state + 0x40, %eax
        mov     %eax, legacy + 20
        ljmp    $TASK_A, $0
nested_task:
        mov     $TASK_A, %eax
        ltr     %ax
        mov     $0x55, %esi
        lcall   $TASK_B, $0
        mov     %esi, legacy
        pushfl
        pop     legacy + 4
        clts
        ret
task_c: pushfl
        pop     legacy + 8
        mov     task_b_state, %eax
        mov     %eax, legacy + 12
        iret
        jmp     task_c

sixteen:
        mov     %esp, legacy + 60
        ljmp    $CODE16, $sixteen_bits

        .section .low, "awx"
        .code16
sixteen_bits:
        mov     $DATA16, %ax
        mov     %ax, %ss
        mov     $0x7f00, %esp
        push    %ax
        mov     %sp, %dx
        pushl   %eax
        mov     %sp, %cx
        add     $6, %sp
        mov     $0x12345678, %ebx
        lea     2(%bx,%si), %bx
        mov     %dx, %ds:legacy_low
        mov     %cx, %ds:legacy_low + 4
        /* ES keeps the limit of DATA when PE goes */
        mov     $DATA, %ax
        mov     %ax, %es
        mov     $DATA16, %ax
        mov     %ax, %ds
        mov     %ax, %fs
        mov     %cr0, %eax
        and     $~1, %al
        mov     %eax, %cr0
        ljmp    $0, $real
real:   xor     %ax, %ax
        mov     %ax, %ds
        mov     %ax, %ss
        mov     %ax, %es
        lidtl   real_idt
        movw    $real_int, 0x60 * 4
        movw    $0, 0x60 * 4 + 2
        movw    $real_gp, 13 * 4
        movw    $0, 13 * 4 + 2
        mov     $1, %bx
        sti
        int     $0x60
        cli
        mov     %bx, legacy_low + 8
        mov     $0x100000, %edi
        mov     %es:(%edi), %eax
        mov     %eax, legacy_low + 12
        mov     $0xabcd, %ax
        mov     %ax, %fs
        mov     %fs, %cx
        mov     %cx, legacy_low + 16
        movl    $0, legacy_low + 20
        mov     %sp, %bp
        .globl real_fault_at
real_fault_at:
        mov     %fs:(%edi), %eax
after_gp:
        mov     %bp, %sp
        mov     $0x1234, %ax
        mov     %ax, %ds
        mov     %ds:0x10, %bl
        xor     %ax, %ax
        mov     %ax, %ds
        mov     %cr0, %eax
        or      $1, %al
        mov     %eax, %cr0
        ljmpl   $CODE32, $sixteen_end
real_int:
        pushf
        pop     %bx
        iret
real_gp:
        movl    $13, legacy_low + 20
        mov     (%esp), %ax
        mov     %ax, legacy_low + 24
        jmp     after_gp
        .align 4
        .globl legacy_low
legacy_low:
        .skip   64
real_idt:
        .word   0x3ff
        .long   0

        .text
        .code32
sixteen_end:
        mov     $DATA, %eax
        mov     %eax, %ds
        mov     %eax, %es
        mov     %eax, %ss
        mov     legacy + 60, %esp
        lidt    idt32_pointer
        ret

        .data
        .align 16
idt32_pointer:
        .word   32 * 8 - 1
        .quad   idt32
        .bss
        .align 4096
        .globl page_directory, page_table, page_pointers, page_directories, legacy, idt32, task_a_state, task_b_state, legacy_esp
page_directory:  .skip 4096
page_table:      .skip 4096
page_pointers:   .skip 4096
page_directories: .skip 4096
idt32:  .skip   256
legacy: .skip   128
task_a_state:   .skip 256
task_b_state:   .skip 256
legacy_esp:     .skip 8
