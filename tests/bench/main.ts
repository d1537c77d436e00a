/**
 * `npm run bench`: the same kernel, initramfs and commands on Longmode and on QEMU TCG, one after the other, and a table of what
 * they cost. `npm run bench -- --help` names its options.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import type { Machine } from '../boot/guest-console.ts'
import { benchGuest } from './build.ts'
import { isCost, measure, type Cost, type Outcome, type Run } from './measure.ts'
import { diskFolder } from './programs.ts'
import { readyTimes } from './ready.ts'
import { prepareShare } from './share.ts'
import { measureTutorial, TUTORIAL_ROWS } from './tutorial.ts'
import { workloads } from './workloads.ts'

const USAGE = `npm run bench -- [--only longmode|qemu] [--rows TEXT] [--runs N]
  --only   one side alone; writes no table
  --rows   the rows whose name holds TEXT
  --runs   each row so often (3), and the median`

const { values } = parseArgs({
  options: {
    help: { type: 'boolean', short: 'h' },
    only: { type: 'string' },
    rows: { type: 'string', default: '' },
    runs: { type: 'string', default: '3' },
  },
})
if (values.help) {
  console.log(USAGE)
  process.exit(0)
}
const runCount = Number(values.runs)
if (!Number.isInteger(runCount) || runCount < 1) throw new Error(`--runs ${values.runs}: a number from 1 on is wanted`)
const machines: readonly Machine[] = ['longmode', 'qemu']
const rows = workloads.filter(({ name }) => name.includes(values.rows))

function freshDisk(scratch: string): string {
  const disk = path.join(scratch, 'disk.img')
  rmSync(disk, { force: true })
  execFileSync('truncate', ['-s', '256M', disk])
  const eager = 'lazy_itable_init=0,lazy_journal_init=0'
  execFileSync('mke2fs', ['-q', '-F', '-t', 'ext4', '-E', eager, '-d', diskFolder(scratch), disk])
  return disk
}

function freshShare(scratch: string): string {
  const share = path.join(scratch, 'share')
  rmSync(share, { recursive: true, force: true })
  mkdirSync(share)
  prepareShare(share)
  return share
}

const seconds = (value: number) => value.toFixed(2)

/** Under 0.05 s of CPU the clock's ticks decide the ratio, so there is none. */
function ratioOf(ours: Outcome, theirs: Outcome): number | undefined {
  if (!isCost(ours) || !isCost(theirs)) return undefined
  if (ours.rate !== undefined && theirs.rate !== undefined) return theirs.rate / ours.rate
  return ours.cpu >= 0.05 && theirs.cpu >= 0.05 ? ours.cpu / theirs.cpu : undefined
}
const cell = (outcome: Outcome, what: (cost: Cost) => string): string => (isCost(outcome) ? what(outcome) : 'failed')
const checksum = (outcome: Outcome): string | undefined => (isCost(outcome) ? outcome.checksum : undefined)
const cpu = (cost: Cost): string =>
  cost.rate === undefined ? seconds(cost.cpu) : `${(cost.rate / 1000).toFixed(1)} MB/s`

function tableRow(name: string, ours: Outcome, theirs: Outcome): string {
  const differs = isCost(ours) && isCost(theirs) && checksum(ours) !== checksum(theirs) ? ' **wrong result**' : ''
  const cells = [
    name + differs,
    cell(ours, cpu),
    cell(theirs, cpu),
    ratioOf(ours, theirs)?.toFixed(2) ?? '-',
    cell(ours, (cost) => seconds(cost.wall)),
    cell(theirs, (cost) => seconds(cost.wall)),
  ]
  return `| ${cells.join(' | ')} |`
}

function geometricMean(ratios: readonly (number | undefined)[]): string {
  const known = ratios.filter((ratio) => ratio !== undefined)
  return known.length === 0
    ? '-'
    : Math.exp(known.reduce((sum, ratio) => sum + Math.log(ratio), 0) / known.length).toFixed(2)
}

