// One case from a form and its index: the same bytes everywhere, for ever.
import { makeAddress, littleEndian, type AddressBytes } from './address.ts'
import { fillFixedState, fillOperand, fillVectorState } from './fill.ts'
import { type Form, modeOf, operandBytes } from './form.ts'
import {
  BATCH,
  CODE_BASE,
  ENTRY,
  INPUT_FLAGS,
  FLAG,
  type Mode,
  SLOT_BYTES,
  type SnippetCase,
  STATE,
  STATE_BYTES,
  WINDOW_BASE,
  WINDOW_BYTES,
  WINDOW_PAGES,
  WINDOW_PAGE_BYTES,
} from './layout.ts'
import { Random, interesting64, nameSeed } from './random.ts'

const REX = { base: 0x40, W: 8, R: 4, X: 2, B: 1 } as const
const PREFIX_66 = 0x66
const LOCK = 0xf0

/** A case, with what the form's hooks may want to know and change. */
export class GeneratedCase implements SnippetCase {
  readonly form: Form
  readonly index: number
  readonly mode: Mode
  readonly random: Random
  readonly code = new Uint8Array(SLOT_BYTES).fill(0xcc)
  readonly before = new Uint8Array(STATE_BYTES)
  readonly view = new DataView(this.before.buffer)
  /** Bytes of the instruction; set once it is encoded. */
  length = 0
  /** Linear address of the memory operand. */
  address = 0n
  /** ModRM.reg, ModRM.rm (register forms) or the opcode's register. */
  regNumber = 0
  rmNumber = 0
  vexNumber = 0
  /** The last immediate. */
  immediate = 0n
  hasRex = false

  constructor(form: Form, index: number) {
    this.form = form
    this.index = index
    this.mode = modeOf(form, index)
    this.random = new Random(nameSeed(form.id), index)
  }

  /** Linear address of the slot. */
  get slot(): number {
    return CODE_BASE + (this.index % BATCH) * SLOT_BYTES
  }

  /** Operand size in bits, 32 where the form has none. */
  get size(): number {
    if (this.form.options.d64 && this.form.size !== 16) return this.mode === 'long64' ? 64 : 32
    return this.form.size || 32
  }

  isReserved(register: number): boolean {
    const { reserve, reserveOperand } = this.form.options
    return (reserve?.includes(register) ?? false) || (reserveOperand === true && register === this.regNumber)
  }

  gpr(register: number): bigint {
    return this.view.getBigUint64(STATE.gpr + 8 * register, true)
  }

  /** In compatibility mode the upper half stays zero: it is undefined there. */
  setGpr(register: number, value: bigint): void {
    const kept = this.mode === 'compat32' ? BigInt.asUintN(32, value) : BigInt.asUintN(64, value)
    this.view.setBigUint64(STATE.gpr + 8 * register, kept, true)
  }

  get flags(): number {
    return this.view.getUint32(STATE.rflags, true)
  }

  set flags(value: number) {
    this.view.setUint32(STATE.rflags, value, true)
  }

  /** Offset into `before` of a linear address inside the window. */
  windowOffset(address: bigint): number {
    const offset = Number(address) - WINDOW_BASE
    if (offset < 0 || offset >= WINDOW_BYTES) throw new Error(`${this.form.id}: address outside the window`)
    return STATE.window + offset
  }

  /** True when the memory operand (or `bytes` from its address) lies inside the window. */
  inWindow(bytes = this.form.memBytes): boolean {
    const offset = Number(this.address) - WINDOW_BASE
    return offset >= 0 && offset + bytes <= WINDOW_BYTES
  }

  /** Unsigned value of a general register in the operand's numbering: without REX, byte registers 4..7 are AH..BH. */
  byteRegister(number: number): bigint {
    if (!this.hasRex && number >= 4 && number < 8) return (this.gpr(number - 4) >> 8n) & 0xffn
    return this.gpr(number) & 0xffn
  }

  /** The ModRM.rm operand's unsigned value; zero when it is memory outside the window. */
  rmValue(bytes: number): bigint {
    if (this.form.rm === 'reg')
      return bytes === 1 ? this.byteRegister(this.rmNumber) : BigInt.asUintN(8 * bytes, this.gpr(this.rmNumber))
    if (!this.inWindow(bytes)) return 0n
    const at = this.windowOffset(this.address)
    let value = 0n
    for (let i = bytes - 1; i >= 0; i--) value = (value << 8n) | BigInt(this.before[at + i])
    return value
  }

