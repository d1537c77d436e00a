/** Moves between vector registers, memory and general registers; shuffles; insertions and extractions. */
import { RDI } from '../state/layout.ts'
import { i32, i64, type Expr } from '../wasm/expr.ts'
import {
  bytesV,
  dwordsV,
  i16x8,
  i32x4,
  i64x2,
  i8x16,
  intoV,
  IOTA,
  lanes,
  splatBytes,
  v,
  wordsV,
  ZERO_V,
} from '../wasm/simd.ts'
import type { Operation, OpContext } from './context.ts'
import { binary, checkAligned, enter, enterMmx, enterSse, put, putMmx, source, touchMmx, unary } from './vector.ts'

const LOW8 = bytesV(255, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0, 0, 0, 0, 0)

const movaps: Operation = (c) => {
  enterSse(c)
  checkAligned(c, 0)
  c.setV(0, source(c, 1))
}
const movups: Operation = (c) => {
  enterSse(c)
  c.setV(0, c.getV(1))
}
/** Loads or copies the low 4 or 8 bytes, zero above. */
const mov_zx: Operation = (c) => {
  enterSse(c)
  const value = c.getV(1)
  // memory comes zero-extended
  c.setV(0, c.isMemory(1) ? value : v.and(value, LOW8))
}
/** Stores the low 4 or 8 bytes. */
const mov_low: Operation = (c) => {
  enterSse(c)
  const value = c.getV(1)
  c.set(0, c.width(0) === 4 ? i32x4.lane(value, 0) : i64x2.lane(value, 0))
}
const mov_high: Operation = (c) => {
  enterSse(c)
  c.set(0, i64x2.lane(c.getV(1), 1))
}
/** destination and source merged by a fixed shuffle: bytes 0-15 are the destination's, 16-31 the source's. */
const merge = (bytes: readonly number[]): Operation => binary((a, b) => v.shuffle(a, b, bytes))
const copy = (bytes: readonly number[]): Operation => unary((a) => v.shuffle(a, a, bytes))

const movd_to: Operation = (c) => {
  enter(c)
  const value = c.get(1)
  if (c.isMmx(0)) putMmx(c, 0, value.u64())
  else c.setV(0, intoV(value))
}
const movd_from: Operation = (c) => {
  if (c.isMmx(1)) enterMmx(c)
  else enterSse(c)
  const value = c.getV(1)
  c.set(0, c.width(0) === 8 ? i64x2.lane(value, 0) : i32x4.lane(value, 0))
  if (c.isMmx(1)) touchMmx(c)
}
const movq_mmx: Operation = (c) => {
  enterMmx(c)
  putMmx(c, 0, c.get(1))
}
const movntq: Operation = (c) => {
  enterMmx(c)
  c.set(0, c.get(1))
  touchMmx(c)
}
const movq2dq: Operation = (c) => {
  enterSse(c)
  enterMmx(c)
  c.setV(0, c.getV(1))
  touchMmx(c)
}
const movdq2q: Operation = (c) => {
  enterSse(c)
  enterMmx(c)
  putMmx(c, 0, i64x2.lane(c.getV(1), 0))
}

const mask =
  (bits: (a: Expr) => Expr): Operation =>
  (c) => {
    const isMmx = c.isMmx(1)
    if (isMmx) enterMmx(c)
    else enterSse(c)
    const value = bits(c.getV(1))
    c.set(0, isMmx ? value.and(0xff) : value)
    if (isMmx) touchMmx(c)
  }

/* Shuffles by immediate: fields of two bits become lane numbers (a multiplication moves each lane's field to bit 6), lane numbers become byte numbers. */

