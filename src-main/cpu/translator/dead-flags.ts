/**
 * Flags that nobody sees: an instruction's, when the next one that touches flags sets all of them and nothing between can fault, leave or be
 * left. (The host's optimizing compiler finds most of these too; here they cost nothing to begin with.)
 */
import { KIND, SIZE_NONE, SIZE_SHIFT } from '../decode/record.ts'
import type { Insn } from './instructions.ts'

/** Operations that set CF, PF, AF, ZF, SF and OF whatever happens, and read none of them. */
const SETTERS = new Set(['add', 'sub', 'and', 'or', 'xor', 'cmp', 'test', 'neg'])
/** Operations without flags. */
const NEUTRAL = new Set(['mov', 'movzx', 'movsx', 'lea', 'not', 'xchg', 'bswap'])

/** Registers alone: it cannot fault. */
function isQuiet(insn: Insn): boolean {
  if (insn.handler !== undefined || insn.flow !== 'next') return false
  const kind = insn.access & 7
  const sizeCode = (insn.access >> SIZE_SHIFT) & 7
  return insn.access === 0 || kind === KIND.gpr || sizeCode === SIZE_NONE
}

/** Places in a block of the instructions whose flags are dead. */
export function deadFlags(insns: readonly Insn[]): ReadonlySet<number> {
  const dead = new Set<number>()
  // does what follows set all flags before anybody can see them?
  let isOverwritten = false
  for (let n = insns.length - 1; n >= 0; n--) {
    const insn = insns[n]!
    const isSetter = SETTERS.has(insn.name)
    if (isSetter && isOverwritten) dead.add(n)
    if (!isQuiet(insn)) isOverwritten = false
    else if (isSetter) isOverwritten = true
    else if (!NEUTRAL.has(insn.name)) isOverwritten = false
  }
  return dead
}
