/**
 * `npm run bench`: the same kernel, initramfs and commands on Longmode and on QEMU TCG, one after the other, and a table of what
 * they cost. `npm run bench -- --only qemu` (or longmode) runs one side and writes no table; `--rows TEXT` takes the rows whose name
 * holds TEXT; `--runs N` measures each N times (3) and takes the median.
 */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { parseArgs } from 'node:util'
import type { Machine } from '../boot/guest-console.ts'
import { benchGuest } from './build.ts'
import { measure, type Cost, type Run } from './measure.ts'
import { prepareShare } from './share.ts'
import { workloads } from './workloads.ts'

const { values } = parseArgs({
  options: {
    only: { type: 'string' },
    rows: { type: 'string', default: '' },
    runs: { type: 'string', default: '3' },
  },
})
const runCount = Number(values.runs)
if (!Number.isInteger(runCount) || runCount < 1) throw new Error(`--runs ${values.runs}: a number from 1 on is wanted`)
const machines: readonly Machine[] = ['longmode', 'qemu']
const rows = workloads.filter(({ name }) => name.includes(values.rows))

function freshDisk(scratch: string): string {
  const disk = path.join(scratch, 'disk.img')
  rmSync(disk, { force: true })
  execFileSync('truncate', ['-s', '256M', disk])
  execFileSync('mke2fs', ['-q', '-F', '-t', 'ext4', '-E', 'lazy_itable_init=0,lazy_journal_init=0', disk])
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
const ratioOf = (ours: Cost, theirs: Cost) =>
  ours.cpu >= 0.05 && theirs.cpu >= 0.05 ? ours.cpu / theirs.cpu : undefined

function tableRow(name: string, ours: Cost, theirs: Cost): string {
  const ratio = ratioOf(ours, theirs)
  const differs = ours.checksum !== theirs.checksum ? ' **wrong result**' : ''
  const cells = [
    name + differs,
    seconds(ours.cpu),
    seconds(theirs.cpu),
    ratio?.toFixed(2) ?? '-',
    seconds(ours.wall),
    seconds(theirs.wall),
  ]
  return `| ${cells.join(' | ')} |`
}

function geometricMean(ratios: readonly (number | undefined)[]): string {
  const known = ratios.filter((ratio) => ratio !== undefined)
  return known.length === 0
    ? '-'
    : Math.exp(known.reduce((sum, ratio) => sum + Math.log(ratio), 0) / known.length).toFixed(2)
}

function table(ours: Run, theirs: Run): string {
  const pairs = rows.map((row) => ({ row, ours: ours.costs.get(row.name)!, theirs: theirs.costs.get(row.name)! }))
  const mean = (group: string) =>
    geometricMean(pairs.filter((pair) => pair.row.group === group).map((pair) => ratioOf(pair.ours, pair.theirs)))
  const qemu = execFileSync('qemu-system-x86_64', ['--version'], { encoding: 'utf8' }).split('\n')[0]
  return [
    '# Longmode against QEMU TCG',
    '',
    `Made by \`npm run bench\`: CPU seconds of the whole process, ${runCount === 1 ? 'one run of each' : `medians of ${runCount}`}. ${qemu}, Node ${process.version}, ${os.cpus()[0].model}, ${os.cpus().length} cores.`,
    'Ratios under 1 mean that Longmode is faster. Rows under 0.05 s have no ratio.',
    '',
    '| work | Longmode CPU s | TCG CPU s | ratio | Longmode wall s | TCG wall s |',
    '| --- | --- | --- | --- | --- | --- |',
    tableRow('boot of the stock kernel to the shell', ours.boot, theirs.boot),
    ...pairs.map((pair) => tableRow(pair.row.name, pair.ours, pair.theirs)),
    '',
    `Geometric means: static programs ${mean('static')}, system ${mean('system')}. Peak memory of the process: Longmode ${ours.memory} MiB, QEMU ${theirs.memory} MiB, of 512 MiB guest RAM each.`,
    ...(ours.counters === '' ? [] : ['', '## The engine counters after the run', '', '```', ours.counters, '```']),
    '',
  ].join('\n')
}

const scratch = mkdtempSync(path.join(os.tmpdir(), 'longmode-bench-'))
try {
  const guest = await benchGuest(scratch)
  const runs = new Map<Machine, Run>()
  for (const machine of machines) {
    if (values.only !== undefined && values.only !== machine) continue
    const parts = { ...guest, disk: freshDisk(scratch), share: freshShare(scratch) }
    runs.set(machine, await measure(machine, parts, rows, runCount))
  }
  const [ours, theirs] = [runs.get('longmode'), runs.get('qemu')]
  if (ours !== undefined && theirs !== undefined) {
    const text = table(ours, theirs)
    console.log(text)
    // A part of the rows is for looking, not for keeping.
    if (values.rows === '') writeFileSync(path.join(import.meta.dirname, 'RESULTS.md'), text)
  }
} finally {
  rmSync(scratch, { recursive: true, force: true })
}
