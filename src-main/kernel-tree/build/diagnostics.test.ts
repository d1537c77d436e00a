/**
 * What is read out of the tools' output. The logs are recorded (tests/fixtures/build-logs, record.ts) with gcc 12, clang 14, GNU ld 2.40,
 * make 4.3 and sparse 0.6.4 on Linux 6.1.
 */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import type { Diagnostic } from '../../contract/kernel-tree.ts'
import { DiagnosticReader } from './diagnostics.ts'

const logs = path.resolve(import.meta.dirname, '../../../tests/fixtures/build-logs')

function read(log: string): { found: Diagnostic[]; ofMake: Diagnostic | undefined } {
  const found: Diagnostic[] = []
  const reader = new DiagnosticReader(['/home/user/linux'], (diagnostic) => found.push(diagnostic))
  log.split('\n').forEach((line) => reader.line(line))
  reader.end()
  return { found, ofMake: reader.ofMake }
}

const recorded = (name: string) => read(readFileSync(path.join(logs, `${name}.log`), 'utf8'))

interface Expected {
  /** `file:line:column` as far as the tool names them. */
  readonly place?: string
  readonly severity?: Diagnostic['severity']
  readonly message: RegExp
  readonly explanation: RegExp
}

const syscallDefine = /SYSCALL_DEFINEn/
const somethingMissing = /semicolon/

/** The first thing that each log tells. */
const firsts: Readonly<Record<string, Expected>> = {
  'gcc-missing-semicolon': { place: 'kernel/memcpy.c:8:9', message: /before 'buf'/, explanation: somethingMissing },
  'gcc-missing-bracket': {
    place: 'kernel/memcpy.c:12:42',
    message: /'\)' before 'return'/,
    explanation: somethingMissing,
  },
  'gcc-missing-end': { place: 'kernel/memcpy.c:19:9', message: /end of input/, explanation: /not closed/ },
  'gcc-misspelled-function': {
    place: 'kernel/memcpy.c:8:15',
    message: /'kmaloc'; did you mean 'kmalloc'/,
    explanation: /<linux\/slab.h>/,
  },
  'gcc-misspelled-variable': {
    place: 'kernel/memcpy.c:15:26',
    message: /'dstt' undeclared/,
    explanation: /spelled right/,
  },
  'gcc-missing-header': {
    place: 'kernel/memcpy.c:1:10',
    message: /linux\/syscall\.h: No such file/,
    explanation: /does not exist for this kernel/,
  },
  'gcc-no-include': { place: 'kernel/memcpy.c:2:24', message: /before 'void'/, explanation: syscallDefine },
  'gcc-too-few-parameters': { place: 'kernel/memcpy.c:3:1', message: /only 2 given/, explanation: syscallDefine },
  'gcc-type-and-name-together': { place: 'kernel/memcpy.c:3:58', message: /before 'dst'/, explanation: syscallDefine },
  'gcc-result-ignored': {
    place: 'kernel/memcpy.c:12:9',
    severity: 'warning',
    message: /ignoring return value of 'copy_from_user'/,
    explanation: /-EFAULT/,
  },
  'gcc-no-result': {
    place: 'kernel/memcpy.c:19:1',
    message: /reaches end of non-void/,
    explanation: /without "return"/,
  },
  'gcc-number-as-pointer': {
    place: 'kernel/memcpy.c:12:28',
    severity: 'warning',
    message: /makes pointer from integer/,
    explanation: /right order/,
  },
  // The error is in a macro of a header; what counts is who used it.
  'gcc-defined-twice': {
    place: 'kernel/memcpy.c:23:1',
    message: /redefinition of '__x64_sys_memcpy'/,
    explanation: /twice/,
  },
  'gcc-other-prototype': {
    place: 'kernel/memcpy.c:4:6',
    message: /conflicting types for 'do_memcpy'/,
    explanation: /have to agree/,
  },
  'gcc-user-pointer-as-kernel-pointer': {
    place: 'kernel/memcpy.c:12:25',
    severity: 'warning',
    message: /different address spaces.*expected void const \*from, got void \[noderef\] __user \*src/,
    explanation: /__user/,
  },
  'gcc-no-source-in-makefile': {
    place: 'syscall_64.c',
    message: /undefined reference to `__x64_sys_memcpy'/,
    explanation: /obj-y/,
  },
  'gcc-old-third-column': {
    place: 'syscall_64.c',
    message: /undefined reference to `__x64___x64_sys_memcpy'/,
    explanation: /third column/,
  },
  'gcc-number-taken': {
    place: 'arch/x86/entry/syscalls/syscall_64.tbl',
    message: /not sorted or duplicates/,
    explanation: /next free one/,
  },
  'gcc-makefile-separator': { place: 'kernel/Makefile:160', message: /missing separator/, explanation: /tab/ },
  'gcc-kconfig-syntax': { place: 'init/Kconfig:3', message: /syntax error/, explanation: /spelled right/ },
  'gcc-no-configuration': { message: /"\.config" not found/, explanation: /config recipe/ },
  'gcc-no-flex': { message: /flex: not found/, explanation: /doctor/ },
  'gcc-no-compiler': { message: /gcc: not found/, explanation: /doctor/ },
  'clang-missing-semicolon': {
    place: 'kernel/memcpy.c:6:11',
    message: /';' at end of declaration/,
    explanation: somethingMissing,
  },
  'clang-missing-bracket': { place: 'kernel/memcpy.c:13:3', message: /expected '\)'/, explanation: somethingMissing },
  'clang-missing-end': { place: 'kernel/memcpy.c:19:11', message: /expected '}'/, explanation: /not closed/ },
  'clang-misspelled-function': {
    place: 'kernel/memcpy.c:8:8',
    message: /implicit declaration of function 'kmaloc'/,
    explanation: /<linux\/slab.h>/,
  },
  'clang-misspelled-variable': {
    place: 'kernel/memcpy.c:15:19',
    message: /undeclared identifier 'dstt'/,
    explanation: /spelled right/,
  },
  'clang-missing-header': {
    place: 'kernel/memcpy.c:1:10',
    message: /'linux\/syscall\.h' file not found/,
    explanation: /does not exist for this kernel/,
  },
  'clang-no-include': { place: 'kernel/memcpy.c:2:25', message: /expected identifier/, explanation: syscallDefine },
  'clang-too-few-parameters': { place: 'kernel/memcpy.c:3:1', message: /too few/, explanation: syscallDefine },
  'clang-type-and-name-together': {
    place: 'kernel/memcpy.c:3:58',
    message: /expected '\)'/,
    explanation: syscallDefine,
  },
  'clang-result-ignored': {
    place: 'kernel/memcpy.c:12:2',
    severity: 'warning',
    message: /ignoring return value/,
    explanation: /-EFAULT/,
  },
  'clang-no-result': {
    place: 'kernel/memcpy.c:19:1',
    message: /does not return a value/,
    explanation: /without "return"/,
  },
  'clang-number-as-pointer': {
    place: 'kernel/memcpy.c:12:21',
    severity: 'warning',
    message: /integer to pointer conversion/,
    explanation: /right order/,
  },
  'clang-defined-twice': { place: 'kernel/memcpy.c:23:1', message: /redefinition/, explanation: /twice/ },
  'clang-other-prototype': {
    place: 'kernel/memcpy.c:4:6',
    message: /conflicting types for 'do_memcpy'/,
    explanation: /have to agree/,
  },
}