/** One machine's half of the table. */
interface Half extends Run {
  readonly tutorial: ReadonlyMap<string, Outcome>
}
const NOT_RUN: Outcome = { failed: 'not run' }

function table(ours: Half, theirs: Half, ready: string): string {
  const pairs = rows.map((row) => ({
    row,
    ours: ours.costs.get(row.name) ?? NOT_RUN,
    theirs: theirs.costs.get(row.name) ?? NOT_RUN,
  }))
  const mean = (group: string) =>
    geometricMean(pairs.filter((pair) => pair.row.group === group).map((pair) => ratioOf(pair.ours, pair.theirs)))
  // what a shell's user runs
  const user = pairs.filter(({ row }) => row.group === 'programs' || (row.group === 'system' && !/fork/.test(row.name)))
  const tutorial = TUTORIAL_ROWS.map((name) =>
    tableRow(name, ours.tutorial.get(name) ?? NOT_RUN, theirs.tutorial.get(name) ?? NOT_RUN),
  )
  const failures = [ours, theirs].flatMap((half) =>
    [['boot', half.boot] as const, ...half.costs, ...half.tutorial].flatMap(([name, outcome]) =>
      isCost(outcome) ? [] : [`- ${half.machine}, ${name}: ${outcome.failed}`],
    ),
  )
  const qemu = execFileSync('qemu-system-x86_64', ['--version'], { encoding: 'utf8' }).split('\n')[0]
  return [
    '# Longmode against QEMU TCG',
    '',
    `Made by \`npm run bench\`: CPU seconds of the whole process, ${runCount === 1 ? 'one run of each' : `medians of ${runCount}`}. ${qemu}, Node ${process.version}, ${os.cpus()[0]!.model}, ${os.cpus().length} cores.`,
    'Ratios under 1 mean that Longmode is faster. Rows under 0.05 s have no ratio.',
    '',
    '| work | Longmode CPU s | TCG CPU s | ratio | Longmode wall s | TCG wall s |',
    '| --- | --- | --- | --- | --- | --- |',
    tableRow('boot of the stock kernel to the shell', ours.boot, theirs.boot),
    ...pairs.map((pair) => tableRow(pair.row.name, pair.ours, pair.theirs)),
    ...tutorial,
    '',
    `Geometric means: static programs ${mean('static')}; sums, gzip, shell loop, openssl, perl, python3, gcc ${geometricMean(user.map((pair) => ratioOf(pair.ours, pair.theirs)))}.`,
    `Peak memory of the process: Longmode ${ours.memory} MiB, QEMU ${theirs.memory} MiB, of 512 MiB guest RAM each. ${ready}`,
    ...(failures.length === 0 ? [] : ['', '## What failed', '', ...failures]),
    ...(ours.counters === '' ? [] : ['', '## The engine counters after the run', '', '```', ours.counters, '```']),
    '',
  ].join('\n')
}

const scratch = mkdtempSync(path.join(os.tmpdir(), 'longmode-bench-'))
try {
  const guest = await benchGuest(scratch)
  const halves = new Map<Machine, Half>()
  for (const machine of machines) {
    if (values.only !== undefined && values.only !== machine) continue
    const parts = { ...guest, disk: freshDisk(scratch), share: freshShare(scratch) }
    const run = await measure(machine, parts, rows, runCount)
    // the rows that TEXT asks for, or all
    const tutorial = TUTORIAL_ROWS.some((name) => name.includes(values.rows))
      ? await measureTutorial(machine)
      : new Map<string, Outcome>()
    halves.set(machine, { ...run, tutorial })
  }
  const [ours, theirs] = [halves.get('longmode'), halves.get('qemu')]
  if (ours !== undefined && theirs !== undefined) {
    const text = table(ours, theirs, await readyTimes())
    console.log(text)
    // A part of the rows is for looking, not for keeping.
    if (values.rows === '') writeFileSync(path.join(import.meta.dirname, 'RESULTS.md'), text)
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
