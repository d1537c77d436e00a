/**
 * Which instructions make a region: what can be reached from its entry within the page and the one after it, calls included. A called function is taken in
 * once for each place that calls it, so that its RET knows where it goes; a call of a function that is being run (recursion) goes to the
 * copy that is there. Indirect jumps and calls lead to the places that they were seen to go to.
 */
import type { DecodeMode } from '../decode/record.ts'
import { INDIRECT } from '../region.ts'
import type { Block } from './flow.ts'
import { RETURNS, type Insn, type InstructionReader } from './instructions.ts'

/** Instructions of a region at most, copies counted. */
const MOST = 300
/** Calls within calls. */
const DEEPEST = 3
/** Places that one RET is compared with. */
const MOST_RETURNS = 6

export interface Plan {
  /** Offset where it begins, and the key of the block there. */
  readonly begin: number
  readonly entry: number
  /** By their keys. */
  readonly blocks: ReadonlyMap<number, Block>
  readonly instructions: number
  /** Instructions that handlers of the interpreter's run. */
  readonly handled: readonly Insn[]
  /** Ranges, [from, to), that the code was made from. */
  readonly ranges: readonly (readonly [number, number])[]
}

/** A copy of a function, or the code that the region begins in. */
interface Copy {
  readonly number: number
  /** Offset where it begins. */
  readonly entry: number
  readonly caller: Copy | undefined
  readonly depth: number
  readonly insns: Map<number, Insn>
  readonly leaders: Set<number>
  /** Where its RETs may go. */
  readonly returns: Spot[]
  /** What its calls run, by the offset of the instruction. */
  readonly calls: Map<number, Copy>
  /** And where its indirect jumps and calls go. */
  readonly landings: Map<number, Spot[]>
}
interface Spot {
  readonly copy: Copy
  readonly at: number
}

/** What discovery asks about an offset. */
export interface Seen {
  /** Has the code there been jumped to? What has not is left to the interpreter. */
  isWarm(at: number): boolean
  /** Offsets that the indirect jump or call there was seen to go to; some may lie elsewhere. */
  targets(at: number): readonly number[]
}

/** Offsets are below those of two pages. */
const keyOf = (copy: Copy, at: number): number => copy.number * 8192 + at

export class Discovery {
  private readonly read: (at: number) => Insn | undefined
  private readonly seen: Seen
  private readonly copies: Copy[] = []
  private readonly waiting: Spot[] = []
  private count = 0
  /** Bytes of code. */
  private readonly size: number

  /** `code`: one page or two. */
  constructor(reader: InstructionReader, code: Uint8Array, mode: DecodeMode, seen: Seen) {
    const known = new Map<number, Insn | undefined>()
    this.read = (at) => {
      if (!known.has(at)) known.set(at, reader.read(code, at, mode))
      return known.get(at)
    }
    this.seen = seen
    this.size = code.length
  }

  /** A region from `entry`, or undefined when its first instruction is one for the interpreter. */
  plan(entry: number): Plan | undefined {
    const root = this.begin(entry, undefined)
    for (let next = this.waiting.shift(); next && this.count < MOST; next = this.waiting.shift())
      this.follow(next.copy, next.at)
    if (!root.insns.has(entry)) return undefined
    const insns = new Set(this.copies.flatMap((copy) => [...copy.insns.values()]))
    const blocks = new Map<number, Block>()
    for (const copy of this.copies) for (const block of blocksOf(copy)) blocks.set(block.key, block)
    const handled = [...insns].filter((insn) => insn.handler !== undefined)
    return {
      begin: entry,
      entry: keyOf(root, entry),
      blocks,
      instructions: this.count,
      handled,
      ranges: rangesOf(insns),
    }
  }

  private begin(entry: number, caller: Copy | undefined): Copy {
    const copy: Copy = {
      number: this.copies.length,
      entry,
      caller,
      depth: caller ? caller.depth + 1 : 0,
      insns: new Map(),
      leaders: new Set([entry]),
      returns: [],
      calls: new Map(),
      landings: new Map(),
    }
    this.copies.push(copy)
    this.waiting.push({ copy, at: entry })
    return copy
  }

