/** FSTENV, FSAVE and their loads (SDM vol. 1, 8.1.10), and control of the register stack. */
import type { Cpu } from '../cpu.ts'
import { STATUS } from '../semantics/context.ts'
import { AT } from '../state/layout.ts'
import { abridgedTags, checkX87, fullTags, initialize, statusWord, updateSummary } from './fpu-state.ts'
import type { Helper, HelperInsn } from './helper.ts'
import { C1, controlling, free, moveTop, probe, reach, setStatus, stOf } from './x87-stack.ts'

const VM = 0x20000
const isReal = (cpu: Cpu): boolean => (cpu.u64(AT.cr0) & 1n) === 0n || (cpu.u32(AT.eflags) & VM) !== 0
/** Bytes of one field of the image: 2 or 4. */
const unit = (insn: HelperInsn): 2 | 4 => (insn.variant.operandSize === 2 ? 2 : 4)
const REGISTER_BYTES = 80
const low = (x: bigint, bits: number): number => Number(BigInt.asUintN(bits, x))

/** The seven fields of the environment (SDM vol. 1, figures 8-9 to 8-12). */
function fields(cpu: Cpu, size: 2 | 4): number[] {
  const words = [cpu.u32(AT.fcw) | 0x40, statusWord(cpu), fullTags(cpu, abridgedTags(cpu))]
  const { fip, fdp } = { fip: cpu.u64(AT.fip), fdp: cpu.u64(AT.fdp) }
  if (!isReal(cpu)) {
    const code = cpu.u32(AT.fcs) | (size === 4 ? cpu.u32(AT.fop) << 16 : 0)
    return [...words, low(fip, 8 * size), code, low(fdp, 8 * size), cpu.u32(AT.fds)]
  }
  // real-address and virtual-8086 mode keep linear addresses
  const ip = fip + BigInt(cpu.u32(AT.fcs) << 4)
  const dp = fdp + BigInt(cpu.u32(AT.fds) << 4)
  const high = (x: bigint): number => (size === 4 ? low(x >> 16n, 16) << 12 : low(x >> 16n, 4) << 12)
  return [...words, low(ip, 16), high(ip) | cpu.u32(AT.fop), low(dp, 16), high(dp)]
}
function setFields(cpu: Cpu, size: 2 | 4, f: readonly number[]): void {
  cpu.setU32(AT.fcw, (f[0]! & 0x1f7f) | 0x40)
  cpu.setU32(AT.fsw, f[1]! & 0xffff & ~0x3800)
  cpu.setU32(AT.ftop, (f[1]! >> 11) & 7)
  cpu.setU32(AT.ftw, f[2]! & 0xffff)
  if (isReal(cpu)) {
    const upper = (x: number): number => (size === 4 ? ((x >>> 12) & 0xffff) << 16 : (x >>> 12) << 16) >>> 0
    cpu.setU32(AT.fop, f[4]! & 0x7ff)
    cpu.setU64(AT.fip, BigInt(upper(f[4]!) + (f[3]! & 0xffff)))
    cpu.setU64(AT.fdp, BigInt(upper(f[6]!) + (f[5]! & 0xffff)))
    cpu.setU32(AT.fcs, 0)
    cpu.setU32(AT.fds, 0)
  } else {
    cpu.setU64(AT.fip, BigInt(f[3]! >>> 0))
    cpu.setU64(AT.fdp, BigInt(f[5]! >>> 0))
    cpu.setU32(AT.fcs, f[4]! & 0xffff)
    cpu.setU32(AT.fds, f[6]! & 0xffff)
    if (size === 4) cpu.setU32(AT.fop, (f[4]! >>> 16) & 0x7ff)
  }
  updateSummary(cpu)
}

function write(cpu: Cpu, insn: HelperInsn, isWhole: boolean): void {
  const size = unit(insn)
  const length = 7 * size + (isWhole ? REGISTER_BYTES : 0)
  const at = reach(cpu, insn, length, true)
  probe(cpu, at, length)
  fields(cpu, size).forEach((value, n) => {
    // the upper halves of the words of a 32-bit image are ones, except of the pointers
    const isPadded = size === 4 && (n < 3 || (n === 6 && !isReal(cpu)) || (isReal(cpu) && (n === 3 || n === 5)))
    cpu.writeLinear(at + BigInt(n * size), size, BigInt((isPadded ? value | 0xffff0000 : value) >>> 0))
  })
  if (!isWhole) return
  for (let n = 0; n < 8; n++) {
    const from = AT.st + 16 * ((n + cpu.u32(AT.ftop)) & 7)
    const to = at + BigInt(7 * size + 10 * n)
    cpu.writeLinear(to, 8, cpu.u64(from))
    cpu.writeLinear(to + 8n, 2, cpu.hostValue(from + 8, 2))
  }
}
function read(cpu: Cpu, insn: HelperInsn, isWhole: boolean): void {
  const size = unit(insn)
  const length = 7 * size + (isWhole ? REGISTER_BYTES : 0)
  const at = reach(cpu, insn, length, false)
  // the last byte is looked at first
  cpu.readLinear(at + BigInt(length - 1), 1)
  const f = Array.from({ length: 7 }, (_, n) => Number(cpu.readLinear(at + BigInt(n * size), size)))
  const registers = Array.from({ length: isWhole ? 8 : 0 }, (_, n) => {
    const from = at + BigInt(7 * size + 10 * n)
    return [cpu.readLinear(from, 8), cpu.readLinear(from + 8n, 2)] as const
  })
  setFields(cpu, size, f)
  registers.forEach(([significand, signExponent], n) => {
    const to = AT.st + 16 * ((n + cpu.u32(AT.ftop)) & 7)
    cpu.setU64(to, significand)
    cpu.setHostValue(to + 8, 2, signExponent)
  })
}

/** Instructions that do not wait for pending exceptions. */
const immediate =
  (body: (cpu: Cpu, insn: HelperInsn) => void): Helper =>
  (cpu, insn) => {
    checkX87(cpu)
    body(cpu, insn)
    return STATUS.next
  }

export const X87_ENVIRONMENT_HELPERS: Readonly<Record<string, Helper>> = {
  fnstenv: immediate((cpu, insn) => {
    write(cpu, insn, false)
    cpu.setU32(AT.fcw, cpu.u32(AT.fcw) | 0x3f)
    updateSummary(cpu)
  }),
  fnsave: immediate((cpu, insn) => {
    write(cpu, insn, true)
    initialize(cpu)
  }),
  fldenv: controlling((cpu, insn) => read(cpu, insn, false)),
  frstor: controlling((cpu, insn) => read(cpu, insn, true)),
  // FNENI, FNDISI and FNSETPM of the 8087 and 80287
  fn_obsolete: immediate(() => undefined),
  fnop: controlling(() => undefined),
  ffree: controlling((cpu, insn) => free(cpu, stOf(insn))),
  ffreep: controlling((cpu, insn) => {
    free(cpu, stOf(insn))
    free(cpu, 0)
    moveTop(cpu, 1)
  }),
  fincstp: controlling((cpu) => {
    moveTop(cpu, 1)
    setStatus(cpu, C1, 0)
  }),
  fdecstp: controlling((cpu) => {
    moveTop(cpu, -1)
    setStatus(cpu, C1, 0)
  }),
}
