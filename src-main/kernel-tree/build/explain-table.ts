/**
 * What the usual errors of a kernel build mean, for people who see them for the first time. The first pattern that fits counts; `where` is
 * looked for in the lines of source that the tool shows.
 */
export const explanations: readonly (readonly [pattern: RegExp, explanation: string, where?: RegExp])[] = [
  [
    /expected .* before|expected (?:'\)'|identifier)|requires \d+ arguments|passed \d+ arguments|unknown type name|type specifier missing|too few arguments provided/,
    'SYSCALL_DEFINEn comes from <linux/syscalls.h>; n is the number of parameters, and each is a type and a name with a comma between them: "void __user *, src"',
    /\bSYSCALL_DEFINE\d/,
  ],
  [
    /__x64___x64_sys_/,
    'since 5.7 the third column of syscall_64.tbl is sys_NAME, without __x64_: the build adds that itself',
  ],
  [
    /undefined reference to [`'"]__(?:x64|ia32)_(?:compat_)?sys_(\w+)/,
    'the system-call table names a call that nothing defines: is its source in a Makefile (obj-y += …), and does SYSCALL_DEFINE have the same name?',
  ],
  [
    /undefined reference to/,
    'the linker finds no definition of this symbol: is the source that defines it in a Makefile, and is its CONFIG_ option on?',
  ],
  [/multiple definition of/, 'two sources define the same symbol: make one of them static, or remove it'],
  [
    /implicit declaration of function/,
    'the compiler does not know this function: include the header that declares it (copy_from_user: <linux/uaccess.h>, kmalloc: <linux/slab.h>), or correct its name',
  ],
  [
    /conflicting types for/,
    'the same function is declared in two ways: the prototype in include/linux/syscalls.h and the definition have to agree',
  ],
  [
    /(?:gelf|libelf)\.h: No such file/,
    'libelf is missing (Debian: libelf-dev, Fedora: elfutils-libelf-devel); "longmode kernel doctor" names the command',
  ],
  [
    /openssl\/\w+\.h: No such file/,
    'openssl\'s headers are missing (Debian: libssl-dev, Fedora: openssl-devel); "longmode kernel doctor" names the command',
  ],
  [
    /^\S+: (?:command )?not found/,
    'a program that the build uses is not installed; "longmode kernel doctor" names the command that installs it',
  ],
  [
    /No such file or directory|file not found/,
    'this header does not exist for this kernel: check its name and its <linux/…> or <asm/…> part',
  ],
  [
    /No rule to make target [`'"]debian\/(?:certs|canonical)/,
    "the .config is a distribution's and wants its signing keys: scripts/config --disable SYSTEM_TRUSTED_KEYS --disable SYSTEM_REVOCATION_KEYS",
  ],
  [
    /No rule to make target/,
    'a Makefile names a file that is not there: correct the name in obj-y, or make the source',
  ],
  [
    /unknown statement|syntax error/,
    'Kconfig does not know this word here: bool, tristate, depends on, default … are they spelled right?',
  ],
  [/missing separator/, "a Makefile's command lines begin with a tab, not with blanks"],
  [
    /The source tree is not clean/,
    'a build with O= needs a tree that nobody built in: run "make mrproper" in it (this removes its .config and objects)',
  ],
  [
    /Configuration file "\.config" not found|Please run some configurator/,
    'there is no configuration yet: "longmode kernel config recipe tutorial"',
  ],
  [/at end of input|expected '}'/, 'a bracket that was opened is not closed: is a } missing?'],
  [
    /expected (?:';'|identifier|declaration|expression|'\)')|expected .* before/,
    'something is missing here or just before: a semicolon, a comma, a bracket',
  ],
  [/undeclared/, 'this name is not declared: is it spelled right, and is its header included?'],
  [
    /redefinition of/,
    'this is defined twice: was the patch applied two times, or does the header lack its #ifndef guard?',
  ],
  [
    /control reaches end of non-void function|non-void function does not return/,
    'one way through this function ends without "return"; a system call returns 0, a number, or an error like -EINVAL',
  ],
  [
    /ignoring return value of/,
    'copy_from_user and copy_to_user return how many bytes they could not copy: if it is not 0, the call returns -EFAULT',
  ],
  [
    /makes (?:pointer from integer|integer from pointer)|incompatible (?:integer to pointer|pointer)/,
    'a number stands where an address is expected, or an address of another kind: are the arguments in the right order?',
  ],
  [
    /syscall table is not sorted/,
    'a number stands twice in the system-call table, or out of order: take the next free one',
  ],
  [/-Werror/, "this warning counts as an error, by the kernel's own choice or by CONFIG_WERROR: correct the code"],
  [/No space left on device/, 'the disk is full: a kernel with debug information needs 10 GB and more'],
  [
    /Killed|internal compiler error|virtual memory exhausted/,
    'the compiler was ended, usually because memory ran out: build with fewer jobs (--jobs 1)',
  ],
  [
    /incorrect type in .*\(different address spaces\)/,
    'a __user pointer is used as a kernel pointer, or the other way round',
  ],
]

export function explain(message: string, excerpt: string): string | undefined {
  return explanations.find(([pattern, , where]) => pattern.test(message) && (where?.test(excerpt) ?? true))?.[1]
}
