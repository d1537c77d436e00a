/** The runner on a small tree whose Makefile prints as Kbuild does. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { BuildEvent, BuildRequest } from '../../contract/kernel-tree.ts'
import { layouts, makeTree } from '../test-tree.ts'
import { openTree } from '../tree.ts'
import { build } from './build.ts'
import { Progress } from './progress.ts'

const mark = `97${process.pid}.25`
const makefile = (compile: string) =>
  [
    'VERSION = 6',
    'PATCHLEVEL = 1',
    'prepare:',
    "\t@echo '  HOSTCC  scripts/basic/fixdep'",
    'bzImage: kernel/a.o',
    '\t@mkdir -p arch/x86/boot; echo image > arch/x86/boot/bzImage',
    "\t@echo '  LD      vmlinux'; echo '  BUILD   arch/x86/boot/bzImage'",
    'kernel/a.o:',
    "\t@echo '  CC      kernel/a.o'",
    `\t${compile}`,
    '',
  ].join('\n')

let folder: string
let state: string
beforeEach(() => {
  state = mkdtempSync(path.join(os.tmpdir(), 'longmode-state-'))
  process.env.XDG_STATE_HOME = state
  folder = makeTree(layouts['v6.1'], { '.config': 'CONFIG_X86=y\n', 'kernel/a.c': 'int a;\nint b\nint c;\n' })
})
afterEach(() => {
  delete process.env.XDG_STATE_HOME
  for (const each of [folder, state]) rmSync(each, { recursive: true, force: true })
})

async function run(
  compile: string,
  request: BuildRequest = {},
  onEvent: (event: BuildEvent) => void = () => undefined,
  signal?: AbortSignal,
) {
  writeFileSync(path.join(folder, 'Makefile'), makefile(compile))
  const events: BuildEvent[] = []
  const result = await build(await openTree(folder), request, (event) => (events.push(event), onEvent(event)), signal)
  return { result, events }
}

describe('a build', () => {
  it('tells its phases and steps, keeps its log and names the image', async () => {
    const { result, events } = await run('@true')
    expect(result).toMatchObject({ outcome: 'built', steps: 3, warnings: [], image: { bytes: 6 } })
    const phases = events.flatMap((event) => (event.kind === 'phase' ? [event.phase] : []))
    expect(phases).toEqual(['prepare', 'compare', 'compile', 'link', 'done'])
    const steps = events.flatMap((event) => (event.kind === 'progress' ? [event.step] : []))
    expect(steps).toEqual(['CC kernel/a.o', 'LD vmlinux', 'BUILD arch/x86/boot/bzImage'])
    expect(readFileSync(result.log, 'utf8')).toContain('  CC      kernel/a.o\n')
    await run('@true')
    expect(readFileSync(path.join(path.dirname(result.log), 'build.previous.log'), 'utf8')).toContain('BUILD')
  })

  it('that fails gives the first error with an excerpt of the source', async () => {
    const { result } = await run("@echo \"kernel/a.c:3:1: error: expected ';' before 'int'\" >&2; false")
    expect(result).toMatchObject({
      outcome: 'failed',
      firstError: { file: 'kernel/a.c', line: 3, explanation: expect.stringContaining('semicolon') as string },
    })
    expect(result.firstError?.excerpt).toEqual(['    1 | int a;', '    2 | int b', '    3 | int c;', '    4 | '])
    expect(result).not.toHaveProperty('image')
  })

  it('that fails without a word says what make could not make', async () => {
    const { result } = await run('@exit 3')
    expect(result.firstError?.message).toContain('kernel/a.o')
  })

  it('that is cancelled leaves no process', async () => {
    const controller = new AbortController()
    const cancelAtStep = (event: BuildEvent) => {
      if (event.kind === 'line') controller.abort()
    }
    const early = "@echo '  CC      kernel/early.o' >/dev/null; sleep " + mark + ' & sleep ' + mark
    const { result } = await run(early, {}, cancelAtStep, controller.signal)
    expect(result.outcome).toBe('cancelled')
    expect(
      execFileSync('ps', ['-eo', 'stat,args'], { encoding: 'utf8' })
        .split('\n')
        .filter((line) => line.includes(mark) && !line.startsWith('Z')),
    ).toEqual([])
  })

  it("of somebody's module prepares first what its make would refuse to do without", async () => {
    const module = path.join(folder, 'mine')
    mkdirSync(module)
    mkdirSync(path.join(folder, 'include/config'), { recursive: true })
    writeFileSync(path.join(module, 'Makefile'), 'obj-m += hello.o\n')
    writeFileSync(path.join(folder, '.config'), 'CONFIG_X86=y\nCONFIG_MODULES=y\n')
    const made = path.join(folder, 'include/config/auto.conf')
    const prepares = async () => {
      const targets = 'modules modules_prepare:\n\t@touch Module.symvers include/config/auto.conf'
      const { events } = await run(`@true\n${targets}`, { module })
      return events.flatMap((event) => (event.kind === 'phase' && event.phase === 'prepare' ? [event.text] : []))
    }
    expect(await prepares()).toEqual(['what modules may call (make modules)'])
    expect(await prepares()).toEqual([])
    utimesSync(made, 0, 0)
    expect(await prepares()).toEqual(['the edited configuration (make modules_prepare)'])
  })

  it('needs a configuration for x86', async () => {
    writeFileSync(path.join(folder, '.config'), 'CONFIG_ARM64=y\n')
    await expect(run('@true')).rejects.toThrow('is not for x86')
    rmSync(path.join(folder, '.config'))
    await expect(run('@true')).rejects.toThrow('has no .config yet')
  })
})

describe('progress', () => {
  it('is a percentage and a time left as soon as there is a speed', () => {
    let clock = 0
    const progress = new Progress(100, () => clock)
    const states = Array.from({ length: 10 }, () => {
      clock += 500
      return progress.step()
    })
    expect(states[0]).toEqual({ done: 1, total: 100, percent: 1 })
    expect(states[9]).toEqual({ done: 10, total: 100, percent: 10, secondsLeft: 45 })
  })
  it('never says that it is done before it is, and nothing when nobody knows', () => {
    const progress = new Progress(2, () => 0)
    expect([progress.step(), progress.step(), progress.step()].map(({ percent }) => percent)).toEqual([50, 66, 75])
    expect(new Progress(undefined, () => 0).step()).toEqual({ done: 1 })
  })
})
