import type { Width } from '../../bus/bus.ts'

/** One register of a block: where it is, how wide, what a read gives and what a write does. */
export interface Register {
  readonly offset: number
  readonly width: Width
  read(): number
  /** Missing: read-only. */
  write?(value: number): void
}

/** A block of registers. Accesses that are no whole register read as parts of it, or 0 between registers, and write nothing. */
export class RegisterBlock {
  readonly #byOffset = new Map<number, Register>()

  constructor(registers: readonly Register[]) {
    for (const register of registers) {
      for (let i = 0; i < register.width; i++) this.#byOffset.set(register.offset + i, register)
    }
  }

  /** Is there a register here? */
  has(offset: number): boolean {
    return this.#byOffset.has(offset)
  }

  read(offset: number, width: Width): number {
    const register = this.#byOffset.get(offset)
    if (register === undefined) return 0
    const value = register.read()
    if (register.offset === offset && register.width === width) return value
    const shifted = value >>> (8 * (offset - register.offset))
    return width === 4 ? shifted : shifted & ((1 << (8 * width)) - 1)
  }

  write(offset: number, width: Width, value: number): void {
    const register = this.#byOffset.get(offset)
    // VIRTIO 1.2 section 4.1.3.1: the driver must access each field with its own width; a wider write to a narrow one is what it was cut to.
    if (register === undefined || register.offset !== offset || width < register.width) return
    register.write?.(register.width === 4 ? value : value & ((1 << (8 * register.width)) - 1))
  }
}

/** Little-endian read of up to four bytes; 0 beyond the end. */
export function readBytes(bytes: Uint8Array, offset: number, width: Width): number {
  let value = 0
  for (let i = 0; i < width; i++) value += (bytes[offset + i] ?? 0) * 2 ** (8 * i)
  return value
}
