/** FNINIT, control words, FXSAVE and XSAVE (SDM vol. 1, chapters 8, 10.5 and 13). */
import type { Cpu } from '../cpu.ts'
import { VECTOR } from '../mmu/access.ts'
import { STATUS } from '../semantics/context.ts'
import { AT, RAX, RDX } from '../state/layout.ts'
import { GuestFault, type Helper, type HelperInsn } from './helper.ts'

const CR0_EM = 4n
const CR0_TS = 8n
const CR0_MP = 2n
/** Exception flags of the status word. */
const EXCEPTIONS = 0x3f
const SUMMARY = 0x80
const BUSY = 0x8000
/** MXCSR bits that exist; others raise #GP. */
export const MXCSR_MASK = 0xffff
const LEGACY_BYTES = 512

/** x87 instructions: #NM while CR0.EM or TS is set. */
export function checkX87(cpu: Cpu): void {
  if (cpu.u64(AT.cr0) & (CR0_EM | CR0_TS)) throw new GuestFault(VECTOR.NM)
}
function checkSse(cpu: Cpu): void {
  if (cpu.u64(AT.cr0) & CR0_EM || (cpu.u64(AT.cr4) & 0x200n) === 0n) throw new GuestFault(VECTOR.UD)
  if (cpu.u64(AT.cr0) & CR0_TS) throw new GuestFault(VECTOR.NM)
}
/** An unmasked exception of an earlier instruction: #MF at the next waiting one. */
export function checkPending(cpu: Cpu): void {
  if (cpu.u32(AT.fsw) & SUMMARY) throw new GuestFault(VECTOR.MF)
}
/** Exception summary and busy follow from flags and masks. */
export function updateSummary(cpu: Cpu): void {
  const pending = cpu.u32(AT.fsw) & ~cpu.u32(AT.fcw) & EXCEPTIONS
  const rest = cpu.u32(AT.fsw) & ~(SUMMARY | BUSY)
  cpu.setU32(AT.fsw, pending ? rest | SUMMARY | BUSY : rest)
}
export const statusWord = (cpu: Cpu): number => (cpu.u32(AT.fsw) & ~0x3800) | ((cpu.u32(AT.ftop) & 7) << 11)

export function initialize(cpu: Cpu): void {
  cpu.setU32(AT.fcw, 0x37f)
  cpu.setU32(AT.fsw, 0)
  cpu.setU32(AT.ftop, 0)
  cpu.setU32(AT.ftw, 0xffff)
  for (const at of [AT.fop, AT.fcs, AT.fds]) cpu.setU32(at, 0)
  for (const at of [AT.fip, AT.fdp]) cpu.setU64(at, 0n)
}
const fninit: Helper = (cpu) => {
  checkX87(cpu)
  initialize(cpu)
  return STATUS.next
}
const fnclex: Helper = (cpu) => {
  checkX87(cpu)
  cpu.setU32(AT.fsw, cpu.u32(AT.fsw) & 0x7f00)
  return STATUS.next
}
function storeWord(cpu: Cpu, insn: HelperInsn, value: number): number {
  cpu.setHostValue(insn.host, 2, BigInt(value))
  cpu.commit(insn.host)
  return STATUS.next
}
const fwait: Helper = (cpu) => {
  if ((cpu.u64(AT.cr0) & (CR0_MP | CR0_TS)) === (CR0_MP | CR0_TS)) throw new GuestFault(VECTOR.NM)
  checkPending(cpu)
  return STATUS.next
}

/** The abridged tag word: one bit for each physical register that is not empty. */
export function abridgedTags(cpu: Cpu): number {
  let bits = 0
  for (let n = 0; n < 8; n++) if (((cpu.u32(AT.ftw) >> (2 * n)) & 3) !== 3) bits |= 1 << n
  return bits
}
/** Full tags from the abridged ones and what the registers hold. */
export function fullTags(cpu: Cpu, bits: number): number {
  let tags = 0
  for (let n = 0; n < 8; n++) {
    const exponent = cpu.view.getUint16(AT.st + 16 * n + 8, true) & 0x7fff
    const significand = cpu.u64(AT.st + 16 * n)
    const special = exponent === 0 ? (significand === 0n ? 1 : 2) : exponent === 0x7fff || !(significand >> 63n) ? 2 : 0
    tags |= (bits & (1 << n) ? special : 3) << (2 * n)
  }
  return tags
}

