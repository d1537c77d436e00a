/** Conversions of SSE: between floats, and between floats and integers. Fast paths as in sse-float.ts. */
import { AT } from '../state/layout.ts'
import { i32, i64, op, simd, type Expr } from '../wasm/expr.ts'
import { i32x4, lanes, v, ZERO_V } from '../wasm/simd.ts'
import type { Operation, OpContext } from './context.ts'
import { demote, isZeroOrNormal, PD, promote, PS, SD, SS, type Lanes } from './float-lanes.ts'
import { orExact, PM_PE } from './sse-float.ts'
import { checkAligned, enterMmx, enterSse, source, touchMmx } from './vector.ts'

const RC = 0x6000

/** Leaves to the exact helper unless `good` and either exact, or inexact is masked, flagged and rounding as wanted. */
function orInexact(c: OpContext, name: string, good: Expr, exact: Expr, rounds: boolean): void {
  const mxcsr = c.state(AT.mxcsr, 4)
  const isFast = mxcsr.and(rounds ? PM_PE | RC : PM_PE).eq(PM_PE)
  c.f.if(good.and(isFast.or(exact)).eqz(), () => c.helper(name))
}

/* ---- to integers: invalid (too large, NaN) and inexact are the only exceptions; denormals are no case of their own ---- */

const toGeneral =
  (name: string, l: Lanes, truncate: boolean): Operation =>
  (c) => {
    enterSse(c)
    const { f } = c
    const x = l.read(c, 1)
    const whole = f.tmp(truncate ? l.trunc(x) : l.nearest(x))
    const isWide = c.width(0) === 8
    // the saturating instructions do not trap; 0xfc 0 f32 to i32, 2 f64 to i32, 4 and 6 to i64
    const code = (isWide ? 4 : 0) + (l.size === 8 ? 2 : 0)
    const limit = 2 ** (isWide ? 63 : 31)
    const fits = l.le(l.constant(-limit), whole).and(l.lt(whole, l.constant(limit)))
    orInexact(c, name, fits, l.eq(whole, x), !truncate)
    c.set(0, op(isWide ? 'i64' : 'i32', [0xfc, code], whole))
  }

/** i32x4.trunc_sat_f32x4_s, i32x4.trunc_sat_f64x2_s_zero */
const TRUNC_SAT = { 4: 248, 8: 252 } as const
const packedToInteger =
  (name: string, l: Lanes, truncate: boolean): Operation =>
  (c) => {
    enterSse(c)
    const { f } = c
    const x = l.read(c, 1)
    const whole = f.tmp(truncate ? l.trunc(x) : l.nearest(x))
    const limit = 2 ** 31
    const fits = l.all(l.and(l.le(l.constant(-limit), whole), l.lt(whole, l.constant(limit))))
    orInexact(c, name, fits, l.all(l.eq(whole, x)), !truncate)
    c.setV(0, simd('v128', TRUNC_SAT[l.size], [whole]))
  }

/* ---- from integers ---- */

const CONVERT = {
  4: { i32: 0xb2, i64: 0xb4 },
  8: { i32: 0xb7, i64: 0xb9 },
} as const
const fromGeneral =
  (name: string, l: Lanes): Operation =>
  (c) => {
    enterSse(c)
    const x = c.get(1)
    const type = x.type === 'i64' ? 'i64' : 'i32'
    const r = c.f.tmp(op(l.size === 4 ? 'f32' : 'f64', CONVERT[l.size][type], x))
    if (l.size === 4 || type === 'i64') {
      // integers of up to 24 or 53 bits are exact
      const edge = l.size === 4 ? 1n << 24n : 1n << 53n
      const exact = x
        .s64()
        .add(i64(edge))
        .le_u(i64(2n * edge))
      const mxcsr = c.state(AT.mxcsr, 4)
      c.f.if(exact.or(mxcsr.and(PM_PE | RC).eq(PM_PE)).eqz(), () => c.helper(name))
    }
    l.write(c, r)
  }
