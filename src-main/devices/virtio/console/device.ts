import type { SnapshotFields } from '../../../base/snapshotable.ts'
import type { ConsoleBackend, TerminalSize } from '../../backends.ts'
import { scatter, type VirtioDevice, type VirtioHost } from '../device.ts'
import { segmentsLength } from '../queue.ts'

/** Queues of port 0, VIRTIO 1.2 section 5.3.2. */
const RECEIVE = 0
const TRANSMIT = 1
/** VIRTIO_CONSOLE_F_SIZE: cols and rows in the configuration count. */
const SIZE = 1 << 0
/** struct virtio_console_config, section 5.3.4: cols, rows, max_nr_ports, emerg_wr. */
const CONFIG_BYTES = 12
/** What is taken from the backend, and copied out of the guest, at a time. */
const PIECE_BYTES = 4096

/**
 * Console device, VIRTIO 1.2 section 5.3, with its one port: Linux calls it hvc0. Its size is told through the configuration and not by
 * VIRTIO_CONSOLE_RESIZE: about the order of that message's fields the specification and Linux disagree. So a machine with several
 * consoles has several of these instead of one with several ports.
 */
export class VirtioConsole implements VirtioDevice {
  readonly name: string
  readonly type = 3
  readonly transitionalId = 0x1003
  readonly classCode = 0x078000
  readonly features = SIZE
  readonly queues = [64, 64]
  readonly config = new Uint8Array(CONFIG_BYTES)
  readonly #backend: ConsoleBackend
  #host!: VirtioHost
  /** Typed, and no buffer of the driver's was there for it. */
  #typed = new Uint8Array(0)
  /**
   * Linux forgets a size that it hears before its port is complete, and printing is a part of completing it. So the size is told again at the
   * first output and at the first input of every run of the driver; by then somebody sits in front of it.
   */
  #toldAt = { output: false, input: false }

  constructor(name: string, backend: ConsoleBackend) {
    this.name = name
    this.#backend = backend
    backend.onReadable = () => this.#receive()
    backend.onResize = (size) => this.#resize(size)
  }

  attach(host: VirtioHost): void {
    this.#host = host
  }

  notified(queue: number): void {
    if (queue === RECEIVE) this.#receive()
    else if (queue === TRANSMIT) this.#transmit()
  }

  reset(): void {
    this.#toldAt = { output: false, input: false }
  }

  save(): SnapshotFields {
    return { typed: [...this.#typed], config: [...this.config], toldAt: { ...this.#toldAt } }
  }

  restore(fields: SnapshotFields): void {
    this.#typed = Uint8Array.from(fields.typed as number[])
    this.config.set(fields.config as number[])
    const { output, input } = fields.toldAt as { output: boolean; input: boolean }
    this.#toldAt = { output, input }
  }

  #resize({ columns, rows }: TerminalSize): void {
    const view = new DataView(this.config.buffer)
    view.setUint16(0, columns, true)
    view.setUint16(2, rows, true)
    this.#host.configChanged()
  }

  #transmit(): void {
    for (let chain = this.#host.pop(TRANSMIT); chain !== undefined; chain = this.#host.pop(TRANSMIT)) {
      for (const { gpa, length } of chain.readable) this.#write(gpa, length)
      this.#host.push(TRANSMIT, chain, 0)
    }
    this.#tell('output')
  }

  /** What is not in memory is not printed; the driver has the rest of its console. */
  #write(gpa: number, length: number): void {
    for (let at = 0; at < length; at += PIECE_BYTES) {
      const bytes = this.#host.memory.read(gpa + at, Math.min(PIECE_BYTES, length - at))
      if (bytes === undefined) return
      this.#backend.write(bytes)
    }
  }

  #receive(): void {
    for (;;) {
      if (this.#typed.length === 0) this.#typed = new Uint8Array(this.#backend.read(PIECE_BYTES))
      if (this.#typed.length === 0) return
      const chain = this.#host.pop(RECEIVE)
      if (chain === undefined) return
      const room = this.#typed.subarray(0, segmentsLength(chain.writable))
      const written = scatter(this.#host.memory, chain.writable, room)
      this.#host.push(RECEIVE, chain, written)
      this.#typed = this.#typed.slice(written)
      this.#tell('input')
    }
  }

  #tell(occasion: 'output' | 'input'): void {
    if (this.#toldAt[occasion]) return
    this.#toldAt[occasion] = true
    this.#host.configChanged()
  }
}