  private follow(copy: Copy, from: number): void {
    const { insns, leaders } = copy
    for (let at = from; !insns.has(at) && this.count < MOST && at < this.size;) {
      const insn = this.read(at)
      if (!insn || insn.flow === 'cold') return
      insns.set(at, insn)
      this.count++
      const { target } = insn
      if ((insn.flow === 'branch' || insn.name === 'jmp') && this.isNear(target)) {
        if (insn.name === 'jmp' || this.seen.isWarm(target)) {
          leaders.add(target)
          this.waiting.push({ copy, at: target })
        }
      }
      if (insn.flow === 'branch') leaders.add(insn.next)
      if (insn.name === 'call' && this.isNear(target)) {
        const callee = this.call(copy, insn, target)
        if (callee) copy.calls.set(insn.at, callee)
      }
      if (INDIRECT.has(insn.name)) this.land(copy, insn)
      if (insn.flow === 'away') return
      at = insn.next
    }
  }
  private isNear(target: number | undefined): target is number {
    return target !== undefined && target >= 0 && target < this.size
  }
  private land(copy: Copy, insn: Insn): void {
    const spots: Spot[] = []
    for (const at of this.seen.targets(insn.at)) {
      if (!this.isNear(at) || !this.seen.isWarm(at)) continue
      const where = insn.name === 'jmp_near' ? copy : this.call(copy, insn, at)
      if (!where) continue
      spots.push({ copy: where, at })
      if (where !== copy) continue
      copy.leaders.add(at)
      this.waiting.push({ copy, at })
    }
    copy.landings.set(insn.at, spots)
  }
  /** What the call runs, when it is taken in. */
  private call(copy: Copy, insn: Insn, target: number): Copy | undefined {
    const callee = this.running(copy, target) ?? this.enter(copy, target)
    if (callee) this.returnTo(callee, copy, insn)
    return callee
  }
  private returnTo(callee: Copy, copy: Copy, insn: Insn): void {
    if (callee.returns.length === MOST_RETURNS || insn.next >= this.size) return
    callee.returns.push({ copy, at: insn.next })
    copy.leaders.add(insn.next)
    this.waiting.push({ copy, at: insn.next })
  }
  /** The copy of the function at `target` that has called this one, or is it. */
  private running(copy: Copy, target: number): Copy | undefined {
    for (let at: Copy | undefined = copy; at; at = at.caller) if (at.entry === target) return at
    return undefined
  }
  private enter(caller: Copy, target: number): Copy | undefined {
    return caller.depth < DEEPEST && this.seen.isWarm(target) ? this.begin(target, caller) : undefined
  }
}

function blocksOf(copy: Copy): Block[] {
  const { insns, leaders, calls, landings } = copy
  const blocks: Block[] = []
  for (const start of leaders) {
    if (!insns.has(start)) continue
    const list: Insn[] = []
    let last = insns.get(start)!
    for (let insn: Insn | undefined = last; insn; insn = insns.get(insn.next)) {
      list.push(insn)
      last = insn
      if (insn.flow !== 'next' || leaders.has(insn.next)) break
    }
    const to = (at: number | undefined, where: Copy | undefined = copy) =>
      at === undefined ? undefined : { at, key: where?.insns.has(at) ? keyOf(where, at) : undefined }
    const callee = calls.get(last.at)
    const spots = RETURNS.has(last.name) ? copy.returns : (landings.get(last.at) ?? [])
    blocks.push({
      key: keyOf(copy, start),
      insns: list,
      next: last.flow === 'away' ? undefined : to(last.next),
      // what is called without being taken in is outside, even if it is here for another reason
      target:
        last.name === 'call' ? callee && to(last.target, callee) : last.flow === 'next' ? undefined : to(last.target),
      landings: spots.filter((s) => s.copy.insns.has(s.at)).map((s) => ({ at: s.at, key: keyOf(s.copy, s.at) })),
    })
  }
  return blocks
}

function rangesOf(insns: ReadonlySet<Insn>): (readonly [number, number])[] {
  const ranges: [number, number][] = []
  for (const insn of [...insns].sort((a, b) => a.at - b.at)) {
    const last = ranges.at(-1)
    if (last && insn.at <= last[1]) last[1] = Math.max(last[1], insn.next)
    else ranges.push([insn.at, insn.next])
  }
  return ranges
}
