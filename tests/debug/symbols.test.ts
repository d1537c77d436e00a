/** Symbols and disassembly against binutils. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Debuggable } from '../../src-main/contract/debug.ts'
import { disassemble } from '../../src-main/debug/disassembly.ts'
import { readElfSymbols, readSymbolList, readSymbols, type ByteSource } from '../../src-main/debug/symbols/read.ts'
import { findSlide } from '../../src-main/debug/symbols/slide.ts'
import { columnsOf } from '../../src-main/debug/symbols/columns.ts'
import { byAddress, SymbolTable } from '../../src-main/debug/symbols/symbol-table.ts'
import { buildGuest } from './guest/build.ts'
import { symbolTable } from './guest/symbol-table.ts'

const scratch = mkdtempSync(path.join(os.tmpdir(), 'longmode-symbols-'))
let file: string
beforeAll(() => {
  file = buildGuest(scratch).symbols
})
afterAll(() => rmSync(scratch, { recursive: true }))

const source = (bytes: Uint8Array): ByteSource => ({
  size: bytes.length,
  read: (offset, length) => bytes.subarray(offset, offset + length),
})

describe('symbols of an ELF file', () => {
  it('are those that nm lists', () => {
    const ours = new SymbolTable(columnsOf(readElfSymbols(source(readFileSync(file)))))
    const theirs = symbolTable(file)
    for (const name of ['_start', 'long_mode', 'main', 'work', 'leaf', 'counter', 'message', 'pml4'])
      expect([name, ours.addressOf(name)]).toEqual([name, theirs(name)])
    expect(ours.get('counter')).toMatchObject({ size: 8, kind: 'data' })
    expect(ours.get('leaf')).toMatchObject({ kind: 'code' })
    expect(ours.get('VIRTUAL')).toMatchObject({ kind: 'absolute' })
  })

  it('are found by address, with an offset and within their size', () => {
    const table = new SymbolTable(columnsOf(readElfSymbols(source(readFileSync(file)))))
    const leaf = table.addressOf('leaf')!
    expect(table.at(leaf)).toEqual({ symbol: 'leaf', offset: 0 })
    expect(table.at(leaf + 7n)).toEqual({ symbol: 'leaf', offset: 7 })
    expect(table.at(table.addressOf('shadow')! + 8n)).not.toMatchObject({ symbol: 'shadow' })
    expect(table.at(0x1000n)).toBeUndefined()
    expect(table.search('count', 1)).toEqual([{ name: 'counter', address: table.addressOf('counter') }])
  })

  it('are missing in plain words', () => {
    const stripped = path.join(scratch, 'stripped')
    execFileSync('strip', ['-o', stripped, file])
    expect(() => readSymbols(source(readFileSync(stripped)))).toThrow('it was stripped')
    expect(() => readSymbols(source(readFileSync(file).subarray(0, 900)))).toThrow('shorter than it says')
    expect(() => readSymbols(source(new TextEncoder().encode('hello')))).toThrow('neither an ELF file nor a list')
    expect(() => readSymbolList('0000000000000000 T _text\n')).toThrow('as root')
  })
})

describe('a table of many symbols', () => {
  // Few letters and few addresses: names that begin alike, several at one place, several of one name.
  const next = (
    (seed: number) => (below: number) =>
      (seed = (seed * 48271) % 0x7fffffff) % below
  )(7)
  const symbols = Array.from({ length: 3000 }, () => ({
    name: Array.from({ length: 1 + next(5) }, () => ['a', 'b', 'é', '_'][next(4)]!).join(''),
    address: 0xffffffff81000000n + BigInt(next(5000) * 16),
    size: next(3) * 20,
    kind: (['code', 'data', 'absolute'] as const)[next(3)]!,
  }))
  const table = new SymbolTable(columnsOf(symbols))
  const sorted = symbols.toSorted(byAddress)

  it('finds every name, and no other', () => {
    for (const { name } of symbols) expect(table.get(name)).toEqual(sorted.find((symbol) => symbol.name === name))
    for (const name of ['', 'c', 'aaaaaaaa', 'ab\u0301', '\u{10ffff}']) expect(table.get(name)).toBeUndefined()
    expect(table.size).toBe(3000)
  })
  it('finds what lies at an address', () => {
    const places = sorted.filter(({ kind }) => kind !== 'absolute')
    for (let n = 0; n < 2000; n++) {
      const address = 0xffffffff81000000n + BigInt(next(81_000))
      const near = places.filter((place) => place.address <= address).slice(-16)
      const holder = near.findLast(({ size, address: from }) => address - from < (size > 0 ? BigInt(size) : 1n << 20n))
      const first = places.find((place) => place.address === holder?.address)
      const expected = holder && { symbol: first!.name, offset: Number(address - holder.address) }
      expect([address, table.at(address)]).toEqual([address, expected])
    }
  })
  it('finds names by a part, the shortest first', () => {
    for (const part of ['', 'a', 'é', 'éa', '_b_', 'aaaa', 'none']) {
      const names = [...new Set(symbols.map(({ name }) => name))].filter((name) => name.includes(part))
      const bytes = (name: string) => new TextEncoder().encode(name).length
      names.sort((a, b) => bytes(a) - bytes(b) || (a < b ? -1 : 1))
      expect(table.search(part, 40)).toEqual(
        names.slice(0, 40).map((name) => ({ name, address: table.addressOf(name) })),
      )
    }
  })
})

const MAP = `0000000000001000 D per_cpu_thing
ffffffff81000000 T _text
ffffffff81000040 T entry_SYSCALL_64
ffffffff81000080 t helper\t[module]
ffffffff82000000 D linux_banner
`

describe('the slide of a kernel', () => {
  /** A kernel whose banner is `slide` away from its symbols. */
  function kernel(slide: bigint, lstar: bigint): Debuggable {
    const banner = new TextEncoder().encode('Linux version 6.1')
    const here = 0xffffffff82000000n + slide
    const ask = (kind: string, asked: { address: bigint; length: number }): unknown => {
      if (kind === 'registers') return { registers: [{ name: 'lstar', value: lstar }] }
      if (kind === 'search') return { found: [here] }
      const bytes = asked.address === here ? banner.subarray(0, asked.length) : new Uint8Array(asked.length)
      return { bytes, holes: [] }
    }
    return {
      ask: (kind: string, asked: never) => Promise.resolve(ask(kind, asked)),
      onStop: () => () => undefined,
    } as unknown as Debuggable
  }

  it('is told by the entry of system calls or by the banner, and applied to names both ways', async () => {
    const table = new SymbolTable(columnsOf(readSymbolList(MAP)))
    expect(await findSlide(kernel(0n, 0n), table)).toBe(0n)
    expect(await findSlide(kernel(0x1e00000n, 0xffffffff82e00040n), table)).toBe(0x1e00000n)
    expect(await findSlide(kernel(0x2400000n, 0n), table)).toBe(0x2400000n)
    expect(await findSlide(kernel(0x2400010n, 0n), new SymbolTable(columnsOf(readSymbolList(MAP))))).toBeUndefined()
    table.slide = 0x1e00000n
    expect(table.addressOf('_text')).toBe(0xffffffff82e00000n)
    expect(table.at(0xffffffff82e00090n)).toEqual({ symbol: 'helper', offset: 16 })
    expect(table.addressOf('per_cpu_thing')).toBe(0x1000n)
    expect(table.at(0x1004n)).toBeUndefined()
  })
})

