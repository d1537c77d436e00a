/** Records of instructions that a region hands to handlers of the interpreter's (cpu/decode/record.ts has the form). */
import { writeRecord } from '../decode/record.ts'
import { RECORD, REGION_RECORD_COUNT, REGION_RECORDS } from '../state/layout.ts'
import type { Insn } from './instructions.ts'

export class RegionRecords {
  private readonly view: DataView
  private readonly free: number[] = []
  private unused = 0

  constructor(view: DataView) {
    this.view = view
  }

  /** Records for these instructions, or undefined when there is no room. */
  take(insns: readonly Insn[]): ReadonlyMap<Insn, number> | undefined {
    if (insns.length > this.free.length + REGION_RECORD_COUNT - this.unused) return undefined
    return new Map(insns.map((insn) => [insn, this.write(insn)]))
  }
  give(records: Iterable<number>): void {
    this.free.push(...records)
  }

  private write(insn: Insn): number {
    const at = this.free.pop() ?? REGION_RECORDS + this.unused++ * RECORD
    // the handler's number is not looked at: the region calls the handler itself
    writeRecord(this.view, at, insn)
    return at
  }
}
