import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { scratchFolder } from '../../../tests/fixtures/scratch.ts'
import type { Debuggable } from '../../contract/debug.ts'
import type { Peer } from '../../contract/rpc/host.ts'
import type { AllServices } from '../../contract/services/index.ts'
import { defaultMachine } from '../../machine/config.ts'
import { debugHandlers } from '../services/debug.ts'
import type { MachineLibrary } from './library.ts'
import { MachineSymbols, symbolPlaces } from './symbols.ts'

const scratch = scratchFolder('symbols')
const BANNER = 0xffff_ffff_8180_0100n
const START = 0xffff_ffff_8100_0000n
/** How far this kernel is from where its System.map says. */
const SLIDE = 0x0a20_0000n
const nobody = {} as Peer<AllServices>

/** A machine whose kernel stands `SLIDE` further up; its code is `call` of the function behind it, then `ret`. */
function machineWith(kernel: string) {
  const text = new TextEncoder().encode('Linux version 6.1')
  // e8 rel32: call START+16; c3: ret (Intel SDM Vol. 2).
  const code = Uint8Array.of(0xe8, 0x0b, 0, 0, 0, 0xc3)
  const read = (address: bigint, length: number) => {
    const [from, known] = address >= BANNER + SLIDE ? [BANNER + SLIDE, text] : [START + SLIDE, code]
    const at = Number(address - from)
    const bytes = new Uint8Array(length)
    if (at < 0 || at >= known.length) return { bytes, holes: [{ offset: 0, length, why: 'unmapped' }] }
    const part = known.subarray(at, at + length)
    bytes.set(part)
    return {
      bytes,
      holes: part.length < length ? [{ offset: part.length, length: length - part.length, why: 'unmapped' }] : [],
    }
  }
  const answers: Record<string, (ask: { address: bigint; length: number }) => unknown> = {
    readMemory: ({ address, length }) => read(address, length),
    registers: () => ({ registers: [], codeBits: 64 }),
    search: () => ({ found: [BANNER + SLIDE] }),
  }
  const debug = { ask: (kind: string, ask: never) => Promise.resolve(answers[kind](ask)) } as unknown as Debuggable
  const run = { debug }
  const library = { get: () => ({ config: { ...defaultMachine, kernel } }), activeRun: () => run, running: () => run }
  return library as unknown as MachineLibrary
}

describe('symbols of a machine', () => {
  it('are looked for beside its kernel and at the top of its tree', () => {
    expect(symbolPlaces('/boot/vmlinuz-6.1')).toEqual([
      '/boot/vmlinux-6.1',
      '/boot/vmlinux',
      '/boot/System.map-6.1',
      '/boot/System.map',
    ])
    expect(symbolPlaces('/src/linux/arch/x86_64/boot/bzImage')).toContain('/src/linux/System.map')
  })
  it('name addresses and code where the kernel really is', async () => {
    const tree = path.join(scratch, 'linux')
    mkdirSync(path.join(tree, 'arch/x86/boot'), { recursive: true })
    const map = ['ffffffff81000000 T first', 'ffffffff81000010 T second', 'ffffffff81800100 D linux_banner']
    writeFileSync(path.join(tree, 'System.map'), `${map.join('\n')}\n`)
    const library = machineWith(path.join(tree, 'arch/x86/boot/bzImage'))
    const handlers = debugHandlers(library, new MachineSymbols(library))
    expect(await handlers.symbols(nobody, 'm')).toEqual({ path: path.join(tree, 'System.map'), count: 3, slide: SLIDE })
    expect(await handlers.findSymbols(nobody, 'm', 'linux_b')).toEqual([
      { name: 'linux_banner', address: BANNER + SLIDE },
    ])
    expect(await handlers.symbolsAt(nobody, 'm', [START + SLIDE + 4n, 0n])).toEqual([
      { name: 'first', offset: 4 },
      undefined,
    ])
    const lines = await handlers.disassemble(nobody, 'm', { address: START + SLIDE, count: 5 })
    expect(lines.map(({ text, label, target }) => [label, text.replace(/ 0x\w+/, ''), target])).toEqual([
      ['first', 'call <second>', START + SLIDE + 16n],
      [undefined, 'ret', undefined],
    ])
  })
  it('that are no symbols are a sentence', async () => {
    const file = path.join(scratch, 'notes.txt')
    writeFileSync(file, 'hello')
    const library = machineWith('/none')
    const symbols = new MachineSymbols(library)
    await expect(async () => symbols.load('m', file)).rejects.toThrow('choose a vmlinux or System.map')
    await expect(async () => symbols.load('m', path.join(scratch, 'gone'))).rejects.toThrow('cannot be opened')
    expect(await symbols.source('m')).toBeUndefined()
  })
})
