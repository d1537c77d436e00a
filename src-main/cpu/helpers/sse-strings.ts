/** PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM (SDM vol. 2, 4.1). */
import type { Cpu } from '../cpu.ts'
import { STATUS } from '../semantics/context.ts'
import { AT, RAX, RCX, RDX } from '../state/layout.ts'
import type { Helper, HelperInsn } from './helper.ts'
import { immediateOf, registerAddress } from './sse-operands.ts'

/** Fields of the immediate (SDM vol. 2, table 4-1 to 4-4). */
const WORDS = 1
const SIGNED = 2
const AGGREGATION_SHIFT = 2
const AGGREGATION = { equalAny: 0, ranges: 1, equalEach: 2, equalOrdered: 3 } as const
const NEGATIVE = 0x10
const MASKED = 0x20
/** PCMPxSTRI: the most significant index; PCMPxSTRM: a mask of bytes or words. */
const HIGH_OR_WIDE = 0x40
const FLAG = { CF: 1, ZF: 0x40, SF: 0x80, OF: 0x800 } as const

interface Text {
  readonly elements: readonly number[]
  /** Elements before the end. */
  readonly length: number
}

function elementsAt(cpu: Cpu, at: number, imm: number): number[] {
  const { view } = cpu
  const signed = (imm & SIGNED) !== 0
  if (imm & WORDS)
    return Array.from({ length: 8 }, (_, i) =>
      signed ? view.getInt16(at + 2 * i, true) : view.getUint16(at + 2 * i, true),
    )
  return Array.from({ length: 16 }, (_, i) => (signed ? view.getInt8(at + i) : view.getUint8(at + i)))
}
function implicitText(cpu: Cpu, at: number, imm: number): Text {
  const elements = elementsAt(cpu, at, imm)
  const end = elements.indexOf(0)
  return { elements, length: end < 0 ? elements.length : end }
}
function explicitText(cpu: Cpu, at: number, imm: number, register: number, size: number): Text {
  const elements = elementsAt(cpu, at, imm)
  const value = BigInt.asIntN(size * 8, cpu.gpr(register, size))
  const magnitude = value < 0n ? -value : value
  return { elements, length: magnitude < BigInt(elements.length) ? Number(magnitude) : elements.length }
}

/** Does element j of b match? One function for each way to aggregate; elements beyond the ends count as the manual's table 4-7 says. */
const MATCHES: Record<number, (a: Text, b: Text, j: number) => boolean> = {
  [AGGREGATION.equalAny]: (a, b, j) => j < b.length && a.elements.slice(0, a.length).includes(b.elements[j]!),
  [AGGREGATION.ranges]: (a, b, j) => {
    if (j >= b.length) return false
    const x = b.elements[j]!
    for (let i = 0; i + 1 < a.length; i += 2) if (a.elements[i]! <= x && x <= a.elements[i + 1]!) return true
    return false
  },
  [AGGREGATION.equalEach]: (a, b, j) => {
    if (j >= a.length || j >= b.length) return j >= a.length && j >= b.length
    return a.elements[j] === b.elements[j]
  },
  [AGGREGATION.equalOrdered]: (a, b, j) => {
    for (let i = 0; i < a.length && i + j < a.elements.length; i++)
      if (i + j >= b.length || a.elements[i] !== b.elements[i + j]) return false
    return true
  },
}

/** The result bits (the manual's IntRes2) and the flags. */
function compare(a: Text, b: Text, imm: number): { result: number; flags: number } {
  const count = a.elements.length
  const matches = MATCHES[(imm >> AGGREGATION_SHIFT) & 3]!
  let result = 0
  for (let j = 0; j < count; j++) {
    const found = matches(a, b, j)
    const negated = (imm & NEGATIVE) !== 0 && (!(imm & MASKED) || j < b.length)
    if (found !== negated) result |= 1 << j
  }
  const flags =
    (result ? FLAG.CF : 0) |
    (b.length < count ? FLAG.ZF : 0) |
    (a.length < count ? FLAG.SF : 0) |
    (result & 1 ? FLAG.OF : 0)
  return { result, flags }
}

function index(cpu: Cpu, result: number, count: number, imm: number): void {
  const low = result === 0 ? count : 31 - Math.clz32(result & -result)
  const high = result === 0 ? count : 31 - Math.clz32(result)
  cpu.setGpr(RCX, BigInt(imm & HIGH_OR_WIDE ? high : low), 4)
}
function mask(cpu: Cpu, result: number, count: number, imm: number): void {
  if (!(imm & HIGH_OR_WIDE)) {
    cpu.setU64(AT.xmm, BigInt(result))
    cpu.setU64(AT.xmm + 8, 0n)
    return
  }
  const size = 16 / count
  for (let byte = 0; byte < 16; byte++)
    cpu.view.setUint8(AT.xmm + byte, result & (1 << Math.floor(byte / size)) ? 0xff : 0)
}

type Texts = (cpu: Cpu, insn: HelperInsn, imm: number) => [Text, Text]
const implicitTexts: Texts = (cpu, insn, imm) => [
  implicitText(cpu, registerAddress(cpu, insn), imm),
  implicitText(cpu, insn.host, imm),
]
const explicitTexts: Texts = (cpu, insn, imm) => {
  const size = insn.variant.operandSize === 8 ? 8 : 4
  return [explicitText(cpu, registerAddress(cpu, insn), imm, RAX, size), explicitText(cpu, insn.host, imm, RDX, size)]
}

const comparison =
  (texts: Texts, finish: typeof index): Helper =>
  (cpu, insn) => {
    const imm = immediateOf(cpu, insn)
    const [a, b] = texts(cpu, insn, imm)
    const { result, flags } = compare(a, b, imm)
    finish(cpu, result, a.elements.length, imm)
    cpu.setU64(AT.ccB, BigInt(flags))
    cpu.setU32(AT.ccOp, 0)
    return STATUS.next
  }

export const SSE_STRING_HELPERS: Readonly<Record<string, Helper>> = {
  pcmpestri: comparison(explicitTexts, index),
  pcmpestrm: comparison(explicitTexts, mask),
  pcmpistri: comparison(implicitTexts, index),
  pcmpistrm: comparison(implicitTexts, mask),
}
