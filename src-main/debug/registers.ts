/** The vCPU's registers as a list, and how a debugger changes them. Offsets come from cpu/state/layout.ts. */
import { DebugRefused, type RegisterFile, type RegisterGroup, type RegisterValue } from '../contract/debug.ts'
import { AT, CS, GPR_NAMES, segAt, SEGMENTS } from '../cpu/state/layout.ts'
import { u32, u64, type DebugCpu } from './debug-cpu.ts'
import { registerWords, segmentWords } from './register-words.ts'

interface RegisterRow {
  readonly name: string
  readonly group: RegisterGroup
  readonly bits: number
  read(cpu: DebugCpu): bigint
  /** Absent: the register is made of more than its value, and only the guest changes it. */
  write?(cpu: DebugCpu, value: bigint): void
  words?(cpu: DebugCpu, value: bigint): readonly string[]
}

function field(name: string, group: RegisterGroup, bits: 32 | 64, at: number, settable = false): RegisterRow {
  return {
    name,
    group,
    bits,
    read: (cpu) => (bits === 32 ? BigInt(u32(cpu, at)) : u64(cpu, at)),
    ...(settable && {
      write: (cpu: DebugCpu, value: bigint) =>
        bits === 32 ? cpu.view.setUint32(at, Number(value), true) : cpu.view.setBigUint64(at, value, true),
    }),
  }
}

/** Bits of RFLAGS that a debugger may change; VM is not among them. */
const SETTABLE_FLAGS = 0x3d_7fd5n

const rflags: RegisterRow = {
  name: 'rflags',
  group: 'general',
  bits: 64,
  read: (cpu) => BigInt(cpu.rflags),
  write(cpu, value) {
    const kept = BigInt(cpu.rflags) & ~SETTABLE_FLAGS
    cpu.rflags = Number(kept | (value & SETTABLE_FLAGS))
  },
}

const cr3: RegisterRow = {
  ...field('cr3', 'control', 64, AT.cr3),
  write(cpu, value) {
    cpu.view.setBigUint64(AT.cr3, value, true)
    cpu.flushTlb()
  },
}

function segmentRows(name: string, n: number): RegisterRow[] {
  const selector: RegisterRow = {
    name,
    group: 'segment',
    bits: 16,
    read: (cpu) => BigInt(u32(cpu, segAt(n, 'selector'))),
    words: (cpu) => segmentWords(u32(cpu, segAt(n, 'attr'))),
  }
  const hasBase = name === 'fs' || name === 'gs'
  return [
    selector,
    field(`${name}_base`, 'segment', 64, segAt(n, 'base'), hasBase),
    field(`${name}_limit`, 'segment', 32, segAt(n, 'limit')),
  ]
}

/** ST(i) is physical register TOP + i: 64-bit significand, then sign and exponent. */
function stack(i: number): RegisterRow {
  const at = (cpu: DebugCpu) => AT.st + ((u32(cpu, AT.ftop) + i) & 7) * 16
  return {
    name: `st${i}`,
    group: 'x87',
    bits: 80,
    read: (cpu) => u64(cpu, at(cpu)) | (BigInt(cpu.view.getUint16(at(cpu) + 8, true)) << 64n),
    write(cpu, value) {
      cpu.view.setBigUint64(at(cpu), BigInt.asUintN(64, value), true)
      cpu.view.setUint16(at(cpu) + 8, Number(value >> 64n), true)
    },
  }
}
function xmm(n: number): RegisterRow {
  const at = AT.xmm + n * 16
  return {
    name: `xmm${n}`,
    group: 'sse',
    bits: 128,
    read: (cpu) => u64(cpu, at) | (u64(cpu, at + 8) << 64n),
    write(cpu, value) {
      cpu.view.setBigUint64(at, BigInt.asUintN(64, value), true)
      cpu.view.setBigUint64(at + 8, value >> 64n, true)
    },
  }
}
/** The status word with TOP in bits 13 to 11. */
const fsw: RegisterRow = {
  name: 'fsw',
  group: 'x87',
  bits: 32,
  read: (cpu) => BigInt((u32(cpu, AT.fsw) & ~0x3800) | ((u32(cpu, AT.ftop) & 7) << 11)),
}

