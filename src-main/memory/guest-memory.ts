/**
 * Guest RAM as devices see it. Addresses are guest-physical (gpa) as plain numbers (exact up to 2^53).
 * Everything outside RAM is refused with `undefined`/false: a device must never crash on an address the guest chose.
 *
 * Guest-physical layout (machine/layout.ts): RAM [0, lowSize) and, when there is more than the PCI hole allows,
 * [4 GiB, 4 GiB + highSize).
 */
export interface GuestMemory {
  /** Bytes of RAM in total. */
  readonly size: number
  /** The whole backing buffer; guest RAM lies in it at the offsets that `offset` gives. */
  readonly bytes: Uint8Array
  /** Offset in `bytes` of [gpa, gpa+length), or -1 when any byte of it is not RAM or the range straddles the hole. */
  offset(gpa: number, length: number): number
  /** Little-endian reads; undefined when not RAM. */
  readU8(gpa: number): number | undefined
  readU16(gpa: number): number | undefined
  readU32(gpa: number): number | undefined
  readU64(gpa: number): bigint | undefined
  /** Little-endian writes; false when not RAM. They drop predecoded and translated code of the page (SMC). */
  writeU8(gpa: number, value: number): boolean
  writeU16(gpa: number, value: number): boolean
  writeU32(gpa: number, value: number): boolean
  writeU64(gpa: number, value: bigint): boolean
  /** Copies out of RAM into a private array; undefined when not RAM. */
  read(gpa: number, length: number): Uint8Array | undefined
  write(gpa: number, data: Uint8Array): boolean
  /** Must be called on the vCPU thread after anybody wrote [gpa, gpa+length) behind the CPU's back (DMA by the io worker), before completion is signalled. */
  written(gpa: number, length: number): void
}

/** A piece of guest memory in a scatter-gather list. */
export interface Segment {
  readonly gpa: number
  readonly length: number
}