/** Byte numbers for four dwords chosen by the immediate's fields. */
function dwordIndices(imm: Expr): Expr {
  const field = v.and(i32x4.shrU(i32x4.mul(i32x4.splat(imm), dwordsV(64, 16, 4, 1)), i32(6)), dwordsV(3, 3, 3, 3))
  const four = 0x04040404
  const own = 0x03020100
  return i32x4.add(i32x4.mul(field, dwordsV(four, four, four, four)), dwordsV(own, own, own, own))
}
/** Byte numbers for words: `scale` is zero in the half that stays, where `base` holds its own numbers. */
function wordIndices(imm: Expr, scale: Expr, base: Expr): Expr {
  const field = v.and(i16x8.shrU(i16x8.mul(i16x8.splat(imm), scale), i32(6)), wordsV(3, 3, 3, 3, 3, 3, 3, 3))
  const two = 0x0202
  return i16x8.add(i16x8.mul(field, wordsV(two, two, two, two, two, two, two, two)), base)
}
const fields = (imm: number | bigint): number[] => [0, 1, 2, 3].map((i) => (Number(imm) >> (2 * i)) & 3)

const pshufd = unary((a, c) => {
  const imm = c.imm()
  if (imm.constant !== undefined) return v.shuffle(a, a, lanes(4, ...fields(imm.constant)))
  return v.swizzle(a, dwordIndices(imm))
})
const pshuflw = unary((a, c) => {
  const imm = c.imm()
  if (imm.constant !== undefined) return v.shuffle(a, a, lanes(2, ...fields(imm.constant), 4, 5, 6, 7))
  const base = wordsV(0x100, 0x100, 0x100, 0x100, 0x908, 0xb0a, 0xd0c, 0xf0e)
  return v.swizzle(a, wordIndices(imm, wordsV(64, 16, 4, 1, 0, 0, 0, 0), base))
})
const pshufhw = unary((a, c) => {
  const imm = c.imm()
  if (imm.constant !== undefined)
    return v.shuffle(a, a, lanes(2, 0, 1, 2, 3, ...fields(imm.constant).map((x) => x + 4)))
  const base = wordsV(0x100, 0x302, 0x504, 0x706, 0x908, 0x908, 0x908, 0x908)
  return v.swizzle(a, wordIndices(imm, wordsV(0, 0, 0, 0, 64, 16, 4, 1), base))
})
const HIGH8 = bytesV(0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255)
const shufps = binary((a, b, c) => {
  const imm = c.imm()
  if (imm.constant !== undefined)
    return v.shuffle(a, b, lanes(4, ...fields(imm.constant).map((x, i) => (i < 2 ? x : x + 4))))
  const index = c.f.tmp(dwordIndices(imm))
  return v.select(v.swizzle(b, index), v.swizzle(a, index), HIGH8)
})
const shufpd = binary((a, b, c) => {
  const imm = c.imm()
  const low = (x: Expr, bit: number): Expr => imm.shr_u(bit).and(1).select(i64x2.lane(x, 1), i64x2.lane(x, 0))
  return i64x2.withLane(i64x2.splat(low(a, 0)), 1, low(b, 1))
})

/** Lane mask from the immediate's bits, one for each lane of `size` bytes. */
function immediateMask(imm: Expr, size: 2 | 4 | 8): Expr {
  if (size === 2) {
    const bits = wordsV(1, 2, 4, 8, 16, 32, 64, 128)
    return i16x8.eq(v.and(i16x8.splat(imm), bits), bits)
  }
  const bits = size === 4 ? dwordsV(1, 2, 4, 8) : dwordsV(1, 1, 2, 2)
  return i32x4.eq(v.and(i32x4.splat(imm), bits), bits)
}
const blend = (size: 2 | 4 | 8): Operation => binary((a, b, c) => v.select(b, a, immediateMask(c.imm(), size)))
const blendVariable = (sign: (mask: Expr) => Expr): Operation => binary((a, b, c) => v.select(b, a, sign(c.xmm(0))))

/** Byte numbers 0-15 moved up by a count that must be at most 127. */
const iotaPlus = (n: Expr): Expr => i8x16.add(IOTA, splatBytes(n))
const atMost = (c: OpContext, n: Expr, limit: number): Expr => c.f.tmp(n.lt_u(limit).select(n, i32(limit)))