/** The x87 part of the legacy area, 160 bytes (SDM vol. 1, table 10-2). */
function x87Image(cpu: Cpu, wide: boolean): Uint8Array {
  const image = new Uint8Array(160)
  const view = new DataView(image.buffer)
  view.setUint16(0, cpu.u32(AT.fcw), true)
  view.setUint16(2, statusWord(cpu), true)
  view.setUint8(4, abridgedTags(cpu))
  view.setUint16(6, cpu.u32(AT.fop), true)
  if (wide) {
    view.setBigUint64(8, cpu.u64(AT.fip), true)
    view.setBigUint64(16, cpu.u64(AT.fdp), true)
  } else {
    view.setUint32(8, cpu.u32(AT.fip), true)
    view.setUint16(12, cpu.u32(AT.fcs), true)
    view.setUint32(16, cpu.u32(AT.fdp), true)
    view.setUint16(20, cpu.u32(AT.fds), true)
  }
  for (let n = 0; n < 8; n++) {
    const from = AT.st + 16 * ((n + cpu.u32(AT.ftop)) & 7)
    image.set(cpu.bytes.subarray(from, from + 10), 32 + 16 * n)
  }
  return image
}
function loadX87(cpu: Cpu, image: Uint8Array, wide: boolean): void {
  const view = new DataView(image.buffer, image.byteOffset)
  const status = view.getUint16(2, true)
  cpu.setU32(AT.fcw, view.getUint16(0, true) & 0x1f7f)
  cpu.setU32(AT.fsw, status & ~0x3800)
  cpu.setU32(AT.ftop, (status >> 11) & 7)
  cpu.setU32(AT.fop, view.getUint16(6, true) & 0x7ff)
  cpu.setU64(AT.fip, wide ? view.getBigUint64(8, true) : BigInt(view.getUint32(8, true)))
  cpu.setU64(AT.fdp, wide ? view.getBigUint64(16, true) : BigInt(view.getUint32(16, true)))
  cpu.setU32(AT.fcs, wide ? 0 : view.getUint16(12, true))
  cpu.setU32(AT.fds, wide ? 0 : view.getUint16(20, true))
  for (let n = 0; n < 8; n++) {
    const to = AT.st + 16 * ((n + cpu.u32(AT.ftop)) & 7)
    cpu.bytes.set(image.subarray(32 + 16 * n, 42 + 16 * n), to)
  }
  cpu.setU32(AT.ftw, fullTags(cpu, view.getUint8(4)))
  updateSummary(cpu)
}

function readArea(cpu: Cpu, at: bigint, length: number): Uint8Array {
  const out = new Uint8Array(length)
  const view = new DataView(out.buffer)
  for (let n = 0; n < length; n += 8) view.setBigUint64(n, cpu.readLinear(at + BigInt(n), 8), true)
  return out
}
function writeArea(cpu: Cpu, at: bigint, bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset)
  // all of it must be writable before the first byte changes
  cpu.probeWrite(at, 8)
  cpu.probeWrite(at + BigInt(bytes.length - 8), 8)
  for (let n = 0; n < bytes.length; n += 8) cpu.writeLinear(at + BigInt(n), 8, view.getBigUint64(n, true))
}
const xmmCount = (cpu: Cpu): number => (cpu.u32(AT.codeSize) === 8 ? 16 : 8)
const isWide = (cpu: Cpu, insn: HelperInsn): boolean => cpu.u32(AT.codeSize) === 8 && insn.variant.operandSize === 8

function aligned(cpu: Cpu, to: bigint): bigint {
  const ea = cpu.u64(AT.ea)
  if (ea % to !== 0n) throw new GuestFault(VECTOR.GP, 0)
  return ea
}
function mxcsrImage(cpu: Cpu): Uint8Array {
  const image = new Uint8Array(8)
  const view = new DataView(image.buffer)
  view.setUint32(0, cpu.u32(AT.mxcsr), true)
  view.setUint32(4, MXCSR_MASK, true)
  return image
}
function setMxcsr(cpu: Cpu, value: number): void {
  if (value & ~MXCSR_MASK) throw new GuestFault(VECTOR.GP, 0)
  cpu.setU32(AT.mxcsr, value)
}

const fxsave: Helper = (cpu, insn) => {
  checkX87(cpu)
  const ea = aligned(cpu, 16n)
  const image = new Uint8Array(32 + 128 + 16 * xmmCount(cpu))
  image.set(x87Image(cpu, isWide(cpu, insn)))
  image.set(mxcsrImage(cpu), 24)
  image.set(cpu.bytes.subarray(AT.xmm, AT.xmm + 16 * xmmCount(cpu)), 160)
  writeArea(cpu, ea, image)
  return STATUS.next
}
const fxrstor: Helper = (cpu, insn) => {
  checkX87(cpu)
  const image = readArea(cpu, aligned(cpu, 16n), LEGACY_BYTES)
  setMxcsr(cpu, new DataView(image.buffer).getUint32(24, true))
  loadX87(cpu, image, isWide(cpu, insn))
  cpu.bytes.set(image.subarray(160, 160 + 16 * xmmCount(cpu)), AT.xmm)
  return STATUS.next
}