describe('disassembly', () => {
  it('agrees with objdump on where instructions begin and where they lead', () => {
    const table = new SymbolTable(columnsOf(readElfSymbols(source(readFileSync(file)))))
    const [start, end] = [table.addressOf('main')!, table.addressOf('leaf')! + 15n]
    const dump = execFileSync('objdump', ['-d', '--insn-width=15', '-j', '.text', file], { encoding: 'utf8' })
    const theirs = [...dump.matchAll(/^\s*([0-9a-f]{16}):\t((?:[0-9a-f]{2} )+)/gm)]
      .map(([, address, hex]) => ({ address: BigInt(`0x${address}`), hex: hex!.replaceAll(' ', '') }))
      .filter(({ address }) => address >= start && address < end)
    const raw = Buffer.from(theirs.map(({ hex }) => hex).join(''), 'hex')
    const lines = disassemble({ bytes: raw, address: start, bits: 64, symbols: table })
    expect(lines.map(({ address, bytes }) => ({ address, hex: Buffer.from(bytes).toString('hex') }))).toEqual(theirs)
    const call = lines.find(({ targetName }) => targetName === 'work')!
    expect([call.text.startsWith('call'), call.target]).toEqual([true, table.addressOf('work')])
    expect(lines.find(({ targetName }) => targetName === 'counter')?.text).toMatch(/\[0xffff800000102000\]/)
    expect(lines.filter(({ label }) => label).map(({ label }) => label)).toEqual(['main', 'work', 'leaf'])
  })

  it('goes on after bytes that are no instruction, and leaves out one that is cut off', () => {
    const lines = disassemble({ bytes: Uint8Array.of(0x06, 0x90, 0x48, 0xb8, 1, 2), address: 0x1000n, bits: 64 })
    expect(lines.map(({ address, text }) => [address, text])).toEqual([
      [0x1000n, '(bad)'],
      [0x1001n, 'nop'],
    ])
    expect(disassemble({ bytes: Uint8Array.of(0xb8, 1, 2), address: 0n, bits: 16, syntax: 'att' })[0]!.text).toBe(
      'mov $0x201, %ax',
    )
  })
})