const eight = [0, 1, 2, 3, 4, 5, 6, 7]
const ROWS: readonly RegisterRow[] = [
  ...GPR_NAMES.map((name, n) => field(name, 'general', 64, AT.gpr + 8 * n, true)),
  field('rip', 'general', 64, AT.rip, true),
  rflags,
  ...SEGMENTS.flatMap(segmentRows),
  field('k_gs_base', 'system', 64, AT.kernelGsBase, true),
  field('cr0', 'control', 64, AT.cr0),
  field('cr2', 'control', 64, AT.cr2, true),
  cr3,
  field('cr4', 'control', 64, AT.cr4),
  field('efer', 'control', 64, AT.efer),
  field('xcr0', 'control', 64, AT.xcr0),
  field('gdtr_base', 'system', 64, AT.gdtrBase),
  field('gdtr_limit', 'system', 32, AT.gdtrLimit),
  field('idtr_base', 'system', 64, AT.idtrBase),
  field('idtr_limit', 'system', 32, AT.idtrLimit),
  field('star', 'system', 64, AT.star),
  field('lstar', 'system', 64, AT.lstar),
  field('cstar', 'system', 64, AT.cstar),
  field('fmask', 'system', 64, AT.fmask),
  field('sysenter_cs', 'system', 64, AT.sysenterCs),
  field('sysenter_esp', 'system', 64, AT.sysenterEsp),
  field('sysenter_eip', 'system', 64, AT.sysenterEip),
  ...[0, 1, 2, 3, 6, 7].map((n) => field(`dr${n}`, 'debug', 64, AT.dr + 8 * n)),
  ...eight.map(stack),
  field('fcw', 'x87', 32, AT.fcw, true),
  fsw,
  field('ftw', 'x87', 32, AT.ftw),
  field('fop', 'x87', 32, AT.fop),
  field('fip', 'x87', 64, AT.fip),
  field('fdp', 'x87', 64, AT.fdp),
  field('fcs', 'x87', 32, AT.fcs),
  field('fds', 'x87', 32, AT.fds),
  ...Array.from({ length: 16 }, (_, n) => xmm(n)),
  field('mxcsr', 'sse', 32, AT.mxcsr, true),
]
const byName = new Map(ROWS.map((row) => [row.name, row]))

export function readRegisters(cpu: DebugCpu): RegisterFile {
  const registers = ROWS.map((row): RegisterValue => {
    const value = row.read(cpu)
    const flags = row.words ? row.words(cpu, value) : registerWords(row.name, value)
    const { name, group, bits } = row
    return { name, group, bits, value, flags, settable: row.write !== undefined }
  })
  return {
    registers,
    at: instructionAddress(cpu),
    cpl: u32(cpu, AT.cpl) as RegisterFile['cpl'],
    codeBits: (u32(cpu, AT.codeSize) * 8) as RegisterFile['codeBits'],
  }
}

/** Linear address of the next instruction. */
export function instructionAddress(cpu: DebugCpu): bigint {
  const address = u64(cpu, segAt(CS, 'base')) + u64(cpu, AT.rip)
  return BigInt.asUintN(u32(cpu, AT.codeSize) === 8 ? 64 : 32, address)
}

/** Throws DebugRefused. */
export function writeRegister(cpu: DebugCpu, name: string, value: bigint): void {
  const row = byName.get(name)
  if (!row) throw new DebugRefused(`there is no register ${name}`)
  if (!row.write) throw new DebugRefused(`${name} cannot be changed from outside`)
  if (value < 0n || value >> BigInt(row.bits))
    throw new DebugRefused(`${name} has ${row.bits} bits; the value does not fit`)
  row.write(cpu, value)
}
