/**
 * Saved machines: one readable JSON file each. A file is replaced as a whole or not at all. Fields that this version does not know
 * are kept, and a file that it cannot read is left alone and named: it may come from a newer version.
 */
import { open, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import path from 'node:path'
import process from 'node:process'
import * as v from 'valibot'
import { machineConfigSchema, machineFields } from '../../contract/machine-schema.ts'
import type { MachineConfig } from '../../machine/config.ts'
import type { MachineId } from '../../contract/services/common.ts'

/** Of the file's layout. A higher one is not read. */
const VERSION = 1

const recordSchema = v.looseObject({
  version: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(VERSION, 'a file of a newer version of Longmode')),
  /** ISO 8601. */
  created: v.pipe(v.string(), v.isoTimestamp()),
  lastStarted: v.exactOptional(v.pipe(v.string(), v.isoTimestamp())),
  thumbnail: v.array(v.string()),
  machine: v.looseObject({}),
})

export interface SavedMachine {
  readonly id: MachineId
  readonly config: MachineConfig
  readonly created: number
  readonly lastStarted?: number
  readonly thumbnail: readonly string[]
}

export interface UnreadableFile {
  readonly file: string
  readonly sentence: string
}

/** Replaces a file's content so that a crash leaves the old or the new one, never a part. `mode`: as of open(2). */
export async function writeWhole(file: string, content: string | Uint8Array, mode = 0o600): Promise<void> {
  const fresh = `${file}.${process.pid}.${Math.random().toString(36).slice(2)}.tmp`
  try {
    const handle = await open(fresh, 'wx', mode)
    try {
      await handle.writeFile(content)
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(fresh, file)
  } catch (error) {
    await rm(fresh, { force: true })
    throw error
  }
}

export class MachineStore {
  readonly #folder: string
  /** Each file as it was read or written last, with the fields that are not ours. */
  readonly #raw = new Map<MachineId, Readonly<Record<string, unknown>>>()
  /** Writes one after the other, so that the last one wins. */
  #queue: Promise<unknown> = Promise.resolve()

  constructor(folder: string) {
    this.#folder = folder
  }

  async load(): Promise<{ readonly machines: SavedMachine[]; readonly unreadable: UnreadableFile[] }> {
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    const machines: SavedMachine[] = []
    const unreadable: UnreadableFile[] = []
    for (const name of (await readdir(this.#folder)).sort()) {
      const id = /^([a-z0-9-]{1,64})\.json$/.exec(name)?.[1]
      if (id === undefined) continue
      const file = path.join(this.#folder, name)
      const read = await this.#read(id, file)
      if (typeof read === 'string')
        unreadable.push({ file, sentence: `${file} is not a machine that can be read: ${read}` })
      else machines.push(read)
    }
    return { machines, unreadable }
  }

  save(saved: SavedMachine): Promise<void> {
    return this.#inOrder(async () => {
      const old = this.#raw.get(saved.id) ?? {}
      const { id, config, created, lastStarted, thumbnail } = saved
      const record = {
        ...old,
        version: VERSION,
        created: new Date(created).toISOString(),
        ...(lastStarted === undefined ? {} : { lastStarted: new Date(lastStarted).toISOString() }),
        thumbnail,
        machine: { ...unknownFields(old.machine), ...config },
      }
      await writeWhole(this.#file(id), `${JSON.stringify(record, undefined, 2)}\n`)
      this.#raw.set(id, record)
    })
  }

  remove(id: MachineId): Promise<void> {
    return this.#inOrder(async () => {
      await rm(this.#file(id), { force: true })
      this.#raw.delete(id)
    })
  }

  /** Everything that was asked for is on the disk. */
  async settled(): Promise<void> {
    await this.#queue.catch(() => undefined)
  }

  #file(id: MachineId): string {
    return path.join(this.#folder, `${id}.json`)
  }

  #inOrder(work: () => Promise<void>): Promise<void> {
    const result = this.#queue.then(work, work)
    this.#queue = result.catch(() => undefined)
    return result
  }

  /** A machine, or why the file holds none. */
  async #read(id: MachineId, file: string): Promise<SavedMachine | string> {
    let parsed: unknown
    try {
      parsed = JSON.parse(await readFile(file, 'utf8'))
    } catch (error) {
      return error instanceof Error ? error.message : String(error)
    }
    const record = v.safeParse(recordSchema, parsed)
    if (!record.success) return issueText(record.issues[0])
    const config = v.safeParse(machineConfigSchema, record.output.machine)
    if (!config.success) return `machine: ${issueText(config.issues[0])}`
    this.#raw.set(id, record.output)
    const { created, lastStarted, thumbnail } = record.output
    return {
      id,
      config: config.output,
      created: Date.parse(created),
      ...(lastStarted === undefined ? {} : { lastStarted: Date.parse(lastStarted) }),
      thumbnail,
    }
  }
}

const known = new Set(machineFields)

/** What a saved description has beside ours; fields of ours that are absent now must not come back. */
function unknownFields(machine: unknown): Record<string, unknown> {
  if (typeof machine !== 'object' || machine === null) return {}
  return Object.fromEntries(Object.entries(machine).filter(([name]) => !known.has(name)))
}

function issueText(issue: v.BaseIssue<unknown>): string {
  const where = v.getDotPath(issue)
  return where === null ? issue.message : `${where}: ${issue.message}`
}
