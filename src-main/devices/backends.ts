import type { Segment } from '../memory/guest-memory.ts'

/**
 * What the devices need from the host, answered asynchronously: the request goes to the io worker, `done` runs later on the
 * vCPU thread (never inside submit), after GuestMemory.written() was called for every guest range the worker wrote.
 */
export type BlockStatus = 'ok' | 'io-error' | 'no-space' | 'read-only' | 'out-of-range'

export interface BlockRequest {
  readonly op: 'read' | 'write' | 'flush' | 'discard' | 'write-zeroes'
  /** First 512-byte sector (whole number, up to 2^48). */
  readonly sector: number
  /** Total bytes; a multiple of 512. Equals the sum of the segments. 0 for flush. */
  readonly length: number
  /** Guest memory to fill or to take from; or `buffer`, a private device buffer (PIO), exactly one of the two for read and write. */
  readonly segments?: readonly Segment[]
  /** For write: data. For read: filled before done('ok'). */
  readonly buffer?: Uint8Array
  done(status: BlockStatus): void
}

export interface BlockBackend {
  readonly sectors: number
  readonly readOnly: boolean
  /** Up to 20 printable ASCII characters, as IDENTIFY and VIRTIO_BLK_T_GET_ID show them. */
  readonly serial: string
  submit(request: BlockRequest): void
  /** Wait until no request is in flight; their `done` runs meanwhile. For resets: after it no memory is written any more. */
  drain?(): void
}

export interface NineRequest {
  /** Where the T-message lies and where the R-message goes (descriptor chain of the virtqueue). */
  readonly request: readonly Segment[]
  readonly reply: readonly Segment[]
  /** Bytes written to `reply`; 0 when the message was so broken that no reply is possible. */
  done(written: number): void
}

export interface NineBackend {
  readonly mountTag: string
  submit(request: NineRequest): void
  /** The device was reset by the driver: forget session, fids and pending requests; `done` of earlier requests is never called after this returns. */
  reset(): void
}

/** Bytes to and from the world for a UART or console. */
export interface CharBackend {
  /** Guest -> host. */
  write(bytes: Uint8Array): void
  /** Called by the device when it can take input; returns up to `max` bytes, possibly none. */
  read(max: number): Uint8Array
  /** The backend calls this on the vCPU thread when input has become available. */
  onReadable: (() => void) | undefined
  /** The backend calls this when the user sends a break (Ctrl-a b). */
  onBreak: (() => void) | undefined
}

/** A terminal's size, in characters: 1 to 65535 each. */
export interface TerminalSize {
  readonly columns: number
  readonly rows: number
}

/** A terminal that can change its size. */
export interface ConsoleBackend extends CharBackend {
  /** The backend calls this on the vCPU thread when it has another size; the last one told counts. */
  onResize: ((size: TerminalSize) => void) | undefined
}

export interface RandomBackend {
  /** Cryptographically strong bytes. */
  fill(target: Uint8Array): void
}

/** What a device asks of the machine as a whole. */
export interface PowerControl {
  /** Machine reset: keyboard controller, port 0xCF9, triple fault. */
  reset(reason: string): void
  /** ACPI S5. */
  powerOff(): void
  /** isa-debug-exit: process exit code (value << 1) | 1. */
  debugExit(code: number): void
}