/** (destination:source) >> 8 * imm */
const palignr = binary((a, b, c) => {
  if (c.isMmx(0)) return v.swizzle(v.shuffle(b, a, lanes(8, 0, 2)), iotaPlus(atMost(c, c.imm(), 16)))
  const index = c.f.tmp(iotaPlus(atMost(c, c.imm(), 32)))
  // numbers 16-31 are the destination's 0-15; what is below wraps to 240 and more, which swizzle makes 0
  return v.or(v.swizzle(b, index), v.swizzle(a, i8x16.sub(index, splatBytes(16))))
})
const byteShift =
  (left: boolean): Operation =>
  (c) => {
    enterSse(c)
    const n = splatBytes(atMost(c, c.imm(), 16))
    c.setV(0, v.swizzle(c.getV(0), left ? i8x16.sub(IOTA, n) : i8x16.add(IOTA, n)))
  }

/** Puts the integer operand into lane imm. */
const insert =
  (size: (c: OpContext) => number): Operation =>
  (c) => {
    enter(c)
    const bytes = size(c)
    const value = c.get(1)
    const spread =
      bytes === 1
        ? i8x16.splat(value)
        : bytes === 2
          ? i16x8.splat(value)
          : bytes === 4
            ? i32x4.splat(value)
            : i64x2.splat(value)
    const count = (c.isMmx(0) ? 8 : 16) / bytes
    const lane = c.f.tmp(c.imm().and(count - 1))
    // bytes whose number divided by the lane size is the lane
    const numbers = bytesV(...Array.from({ length: 16 }, (_, i) => Math.floor(i / bytes)))
    put(c, 0, v.select(spread, c.getV(0), i8x16.eq(numbers, splatBytes(lane))))
  }
/** Lane imm, zero-extended. */
const extract =
  (size: (c: OpContext) => number): Operation =>
  (c) => {
    const isMmx = c.isMmx(1)
    if (isMmx) enterMmx(c)
    else enterSse(c)
    const bytes = size(c)
    const count = (isMmx ? 8 : 16) / bytes
    const moved = v.swizzle(
      c.getV(1),
      iotaPlus(
        c.f.tmp(
          c
            .imm()
            .and(count - 1)
            .mul(bytes),
        ),
      ),
    )
    if (bytes === 8) c.set(0, i64x2.lane(moved, 0))
    else c.set(0, bytes === 1 ? i8x16.lane(moved, 0) : bytes === 2 ? i16x8.lane(moved, 0) : i32x4.lane(moved, 0))
    if (isMmx) touchMmx(c)
  }

/** Imm: 7-6 source lane (of a register), 5-4 destination lane, 3-0 lanes to be zero. */
const insertps: Operation = (c) => {
  enterSse(c)
  const { f } = c
  const imm = c.imm()
  const loaded = c.getV(1)
  const from = c.isMemory(1) ? loaded : v.swizzle(loaded, iotaPlus(imm.shr_u(6).and(3).shl(2)))
  const picked = i32x4.splat(i32x4.lane(f.tmp(from), 0))
  const lane = i32x4.eq(dwordsV(0, 1, 2, 3), i32x4.splat(imm.shr_u(4).and(3)))
  const merged = v.select(picked, c.getV(0), f.tmp(lane))
  c.setV(0, v.andnot(f.tmp(merged), immediateMask(imm, 4)))
}

const interleave = (size: number, high: boolean): Operation => {
  const count = 16 / size
  const numbers = (from: number): number[] =>
    Array.from({ length: count }, (_, i) => from + (i >> 1) + (i & 1 ? count : 0))
  const low = lanes(size, ...numbers(0))
  const wide = lanes(size, ...numbers(count / 2))
  // MMX: its four highest bytes stand in the middle of the interleaved low halves
  const swap = lanes(8, 1, 0)
  return binary((a, b, c) => {
    if (!high) return v.shuffle(a, b, low)
    if (!c.isMmx(0)) return v.shuffle(a, b, wide)
    const both = c.f.tmp(v.shuffle(a, b, low))
    return v.shuffle(both, both, swap)
  })
}

