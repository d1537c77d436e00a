/**
 * A kernel of our own that only tests the processor, in the modes and at the privilege levels that programs do not reach (kernel/). Every
 * check holds what the manual says, and Longmode must pass them all. QEMU's TCG runs the same kernel, so that a check that is wrong itself
 * is noticed: it must pass all but what TCG is known to leave out.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { commandOf, type Machine } from '../boot/guest-console.ts'

const scratch = mkdtempSync(path.join(os.tmpdir(), 'longmode-bare-metal-'))
const kernel = path.join(scratch, 'kernel')
const disk = path.join(scratch, 'disk')
const sources = path.join(import.meta.dirname, 'kernel')
const COMPILE =
  '-m64 -O1 -ffreestanding -fno-pic -fno-pie -mno-red-zone -mgeneral-regs-only -fno-stack-protector -fcf-protection=none ' +
  '-fno-asynchronous-unwind-tables -nostdlib -static -Wall -Wextra -Werror -Wl,--build-id=none -Wl,-z,noexecstack ' +
  '-Wl,-z,max-page-size=4096 -Wl,--no-warn-rwx-segments -T link.ld'

beforeAll(() => {
  const files = readdirSync(sources).filter((name) => /\.[cS]$/.test(name))
  execFileSync('gcc', [...COMPILE.split(' '), '-o', `${kernel}.64`, ...files], { cwd: sources })
  writeFileSync(disk, diskImage())
  // multiboot loaders take 32-bit ELF files, whatever is in them
  execFileSync('objcopy', ['-O', 'elf32-i386', `${kernel}.64`, kernel])
})
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** What dma.c reads: a sector of code that gives 0x1111, one that gives 0x2222, and two ends of an instruction whose head is elsewhere. */
function diskImage(): Uint8Array {
  const image = new Uint8Array(1 << 20)
  const sectors = [
    [0xb8, 0x11, 0x11, 0, 0, 0xc3],
    [0xb8, 0x22, 0x22, 0, 0, 0xc3],
    [0, 0, 0xc3],
    [0x34, 0x12, 0xc3],
  ]
  sectors.forEach((bytes, n) => image.set(bytes, n * 512))
  return image
}

/** Names of the checks that failed, a detail with the name of what it belongs to, and how many there were. */
function run(machine: Machine, cpu: string, words: string): { failed: string[]; count: number } {
  const [command, args] = commandOf(machine, [
    ...['-cpu', cpu, '-m', '128M', '-display', 'none', '-serial', 'stdio', '-monitor', 'none', '-no-reboot'],
    ...['-device', 'isa-debug-exit,iobase=0xf4,iosize=0x04', '-kernel', kernel, '-append', words],
    ...['-drive', `file=${disk},format=raw,index=0,media=disk,readonly=off`],
  ])
  const result = spawnSync(command, args, { encoding: 'utf8', timeout: 100_000, stdio: ['ignore', 'pipe', 'inherit'] })
  const lines = [...result.stdout.matchAll(/^(ok|FAIL) ( *)(.*?): .*$/gm)]
  let subject = ''
  const failed: string[] = []
  for (const [, verdict, indent, name] of lines) {
    if (indent === '') subject = name
    if (verdict === 'FAIL') failed.push(indent === '' ? name : `${subject}, ${name}`)
  }
  expect(result.stdout, result.stdout.slice(-2000)).toMatch(
    failed.length > 0 ? /some checks failed/ : /all checks passed/,
  )
  expect(result.status).toBe(failed.length > 0 ? 3 : 1)
  return { failed, count: lines.length }
}

/** What TCG 7.2 does otherwise than the manual says; the word `all` asks for more that it leaves out and would not survive. */
const TCG_DIFFERS = [
  'non-canonical push', // #GP instead of #SS
  '#XM', // no unmasked SSE exceptions
  '#UD without a gate is #NP, error', // twice the vector's number, and no EXT
  'INT n without a gate, error',
  'reserved bit, error', // P clear beside RSVD
  'reserved bit, write, error',
  '2 MiB page, error', // the same
  'INT n of a gate for level 0, error',
  '#AC', // no alignment checks
  'SYSRET, flags without RF',
  'general detection', // no DR7.GD
  'general detection, DR6',
  'general detection, GD is off in the handler',
  '16-bit code and real mode, FS has 64 KiB', // no segment limits
  '16-bit code and real mode, at the instruction',
  'NMI ends HLT, once', // it comes again with every change of the 8259
]

it.each(['max', 'max,vendor=GenuineIntel'])(
  'Longmode passes every check with -cpu %s',
  (cpu) => {
    const { failed, count } = run('longmode', cpu, 'all')
    expect(failed).toEqual([])
    expect(count).toBeGreaterThan(450)
  },
  120_000,
)

it('QEMU passes all that TCG implements', { timeout: 120_000 }, () => {
  const { failed } = run('qemu', 'max', '')
  expect(failed.filter((name) => !TCG_DIFFERS.includes(name))).toEqual([])
})
