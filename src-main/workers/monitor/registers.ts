/** `info registers`, laid out as QEMU does it. */
import { readRegisters } from '../../debug/registers.ts'
import type { Machine } from '../../machine/machine.ts'

/** Bits of RFLAGS from the left, as QEMU shows them. */
const FLAGS = [
  [0x400, 'D'],
  [0x800, 'O'],
  [0x80, 'S'],
  [0x40, 'Z'],
  [0x10, 'A'],
  [0x4, 'P'],
  [0x1, 'C'],
] as const

const SEGMENT_NAMES = ['es', 'cs', 'ss', 'ds', 'fs', 'gs'] as const

/** Lines of `n` cells each. */
const rows = (cells: readonly string[], n: number): string[] =>
  cells.flatMap((_, at) => (at % n === 0 ? [cells.slice(at, at + n).join(' ')] : []))

export function infoRegisters(machine: Machine): string {
  const { registers, cpl } = readRegisters(machine.cpu)
  const byName = new Map(registers.map((register) => [register.name, register]))
  const value = (name: string): bigint => byName.get(name)!.value
  const hex = (name: string, digits: number): string => value(name).toString(16).padStart(digits, '0')
  const cell = (name: string, digits = 16, label = name.toUpperCase()): string => `${label}=${hex(name, digits)}`
  const segment = (name: string, label: string): string =>
    `${label.padEnd(3)}=${hex(name, 4)} ${hex(`${name}_base`, 16)} ${hex(`${name}_limit`, 8)} ${byName.get(name)!.flags.join(' ')}`
  const general = ['rax', 'rbx', 'rcx', 'rdx', 'rsi', 'rdi', 'rbp', 'rsp', 'r8', 'r9', 'r10', 'r11', 'r12', 'r13']
  const flags = FLAGS.map(([bit, letter]) => (value('rflags') & BigInt(bit) ? letter : '-')).join('')
  const numbered = (name: string, count: number): string[] => Array.from({ length: count }, (_, n) => `${name}${n}`)
  return [
    ...rows(
      [...general, 'r14', 'r15'].map((name) => cell(name, 16, name.toUpperCase().padEnd(3))),
      4,
    ),
    `${cell('rip')} RFL=${hex('rflags', 8)} [${flags}] CPL=${cpl}`,
    ...SEGMENT_NAMES.map((name) => segment(name, name.toUpperCase())),
    segment('ldtr', 'LDT'),
    segment('tr', 'TR'),
    `GDT=     ${hex('gdtr_base', 16)} ${hex('gdtr_limit', 8)}`,
    `IDT=     ${hex('idtr_base', 16)} ${hex('idtr_limit', 8)}`,
    `${cell('cr0', 8)} ${cell('cr2')} ${cell('cr3')} ${cell('cr4', 8)}`,
    ['dr0', 'dr1', 'dr2', 'dr3'].map((name) => cell(name)).join(' '),
    `${cell('dr6')} ${cell('dr7')}`,
    cell('efer'),
    `${cell('fcw', 4)} ${cell('fsw', 4)} ${cell('ftw', 4)} ${cell('mxcsr', 8)}`,
    ...rows(
      numbered('st', 8).map((name) => cell(name, 20)),
      2,
    ),
    ...rows(
      numbered('xmm', 16).map((name) => cell(name, 32)),
      2,
    ),
    ...met('undefined opcodes', machine.cpu.undefinedOpcodes),
    ...met('refused MSRs', machine.cpu.refusedMsrs),
  ].join('\n')
}

function met(what: string, counts: ReadonlyMap<string, number>): string[] {
  const list = [...counts].map(([name, count]) => `${name} (${count})`)
  return list.length === 0 ? [] : [`${what} met: ${list.join(', ')}`]
}
