/** Pushes and pops of far transfers and deliveries, on the current or on a stack that is still to be loaded. */
import type { Cpu } from '../cpu.ts'
import { VECTOR } from '../mmu/access.ts'
import { AT, RSP, SS } from '../state/layout.ts'
import { GuestFault } from './helper.ts'
import { ATTR, canonical } from './modes.ts'
import { readSegment, wrap, type Segment } from './segments.ts'

export interface StackOptions {
  readonly segment: Segment
  readonly pointer: bigint
  /** Bytes of the stack pointer. */
  readonly size: number
  /** Accesses are the supervisor's though CPL is still 3. */
  readonly supervisor: boolean
  /** Error code of #SS. */
  readonly code: number
}

/** Nothing of the registers changes until pointer is written back: a fault in between leaves them as they were. */
export class Stack {
  readonly segment: Segment
  pointer: bigint
  private readonly cpu: Cpu
  private readonly options: StackOptions
  private readonly bits: number

  constructor(cpu: Cpu, options: StackOptions) {
    this.cpu = cpu
    this.options = options
    this.segment = options.segment
    this.bits = options.size * 8
    this.pointer = BigInt.asUintN(this.bits, options.pointer)
  }

  push(value: bigint, size: number): void {
    const pointer = BigInt.asUintN(this.bits, this.pointer - BigInt(size))
    this.cpu.writeLinear(this.address(pointer, size), size, value, this.options.supervisor)
    this.pointer = pointer
  }
  pop(size: number): bigint {
    const value = this.peek(0, size)
    this.skip(size)
    return value
  }
  /** The value `offset` bytes above the pointer. */
  peek(offset: number, size: number): bigint {
    const at = BigInt.asUintN(this.bits, this.pointer + BigInt(offset))
    return this.cpu.readLinear(this.address(at, size), size, this.options.supervisor)
  }
  skip(bytes: number): void {
    this.pointer = BigInt.asUintN(this.bits, this.pointer + BigInt(bytes))
  }
  /** Sets RSP to the pointer: a 16-bit stack keeps the upper half of ESP. */
  load(): void {
    this.cpu.setGpr(RSP, this.pointer, this.options.size)
  }

  private address(offset: bigint, size: number): bigint {
    const { base, limit, attr } = this.segment
    if (this.options.size === 8) {
      if (!canonical(offset) || !canonical(offset + BigInt(size - 1))) this.refuse()
      return offset
    }
    const last = offset + BigInt(size - 1)
    const down = (attr & ATTR.conforming) !== 0
    const top = attr & ATTR.big ? 0xffff_ffffn : 0xffffn
    if (down ? offset <= BigInt(limit) || last > top : last > BigInt(limit)) this.refuse()
    return wrap(this.cpu, base + offset)
  }
  private refuse(): never {
    throw new GuestFault(VECTOR.SS, this.options.code)
  }
}

export function currentStack(cpu: Cpu): Stack {
  const size = cpu.u32(AT.stackSize)
  return new Stack(cpu, {
    segment: readSegment(cpu, SS),
    pointer: cpu.gpr(RSP, size),
    size,
    supervisor: false,
    code: 0,
  })
}
