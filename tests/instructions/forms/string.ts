// String instructions: every element size, with and without repeat prefixes, both directions, 32-bit addresses.
import type { Family, Prepare, Row, RowOptions } from '../form.ts'
import { FLAG, WINDOW_BASE, WINDOW_PAGES, WINDOW_PAGE_BYTES } from '../layout.ts'
import { RAX, RCX, RDI, RSI } from './hooks.ts'

const MOST_ELEMENTS = 24

/** Counts small, both strings inside the window, often equal for a while; one in twenty runs into the unmapped page. */
const prepareString: Prepare = (c) => {
  const { random } = c
  const narrow = c.form.options.tag?.includes('a32') === true
  const noise = narrow && c.mode === 'long64' ? BigInt(random.u32()) << 32n : 0n
  c.setGpr(RCX, noise | BigInt(random.below(MOST_ELEMENTS)))
  const source = WINDOW_BASE + random.between(200, 800)
  let destination = random.oneIn(4) ? source + random.between(-20, 20) : WINDOW_BASE + random.between(200, 800)
  if (random.oneIn(20))
    destination = WINDOW_PAGES + (c.flags & FLAG.DF ? random.below(20) : WINDOW_PAGE_BYTES - random.below(40))
  c.setGpr(RSI, noise | BigInt(source))
  c.setGpr(RDI, noise | BigInt(destination))
  if (random.oneIn(2)) c.flags ^= FLAG.DF
  if (random.oneIn(3)) return
  // Few different bytes: comparisons and scans go on for some elements.
  const fill = random.pick([0, 0xff, 0x41])
  for (let offset = 0; offset < 1024; offset++) if (!random.oneIn(24)) c.write(BigInt(WINDOW_BASE + offset), [fill])
  c.setGpr(RAX, BigInt('0x' + fill.toString(16).padStart(2, '0').repeat(8)))
}

const NAMES: readonly (readonly [string, number])[] = [
  ['movs', 0xa4],
  ['cmps', 0xa6],
  ['stos', 0xaa],
  ['lods', 0xac],
  ['scas', 0xae],
]

const PREFIXES: readonly (readonly [string, string])[] = [
  ['', ''],
  ['rep', 'f3 '],
  ['repne', 'f2 '],
]

function rows(): Row[] {
  const all: Row[] = []
  for (const [name, opcode] of NAMES)
    for (const [repeat, prefix] of PREFIXES)
      for (const narrow of [false, true]) {
        const tag = [repeat, narrow ? 'a32' : ''].filter(Boolean).join(' ')
        const options: RowOptions = { prepare: prepareString, ...(tag ? { tag } : {}) }
        const bytes = `${narrow ? '67 ' : ''}${prefix}`
        // With 16-bit addresses (a32's prefix in compatibility mode) no string reaches the window.
        const modes = narrow ? 'long64' : 'both'
        all.push([`${name}b`, bytes + opcode.toString(16), { ...options, modes }])
        all.push([name, bytes + (opcode + 1).toString(16), { ...options, modes, sizes: [16, 32, 64] }])
      }
  return all
}

export const strings: readonly Family[] = [{ name: 'string', rows: rows() }]