  /** Replaces the ModRM.rm operand's low bytes; memory outside the window stays. */
  setRm(value: bigint, bytes: number): void {
    if (this.form.rm === 'mem') {
      if (this.inWindow(bytes)) this.write(this.address, littleEndian(value, bytes))
    } else {
      const kept = (this.gpr(this.rmNumber) >> BigInt(8 * bytes)) << BigInt(8 * bytes)
      this.setGpr(this.rmNumber, kept | BigInt.asUintN(8 * bytes, value))
    }
  }

  write(address: bigint, bytes: readonly number[] | Uint8Array): void {
    this.before.set(bytes, this.windowOffset(address))
  }
}

/** Somewhere in the window, often across the page border, now and then where it faults (on the stack two accesses would). */
function chooseTarget(c: GeneratedCase): bigint {
  const { memBytes, align, options } = c.form
  const { random } = c
  const border = WINDOW_BYTES / 2
  if (!options.onStack && random.oneIn(40))
    return BigInt(WINDOW_PAGES + WINDOW_PAGE_BYTES - (align > 1 ? 0 : random.below(memBytes + 4)))
  if (!options.onStack && c.mode === 'long64' && random.oneIn(80))
    return 0x0000_8000_0000_0000n << BigInt(random.below(16))
  let offset = random.oneIn(4) ? border - random.between(0, memBytes) : random.between(32, WINDOW_BYTES - 64 - memBytes)
  const breaksAlignment = align > 1 && random.oneIn(24)
  if (!breaksAlignment) offset -= offset % align
  return BigInt(WINDOW_BASE + offset)
}

function chooseRegister(c: GeneratedCase, kind: string): number {
  if ('PNQS'.includes(kind)) return c.random.below(8)
  return c.random.below(c.mode === 'long64' ? 16 : 8)
}

/** The ModRM byte, what belongs to it, and REX bits. */
function chooseModRm(c: GeneratedCase): AddressBytes | undefined {
  const { form } = c
  const has = (kinds: string) => form.operands.find((operand) => kinds.includes(operand.kind))
  const regOperand = has('GVP')
  const rmOperand = has('ERMWUQN')
  if (!regOperand && !rmOperand && form.digit === undefined) return undefined
  c.regNumber = form.digit ?? (regOperand ? chooseRegister(c, regOperand.kind) : 0)
  if (form.rm !== 'mem') {
    c.rmNumber = chooseRegister(c, rmOperand?.kind ?? 'E')
    return { prefixes: [], mod: 3, rm: c.rmNumber & 7, rexX: 0, rexB: c.rmNumber >> 3, tail: [], ripRelative: false }
  }
  const free = form.memBytes === 0
  if (!free) c.address = chooseTarget(c)
  return makeAddress(c, free ? BigInt(WINDOW_BASE) : c.address, free)
}

function chooseImmediates(c: GeneratedCase): number[] {
  const bytes: number[] = []
  let ordinal = 0
  for (const { kind, size } of c.form.operands) {
    if (kind === 'I') {
      const width = operandBytes(size, c.form.size)
      const chosen = c.form.options.immediate?.(c, ordinal++) ?? interesting64(c.random)
      c.immediate = BigInt.asUintN(width * 8, BigInt(chosen))
      bytes.push(...littleEndian(c.immediate, width))
    } else if (kind === 'O') {
      c.address = chooseTarget(c)
      const width = c.mode === 'long64' ? 8 : 4
      bytes.push(...littleEndian(c.address, width))
    }
  }
  return bytes
}

/** Branch targets stay in the slot, outside the instruction itself. */
function branchDisplacement(c: GeneratedCase, length: number): number {
  for (;;) {
    const target = c.random.below(SLOT_BYTES)
    if (target < ENTRY || target >= ENTRY + length) return target - (ENTRY + length)
  }
}

function shuffle(random: Random, items: number[]): number[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = random.below(i + 1)
    ;[items[i], items[j]] = [items[j], items[i]]
  }
  return items
}

function legacyPrefixes(c: GeneratedCase, address: AddressBytes | undefined): number[] {
  const { form } = c
  const prefixes = [...form.prefixes, ...(address?.prefixes ?? [])]
  const sized = form.size !== 0 && !form.vex
  if (sized && form.size === 16) prefixes.push(PREFIX_66)
  // REX.W wins over the operand-size prefix, which in the two-byte maps may select another instruction.
  else if (sized && form.size === 64 && !form.options.d64 && form.opcode[0] !== 0x0f && c.random.oneIn(24))
    prefixes.push(PREFIX_66)
  if (form.options.lock && form.rm === 'mem' && c.random.oneIn(4)) prefixes.push(LOCK)
  return shuffle(c.random, prefixes)
}

