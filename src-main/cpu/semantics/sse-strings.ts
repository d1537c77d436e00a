/** PCMPESTRI, PCMPESTRM, PCMPISTRI, PCMPISTRM (SDM vol. 2, 4.1). A set of elements is an integer here: bit j for element j. */
import { RAX, RCX, RDX } from '../state/layout.ts'
import { i32, type Expr } from '../wasm/expr.ts'
import type { FunctionBuilder, Local } from '../wasm/module.ts'
import { bytesV, i16x8, i8x16, intoV, lanes, v, wordsV, ZERO_V } from '../wasm/simd.ts'
import type { Operation, OpContext } from './context.ts'
import { enterSse } from './vector.ts'

/** Fields of the immediate (SDM vol. 2, tables 4-1 to 4-4). */
const WORDS = 1
const SIGNED = 2
const AGGREGATION_SHIFT = 2
const AGGREGATION = { equalAny: 0, ranges: 1, equalEach: 2, equalOrdered: 3 } as const
const NEGATIVE = 0x10
const MASKED = 0x20
/** PCMPxSTRI: the most significant index; PCMPxSTRM: a mask of bytes or words. */
const HIGH_OR_WIDE = 0x40
const FLAG = { CF: 1, ZF: 0x40, SF: 0x80, OF: 0x800 } as const

/** Two texts and how to compare them. What depends on `imm` alone costs nothing where it is a constant. */
interface Texts {
  readonly f: FunctionBuilder
  readonly imm: Expr
  readonly a: Expr
  readonly b: Expr
  /** Elements of a register, and those of each text before its end. */
  readonly count: Expr
  readonly lengthA: Expr
  readonly lengthB: Expr
}

const has = (imm: Expr, bit: number): Expr => imm.and(bit)

/** One function for bytes, one for words. */
function either(f: FunctionBuilder, imm: Expr, bytes: () => Expr, words: () => Expr): Expr {
  const { constant } = has(imm, WORDS)
  if (constant !== undefined) return constant === 0 ? bytes() : words()
  const out = f.local('i32')
  f.if(
    has(imm, WORDS),
    () => f.set(out, words()),
    () => f.set(out, bytes()),
  )
  return out
}
/** The set of elements whose words are all ones. */
const wordMask = (lanes: Expr): Expr => i8x16.bitmask(i8x16.narrowS(lanes, ZERO_V))
const equal = ({ f, imm }: Texts, a: Expr, b: Expr): Expr =>
  either(
    f,
    imm,
    () => i8x16.bitmask(i8x16.eq(a, b)),
    () => wordMask(i16x8.eq(a, b)),
  )
/** The set of the first `length` elements. */
const first = (length: Expr): Expr => i32(1).shl(length).sub(1)
/** Element `n` of a text in all places. */
function spread({ f, imm }: Texts, text: Expr, n: Expr): Expr {
  const bytes = i8x16.splat(n)
  const words = i16x8.splat(n.mul(0x0202).add(0x0100))
  return f.tmp(v.swizzle(text, has(imm, WORDS).select(words, bytes)))
}
/** For n = 0, step, ... while n < end. */
function each(f: FunctionBuilder, step: number, end: Expr, body: (n: Local) => void): void {
  const n = f.local('i32')
  f.set(n, 0)
  f.block((done) => {
    f.loop((again) => {
      f.brIf(done, n.ge_s(end))
      body(n)
      f.set(n, n.add(step))
      f.br(again)
    })
  })
}

/** The set of elements of b that match, for each way to aggregate; elements beyond the ends count as the manual's table 4-7 says. */
const MATCHES: Readonly<Record<number, (t: Texts, out: Local) => void>> = {
  [AGGREGATION.equalAny]: (t, out) => {
    const { f } = t
    f.set(out, 0)
    each(f, 1, t.lengthA, (n) => f.set(out, out.or(equal(t, spread(t, t.a, n), t.b))))
    f.set(out, out.and(first(t.lengthB)))
  },
  [AGGREGATION.ranges]: (t, out) => {
    const { f, imm } = t
    // unsigned order is the signed one with the highest bits turned
    const turned = (text: Expr): Expr => {
      const bit = has(imm, WORDS).select(i16x8.splat(i32(0x8000)), i8x16.splat(i32(0x80)))
      return f.tmp(v.xor(text, has(imm, SIGNED).select(ZERO_V, bit)))
    }
    const a = turned(t.a)
    const b = turned(t.b)
    f.set(out, 0)
    each(f, 2, t.lengthA.sub(1), (n) => {
      const low = spread(t, a, n)
      const high = spread(t, a, n.add(1))
      const outside = either(
        f,
        imm,
        () => i8x16.bitmask(v.or(i8x16.gtS(low, b), i8x16.gtS(b, high))),
        () => wordMask(v.or(i16x8.gtS(low, b), i16x8.gtS(b, high))),
      )
      f.set(out, out.or(outside.not()))
    })
    f.set(out, out.and(first(t.lengthB)))
  },
  [AGGREGATION.equalEach]: (t, out) => {
    const { f } = t
    const inA = f.tmp(first(t.lengthA))
    const inB = f.tmp(first(t.lengthB))
    f.set(
      out,
      equal(t, t.a, t.b)
        .and(inA)
        .and(inB)
        .or(inA.or(inB).not().and(first(t.count))),
    )
  },
  [AGGREGATION.equalOrdered]: (t, out) => {
    const { f } = t
    f.set(out, first(t.count))
    each(f, 1, t.lengthA, (n) => {
      const found = equal(t, spread(t, t.a, n), t.b).and(first(t.lengthB))
      // what lies beyond the register is not compared
      f.set(out, out.and(found.shr_u(n).or(first(t.count.sub(n)).not())))
    })
  },
}

