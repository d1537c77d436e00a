/* The instructions that debug.c steps through and watches. */
        .text
        .globl run_stepped, stepped, stepped_1, stepped_2, stepped_end, run_shadowed, shadowed, shadowed_end
        .globl run_stopped, stopped, run_watched, watched, run_general, run_away
run_stepped:
        pushfq
        orl     $0x100, (%rsp)
        popfq
stepped:
        nop
stepped_1:
        pushfq
stepped_2:
        andl    $~0x100, (%rsp)
        popfq
stepped_end:
        ret
run_away:
        pushfq
        orl     $0x100, (%rsp)
        popfq
        jmp     *%rdi
run_shadowed:
        mov     %ss, %ecx
        pushfq
        mov     (%rsp), %rax
        or      $0x100, %rax
        push    %rax
        popfq
        mov     %ecx, %ss
        nop
shadowed:
        popfq
shadowed_end:
        ret
run_stopped:
        nop
stopped:
        nop
        ret
run_watched:
        movl    $1, 4(%rdi)
        movl    $1, 8(%rdi)
watched:
        movl    $1, 16(%rdi)
        mov     8(%rdi), %eax
        ret
run_general:
        mov     %dr0, %rax
        ret
