/** Which instructions make a region: what can be reached from its entry within the page. */
import type { DecodeMode } from '../decode/record.ts'
import type { Block } from './flow.ts'
import type { Insn, InstructionReader } from './instructions.ts'

/** Instructions of a region at most. */
const MOST = 300

export interface Plan {
  readonly entry: number
  readonly blocks: ReadonlyMap<number, Block>
  readonly instructions: number
  /** Instructions that handlers of the interpreter's run. */
  readonly handled: readonly Insn[]
  /** Ranges of the page, [from, to), that the code was made from. */
  readonly ranges: readonly (readonly [number, number])[]
}

/** A region from `entry`, or undefined when its first instruction is one for the interpreter. */
export function discover(
  reader: InstructionReader,
  bytes: Uint8Array,
  page: number,
  entry: number,
  mode: DecodeMode,
): Plan | undefined {
  const insns = new Map<number, Insn>()
  const leaders = new Set([entry])
  const waiting = [entry]
  while (waiting.length > 0 && insns.size < MOST) {
    let at = waiting.shift()!
    while (!insns.has(at) && insns.size < MOST && at < 4096) {
      const insn = reader.read(bytes, page, at, mode)
      if (!insn || insn.flow === 'cold') break
      insns.set(at, insn)
      if (insn.flow === 'branch' || insn.name === 'jmp') {
        const { target } = insn
        if (target !== undefined && target >= 0 && target < 4096) {
          leaders.add(target)
          waiting.push(target)
        }
        if (insn.flow === 'branch') leaders.add(insn.next)
      }
      if (insn.flow === 'away') break
      at = insn.next
    }
  }
  if (!insns.has(entry)) return undefined
  const handled = [...insns.values()].filter((insn) => insn.handler !== undefined)
  return { entry, blocks: blocksOf(insns, leaders), instructions: insns.size, handled, ranges: rangesOf(insns) }
}

function blocksOf(insns: ReadonlyMap<number, Insn>, leaders: ReadonlySet<number>): Map<number, Block> {
  const blocks = new Map<number, Block>()
  for (const start of leaders) {
    if (!insns.has(start)) continue
    const block: Block = { start, insns: [], next: start, target: undefined }
    for (let insn = insns.get(start); insn; insn = insns.get(block.next!)) {
      block.insns.push(insn)
      block.next = insn.flow === 'away' ? undefined : insn.next
      if (insn.flow === 'branch' || insn.name === 'jmp') block.target = insn.target
      if (insn.flow !== 'next' || leaders.has(insn.next)) break
    }
    blocks.set(start, block)
  }
  return blocks
}

function rangesOf(insns: ReadonlyMap<number, Insn>): (readonly [number, number])[] {
  const ranges: [number, number][] = []
  for (const insn of [...insns.values()].sort((a, b) => a.at - b.at)) {
    const last = ranges.at(-1)
    if (last && insn.at <= last[1]) last[1] = Math.max(last[1], insn.next)
    else ranges.push([insn.at, insn.next])
  }
  return ranges
}
