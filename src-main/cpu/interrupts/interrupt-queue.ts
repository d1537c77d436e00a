import type { SnapshotFields } from '../../base/snapshotable.ts'
import { VectorSet } from './vector-set.ts'

/** Fixed interrupts on their way: requested (IRR), in service (ISR), and which of them are level-triggered (SDM Vol. 3 §11.8.4). */
export class InterruptQueue {
  /** In the order of their registers: ISR at 0x100, TMR at 0x180, IRR at 0x200. */
  private readonly served = new VectorSet()
  private readonly levels = new VectorSet()
  private readonly requested = new VectorSet()

  reset(): void {
    for (const set of [this.served, this.levels, this.requested]) set.reset()
  }

  request(vector: number, level: boolean): void {
    this.requested.set(vector)
    if (level) this.levels.set(vector)
    else this.levels.clear(vector)
  }

  /** PPR (SDM Vol. 3 §11.8.3.1). */
  priority(taskPriority: number): number {
    const served = Math.max(0, this.served.highest())
    return taskPriority >> 4 >= served >> 4 ? taskPriority : served & 0xf0
  }

  /** The requested vector whose class is above the processor's priority; -1 for none. */
  candidate(taskPriority: number): number {
    const vector = this.requested.highest()
    return vector >= 0 && vector >> 4 > this.priority(taskPriority) >> 4 ? vector : -1
  }

  serve(vector: number): void {
    this.requested.clear(vector)
    this.served.set(vector)
  }

  /** EOI: the highest vector in service ends. Returns it when it is level-triggered, for the IO-APIC to hear; else -1. */
  end(): number {
    const vector = this.served.highest()
    if (vector < 0) return -1
    this.served.clear(vector)
    return this.levels.has(vector) ? vector : -1
  }

  /** Dword `index` (0..23) of the three registers, eight each. */
  word(index: number): number {
    return [this.served, this.levels, this.requested][index >> 3].word(index & 7)
  }

  save(): SnapshotFields {
    return { isr: this.served.save(), tmr: this.levels.save(), irr: this.requested.save() }
  }

  restore(fields: SnapshotFields): void {
    this.served.restore(fields.isr as Uint8Array)
    this.levels.restore(fields.tmr as Uint8Array)
    this.requested.restore(fields.irr as Uint8Array)
  }
}
