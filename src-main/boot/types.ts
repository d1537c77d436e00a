import type { GuestMemory } from '../memory/guest-memory.ts'
import type { InitialCpuState } from './cpu-state.ts'

/** Guest-physical range; length in bytes. */
export interface GpaRange {
  readonly base: number
  readonly length: number
}

/** Where the loader puts its own structures (machine/layout.ts has the figures). All guest-physical, all below 1 MiB. */
export interface BootLayout {
  readonly gdt: number
  readonly startInfo: GpaRange
  readonly pageTables: GpaRange
  readonly stackTop: number
  readonly bootParams: number
  readonly cmdline: GpaRange
  readonly ebda: GpaRange
  readonly acpi: GpaRange
  readonly facs: GpaRange
  readonly smbios: GpaRange
  /** End of the area that firmware would use, and first byte that a kernel may be loaded at. */
  readonly firmwareEnd: number
  readonly highRamBase: number
}

/** Bytes of RAM below and above the PCI hole. */
export interface RamSplit {
  readonly low: number
  readonly high: number
}

/** What is to be booted, and on what. The host has read the files. */
export interface BootRequest {
  readonly kernel: Uint8Array
  /** File name of the kernel: a multiboot kernel gets it as the first word of its command line. */
  readonly kernelName: string
  readonly initrd?: Uint8Array
  /** The kernel command line (UTF-8 when it leaves ASCII). */
  readonly cmdline: string
  readonly memory: GuestMemory
  readonly ram: RamSplit
  readonly layout: BootLayout
  /** Guest-physical address of the ACPI RSDP; absent without ACPI. */
  readonly rsdp?: number
}

export type BootErrorKind =
  | 'not-a-kernel'
  | 'wrong-machine'
  | 'unsupported-kernel'
  | 'truncated'
  | 'too-little-memory'
  | 'overlap'
  | 'cmdline-too-long'
  | 'initrd-too-big'

/** Why this cannot be booted: one plain sentence for the user. Thrown inside the room, returned by loadKernel. */
export class BootError extends Error {
  readonly kind: BootErrorKind

  constructor(kind: BootErrorKind, message: string) {
    super(message)
    this.name = 'BootError'
    this.kind = kind
  }
}

/** How the kernel is entered. */
export type BootProtocol = 'linux-64' | 'linux-32' | 'pvh' | 'multiboot'

export interface Booted {
  readonly protocol: BootProtocol
  readonly cpu: InitialCpuState
  /** Where the kernel image was put (as loaded, not as it may move itself). */
  readonly kernel: GpaRange
  readonly initrd?: GpaRange
}

export type BootResult = ({ readonly ok: true } & Booted) | { readonly ok: false; readonly error: BootError }