/** f64x2.convert_low_i32x4_s: always exact. */
const cvtdq2pd: Operation = (c) => {
  enterSse(c)
  c.setV(0, simd('v128', 254, [c.getV(1)]))
}
const cvtdq2ps: Operation = (c) => {
  enterSse(c)
  const x = source(c, 1)
  // integers of up to 24 bits are exact (the absolute value of the smallest number stays itself, and is exact too)
  const large = i32x4.gtS(i32x4.abs(x), i32x4.splat(i32(1 << 24)))
  const mxcsr = c.state(AT.mxcsr, 4)
  const exact = v.anyTrue(large).eqz()
  c.f.if(exact.or(mxcsr.and(PM_PE | RC).eq(PM_PE)).eqz(), () => c.helper('cvtdq2ps'))
  c.setV(0, simd('v128', 250, [x]))
}

/* ---- between floats ---- */

const cvtss2sd: Operation = (c) => {
  enterSse(c)
  const x = SS.read(c, 1)
  c.f.if(isZeroOrNormal(SS, x).eqz(), () => c.helper('cvtss2sd'))
  SD.write(c, promote(x))
}
const inFloatRange = (l: Lanes, r: Expr, x: Expr): Expr =>
  l.or(
    l.and(l.gt(l.abs(r), l.constant(SS.smallestNormal)), l.le(l.abs(r), l.constant(SS.largest))),
    l.eq(x, l.constant(0)),
  )
const cvtsd2ss: Operation = (c) => {
  enterSse(c)
  const x = SD.read(c, 1)
  const r = c.f.tmp(demote(x))
  const back = c.f.tmp(promote(r))
  orExact(c, 'cvtsd2ss', c.f.tmp(inFloatRange(SD, back, x)), () => SD.eq(back, x))
  SS.write(c, r)
}
/** f64x2.promote_low_f32x4 */
const widen = (x: Expr): Expr => simd('v128', 95, [x])
const cvtps2pd: Operation = (c) => {
  enterSse(c)
  // a source of 8 bytes: what stands above must not count
  const low = c.f.tmp(v.shuffle(c.getV(1), ZERO_V, lanes(8, 0, 2)))
  c.f.if(PS.all(isZeroOrNormal(PS, low)).eqz(), () => c.helper('cvtps2pd'))
  c.setV(0, widen(low))
}
const cvtpd2ps: Operation = (c) => {
  enterSse(c)
  const x = source(c, 1)
  // f32x4.demote_f64x2_zero
  const r = c.f.tmp(simd('v128', 94, [x]))
  const back = c.f.tmp(widen(r))
  orExact(c, 'cvtpd2ps', c.f.tmp(PD.all(inFloatRange(PD, back, x))), () => PD.all(PD.eq(back, x)))
  c.setV(0, r)
}

/* ---- MMX: rare, by helper ---- */

/** Memory in place of the MMX register makes no transition from x87. */
const fromMmx =
  (name: string): Operation =>
  (c) => {
    enterSse(c)
    if (c.isMemory(1) !== true) {
      enterMmx(c)
      touchMmx(c)
    }
    c.helper(name)
  }
const toMmx =
  (name: string): Operation =>
  (c) => {
    enterSse(c)
    enterMmx(c)
    checkAligned(c, 1)
    c.helper(name)
  }

export const SSE_CONVERT: Readonly<Record<string, Operation>> = {
  cvttss2si: toGeneral('cvttss2si', SS, true),
  cvttsd2si: toGeneral('cvttsd2si', SD, true),
  cvtss2si: toGeneral('cvtss2si', SS, false),
  cvtsd2si: toGeneral('cvtsd2si', SD, false),
  cvttps2dq: packedToInteger('cvttps2dq', PS, true),
  cvtps2dq: packedToInteger('cvtps2dq', PS, false),
  cvttpd2dq: packedToInteger('cvttpd2dq', PD, true),
  cvtpd2dq: packedToInteger('cvtpd2dq', PD, false),
  cvtsi2ss: fromGeneral('cvtsi2ss', SS),
  cvtsi2sd: fromGeneral('cvtsi2sd', SD),
  cvtdq2pd,
  cvtdq2ps,
  cvtss2sd,
  cvtsd2ss,
  cvtps2pd,
  cvtpd2ps,
  cvtpi2ps: fromMmx('cvtpi2ps'),
  cvtpi2pd: fromMmx('cvtpi2pd'),
  cvttps2pi: toMmx('cvttps2pi'),
  cvtps2pi: toMmx('cvtps2pi'),
  cvttpd2pi: toMmx('cvttpd2pi'),
  cvtpd2pi: toMmx('cvtpd2pi'),
}
