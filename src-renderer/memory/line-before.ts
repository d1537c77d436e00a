/**
 * The instruction that ends where another begins. x86 code cannot be read backwards; decoding from a little before usually falls into
 * step with the real instructions (Linn and Debray's self-repairing disassembly), so several starts are tried, the farthest first.
 */
import type { DisassembledLine } from '../../src-main/contract/services/debug.ts'

/** Longest instruction, in bytes. */
const LONGEST = 15n

export interface Disassembler {
  readonly id: string
  readonly api: {
    disassemble(id: string, ask: { address: bigint; count: number }): Promise<readonly DisassembledLine[]>
  }
}

export async function lineBefore({ api, id }: Disassembler, address: bigint): Promise<bigint | undefined> {
  for (let back = LONGEST * 3n; back > 0n; back--) {
    if (back > address) continue
    const lines = await api.disassemble(id, { address: address - back, count: Number(back) })
    const last = lines.find((line) => line.address + BigInt(line.bytes.length) === address)
    if (last !== undefined) return last.address
  }
  return undefined
}