function placeOf({ file, line, column }: Diagnostic): string {
  return [file, line, column].filter((part) => part !== undefined).join(':')
}

describe('of the recorded logs', () => {
  it.each(Object.keys(firsts))('%s', (name) => {
    const { place = '', severity = 'error', message, explanation } = firsts[name]
    const [first] = recorded(name).found
    expect(first).toMatchObject({ severity })
    expect(placeOf(first)).toBe(place)
    expect(first.message).toMatch(message)
    expect(first.explanation).toMatch(explanation)
  })

  it('every one is looked at', () => {
    const names = readdirSync(logs).filter((file) => file.endsWith('.log'))
    expect(names.map((file) => file.replace(/\.log$/, '')).sort()).toEqual(Object.keys(firsts).sort())
  })

  it("clang's errors show the line, and where in it", () => {
    const { excerpt } = recorded('clang-missing-header').found[0]
    expect(excerpt).toEqual(['#include <linux/syscall.h>', '         ^~~~~~~~~~~~~~~~~'])
  })

  it("gcc's errors show the source as gcc does, and make's own line comes last", () => {
    const { found, ofMake } = recorded('gcc-missing-semicolon')
    expect(found[0].excerpt).toEqual(['    8 |         buf = kmalloc(len, GFP_KERNEL);', '      |         ^~~'])
    expect(ofMake?.message).toBe('make could not make scripts/Makefile.build:255: kernel/memcpy.o')
  })
})

describe('of messages that need another system than the one at hand', () => {
  it.each([
    [
      "make[4]: *** No rule to make target 'debian/certs/debian-uefi-certs.pem', needed by 'certs/x509_certificate_list'.  Stop.",
      'SYSTEM_TRUSTED_KEYS',
    ],
    ['tools/objtool/elf.h:10:10: fatal error: gelf.h: No such file or directory', 'libelf-dev'],
    ["/tmp/c.s: Fatal error: can't fill 256 bytes in section .data of k.o: 'No space left on device'", 'disk is full'],
    ['fs/ext4/inode.c:12:10: fatal error: error writing to /tmp/x.s: No space left on device', 'disk is full'],
    ['gcc: fatal error: Killed signal terminated program cc1', '--jobs 1'],
  ])('%s', (text, explanation) => {
    const { found } = read(text)
    expect(found).toMatchObject([{ severity: 'error' }])
    expect(found[0].explanation).toContain(explanation)
  })

  it('are not made of progress and notes', () => {
    const log =
      '  CC      lib/error.o\n  LD      vmlinux.o\nkernel/a.c:3:1: note: declared here\nIn file included from a.c:1:\n'
    expect(read(log).found).toEqual([])
  })
})
