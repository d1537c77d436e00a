/** Bit tests, scans, counts, byte order, BMI, ADX and CRC32 (SDM vol. 2). */
import { i32, konst, type Expr } from '../wasm/expr.ts'
import { type OpContext, type Operation, type Size } from './registers.ts'
import { CF, OF } from './flags.ts'
import { bitsOf, signed, clean, asCount } from './operands.ts'

/* Bits. */

/** Bit tests with the bit number modulo the operand size (register or immediate forms). */
const bitTest =
  (change: ((a: Expr, mask: Expr) => Expr) | undefined): Operation =>
  (c) => {
    const size = c.sizeOf(0)
    const a = c.get(0)
    const n = c.f.tmp(asCount(c.get(1), a).and(bitsOf(size) - 1))
    const cf = c.f.tmp(a.shr_u(n).i32().and(1))
    if (change) c.set(0, change(a, konst(a.type, 1).shl(n)))
    c.setArithmeticFlags(c.arithmeticFlags().and(~CF).or(cf))
  }
const flip = {
  bts: (a: Expr, mask: Expr) => a.or(mask),
  btr: (a: Expr, mask: Expr) => a.and(mask.not()),
  btc: (a: Expr, mask: Expr) => a.xor(mask),
}
/** BT family with a register bit offset and a memory operand: the offset reaches beyond the operand. */
const bitTestFar =
  (change: ((a: Expr, mask: Expr) => Expr) | undefined): Operation =>
  (c) => {
    const size = c.sizeOf(0)
    const f = c.f
    const offset = f.tmp(size === 8 ? c.get(1) : signed(c.get(1), size).s64())
    const address = f.tmp(c.ea().add(offset.shr_s(3).and(-size)))
    const n = f.tmp((size === 8 ? offset : offset.i32()).and(bitsOf(size) - 1))
    const a = change ? c.loadToModify(address, size) : c.load(address, size)
    const cf = f.tmp(a.shr_u(n).i32().and(1))
    if (change) c.store(address, size, change(a, konst(a.type, 1).shl(n)))
    c.setArithmeticFlags(c.arithmeticFlags().and(~CF).or(cf))
  }
/** BSF, BSR: a zero source sets ZF and leaves the destination. */
const bitScan =
  (forward: boolean): Operation =>
  (c) => {
    const size = c.sizeOf(0)
    const src = c.get(1)
    const width = src.type === 'i64' ? 63 : 31
    c.f.if(src.type === 'i64' ? src.ne(0) : src, () =>
      c.set(0, forward ? src.ctz() : konst(src.type, width).sub(src.clz())),
    )
    c.flags('result', size < 4 ? clean(src, size) : src, 0)
  }
/** TZCNT, LZCNT: CF when the source is zero, ZF when the result is. */
const countZeros =
  (trailing: boolean): Operation =>
  (c) => {
    const size = c.sizeOf(0)
    const src = c.get(1)
    const bits = bitsOf(size)
    const n = trailing ? (size === 2 ? src.or(0x10000).ctz() : src.ctz()) : size === 2 ? src.clz().sub(16) : src.clz()
    const r = c.f.tmp(n)
    c.set(0, r)
    const cf = r.eq(bits)
    c.flags('result', r, r.type === 'i64' ? cf.u64() : cf)
  }
function popcnt(c: OpContext): void {
  const src = c.get(1)
  c.set(0, src.popcnt())
  c.setArithmeticFlags((src.type === 'i64' ? src.eqz() : src.eqz()).shl(6))
}
function bswap(c: OpContext): void {
  c.set(0, byteSwap(c, c.get(0), c.sizeOf(0)))
}
/** Bytes reversed; of a 16-bit operand BSWAP gives zero (documented as undefined, so on all processors). */
function byteSwap(c: OpContext, v: Expr, size: Size): Expr {
  if (size === 2) return i32(0)
  if (size === 4) return c.f.tmp(v.rotl(8).and(0x00ff00ff).or(v.rotr(8).and(0xff00ff00)))
  const a = c.f.tmp(v.shl(8).and(0xff00ff00ff00ff00n).or(v.shr_u(8).and(0x00ff00ff00ff00ffn)))
  const b = c.f.tmp(a.shl(16).and(0xffff0000ffff0000n).or(a.shr_u(16).and(0x0000ffff0000ffffn)))
  return c.f.tmp(b.rotl(32))
}
function movbe(c: OpContext): void {
  const size = c.sizeOf(0)
  const v = c.get(1)
  c.set(0, size === 2 ? v.shl(8).or(v.shr_u(8)).and(0xffff) : byteSwap(c, v, size))
}

/* BMI1, BMI2, ADX. Operand order as in the rows: destination, first and second source. */
function andn(c: OpContext): void {
  const r = c.f.tmp(c.get(1).not().and(c.get(2)))
  c.set(0, r)
  c.flags('result', r, 0)
}
const lowestBit =
  (compute: (a: Expr) => Expr, carry: (a: Expr) => Expr): Operation =>
  (c) => {
    const a = c.get(1)
    const r = c.f.tmp(compute(a))
    const cf = c.f.tmp(carry(a))
    c.set(0, r)
    c.flags('result', r, r.type === 'i64' ? cf.u64() : cf)
  }
