/** Recorded output of gcc 12, clang 16, GNU ld 2.40, make 4.3 and sparse 0.6.4 with LC_ALL=C. */
import { describe, expect, it } from 'vitest'
import type { Diagnostic } from '../../contract/kernel-tree.ts'
import { DiagnosticReader } from './diagnostics.ts'

function read(log: string): { found: Diagnostic[]; ofMake: Diagnostic | undefined } {
  const found: Diagnostic[] = []
  const reader = new DiagnosticReader(['/nonexistent'], (diagnostic) => found.push(diagnostic))
  log.split('\n').forEach((line) => reader.line(line))
  reader.end()
  return { found, ofMake: reader.ofMake }
}

const gcc = `  CC      kernel/memcpy.o
kernel/memcpy.c: In function '__do_sys_memcpy':
kernel/memcpy.c:8:9: error: expected '=', ',', ';', 'asm' or '__attribute__' before 'buf'
    8 |         buf = kmalloc(len, GFP_KERNEL);
      |         ^~~
kernel/memcpy.c:8:15: warning: implicit declaration of function 'kmalloc' [-Wimplicit-function-declaration]
    8 |         buf = kmalloc(len, GFP_KERNEL);
      |               ^~~~~~~
make[3]: *** [scripts/Makefile.build:250: kernel/memcpy.o] Error 1
make[2]: *** [scripts/Makefile.build:503: kernel] Error 2
make[1]: *** [Makefile:2028: .] Error 2
make: *** [Makefile:238: __sub-make] Error 2`

const clang = `  CC      kernel/memcpy.o
kernel/memcpy.c:9:12: error: call to undeclared function 'kmaloc'; ISO C99 and later do not support implicit function declarations [-Wimplicit-function-declaration]
        buf = kmaloc(len, GFP_KERNEL);
              ^
1 error generated.`

describe('diagnostics', () => {
  it('of gcc come with place, excerpt and explanation, the first error first', () => {
    const { found, ofMake } = read(gcc)
    expect(found.map(({ severity, file, line, column }) => [severity, file, line, column])).toEqual([
      ['error', 'kernel/memcpy.c', 8, 9],
      ['warning', 'kernel/memcpy.c', 8, 15],
    ])
    expect(found[0].excerpt).toEqual(['    8 |         buf = kmalloc(len, GFP_KERNEL);', '      |         ^~~'])
    expect(found[0].explanation).toContain('semicolon')
    expect(found[1].explanation).toContain('<linux/slab.h>')
    expect(ofMake?.message).toBe('make could not make scripts/Makefile.build:250: kernel/memcpy.o')
  })

  it('of clang come with their lines', () => {
    const { found } = read(clang)
    expect(found).toHaveLength(1)
    expect(found[0]).toMatchObject({ severity: 'error', line: 9, column: 12 })
    expect(found[0].excerpt).toEqual(['        buf = kmaloc(len, GFP_KERNEL);', '              ^'])
  })

  it.each([
    ["ld: arch/x86/entry/syscall_64.o:(.rodata+0xe18): undefined reference to `__x64_sys_memcpy'", 'obj-y', undefined],
    [
      "ld: kernel/fork.o: in function `copy_process':\nkernel/fork.c:(.text+0x1d): undefined reference to `audit_thing'",
      'CONFIG_ option',
      undefined,
    ],
    ['ld.lld: error: undefined symbol: __x64_sys_memcpy', undefined, undefined],
    [
      "make[2]: *** No rule to make target 'kernel/memcopy.o', needed by 'kernel/built-in.a'.  Stop.",
      'not there',
      undefined,
    ],
    [
      "make[4]: *** No rule to make target 'debian/certs/debian-uefi-certs.pem', needed by 'certs/x509_certificate_list'.  Stop.",
      'SYSTEM_TRUSTED_KEYS',
      undefined,
    ],
    ['kernel/Makefile:14: *** missing separator.  Stop.', 'tab', 14],
    ['/bin/sh: 1: flex: not found', 'longmode kernel doctor', undefined],
    ['make: bison: No such file or directory', undefined, undefined],
    ['tools/objtool/elf.h:10:10: fatal error: gelf.h: No such file or directory', 'libelf-dev', 10],
    ['drivers/char/Kconfig:12: syntax error', undefined, 12],
    [
      "/lab/linux/include/linux/syscalls.h:1290:17: error: conflicting types for 'sys_memcpy'; have 'long int(void *)'",
      'have to agree',
      1290,
    ],
    ["kernel/memcpy.c:12:20: error: 'dstt' undeclared (first use in this function)", 'spelled right', 12],
  ] as const)('%s', (text, explanation, line) => {
    const { found } = read(text)
    expect(found).toHaveLength(1)
    expect(found[0].severity).toBe('error')
    expect(found[0].line).toBe(line)
    if (explanation !== undefined) expect(found[0].explanation).toContain(explanation)
  })

  it('of sparse are warnings with an explanation', () => {
    const { found } = read(
      'kernel/memcpy.c:15:16: warning: incorrect type in argument 1 (different address spaces)\nkernel/memcpy.c:15:16:    expected void const *\nkernel/memcpy.c:15:16:    got void [noderef] __user *src',
    )
    expect(found).toMatchObject([
      { severity: 'warning', line: 15, explanation: expect.stringContaining('__user') as string },
    ])
  })

  it('are not made of progress and notes', () => {
    expect(
      read(
        '  CC      lib/error.o\n  LD      vmlinux.o\nkernel/a.c:3:1: note: declared here\nIn file included from a.c:1:\n',
      ).found,
    ).toEqual([])
  })
})
