/**
 * The few words through which other threads get a vCPU's attention. The vCPU looks at `events` between slices of guest code (one
 * atomic load, about 0.3 ns) and sleeps on `wake` when the guest has halted; it never needs its event loop for that.
 *
 * Layout, Int32 each: 0 `wake`, a counter that changes with every call of raise; 1 `events`, the bits of `Event`; 2 `state`,
 * a value of `VcpuState` that the vCPU publishes for others to read; 3 unused.
 * The block may lie in a buffer of its own or at an offset of the engine's memory, where generated code can load `events`.
 */
import { changesWithin } from './look.ts'

const WAKE = 0
const EVENTS = 1
const STATE = 2

export const CONTROL_BLOCK_BYTES = 16
/** Offset of the events word in the block, for generated code. */
export const EVENTS_OFFSET = EVENTS * 4

/** Why the vCPU should look up. Bits, so that several can be pending; each stays set until the vCPU takes it. */
export const Event = {
  /** Bytes or a break wait in a console's input ring. */
  input: 1 << 0,
  /** Messages (contract/vcpu.ts) wait on the worker's port; read them with receiveMessageOnPort. */
  message: 1 << 2,
  /** The io worker completed requests. */
  ioDone: 1 << 3,
  /** A compiled module is ready to be taken. */
  codeReady: 1 << 4,
  /** The debugger wants the vCPU to stop. */
  debugger: 1 << 5,
} as const

export const VcpuState = { starting: 0, running: 1, halted: 2, paused: 3, ended: 4 } as const
export type VcpuState = (typeof VcpuState)[keyof typeof VcpuState]

export class ControlBlock {
  readonly #words: Int32Array<SharedArrayBuffer>

  /** `offset` is in bytes, a multiple of 4. */
  constructor(buffer: SharedArrayBuffer, offset = 0) {
    this.#words = new Int32Array(buffer, offset, CONTROL_BLOCK_BYTES / 4)
  }

  static allocate(): SharedArrayBuffer {
    return new SharedArrayBuffer(CONTROL_BLOCK_BYTES)
  }

  /** Any thread: sets event bits and wakes the vCPU when it sleeps; true when it did. */
  raise(bits: number): boolean {
    Atomics.or(this.#words, EVENTS, bits)
    Atomics.add(this.#words, WAKE, 1)
    return Atomics.notify(this.#words, WAKE) > 0
  }

  /** vCPU: is anything pending? */
  pending(): boolean {
    return Atomics.load(this.#words, EVENTS) !== 0
  }

  /** vCPU: takes all pending event bits, leaving none. */
  take(): number {
    return Atomics.exchange(this.#words, EVENTS, 0)
  }

  /** vCPU: is anything raised within `milliseconds`? It does not sleep meanwhile. */
  raisedWithin(milliseconds: number): boolean {
    return changesWithin(this.#words, EVENTS, 0, milliseconds)
  }

  /** vCPU: sleeps until an event is raised or `timeout` ms (fractions allowed, default for ever) have passed. Events stay pending. */
  sleep(timeout?: number): void {
    const seen = Atomics.load(this.#words, WAKE)
    // Raised before `seen` was read: it would not change `wake` again, so do not sleep.
    if (this.pending()) return
    Atomics.wait(this.#words, WAKE, seen, timeout)
  }

  /** vCPU: tells the others what it is doing. */
  publish(state: VcpuState): void {
    Atomics.store(this.#words, STATE, state)
    Atomics.notify(this.#words, STATE)
  }

  get state(): VcpuState {
    return Atomics.load(this.#words, STATE) as VcpuState
  }
}
