/**
 * Between whoever owns a machine (command line, window) and its vCPU worker. Bytes of the console go through two rings, attention
 * through the control block, everything else through messages on the worker's port.
 *
 * The first message is `start`; the worker reads it from its event loop. From then on the worker may be busy for ever: every later
 * message is posted first and `Event.message` raised second, and the worker reads the port with receiveMessageOnPort until it is empty.
 * Console input: the owner writes to the ring, then raises `Event.input`. Console output: the worker writes to the ring and
 * waits for room when it is full; the owner waits with `dataAvailable`. Where the output goes (terminal, file, window) is
 * the owner's affair. Each channel keeps its order; between input bytes, breaks and messages none is promised.
 * `exited` or `error` is the worker's last message; output that stands in the ring before it belongs to it.
 */
import type { Accelerator, MachineConfig } from '../machine/config.ts'
import type { DebugRequest, Stop } from './debug.ts'

/** Buffers made by the owner. */
export interface VcpuBuffers {
  /** A ControlBlock (base/control-block.ts). */
  readonly control: SharedArrayBuffer
  /** In the order of `consoleNames` (machine/config.ts): COM1, then the virtio consoles. */
  readonly consoles: readonly ConsoleBuffers[]
}

/** ByteRings (base/byte-ring.ts) of one console. */
export interface ConsoleBuffers {
  readonly input: SharedArrayBuffer
  readonly output: SharedArrayBuffer
}

/** Owner -> worker. */
export type ToVcpu =
  | {
      readonly type: 'start'
      readonly config: MachineConfig
      readonly buffers: VcpuBuffers
      /** A MessagePort for the io worker, which speaks contract/io.ts. */
      readonly io: object
    }
  | { readonly type: 'pause' }
  | { readonly type: 'resume' }
  /** Reset of the whole machine; the kernel is loaded again. */
  | { readonly type: 'reset' }
  /** The power button: the guest is asked to switch off, and may not listen. */
  | { readonly type: 'powerButton' }
  /** The power button, and when the guest switches off because of it, a reset instead of the end. */
  | { readonly type: 'restart' }
  /** The view of a virtio console has this many characters. COM1 has no way to tell. */
  | { readonly type: 'resize'; readonly console: number; readonly columns: number; readonly rows: number }
  /** End now, without asking the guest; answered by `exited` with reason `quit`. Disks are flushed. */
  | { readonly type: 'quit' }
  /** One line for the monitor, answered by `reply` with the same id. */
  | { readonly type: 'monitor'; readonly id: number; readonly line: string }
  /** The translator's thread is gone: nothing more is translated. */
  | { readonly type: 'translatorEnded' }
  /** Looking into the machine (debug.ts), answered by `debugged` with the same id. */
  | { readonly type: 'debug'; readonly id: number; readonly request: DebugRequest }

export const exitReasons = ['power-off', 'guest-reset', 'debug-exit', 'quit'] as const
export type ExitReason = (typeof exitReasons)[number]

/** Worker -> owner. */
export type FromVcpu =
  /** The machine is built; the first instruction follows. */
  | { readonly type: 'started'; readonly accelerator: Accelerator }
  /** The owner starts the translator's thread with this (workers/translator/start.ts): it hears when that ends, however it does. */
  | { readonly type: 'translator'; readonly start: object; readonly port: object }
  | { readonly type: 'reply'; readonly id: number; readonly text: string }
  /** Something the user should read, one line. */
  | { readonly type: 'note'; readonly text: string }
  | { readonly type: 'paused' | 'resumed' }
  /** The machine begins again: the guest reset it, or somebody asked for it. */
  | { readonly type: 'reset' }
  /** The vCPU stands, and why: beside `paused` when somebody asked for it. */
  | { readonly type: 'stopped'; readonly stop: Stop }
  /** The answer of debug.ts for the request's kind, or why there is none. */
  | {
      readonly type: 'debugged'
      readonly id: number
      readonly result:
        { readonly ok: true; readonly answer: unknown } | { readonly ok: false; readonly sentence: string }
    }
  /** The end as the guest or user wanted it. `code` is what the program exits with. */
  | { readonly type: 'exited'; readonly reason: ExitReason; readonly code: number }
  /**
   * The end because of us. `host`: something of the user's cannot be used (file, port, memory) and `sentence` says what;
   * `bug`: an assertion failed, `details` is the crash report.
   */
  | { readonly type: 'error'; readonly cause: 'host' | 'bug'; readonly sentence: string; readonly details?: string }

/** What the program exits with: power-off, reset under -no-reboot and quit 0; isa-debug-exit (value << 1) | 1, as QEMU, in 8 bits. */
export function exitCode(reason: ExitReason, debugValue = 0): number {
  return reason === 'debug-exit' ? ((debugValue << 1) | 1) & 0xff : 0
}

/** Bytes of the rings: a pasted screenful in, a burst of kernel messages out. */
export const INPUT_RING_BYTES = 1 << 16
export const OUTPUT_RING_BYTES = 1 << 20