function bextr(c: OpContext): void {
  const size = c.sizeOf(0)
  const a = c.get(1)
  const control = c.get(2).i32()
  const start = c.f.tmp(control.and(0xff))
  const length = c.f.tmp(control.shr_u(8).and(0xff))
  const zero = konst(a.type, 0)
  const bits = bitsOf(size)
  const shifted = c.f.tmp(start.lt_u(bits).select(a.shr_u(asCount(start, a)), zero))
  const mask = konst(a.type, 1).shl(asCount(length, a)).sub(1)
  const r = c.f.tmp(length.lt_u(bits).select(shifted.and(mask), shifted))
  c.set(0, r)
  c.setArithmeticFlags(r.eqz().shl(6))
}
function bzhi(c: OpContext): void {
  const size = c.sizeOf(0)
  const a = c.get(1)
  const n = c.f.tmp(c.get(2).i32().and(0xff))
  const inside = c.f.tmp(n.lt_u(bitsOf(size)))
  const r = c.f.tmp(inside.select(a.and(konst(a.type, 1).shl(asCount(n, a)).sub(1)), a))
  c.set(0, r)
  const cf = inside.eqz()
  c.flags('result', r, r.type === 'i64' ? cf.u64() : cf)
}
/** PDEP, PEXT: one step for each bit set in the mask. */
const parallel =
  (deposit: boolean): Operation =>
  (c) => {
    const f = c.f
    const src = c.get(1)
    const type = src.type
    const mask = f.local(type)
    f.set(mask, c.get(2))
    const r = f.local(type)
    f.set(r, konst(type, 0))
    const bit = f.local(type)
    f.set(bit, konst(type, 1))
    const some = (e: Expr) => (type === 'i64' ? e.ne(0) : e)
    f.block((done) => {
      f.loop((again) => {
        f.brIf(done, mask.eqz())
        const low = f.tmp(mask.and(mask.neg()))
        f.if(some(src.and(deposit ? bit : low)), () => f.set(r, r.or(deposit ? low : bit)))
        f.set(mask, mask.xor(low))
        f.set(bit, bit.shl(1))
        f.br(again)
      })
    })
    c.set(0, r)
  }
/** ADCX (CF) and ADOX (OF): add with one flag as carry, other flags kept. */
const addWithFlag =
  (flag: number, shift: number): Operation =>
  (c) => {
    const f = c.f
    const a = c.get(0)
    const b = c.get(1)
    const flags = f.tmp(c.arithmeticFlags())
    const cin = f.tmp(flags.shr_u(shift).and(1))
    const wide = a.type === 'i64' ? cin.u64() : cin
    const r = f.tmp(a.add(b).add(wide))
    const out = f.tmp(cin.select(r.le_u(a), r.lt_u(a)))
    c.set(0, r)
    c.setArithmeticFlags(flags.and(~flag).or(out.shl(shift)))
  }
/** CRC32C over 1, 2, 4 or 8 bytes, bit by bit (polynomial 0x11EDC6F41 reflected). */
function crc32(c: OpContext): void {
  const f = c.f
  const size = c.sizeOf(1)
  const src = c.get(1)
  const crc = f.local('i64')
  const old = c.get(0)
  f.set(crc, (old.type === 'i64' ? old.and(0xffffffffn) : old.u64()).xor(src.u64()))
  const n = f.local('i32')
  f.set(n, bitsOf(size))
  f.loop((again) => {
    f.set(crc, crc.shr_u(1).xor(crc.and(1).neg().and(0x82f63b78n)))
    f.set(n, n.sub(1))
    f.brIf(again, n)
  })
  c.set(0, c.sizeOf(0) === 8 ? crc : crc.i32())
}

export const BITS: Record<string, Operation> = {
  bt: bitTest(undefined),
  bts: bitTest(flip.bts),
  btr: bitTest(flip.btr),
  btc: bitTest(flip.btc),
  bt_far: bitTestFar(undefined),
  bts_far: bitTestFar(flip.bts),
  btr_far: bitTestFar(flip.btr),
  btc_far: bitTestFar(flip.btc),
  bsf: bitScan(true),
  bsr: bitScan(false),
  tzcnt: countZeros(true),
  lzcnt: countZeros(false),
  popcnt,
  bswap,
  movbe,
  andn,
  blsr: lowestBit(
    (a) => a.sub(1).and(a),
    (a) => a.eqz(),
  ),
  blsmsk: lowestBit(
    (a) => a.sub(1).xor(a),
    (a) => a.eqz(),
  ),
  blsi: lowestBit(
    (a) => a.neg().and(a),
    (a) => a.eqz().xor(1),
  ),
  bextr,
  bzhi,
  pdep: parallel(true),
  pext: parallel(false),
  adcx: addWithFlag(CF, 0),
  adox: addWithFlag(OF, 11),
  crc32,
}