function implicitLength(f: FunctionBuilder, imm: Expr, text: Expr, count: Expr): Expr {
  const ends = either(
    f,
    imm,
    () => i8x16.bitmask(i8x16.eq(text, ZERO_V)),
    () => wordMask(i16x8.eq(text, ZERO_V)),
  )
  return f.tmp(ends.or(i32(1).shl(count)).ctz())
}
function explicitLength(c: OpContext, register: number, count: Expr): Expr {
  const { f } = c
  const value = f.tmp(c.gpr(register, c.size === 8 ? 8 : 4))
  const magnitude = f.tmp(value.lt_s(0).select(value.neg(), value))
  // the magnitude of the least number is a large one
  return f.tmp(magnitude.lt_u(count.type === value.type ? count : count.u64()).select(magnitude.i32(), count))
}

function index(c: OpContext, { f, imm, count }: Texts, result: Expr): void {
  const high = has(imm, HIGH_OR_WIDE).select(i32(31).sub(result.clz()), result.ctz())
  c.setGpr(RCX, 4, f.tmp(result.eqz().select(count, high)))
}
const BITS = [1, 2, 4, 8, 16, 32, 64, 128]
/** The set's low byte for elements 0 to 7, its high byte for 8 to 15. */
const HALVES = Array.from({ length: 16 }, (_, i) => i >> 3)
function mask(c: OpContext, { f, imm }: Texts, result: Expr): void {
  const set = f.tmp(i16x8.splat(result))
  const out = f.local('v128')
  f.set(out, intoV(result))
  f.if(has(imm, HIGH_OR_WIDE), () =>
    f.if(
      has(imm, WORDS),
      () => f.set(out, i16x8.eq(v.and(set, wordsV(...BITS)), wordsV(...BITS))),
      () => {
        const bits = bytesV(...BITS, ...BITS)
        f.set(out, i8x16.eq(v.and(v.shuffle(set, set, lanes(1, ...HALVES)), bits), bits))
      },
    ),
  )
  c.setXmm(0, out)
}

type Lengths = (c: OpContext, t: Omit<Texts, 'lengthA' | 'lengthB'>) => { lengthA: Expr; lengthB: Expr }
const implicitLengths: Lengths = (_, { f, imm, a, b, count }) => ({
  lengthA: implicitLength(f, imm, a, count),
  lengthB: implicitLength(f, imm, b, count),
})
const explicitLengths: Lengths = (c, { count }) => ({
  lengthA: explicitLength(c, RAX, count),
  lengthB: explicitLength(c, RDX, count),
})

function aggregate(t: Texts): Local {
  const out = t.f.local('i32')
  const how = t.f.tmp(t.imm.shr_u(AGGREGATION_SHIFT).and(3))
  for (const [n, matches] of Object.entries(MATCHES)) t.f.if(how.eq(Number(n)), () => matches(t, out))
  return out
}

const comparison =
  (lengths: Lengths, finish: typeof index): Operation =>
  (c) => {
    enterSse(c)
    const { f } = c
    const imm = f.tmp(c.imm())
    const count = f.tmp(has(imm, WORDS).select(i32(8), i32(16)))
    const operands = { f, imm, count, a: f.tmp(c.getV(0)), b: f.tmp(c.getV(1)) }
    const t = { ...operands, ...lengths(c, operands) }
    const found = aggregate(t)
    const negated = has(imm, MASKED).select(first(t.lengthB), first(count))
    const result = f.tmp(found.xor(has(imm, NEGATIVE).select(negated, i32(0))))
    const flag = (condition: Expr, bit: number): Expr => condition.select(i32(bit), i32(0))
    const flags = f.tmp(
      flag(result, FLAG.CF)
        .or(flag(t.lengthB.lt_u(count), FLAG.ZF))
        .or(flag(t.lengthA.lt_u(count), FLAG.SF))
        .or(flag(result.and(1), FLAG.OF)),
    )
    finish(c, t, result)
    c.setArithmeticFlags(flags)
  }

export const SSE_STRINGS: Readonly<Record<string, Operation>> = {
  pcmpestri: comparison(explicitLengths, index),
  pcmpestrm: comparison(explicitLengths, mask),
  pcmpistri: comparison(implicitLengths, index),
  pcmpistrm: comparison(implicitLengths, mask),
}
