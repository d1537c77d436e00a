/** CMOS bytes that a PC's firmware sets up and old software reads (IBM PC AT Technical Reference; QEMU's pc fills the same). */
export interface CmosMemory {
  /** RAM below 4 GiB, in bytes. */
  readonly low: number
  /** RAM above 4 GiB, in bytes. */
  readonly high: number
}

const KIB = 1024
const CMOS = { EQUIPMENT: 0x14, BASE: 0x15, EXTENDED: 0x17, EXTENDED_COPY: 0x30, ABOVE_16M: 0x34, HIGH: 0x5b } as const
/** A coprocessor, no diskette, no display adapter of the old kinds. */
const EQUIPMENT_FPU = 0x02

/** Memory sizes: base in KiB, extended (to 64 MiB) in KiB, above 16 MiB in 64 KiB, above 4 GiB in 64 KiB. */
export function writeMemorySizes(ram: Uint8Array, memory: CmosMemory): void {
  const word = (at: number, value: number): void => {
    ram[at] = value & 0xff
    ram[at + 1] = (value >> 8) & 0xff
  }
  const extended = Math.min(0xffff, Math.max(0, Math.floor(memory.low / KIB) - 1024))
  const above16M = Math.min(0xffff, Math.max(0, Math.floor(memory.low / (64 * KIB)) - 256))
  const high = Math.floor(memory.high / (64 * KIB))
  ram[CMOS.EQUIPMENT] = EQUIPMENT_FPU
  word(CMOS.BASE, 640)
  word(CMOS.EXTENDED, extended)
  word(CMOS.EXTENDED_COPY, extended)
  word(CMOS.ABOVE_16M, above16M)
  word(CMOS.HIGH, high & 0xffff)
  ram[CMOS.HIGH + 2] = (high >> 16) & 0xff
}
