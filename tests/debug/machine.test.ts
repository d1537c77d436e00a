/** Looking into a machine that runs: contract/debug.ts from the owner's end to the guest and back. */
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import type { Breakpoint, Debuggable, Stop } from '../../src-main/contract/debug.ts'
import { defaultMachine, MIB } from '../../src-main/machine/config.ts'
import { MachineHandle } from '../../src-main/workers/machine-handle.ts'
import { buildGuest } from './guest/build.ts'
import { symbolTable } from './guest/symbol-table.ts'

// this takes seconds, and many more where much else runs
vi.setConfig({ testTimeout: 90_000 })

const scratch = mkdtempSync(path.join(os.tmpdir(), 'longmode-debug-'))
let kernel = ''
let at: (name: string) => bigint
beforeAll(() => {
  const guest = buildGuest(scratch)
  kernel = guest.kernel
  at = symbolTable(guest.symbols)
})
const running: MachineHandle[] = []
afterEach(async () => {
  for (const handle of running.splice(0)) {
    handle.quit()
    await handle.ended
  }
})
afterAll(() => rmSync(scratch, { recursive: true }))

function start(startPaused: boolean): Debuggable {
  const config = { ...defaultMachine, kernel, memory: 64 * MIB, startPaused }
  const events = { output: () => Promise.resolve(), note: (text: string) => expect(text).toBe('') }
  const handle = new MachineHandle(config, events)
  running.push(handle)
  return handle.debug
}

const execute = (address: bigint): Breakpoint => ({ kind: 'execute', address, length: 1 })

/** Goes on until the next stop. */
async function next(debug: Debuggable): Promise<Stop> {
  const stop = new Promise<Stop>((resolve) => {
    const end = debug.onStop((reason) => {
      if (reason === undefined) return
      end()
      resolve(reason)
    })
  })
  await debug.ask('resume', {})
  return await stop
}

async function register(debug: Debuggable, name: string): Promise<bigint> {
  const { registers } = await debug.ask('registers', {})
  return registers.find((one) => one.name === name)!.value
}
async function u64(debug: Debuggable, address: bigint): Promise<bigint> {
  const { bytes, holes } = await debug.ask('readMemory', { space: 'virtual', address, length: 8 })
  expect(holes).toEqual([])
  return new DataView(bytes.buffer).getBigUint64(0, true)
}

