/**
 * The fast rebuild beside a clean build, on Linux 6.1 with a small configuration: after every edit the two vmlinux are the same, byte for
 * byte. LONGMODE_SEED repeats a run, LONGMODE_EDITS says how many edits are made, LONGMODE_JOBS how many are compiled at once. With LONGMODE_CCACHE=1 both compile through ccache, told
 * to compare what the preprocessor gives: a third of the time, and the clean build is still made from every file anew.
 */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { beforeAll, expect, it } from 'vitest'
import { builtObjects } from '../../../src-main/kernel-tree/build/dependencies.ts'
import { workbench } from '../../../src-main/kernel-tree/index.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { EditedTree, kinds } from './edits.ts'
import { Random } from './random.ts'

const SOURCE = '/usr/src/linux-source-6.1.tar.xz'
const SEED = Number(process.env.LONGMODE_SEED ?? Date.now() % 1_000_000)
const EDITS = Number(process.env.LONGMODE_EDITS ?? 20)
/** Small, and yet: line numbers in the image (BUG), names of functions (KALLSYMS), programs of two widths. */
const OPTIONS = [
  '64BIT',
  'PRINTK',
  'BUG',
  'DEBUG_BUGVERBOSE',
  'KALLSYMS',
  'BINFMT_ELF',
  'BINFMT_SCRIPT',
  'IA32_EMULATION',
]
/** An edit that does not compile says nothing about the image; so many in a row mean that the edits are bad. */
const MOST_BROKEN = 5

const JOBS = Number(process.env.LONGMODE_JOBS ?? os.availableParallelism())
const wrapper = process.env.LONGMODE_CCACHE === '1' ? ({ compilerWrapper: 'ccache' } as const) : {}
const compiler = process.env.LONGMODE_CCACHE === '1' ? ['CC=ccache gcc'] : []

const scratch = scratchFolder('fast-rebuild')
const folder = path.join(scratch, 'linux-source-6.1')
const fast = path.join(folder, 'fast')
const clean = path.join(folder, 'clean')
const tree = new EditedTree(folder)
const random = new Random(SEED)

const make = (output: string, ...targets: string[]) =>
  spawnSync('make', ['-C', folder, `O=${output}`, 'ARCH=x86_64', `-j${JOBS}`, '-s', ...compiler, ...targets], {
    encoding: 'utf8',
  })

function configure(output: string, words: readonly string[]): void {
  execFileSync(path.join(folder, 'scripts/config'), ['--file', path.join(output, '.config'), ...words])
  expect(make(output, 'olddefconfig').status).toBe(0)
}

/** Builds everything anew; undefined when it does not compile. */
function cleanImage(): Buffer | undefined {
  make(clean, 'clean')
  return make(clean, 'vmlinux').status === 0 ? readFileSync(path.join(clean, 'vmlinux')) : undefined
}

async function fastBuild() {
  const request = { targets: ['vmlinux'], jobs: JOBS, ...wrapper }
  const result = await workbench.build(await workbench.openTree(folder, fast), request, () => undefined)
  return { ...result, vmlinux: result.outcome === 'built' ? readFileSync(path.join(fast, 'vmlinux')) : undefined }
}

/** Objects that differ: where to look when the images do. */
function differing(): string[] {
  return builtObjects(clean)
    .map(({ object }) => object)
    .filter((object) => {
      const [one, other] = [fast, clean].map((output) => path.join(output, object))
      return existsSync(one) && existsSync(other) && !readFileSync(one).equals(readFileSync(other))
    })
}

/** Files that objects of the kernel were made from, relative to the tree. */
function filesRead(): { headers: string[]; sources: string[] } {
  const objects = builtObjects(fast).filter(({ object }) => !/^(scripts|tools|arch\/x86\/tools)\//.test(object))
  const files = new Set(objects.flatMap(({ dependencies }) => dependencies.map((file) => path.resolve(fast, file))))
  const own = [...files]
    .filter((file) => file.startsWith(`${folder}/`) && !file.startsWith(`${fast}/`))
    .map((file) => path.relative(folder, file))
    .sort()
  return { headers: own.filter((file) => file.endsWith('.h')), sources: own.filter((file) => /\.[cS]$/.test(file)) }
}

beforeAll(async () => {
  console.log(`seed ${SEED}`)
  Object.assign(process.env, {
    XDG_STATE_HOME: path.join(scratch, 'state'),
    KBUILD_BUILD_TIMESTAMP: '2026-01-01',
    KBUILD_BUILD_USER: 'user',
    KBUILD_BUILD_HOST: 'host',
    KBUILD_BUILD_VERSION: '1',
    CCACHE_DIR: process.env.CCACHE_DIR ?? path.join(scratch, 'ccache'),
    // No look at names and dates: the text that the compiler would get decides.
    CCACHE_NODIRECT: '1',
  })
  execFileSync('tar', ['-C', scratch, '-xf', SOURCE])
  for (const output of [fast, clean]) {
    mkdirSync(output)
    expect(make(output, 'tinyconfig').status).toBe(0)
    configure(
      output,
      OPTIONS.flatMap((option) => ['--enable', option]),
    )
  }
  expect((await fastBuild()).outcome).toBe('built')
})

/** Every kind once in an order of chance, then kinds by chance. */
function kindOf(serial: number, order: readonly string[]): string {
  return order[serial] ?? random.pick(order)
}

it(`after each of ${EDITS} edits the fast rebuild gives the kernel of a clean build`, async () => {
  const order = random.shuffled(Object.keys(kinds))
  let kept = 0
  let broken = 0
  for (let serial = 0, good = 0; good < EDITS; serial++) {
    const kind = kindOf(serial, order)
    tree.begin()
    const { text, options } = kinds[kind]({ tree, random, serial, ...filesRead() })
    if (options !== undefined) for (const output of [fast, clean]) configure(output, options)
    const quick = await fastBuild()
    const whole = cleanImage()
    const what = `edit ${serial}, ${kind}: ${text}`
    if (whole === undefined) {
      expect(quick.outcome, `${what}: it does not compile`).toBe('failed')
      expect(++broken, 'edits in a row that do not compile').toBeLessThan(MOST_BROKEN)
      console.log(`${what}: neither build compiles it`)
      tree.takeBack()
      continue
    }
    broken = 0
    expect(quick.outcome, `${what}\n${JSON.stringify(quick.firstError)}`).toBe('built')
    const same = quick.vmlinux?.equals(whole)
    expect(same, same === true ? what : `${what}: ${differing().join(' ')}`).toBe(true)
    const report = quick.fast ?? { kept: 0, recompiled: 0 }
    console.log(`${what}: the same; ${report.kept} objects kept, ${report.recompiled} compiled`)
    kept += report.kept
    good++
  }
  expect(kept, 'objects kept in all').toBeGreaterThan(0)
})
