/**
 * Which of up to 32 locals have been loaded or written where code is being generated, so that exits store what may have changed on the way to
 * them, and the entry loads only what somebody reads, or stores, before it is written. One pass: a block is generated after all that lead to it
 * but those from a loop's end, and in a loop everything may have been written.
 */

/** A bit for each local. */
export interface Marks {
  /** May have been written since the entry. ALL: nothing is known. */
  readonly dirty: number
  /** Have been written on every path from the entry. */
  readonly defined: number
}
export const ALL = -1
export const NOTHING: Marks = { dirty: 0, defined: 0 }

/** Where two paths meet. */
export const meet = (a: Marks, b: Marks): Marks => ({ dirty: a.dirty | b.dirty, defined: a.defined & b.defined })
export const inLoop = ({ defined }: Marks): Marks => ({ dirty: ALL, defined })

export class Tracker {
  now: Marks = NOTHING
  /** Written anywhere; and written or read. */
  written: number
  touched: number
  /** What some, and all, of the stops have to store. */
  someStops = 0
  allStops = ALL
  private needed = 0
  /** Defined wherever all that is written anywhere is stored. */
  private sure = ALL

  /** `all`: of a first try. */
  constructor(all?: Tracker) {
    this.written = all?.written ?? 0
    this.touched = all?.touched ?? 0
  }
  read(bits: number): void {
    this.touched |= bits
    this.needed |= bits & ~this.now.defined
  }
  /** `isSure`: whatever condition the operation looks at. */
  write(bits: number, isSure: boolean): void {
    this.written |= bits
    this.touched |= bits
    const { dirty, defined } = this.now
    this.now = { dirty: dirty | bits, defined: isSure ? defined | bits : defined }
  }
  /** The code leaves from here: what it has to store (ALL: what is written anywhere). */
  leave(): number {
    const { dirty, defined } = this.now
    if (dirty === ALL) this.leaveForAll()
    else this.needed |= dirty & ~defined
    return dirty
  }
  /** It leaves for code that stores what is written anywhere. */
  leaveForAll(): void {
    this.sure &= this.now.defined
  }
  /** It leaves for the region's one stop, which is to store these. */
  stop(): number {
    const dirty = this.leave()
    this.someStops |= dirty
    this.allStops &= dirty
    return dirty
  }
  /** All have been stored and loaded again. */
  reloaded(): void {
    this.now = { dirty: 0, defined: ALL }
  }
  /** At the end of the generation: what the entry has to load. */
  get atEntry(): number {
    return this.needed | (this.written & ~this.sure)
  }
}
