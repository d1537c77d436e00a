/** Where a running Linux really is: the slide between a symbol file and the machine (KASLR). */
import type { Debuggable } from '../../contract/debug.ts'
import type { SymbolTable } from './symbol-table.ts'

const BANNER = 'Linux version '
/** Where x86-64 Linux maps its image (Documentation/arch/x86/x86_64/mm.rst), and how much KASLR may move it. */
const IMAGE_START = 0xffff_ffff_8000_0000n
const IMAGE_END = 0xffff_ffff_c000_0000n
/** CONFIG_PHYSICAL_ALIGN is 2 MiB at least with KASLR. */
const ALIGN_MASK = 0x1f_ffffn

async function bannerAt(target: Debuggable, address: bigint): Promise<boolean> {
  const { bytes, holes } = await target.ask('readMemory', { space: 'virtual', address, length: BANNER.length })
  return holes.length === 0 && new TextDecoder().decode(bytes) === BANNER
}

/**
 * The slide of the running kernel against these symbols, proved by its banner lying where they say; undefined when it is
 * another kernel, or has not come far enough to tell. The system-call entry in LSTAR tells at once, a search of the image otherwise.
 */
export async function findSlide(target: Debuggable, symbols: SymbolTable): Promise<bigint | undefined> {
  const banner = symbols.get('linux_banner')?.address
  if (banner === undefined) return undefined
  const proved = async (slide: bigint) =>
    (slide & ALIGN_MASK) === 0n && (await bannerAt(target, BigInt.asUintN(64, banner + slide)))
  if (await proved(0n)) return 0n
  const entry = symbols.get('entry_SYSCALL_64')?.address
  const { registers } = await target.ask('registers', {})
  const lstar = registers.find(({ name }) => name === 'lstar')?.value ?? 0n
  if (entry !== undefined && lstar !== 0n && (await proved(lstar - entry))) return lstar - entry
  const pattern = new TextEncoder().encode(BANNER)
  for (let from: bigint | undefined = IMAGE_START; from !== undefined;) {
    const piece: { found: readonly bigint[]; next?: bigint } = await target.ask('search', {
      space: 'virtual',
      from,
      to: IMAGE_END,
      pattern,
    })
    const match = piece.found.find((address) => ((address - banner) & ALIGN_MASK) === 0n)
    if (match !== undefined) return match - banner
    from = piece.next
  }
  return undefined
}
