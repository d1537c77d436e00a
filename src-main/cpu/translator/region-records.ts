/** Records of instructions that a region hands to handlers of the interpreter's (cpu/decode/record.ts has the form). */
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
    const { view } = this
    const at = this.free.pop() ?? REGION_RECORDS + this.unused++ * RECORD
    // the handler's number is not looked at: the region calls the handler itself
    view.setUint8(at + 2, insn.length)
    view.setUint8(at + 3, insn.access)
    view.setUint8(at + 4, insn.register)
    view.setUint8(at + 5, insn.rm)
    view.setUint8(at + 6, insn.index)
    view.setUint8(at + 7, insn.packed)
    view.setInt32(at + 8, insn.disp, true)
    view.setInt32(at + 12, insn.imm, true)
    return at
  }
}