describe('a paused machine', () => {
  it('stops at breakpoints on addresses that are not mapped yet, steps, and goes on', async () => {
    const debug = start(true)
    expect((await debug.ask('stop', {})).reason).toEqual({ kind: 'start' })
    expect(await debug.ask('registers', {})).toMatchObject({ codeBits: 32, cpl: 0 })
    await debug.ask('addBreakpoint', execute(at('work')))
    expect(await next(debug)).toEqual({
      reason: { kind: 'breakpoint', address: at('work') },
      rip: at('work'),
      at: at('work'),
    })
    expect(await debug.ask('registers', {})).toMatchObject({ codeBits: 64 })
    expect(await u64(debug, at('counter'))).toBe(0n)
    expect((await next(debug)).reason).toEqual({ kind: 'breakpoint', address: at('work') })
    expect(await u64(debug, at('counter'))).toBe(1n)
    // push rbp, mov rbp, call leaf
    const stepped = await debug.ask('step', { count: 3 })
    expect([stepped.reason.kind, stepped.at]).toEqual(['step', at('leaf')])
    expect((await debug.ask('step', { count: 1 })).at).toBeGreaterThan(at('leaf'))
    expect(await u64(debug, at('counter'))).toBe(2n)
    await debug.ask('addBreakpoint', execute(at('leaf')))
    expect((await debug.ask('step', { count: 1000 })).reason).toEqual({ kind: 'breakpoint', address: at('work') })
    expect((await debug.ask('step', { count: 1000 })).reason).toEqual({ kind: 'breakpoint', address: at('leaf') })
    expect(await debug.ask('breakpoints', {})).toHaveLength(2)
    await debug.ask('removeBreakpoint', execute(at('work')))
    await debug.ask('removeBreakpoint', execute(at('leaf')))
    await debug.ask('resume', {})
    while ((await u64(debug, at('counter'))) < 100n);
    expect((await debug.ask('stop', {})).reason).toEqual({ kind: 'pause' })
  })

  it('watches what is read and written, after the instruction that did it', async () => {
    const debug = start(true)
    await debug.ask('addBreakpoint', execute(at('work')))
    await next(debug)
    await debug.ask('removeBreakpoint', execute(at('work')))
    const counter = { kind: 'write', address: at('counter'), length: 8 } as const
    const shadow = { kind: 'access', address: at('shadow') + 3n, length: 1 } as const
    await debug.ask('addBreakpoint', counter)
    await debug.ask('addBreakpoint', shadow)
    const incremented = await next(debug)
    expect(incremented.reason).toEqual({
      kind: 'watchpoint',
      address: counter.address,
      watch: 'write',
      access: 'write',
    })
    expect(incremented.at).toBeGreaterThan(at('leaf'))
    expect(await u64(debug, at('counter'))).toBe(1n)
    expect(await u64(debug, at('shadow'))).toBe(0n)
    expect((await next(debug)).reason).toMatchObject({ address: shadow.address, access: 'write' })
    expect(await u64(debug, at('shadow'))).toBe(1n)
    await debug.ask('removeBreakpoint', counter)
    await debug.ask('addBreakpoint', { ...counter, kind: 'read' })
    expect((await next(debug)).reason).toMatchObject({ watch: 'read', access: 'read', address: counter.address })
    expect(await u64(debug, at('counter'))).toBe(2n)
    expect(await u64(debug, at('shadow'))).toBe(1n)
  })

  it('takes changes of registers and memory, also of code', async () => {
    const debug = start(true)
    await debug.ask('addBreakpoint', execute(at('leaf')))
    await next(debug)
    await debug.ask('setRegister', { name: 'rip', value: at('leaf') + 7n })
    await debug.ask('setRegister', { name: 'xmm1', value: (1n << 127n) | 5n })
    await debug.ask('setRegister', { name: 'rflags', value: 0x8d7n })
    expect(await register(debug, 'xmm1')).toBe((1n << 127n) | 5n)
    expect(await register(debug, 'rflags')).toBe(0x8d7n)
    expect(await register(debug, 'st0')).toBe(0x3fff_8000_0000_0000_0000n)
    expect(await register(debug, 'xmm0')).toBe(0x0123_4567_89ab_cdefn)
    await debug.ask('step', { count: 2 })
    expect(await u64(debug, at('counter'))).toBe(0n)
    // dec instead of inc: 48 ff 05 -> 48 ff 0d
    await debug.ask('writeMemory', { space: 'virtual', address: at('leaf') + 2n, bytes: Uint8Array.of(0x0d) })
    await next(debug)
    await next(debug)
    expect(BigInt.asIntN(64, await u64(debug, at('counter')))).toBe(-1n)
    await expect(debug.ask('setRegister', { name: 'cs', value: 8n })).rejects.toThrow('cannot be changed')
    await expect(debug.ask('setRegister', { name: 'eax', value: 8n })).rejects.toThrow('there is no register eax')
    await expect(
      debug.ask('writeMemory', { space: 'virtual', address: 0n - 1n + (1n << 64n), bytes: Uint8Array.of(1) }),
    ).rejects.toThrow('not mapped')
  })
})

describe('a running machine', () => {
  it('shows memory, page tables and the map of its address space', async () => {
    const debug = start(false)
    const top = 1n << 64n
    const pattern = new TextEncoder().encode('the banner of a guest')
    let found: readonly bigint[] = []
    while (found.length < 2) found = (await debug.ask('search', { space: 'virtual', from: 0n, to: top, pattern })).found
    expect(found).toEqual([at('message') - 0xffff800000000000n, at('message')])
    while ((await debug.ask('readMemory', { space: 'virtual', address: at('counter'), length: 1 })).bytes[0] === 0);
    const walk = await debug.ask('walk', { address: at('message') })
    expect(walk.levels.map(({ name }) => name)).toEqual(['PML4E', 'PDPTE', 'PDE'])
    expect(walk.levels[0]!.flags).toEqual(['present', 'writable', 'accessed'])
    expect(walk.levels[2]!.flags).toContain('large page')
    expect(walk.result).toMatchObject({ kind: 'mapped', pageBytes: 2 * MIB, physical: at('message') & 0xffffffn })
    const { ranges } = await debug.ask('map', { from: 0n })
    expect(ranges.map(({ start, end }) => [start, end])).toEqual([
      [0n, 0x400000n],
      [0xffff800000000000n, 0xffff800000400000n],
    ])
    const flags = (await debug.ask('registers', {})).registers.find(({ name }) => name === 'cr0')!.flags
    expect(flags).toContain('PG')
    await expect(debug.ask('setRegister', { name: 'rax', value: 0n })).rejects.toThrow('pause it first')
    await expect(debug.ask('step', { count: 1 })).rejects.toThrow('pause it first')
  })

  it('refuses what is asked of a machine that has ended', async () => {
    const debug = start(false)
    running[0]!.quit()
    await running[0]!.ended
    await expect(debug.ask('registers', {})).rejects.toThrow('the machine has ended')
  })
})
