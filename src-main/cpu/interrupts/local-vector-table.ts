import type { SnapshotFields } from '../../base/snapshotable.ts'
import { LVT_MASKED, LVT_WRITABLE } from './apic-registers.ts'

const ENTRIES = Object.keys(LVT_WRITABLE).map(Number)

/** The local vector table: what the timer, the two pins, the error register and the monitors deliver (SDM Vol. 3 §11.5.1). */
export class LocalVectorTable {
  private readonly entries = new Map<number, number>()

  has(register: number): boolean {
    return register in LVT_WRITABLE
  }

  get(register: number): number {
    return this.entries.get(register) ?? LVT_MASKED
  }

  /** Writable bits alone are kept. */
  set(register: number, value: number): number {
    const entry = value & LVT_WRITABLE[register]
    this.entries.set(register, entry)
    return entry
  }

  /** Delivery mode of an unmasked entry; undefined when masked. */
  mode(register: number): number | undefined {
    const entry = this.get(register)
    return entry & LVT_MASKED ? undefined : (entry >> 8) & 7
  }

  registers(): readonly number[] {
    return ENTRIES
  }

  reset(): void {
    this.entries.clear()
  }

  save(): SnapshotFields {
    return Object.fromEntries(ENTRIES.map((register) => [register.toString(16), this.get(register)]))
  }

  restore(fields: SnapshotFields): void {
    for (const register of ENTRIES) this.set(register, Number(fields[register.toString(16)] ?? LVT_MASKED))
  }
}
