/* Code for level 3. It runs in the user's view of memory, so it must not name addresses. RDI is its argument. */
        .text
        .globl user_read, user_write, user_return, user_cli, user_hlt, user_in, user_sgdt, user_smsw, user_int77, user_int3
        .globl user_syscall, user_sysenter, user_gate, user_unaligned, user_rdmsr, user_flags, user_wrfsbase, user_cr0, user_call_null
        .globl user_lar, user_rdtsc, user_iretq
user_read:
        mov     (%rdi), %al
        int     $0x80
user_write:
        movb    $0xc3, (%rdi)
        int     $0x80
user_return:
        int     $0x80
user_cli:
        cli
        int     $0x80
user_hlt:
        hlt
user_in:
        in      $0x60, %al
        int     $0x80
user_sgdt:
        sgdt    -16(%rsp)
        int     $0x80
user_smsw:
        smsw    %eax
        int     $0x80
user_int77:
        int     $0x77
user_int3:
        int3
user_syscall:
        syscall
        int     $0x80
user_sysenter:
        sysenter
        int     $0x80
user_gate:
        sub     $16, %rsp
        movl    $0, (%rsp)
        movw    $0x4b, 4(%rsp)
        lcall   *(%rsp)
        int     $0x80
user_unaligned:
        movl    $1, -15(%rsp)
        int     $0x80
user_rdmsr:
        mov     $0xc0000080, %ecx
        rdmsr
        int     $0x80
        /* POPF at level 3 keeps IF and IOPL; what it made of all ones goes to RBX */
user_flags:
        push    $0x257ed7
        popfq
        pushfq
        pop     %rbx
        int     $0x80
user_wrfsbase:
        wrfsbase %rdi
        rdfsbase %rbx
        wrgsbase %rdi
        int     $0x80
user_cr0:
        mov     %cr0, %rax
        int     $0x80
user_call_null:
        sub     $16, %rsp
        movq    $0, (%rsp)
        lcall   *(%rsp)
user_lar:
        mov     $0x08, %ecx
        xor     %ebx, %ebx
        lar     %ecx, %ebx
        setz    %dl
        mov     $0x33, %ecx
        lsl     %ecx, %r8d
        setz    %dh
        mov     $0x2b, %ecx
        verw    %cx
        setz    %r9b
        verr    %cx
        setz    %r10b
        int     $0x80
user_rdtsc:
        rdtsc
        int     $0x80
user_iretq:
        mov     %rsp, %rax
        push    $0x2b
        push    %rax
        push    $0x3202
        push    $0x33
        lea     1f(%rip), %rax
        push    %rax
        iretq
1:      pushfq
        pop     %rbx
        int     $0x80
