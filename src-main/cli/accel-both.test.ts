import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { elf } from '../boot/test-images.ts'
import { defaultMachine, type MachineConfig } from '../machine/config.ts'
import { rawDisk } from '../../tests/fixtures/raw-disk.ts'
import { MachineHandle, type MachineEnd } from '../workers/machine-handle.ts'

const scratch = mkdtempSync(path.join(os.tmpdir(), 'longmode-both-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const START = 0x200000
/** mov ecx, 100000; L: add eax, ecx; xor edx, eax; shl eax, 1; mov [0x300000], eax; dec ecx; jnz L. */
const LOOP = [
  ...[0xb9, 0xa0, 0x86, 0x01, 0x00],
  ...[0x01, 0xc8, 0x31, 0xc2, 0xd1, 0xe0, 0x89, 0x04, 0x25, 0x00, 0x00, 0x30, 0x00, 0xff, 0xc9, 0x75, 0xef],
]
/** mov dx, 0x3f8; mov al, 'A'; out dx, al; out 0xf4, al: writes to the console and ends with ('A' << 1) | 1. */
const END = [0x66, 0xba, 0xf8, 0x03, 0xb0, 0x41, 0xee, 0xe6, 0xf4]

/** mov dx, port; mov al, value; out dx, al. */
const out = (port: number, value: number) => [0x66, 0xba, port & 0xff, port >> 8, 0xb0, value, 0xee]
/** Sector 0 of the first disk by PIO; L: in al, dx; test al, 8; jz L; its first byte (mov dx, 0x1f0; in ax, dx; mov dx, 0x3f8; out dx, al) to the console. */
const READ = [
  ...[out(0x1f6, 0xe0), out(0x1f2, 1), out(0x1f3, 0), out(0x1f4, 0), out(0x1f5, 0), out(0x1f7, 0x20)].flat(),
  ...[0xec, 0xa8, 0x08, 0x74, 0xfb],
  ...[0x66, 0xba, 0xf0, 0x01, 0x66, 0xed, 0x66, 0xba, 0xf8, 0x03, 0xee],
]

async function run(
  code: readonly number[],
  more: Partial<MachineConfig> = {},
  worker?: URL,
): Promise<{ end: MachineEnd; output: string }> {
  const kernel = path.join(scratch, 'kernel')
  const segment = { type: 1, vaddr: BigInt(START), paddr: START, data: Uint8Array.from(code) }
  writeFileSync(kernel, elf({ bits: 64, machine: 62, entry: BigInt(START), segments: [segment] }))
  const config: MachineConfig = {
    ...defaultMachine,
    memory: 32 * 1048576,
    kernel,
    accelerator: 'both',
    debugExit: { port: 0xf4, size: 4 },
    ...more,
  }
  let output = ''
  const events = {
    output: (bytes: Uint8Array) => {
      output += Buffer.from(bytes).toString('latin1')
      return Promise.resolve()
    },
    note: () => undefined,
  }
  const end = await new MachineHandle(config, events, worker).ended
  return { end, output }
}

describe('-accel both', () => {
  it('runs a guest to its end when both ways agree', async () => {
    const { end, output } = await run([...LOOP, ...END])
    expect(end).toEqual({ kind: 'exited', reason: 'debug-exit', code: 0x83 })
    expect(output).toBe('A')
  })
  it('gives both what the host reads from a disk', async () => {
    const image = path.join(scratch, 'disk')
    writeFileSync(image, Buffer.concat([Buffer.from('Q'), Buffer.alloc(1048575)]))
    const { end, output } = await run([...READ, ...END], { disks: [rawDisk(image)] })
    expect(end).toMatchObject({ reason: 'debug-exit' })
    expect(output).toBe('QA')
  })
  it('stops at a difference, and shows the code and both processors', async () => {
    const worker = new URL('../../tests/fixtures/broken-translator.ts', import.meta.url)
    const { end } = await run([...LOOP, ...END], {}, worker)
    if (end.kind !== 'failed') throw new Error('the difference was not seen')
    expect(end.sentence).toBe('the translator and the interpreter differ')
    expect(end.details).toMatch(/rdx: [0-9a-f]{16} translated, [0-9a-f]{16} interpreted/)
    expect(end.details).toContain(': xor edx, eax\n')
    expect(end.details).toMatch(/translated:\n +RAX=[\s\S]+interpreted:\n +RAX=/)
  })
})
