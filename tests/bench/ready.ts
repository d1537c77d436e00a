/** How long the command line takes from the start of its process to the guest's first byte on the console: all there is to load, generate and compile lies between. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { elf } from '../../src-main/boot/test-images.ts'
import { commandOf } from '../boot/guest-console.ts'

/** mov dx, 0x3f8; mov al, '!'; out dx, al; then out 0xf4, al ends the program. */
const CODE = [0x66, 0xba, 0xf8, 0x03, 0xb0, 0x21, 0xee, 0xe6, 0xf4]
const START = 0x200000

/** ms */
function firstByte(kernel: string, cache: string): Promise<number> {
  const [command, args] = commandOf('longmode', [
    ...['-nographic', '-m', '512M', '-kernel', kernel, '-device', 'isa-debug-exit,iobase=0xf4,iosize=0x04'],
  ])
  const begun = performance.now()
  const child = spawn(command, args, { env: { ...process.env, NODE_COMPILE_CACHE: cache } })
  return new Promise((resolve, reject) => {
    let time: number | undefined
    child.stdout.on('data', () => (time ??= performance.now() - begun))
    child.on('error', reject)
    child.on('close', () => (time === undefined ? reject(new Error('the guest said nothing')) : resolve(time)))
  })
}

/** The first start after an installation, and those after it: what Node makes of the sources is kept. */
export async function readyTimes(): Promise<string> {
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'longmode-ready-'))
  try {
    const kernel = path.join(scratch, 'kernel')
    const segment = { type: 1, vaddr: BigInt(START), paddr: START, data: Uint8Array.from(CODE) }
    writeFileSync(kernel, elf({ bits: 64, machine: 62, entry: BigInt(START), segments: [segment] }))
    const times: number[] = []
    for (let n = 0; n < 6; n++) times.push(await firstByte(kernel, path.join(scratch, 'compiled')))
    const [first, ...later] = times
    const median = later.sort((a, b) => a - b)[2]!
    return `From the start of the process to the guest's first byte on the console: ${first!.toFixed(0)} ms the first time, then ${median.toFixed(0)} ms.`
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}