/** Components asked for in EDX:EAX that XCR0 has: bit 0 x87, bit 1 SSE. */
function requested(cpu: Cpu): number {
  if ((cpu.u64(AT.cr4) & (1n << 18n)) === 0n) throw new GuestFault(VECTOR.UD)
  if (cpu.u64(AT.cr0) & CR0_TS) throw new GuestFault(VECTOR.NM)
  return Number(((cpu.gpr(RDX, 4) << 32n) | cpu.gpr(RAX, 4)) & cpu.u64(AT.xcr0))
}
const xsave: Helper = (cpu, insn) => {
  const components = requested(cpu)
  const ea = aligned(cpu, 64n)
  if (components & 1) {
    // bytes 24-31 belong to the SSE component
    const image = x87Image(cpu, isWide(cpu, insn))
    writeArea(cpu, ea, image.slice(0, 24))
    writeArea(cpu, ea + 32n, image.slice(32))
  }
  if (components & 2) {
    writeArea(cpu, ea + 24n, mxcsrImage(cpu))
    writeArea(cpu, ea + 160n, cpu.bytes.slice(AT.xmm, AT.xmm + 16 * xmmCount(cpu)))
  }
  const header = ea + BigInt(LEGACY_BYTES)
  const old = cpu.readLinear(header, 8)
  cpu.writeLinear(header, 8, (old & ~BigInt(components)) | BigInt(components))
  return STATUS.next
}
const xrstor: Helper = (cpu, insn) => {
  const components = requested(cpu)
  const ea = aligned(cpu, 64n)
  const header = readArea(cpu, ea + BigInt(LEGACY_BYTES), 64)
  const view = new DataView(header.buffer)
  const present = view.getBigUint64(0, true)
  if (present & ~cpu.u64(AT.xcr0) || header.subarray(8, 24).some((b) => b !== 0)) throw new GuestFault(VECTOR.GP, 0)
  const image = readArea(cpu, ea, LEGACY_BYTES)
  if (components & 2) setMxcsr(cpu, new DataView(image.buffer).getUint32(24, true))
  if (components & 1) {
    if (present & 1n) loadX87(cpu, image, isWide(cpu, insn))
    else {
      cpu.setU32(AT.fcw, 0x37f)
      for (const at of [AT.fsw, AT.ftop, AT.fop, AT.fcs, AT.fds]) cpu.setU32(at, 0)
      cpu.setU64(AT.fip, 0n)
      cpu.setU64(AT.fdp, 0n)
      cpu.setU32(AT.ftw, 0xffff)
      cpu.bytes.fill(0, AT.st, AT.st + 128)
    }
  }
  if (components & 2) {
    const bytes = 16 * xmmCount(cpu)
    if (present & 2n) cpu.bytes.set(image.subarray(160, 160 + bytes), AT.xmm)
    else cpu.bytes.fill(0, AT.xmm, AT.xmm + bytes)
  }
  return STATUS.next
}

export const FPU_STATE_HELPERS: Readonly<Record<string, Helper>> = {
  fninit,
  fnclex,
  fwait,
  fldcw: (cpu, insn) => {
    checkX87(cpu)
    checkPending(cpu)
    cpu.setU32(AT.fcw, (Number(cpu.hostValue(insn.host, 2)) & 0x1f7f) | 0x40)
    updateSummary(cpu)
    return STATUS.next
  },
  fnstcw: (cpu, insn) => {
    checkX87(cpu)
    return storeWord(cpu, insn, cpu.u32(AT.fcw) | 0x40)
  },
  fnstsw: (cpu, insn) => {
    checkX87(cpu)
    return storeWord(cpu, insn, statusWord(cpu))
  },
  fnstsw_ax: (cpu) => {
    checkX87(cpu)
    cpu.setGpr(RAX, BigInt(statusWord(cpu)), 2)
    return STATUS.next
  },
  fxsave,
  fxrstor,
  xsave,
  xsaveopt: xsave,
  xrstor,
  ldmxcsr: (cpu, insn) => {
    checkSse(cpu)
    setMxcsr(cpu, Number(cpu.hostValue(insn.host, 4)))
    return STATUS.next
  },
  stmxcsr: (cpu, insn) => {
    checkSse(cpu)
    cpu.setHostValue(insn.host, 4, BigInt(cpu.u32(AT.mxcsr)))
    cpu.commit(insn.host)
    return STATUS.next
  },
  emms: (cpu) => {
    if (cpu.u64(AT.cr0) & CR0_EM) throw new GuestFault(VECTOR.UD)
    checkX87(cpu)
    checkPending(cpu)
    // like every MMX instruction it sets TOP to 0 (SDM vol. 1, table 9-2)
    cpu.setU32(AT.ftop, 0)
    cpu.setU32(AT.ftw, 0xffff)
    return STATUS.next
  },
}