/** Bytes whose mask has its sign bit set go to DS:rDI; nothing is written when one of them cannot be (SDM vol. 2, MASKMOVDQU). */
const maskmov: Operation = (c) => {
  enter(c)
  const { f } = c
  const isMmx = c.isMmx(0)
  const bits = i8x16.bitmask(c.getV(1))
  const mask = f.tmp(isMmx ? bits.and(0xff) : bits)
  const size = c.addressSize
  const width = size.eq(8).select(i64(-1), size.eq(4).select(i64(0xffffffffn), i64(0xffffn)))
  const to = f.tmp(c.gpr(RDI, 8).and(width))
  const at = (n: Expr): Expr => c.linear(c.dataSegment(), f.tmp(to.add(n.u64()).and(width)))
  f.if(mask, () => {
    // the bytes lie on two pages at most: the first and the last one tell whether all can be written
    c.loadToModify(at(f.tmp(mask.ctz())), 1)
    c.loadToModify(at(f.tmp(i32(31).sub(mask.clz()))), 1)
    const rest = f.local('i32')
    f.set(rest, mask)
    f.loop((again) => {
      const n = f.tmp(rest.ctz())
      const moved = v.swizzle(c.getV(0), splatBytes(n))
      c.store(at(n), 1, i8x16.lane(moved, 0))
      f.set(rest, rest.and(rest.sub(1)))
      f.brIf(again, rest)
    })
  })
  if (isMmx) touchMmx(c)
}

export const SSE_MOVE: Readonly<Record<string, Operation>> = {
  maskmov,
  movaps,
  movups,
  mov_zx,
  mov_low,
  mov_high,
  movss_merge: merge(lanes(4, 4, 1, 2, 3)),
  movsd_merge: merge(lanes(8, 2, 1)),
  movhlps: merge(lanes(8, 3, 1)),
  movlhps: merge(lanes(8, 0, 2)),
  movlps: merge(lanes(8, 2, 1)),
  movhps: merge(lanes(8, 0, 2)),
  movsldup: copy(lanes(4, 0, 0, 2, 2)),
  movshdup: copy(lanes(4, 1, 1, 3, 3)),
  movddup: copy(lanes(8, 0, 0)),
  movd_to,
  movd_from,
  movq_mmx,
  movntq,
  movq2dq,
  movdq2q,
  pmovmskb: mask(i8x16.bitmask),
  movmskps: mask(i32x4.bitmask),
  movmskpd: mask(i64x2.bitmask),
  pshufd,
  pshuflw,
  pshufhw,
  shufps,
  shufpd,
  pblendw: blend(2),
  blendps: blend(4),
  blendpd: blend(8),
  pblendvb: blendVariable((mask) => i8x16.shrS(mask, i32(7))),
  blendvps: blendVariable((mask) => i32x4.shrS(mask, i32(31))),
  blendvpd: blendVariable((mask) => i64x2.gtS(ZERO_V, mask)),
  palignr,
  pslldq_i: byteShift(true),
  psrldq_i: byteShift(false),
  pinsrb: insert(() => 1),
  pinsrw: insert(() => 2),
  pinsrd: insert((c) => c.width(1)),
  pextrb: extract(() => 1),
  pextrw: extract(() => 2),
  pextrw_e: extract(() => 2),
  pextrd: extract((c) => c.width(0)),
  extractps: extract(() => 4),
  insertps,
  punpcklbw: interleave(1, false),
  punpcklwd: interleave(2, false),
  punpckldq: interleave(4, false),
  punpcklqdq: interleave(8, false),
  punpckhbw: interleave(1, true),
  punpckhwd: interleave(2, true),
  punpckhdq: interleave(4, true),
  punpckhqdq: interleave(8, true),
  pshufb: binary((a, b, c) => {
    // bit 7 gives zero, else the low bits choose: swizzle gives zero from 16 on, so bits 4-6 are dropped
    const keep = c.isMmx(0) ? 0x87 : 0x8f
    return v.swizzle(a, v.and(b, splatBytes(keep)))
  }),
}