function rexByte(c: GeneratedCase, rexR: number, rexX: number, rexB: number): number[] {
  if (c.mode !== 'long64') return []
  const wide = c.form.size === 64 && !c.form.options.d64
  const bits = (wide ? REX.W : 0) | (rexR ? REX.R : 0) | (rexX ? REX.X : 0) | (rexB ? REX.B : 0)
  // A REX without bits turns AH..BH into SPL..DIL and is noise elsewhere.
  c.hasRex = bits !== 0 || c.random.oneIn(c.form.operands.some((operand) => operand.size === 'b') ? 3 : 16)
  return c.hasRex ? [REX.base | bits] : []
}

function vexBytes(c: GeneratedCase, rexR: number, rexX: number, rexB: number): number[] {
  const { pp, map } = c.form.vex as { pp: number; map: number }
  const wide = c.form.size === 64 ? 1 : 0
  const last = ((~c.vexNumber & 15) << 3) | pp
  if (map === 1 && !wide && !rexX && !rexB && c.random.oneIn(2)) return [0xc5, (rexR ? 0 : 0x80) | last]
  return [0xc4, (rexR ? 0 : 0x80) | (rexX ? 0 : 0x40) | (rexB ? 0 : 0x20) | map, (wide << 7) | last]
}

function encode(c: GeneratedCase): void {
  const { form } = c
  const opcodeRegister = form.operands.find((operand) => operand.kind === 'Z' || operand.kind === 'S')
  const address = chooseModRm(c)
  if (opcodeRegister) c.rmNumber = chooseRegister(c, opcodeRegister.kind)
  if (form.operands.some((operand) => operand.kind === 'B')) c.vexNumber = chooseRegister(c, 'B')
  const rexR = form.digit === undefined ? c.regNumber >> 3 : 0
  const rexB = opcodeRegister?.kind === 'Z' ? c.rmNumber >> 3 : (address?.rexB ?? 0)
  const prefixes = legacyPrefixes(c, address)
  const middle = form.vex ? vexBytes(c, rexR, address?.rexX ?? 0, rexB) : rexByte(c, rexR, address?.rexX ?? 0, rexB)
  const opcode = [...form.opcode]
  if (opcodeRegister) opcode[opcode.length - 1] = (opcode.at(-1) as number) | (c.rmNumber & 7)
  const modRm = address ? [(address.mod << 6) | ((c.regNumber & 7) << 3) | address.rm, ...address.tail] : []
  const bytes = [...prefixes, ...middle, ...opcode, ...modRm]
  const relativeAt = address?.ripRelative ? bytes.length - 4 : -1
  bytes.push(...chooseImmediates(c))
  const jump = form.operands.find((operand) => operand.kind === 'J')
  if (jump) {
    const width = operandBytes(jump.size, form.size)
    bytes.push(...littleEndian(branchDisplacement(c, bytes.length + width), width))
  }
  if (relativeAt >= 0) relocate(c, bytes, relativeAt)
  c.length = bytes.length
  c.code.set(bytes, ENTRY)
}

function relocate(c: GeneratedCase, bytes: number[], at: number): void {
  const offset = BigInt(bytes[at]) | (BigInt(bytes[at + 1]) << 8n) | (BigInt(bytes[at + 2]) << 16n)
  const wanted = offset | (BigInt(bytes[at + 3]) << 24n)
  const next = BigInt(c.slot + ENTRY + bytes.length)
  bytes.splice(at, 4, ...littleEndian(wanted - next, 4))
}

function fillGeneral(c: GeneratedCase): void {
  const count = c.mode === 'long64' ? 16 : 8
  for (let register = 0; register < count; register++) c.setGpr(register, interesting64(c.random))
  const direction = c.random.oneIn(8) ? FLAG.DF : 0
  c.flags = (c.random.u32() & INPUT_FLAGS & ~FLAG.DF & ~FLAG.AC) | direction | 0x202
}

function fillWindow(c: GeneratedCase): void {
  for (let at = 0; at < WINDOW_BYTES; at += 4) c.view.setUint32(STATE.window + at, c.random.u32(), true)
}

export function generateCase(form: Form, index: number): GeneratedCase {
  const c = new GeneratedCase(form, index)
  fillGeneral(c)
  fillWindow(c)
  if (form.options.state) fillVectorState(c)
  else fillFixedState(c)
  encode(c)
  fillOperand(c)
  form.options.prepare?.(c)
  return c
}
