/** The monitor's commands on a machine that runs (guest/guest.S): from the line typed to the engine and back. */
import { mkdtempSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { runMonitorCommand } from '../../src-main/cli/monitor.ts'
import { MONITOR_COMMANDS } from '../../src-main/contract/monitor.ts'
import { defaultMachine, MIB } from '../../src-main/machine/config.ts'
import { MachineHandle } from '../../src-main/workers/machine-handle.ts'
import { buildGuest } from './guest/build.ts'
import { symbolTable } from './guest/symbol-table.ts'

const scratch = mkdtempSync(path.join(os.tmpdir(), 'longmode-monitor-'))
let kernel = ''
let at: (name: string) => bigint
let handle: MachineHandle
beforeAll(() => {
  const guest = buildGuest(scratch)
  kernel = guest.kernel
  at = symbolTable(guest.symbols)
})
afterEach(async () => {
  handle.quit()
  await handle.ended
})
afterAll(() => rmSync(scratch, { recursive: true }))

/** A machine whose guest is in its endless loop, and what types into its monitor. */
async function start(): Promise<(line: string) => Promise<string>> {
  const events = { output: () => Promise.resolve(), note: (text: string) => expect(text).toBe('') }
  handle = new MachineHandle({ ...defaultMachine, kernel, memory: 64 * MIB, startPaused: true }, events)
  await handle.debug.ask('stop', {})
  await handle.debug.ask('addBreakpoint', { kind: 'execute', address: at('work'), length: 1 })
  const stopped = new Promise<void>((resolve) => {
    const end = handle.debug.onStop((stop) => {
      if (stop === undefined) return
      end()
      resolve()
    })
  })
  await handle.debug.ask('resume', {})
  await stopped
  const target = {
    pause: () => handle.pause(),
    resume: () => handle.resume(),
    reset: () => handle.reset(),
    quit: () => handle.quit(),
    ask: (line: string) => handle.monitor(line),
  }
  return (line) => runMonitorCommand(target, line)
}

const hex = (value: bigint): string => value.toString(16).padStart(16, '0')

describe('the monitor', { timeout: 120_000 }, () => {
  it('shows registers as QEMU does', async () => {
    const type = await start()
    const text = await type('info registers')
    expect(text).toContain(`RIP=${hex(at('work'))} RFL=`)
    expect(text).toMatch(/^CS =0008 0{16} ffffffff .*64-bit/m)
    expect(text).toMatch(/^CR0=80010033 CR2=0{16} CR3=[0-9a-f]{16} CR4=00000620$/m)
    expect(text).toMatch(/^ST0=3fff8000000000000000 /m)
    expect(text).toMatch(/^XMM0=00000000000000000123456789abcdef /m)
  })

  it('shows memory in every format, and what is not there', async () => {
    const type = await start()
    const message = at('message')
    expect(await type(`x/3xb 0x${message.toString(16)}`)).toBe(`${hex(message)}: 0x74 0x68 0x65`)
    expect(await type(`xp /1xg 0x${(message - 0xffff800000000000n).toString(16)}`)).toContain(': 0x6e6e616220656874')
    expect(await type(`x/2c 0x${message.toString(16)}`)).toBe(`${hex(message)}: 't' 'h'`)
    // 0x48 is the first byte of mov rbp, rsp after push rbp (0x55)
    expect(await type('x/2xb $rip')).toBe(`${hex(at('work'))}: 0x55 0x48`)
    expect(await type('x/1ub $rip + 4 - 4')).toBe(`${hex(at('work'))}: 85`)
    const gdt = at('gdt') + 8n
    expect(await type(`x/4xw 0x${gdt.toString(16)}`)).toBe(`${hex(gdt)}: 0x0000ffff 0x00af9b00 0x0000ffff 0x00cf9300`)
    expect(await type(`x/5dh 0x${gdt.toString(16)}`)).toMatch(/: -1 0 -25856 175 -1$/)
    expect((await type(`x/9xb 0x${gdt.toString(16)}`)).split('\n')).toHaveLength(2)
    expect(await type('x 0x400000')).toBe('Cannot access memory at 0x400000')
    expect(await type('xp/2xg 0x3fffff8')).toBe(
      '0000000003fffff8: 0x0000000000000000\nCannot access memory at 0x4000000',
    )
    expect(await type('x/xz 0')).toBe("invalid char 'z' in format '/xz'")
    expect(await type('x $tea')).toBe("unknown register '$tea'")
    expect(await type('x')).toBe('an address is missing')
    expect(await type('x/2i $rip')).toBe(
      [
        `0x${at('work').toString(16)}: 55                             push %rbp`,
        `0x${(at('work') + 1n).toString(16)}: 48 89 e5                       mov %rsp, %rbp`,
      ].join('\n'),
    )
    // the last byte of RAM begins an instruction that does not end there
    expect(await type('xp/2i 0x3ffffff')).toBe('Cannot access memory at 0x4000000')
  })

  it('shows what is mapped', async () => {
    const type = await start()
    expect(await type('info mem')).toBe(
      [
        '0000000000000000-0000000000400000 0000000000400000 -rw',
        'ffff800000000000-ffff800000400000 0000000000400000 -rw',
      ].join('\n'),
    )
    const pages = (await type('info tlb')).split('\n')
    expect(pages).toHaveLength(4)
    expect(pages[0]).toMatch(/^0000000000000000: 0000000000000000 --P.A---W$/)
    expect(pages[3]).toMatch(/^ffff800000200000: 0000000000200000 --P.....W$/)
  })

  it('shows the machine', async () => {
    const type = await start()
    expect(await type('info status')).toBe('VM status: paused')
    expect(await type('info mtree')).toContain('0000000000000000-0000000003ffffff: ram')
    expect(await type('info mtree')).toContain('00000000000003f8-00000000000003ff: serial0')
    expect(await type('info pic')).toContain('pic0: irr=00 imr=')
    expect(await type('info pic')).toMatch(/pin 23 0x0000000000010000 dest=00 vec=00 active-hi edge {2}masked fixed/)
    expect(await type('info irq')).toBe('IRQ statistics:')
    expect(await type('info block')).toBe('no disks')
    expect(await type('info jit')).toMatch(/^retired +\d+/)
    await type('cont')
    await handle.debug.ask('removeBreakpoint', { kind: 'execute', address: at('work'), length: 1 })
    await type('cont')
    expect(await type('info status')).toBe('VM status: running')
  })

  it('answers every command of its table', async () => {
    const type = await start()
    for (const { name, by } of MONITOR_COMMANDS)
      if (by === 'engine') expect(await type(name)).not.toContain('unknown command')
  })
})
