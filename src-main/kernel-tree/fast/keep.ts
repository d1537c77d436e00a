/** Dates objects that an edit of headers cannot have changed, so that make leaves them alone. */
import { readFileSync, utimesSync } from 'node:fs'
import path from 'node:path'
import type { FastReport } from '../../contract/kernel-tree.ts'
import { builtObjects, type BuiltObject } from '../build/dependencies.ts'
import { decide, type StaleObject } from './decide.ts'
import { BuildRecord, modifiedOf } from './record.ts'

/** Programs of the build that change objects after the compiler; when one is younger than the objects, make has to run it again. */
const POST_PROCESSORS = ['tools/objtool/objtool', 'scripts/recordmcount', 'scripts/sorttable', 'scripts/basic/fixdep']

/** CONFIG_ names that include/generated/autoconf.h defines. */
function configuredNames(output: string): Set<string> {
  const text = readFileSync(path.join(output, 'include/generated/autoconf.h'), 'utf8')
  return new Set([...text.matchAll(/^#define (CONFIG_\w+)/gm)].map(([, name]) => name))
}

interface Dated extends StaleObject {
  readonly modified: number
}

/** Objects that make would compile again only because recorded headers are younger than they are. */
function candidates(
  output: string,
  objects: readonly BuiltObject[],
  record: BuildRecord,
): { stale: number; dated: Dated[] } {
  const dates = new Map<string, number | undefined>()
  const dateOf = (file: string) => {
    const full = path.resolve(output, file)
    if (!dates.has(full)) dates.set(full, modifiedOf(full))
    return dates.get(full)
  }
  const tools = Math.max(0, ...POST_PROCESSORS.map((file) => dateOf(file) ?? 0))
  let stale = 0
  const dated: Dated[] = []
  for (const each of objects) {
    const modified = dateOf(each.object)
    if (modified === undefined) continue
    const isNewer = (file: string) => (dateOf(file) ?? Infinity) > modified
    const newer = each.dependencies.filter(isNewer)
    const reconfigured = each.options.some((file) => (dateOf(file) ?? 0) > modified)
    if (newer.length > 0 || reconfigured) stale++
    const [source] = each.dependencies
    if (newer.length === 0 || reconfigured || newer.includes(source) || modified < tools) continue
    if (newer.some((file) => dateOf(file) === undefined) || !record.knows(each.object, modified)) continue
    dated.push({ ...each, newer, modified })
  }
  return { stale, dated }
}

/** Gives every object that stays the same a date behind its headers'. To be called when generated headers are up to date (`make prepare`). */
export function keepUnchanged(output: string): FastReport {
  const record = BuildRecord.open(output)
  if (record.isEmpty) return { kept: 0, recompiled: 0, reasons: [] }
  const { stale, dated } = candidates(output, builtObjects(output), record)
  if (dated.length === 0) return { kept: 0, recompiled: stale, reasons: [] }
  const names = configuredNames(output)
  const cache = new Map<string, string | undefined>()
  const now = (file: string) => {
    if (!cache.has(file)) cache.set(file, readOf(path.resolve(output, file)))
    return cache.get(file)
  }
  // Objects of one moment have the same texts before them; most were made in one build.
  const byText = groupByTexts(dated, record)
  const decisions = byText.map(({ objects, before }) => decide(objects, { before, now }, (name) => names.has(name)))
  const keep = new Set(decisions.flatMap((decision) => decision.keep))
  const kept = dated.filter(({ object }) => keep.has(object))
  for (const { object, newer } of kept) {
    const latest = Math.max(Date.now(), ...newer.map((file) => (modifiedOf(path.resolve(output, file)) ?? 0) + 1))
    utimesSync(path.join(output, object), latest / 1000, latest / 1000)
  }
  if (kept.length > 0) record.kept(kept)
  const reasons = new Map(
    decisions.flatMap((decision) => decision.reasons.map(({ header, reason }) => [header, reason])),
  )
  return {
    kept: kept.length,
    recompiled: stale - kept.length,
    reasons: [...reasons].map(([header, reason]) => ({ header, reason })),
  }
}

function readOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

interface TextGroup {
  readonly objects: Dated[]
  readonly before: (file: string) => string | undefined
}

function groupByTexts(dated: readonly Dated[], record: BuildRecord): TextGroup[] {
  const groups: { texts: Map<string, string | undefined>; objects: Dated[] }[] = []
  for (const object of dated) {
    const own = object.newer.map((file) => [file, record.textAt(file, object.modified)] as const)
    const fits = groups.find(({ texts }) => own.every(([file, text]) => !texts.has(file) || texts.get(file) === text))
    const group = fits ?? { texts: new Map<string, string | undefined>(), objects: [] }
    if (fits === undefined) groups.push(group)
    for (const [file, text] of own) group.texts.set(file, text)
    group.objects.push(object)
  }
  return groups.map(({ texts, objects }) => ({ objects, before: (file) => texts.get(file) }))
}

/** After a build that succeeded: what the next one compares with. */
export function recordBuild(output: string, begun: number): void {
  BuildRecord.open(output).renew(builtObjects(output), begun)
}
