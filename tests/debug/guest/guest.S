# A guest to debug: multiboot, then 64-bit mode with the first 4 MiB mapped where they are and, 2 MiB of them, at 0xffff800000000000.
# It counts for ever: `main` calls `work`, which calls `leaf`; `counter` grows by one each round, `shadow` follows it.

        .set VIRTUAL, 0xffff800000000000
        .section .multiboot, "a"
        .align 4
        .long 0x1badb002, 0, -0x1badb002

        .text
        .code32
        .globl _start
_start:
        movl $pml4, %eax
        movl %eax, %cr3
        movl %cr4, %eax
        orl $0x620, %eax              # PAE, OSFXSR, OSXMMEXCPT
        movl %eax, %cr4
        movl $0xc0000080, %ecx
        movl $0x900, %eax             # LME, NXE
        xorl %edx, %edx
        wrmsr
        movl $0x80010033, %eax        # PG, WP, NE, ET, MP, PE
        movl %eax, %cr0
        lgdt gdtr
        ljmp $8, $long_mode

        .code64
long_mode:
        movl $0x10, %eax
        movl %eax, %ds
        movl %eax, %es
        movl %eax, %ss
        movabs $VIRTUAL + stack_top, %rsp
        movabs $VIRTUAL + main, %rax
        jmp *%rax

        .globl main, work, leaf, counter, shadow, message
        .type main, @function
main:
        fninit
        fld1
        movq counter_start(%rip), %xmm0
1:      call work
        jmp 1b
        .size main, . - main

        .type work, @function
work:
        pushq %rbp
        movq %rsp, %rbp
        call leaf
        movq counter(%rip), %rax
        movq %rax, shadow(%rip)
        popq %rbp
        ret
        .size work, . - work

        .type leaf, @function
leaf:
        incq counter(%rip)
        movq counter(%rip), %rdx
        ret
        .size leaf, . - leaf

        .data
        .balign 8
gdt:    .quad 0, 0x00af9b000000ffff, 0x00cf93000000ffff
gdtr:   .word 23
        .long gdt
        .balign 8
counter_start: .quad 0x0123456789abcdef
message: .asciz "the banner of a guest"
        .balign 4096
        .type counter, @object
counter: .quad 0
        .size counter, 8
        .type shadow, @object
shadow: .quad 0
        .size shadow, 8
        .balign 4096
pml4:   .quad pdpt + 7
        .fill 255, 8, 0
        .quad pdpt + 3
        .fill 255, 8, 0
pdpt:   .quad pd + 7
        .fill 511, 8, 0
pd:     .quad 0x83, 0x200083
        .fill 510, 8, 0
        .bss
        .balign 16
        .skip 4096
stack_top:
