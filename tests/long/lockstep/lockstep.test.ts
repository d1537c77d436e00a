/**
 * A whole session of Debian's stock kernel on the translator with the interpreter beside it: boot, programs, many new processes, power-off. Both
 * must have the same processor after every slice, and the same RAM wherever that is compared.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterAll, expect, it } from 'vitest'
import type { CharBackend } from '../../../src-main/devices/backends.ts'
import { buildMachine } from '../../../src-main/machine/build.ts'
import { defaultMachine } from '../../../src-main/machine/config.ts'
import { InstructionTime, Lockstep, type Stepped } from '../../../src-main/machine/lockstep.ts'
import { allocateMemory } from '../../../src-main/machine/machine.ts'
import { benchGuest } from '../../bench/build.ts'

/** Jumps before a place is translated: fewer than in real use, so that far more code is. */
const HOT = 300
/** Steps between two comparisons of all RAM. */
const MEMORY_EVERY = 20_000

const SESSION = [
  'sha256sum /bench/static | md5sum; gzip -c /bench/static | gzip -dc | cmp - /bench/static && echo same',
  'i=0; while [ $i -lt 40 ]; do /bench/dynamic && /bin/busybox true; i=$((i+1)); done; echo "loop $i"',
  '/bench/static syscalls; /bench/static page-faults; ls -lR /proc/sys | wc -l',
  'poweroff -f',
]

/** A console whose input comes between two steps, the same for both machines. */
class Console implements CharBackend {
  onReadable: (() => void) | undefined
  onBreak: (() => void) | undefined
  text = ''
  private input: number[] = []

  write(bytes: Uint8Array): void {
    this.text += Buffer.from(bytes).toString('latin1')
  }
  read(max: number): Uint8Array {
    return Uint8Array.from(this.input.splice(0, max))
  }
  type(line: string): void {
    this.input.push(...Buffer.from(`${line}\n`))
    this.onReadable?.()
  }
}

interface Side extends Stepped {
  readonly console: Console
  poweredOff: boolean
}

function side(guest: { kernel: string; initrd: string; append: string }): Side {
  const time = new InstructionTime()
  const config = { ...defaultMachine, memory: 256 * 1048576, append: `${guest.append} quiet` }
  const console = new Console()
  const power = { off: false }
  const built = buildMachine(config, allocateMemory(config.memory), time.clock, {
    serial: console,
    consoles: [],
    disks: [],
    shares: [],
    random: { fill: (target) => void target.fill(7) },
    power: { reset: () => undefined, powerOff: () => (power.off = true), debugExit: () => undefined },
    log: { warn: () => undefined, info: () => undefined },
    kernel: readFileSync(guest.kernel),
    kernelName: path.basename(guest.kernel),
    initrd: readFileSync(guest.initrd),
    startSeconds: 1_700_000_000,
  })
  const result = built.boot()
  if (!result.ok) throw new Error(result.error.message)
  return {
    built,
    time,
    console,
    get poweredOff() {
      return power.off
    },
  }
}

const scratch = mkdtempSync(path.join(os.tmpdir(), 'longmode-lockstep-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

it('the translator and the interpreter agree on a whole session', async () => {
  const guest = await benchGuest(scratch)
  const [translated, interpreted] = [side(guest), side(guest)]
  const { counts } = translated.built.machine.cpu.translateHot(HOT)
  const lockstep = new Lockstep(translated, interpreted)
  const waiting = [...SESSION]
  let seen = 0
  for (let steps = 1; !translated.poweredOff && !lockstep.ended; steps++) {
    expect(lockstep.step()).toBeUndefined()
    if (steps % MEMORY_EVERY === 0) expect(lockstep.compareMemory()).toBe(-1)
    const prompt = translated.console.text.indexOf('/root# ', seen)
    if (prompt < 0) continue
    seen = prompt + 1
    const line = waiting.shift()
    if (line === undefined) continue
    translated.console.type(line)
    interpreted.console.type(line)
  }
  console.log(`${lockstep.retired} instructions, ${counts.made} regions made, ${counts.dropped} dropped`)
  expect(interpreted.poweredOff).toBe(true)
  expect(translated.console.text).toBe(interpreted.console.text)
  expect(translated.console.text).toMatch(/same[\s\S]*loop 40/)
  expect(counts.made).toBeGreaterThan(1000)
  expect(lockstep.compareMemory()).toBe(-1)
})
