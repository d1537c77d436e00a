/**
 * The record that makes a fast rebuild possible: the headers as they were when the objects were compiled. It is taken after a build that
 * succeeded and lies in the user's state folder, compressed.
 */
import { existsSync, readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { BuiltObject } from '../build/dependencies.ts'
import { treeState, writeWhole } from '../state.ts'

interface Version {
  /** Date of the file, in ms. */
  readonly modified: number
  readonly text: string
}

interface Stored {
  readonly format: number
  /** Object -> its date when all that it includes was recorded. */
  readonly objects: Readonly<Record<string, number>>
  /** File -> its texts, oldest first. */
  readonly files: Readonly<Record<string, readonly Version[]>>
}

const FORMAT = 1
/** The largest file that is recorded, in characters; generated tables may be huge. */
const MOST_TEXT = 4_000_000

export function modifiedOf(file: string): number | undefined {
  return statSync(file, { throwIfNoEntry: false })?.mtimeMs
}

export class BuildRecord {
  readonly #output: string
  readonly #objects: Map<string, number>
  readonly #files: Map<string, readonly Version[]>

  private constructor(output: string, stored?: Stored) {
    this.#output = output
    this.#objects = new Map(Object.entries(stored?.objects ?? {}))
    this.#files = new Map(Object.entries(stored?.files ?? {}))
  }

  /** The record of an output folder; empty when there is none (or one of another version). */
  static open(output: string): BuildRecord {
    const file = fileOf(output)
    if (!existsSync(file)) return new BuildRecord(output)
    try {
      const stored = JSON.parse(gunzipSync(readFileSync(file)).toString()) as Stored
      return stored.format === FORMAT ? new BuildRecord(output, stored) : new BuildRecord(output)
    } catch {
      // Cut off or damaged: as good as none, the next build makes a new one.
      return new BuildRecord(output)
    }
  }

  get isEmpty(): boolean {
    return this.#objects.size === 0
  }

  /** Is the object the one that was recorded? */
  knows(object: string, modified: number): boolean {
    return this.#objects.get(object) === modified
  }

  /** The file's text at a moment: its last version that is not younger. */
  textAt(file: string, moment: number): string | undefined {
    return this.#files.get(file)?.findLast(({ modified }) => modified <= moment)?.text
  }

  /** These objects were proved to be what a compilation with today's headers gives; they have a new date. */
  kept(objects: readonly BuiltObject[]): void {
    const files = new Set(objects.flatMap(({ dependencies }) => dependencies))
    for (const file of files) {
      const version = this.#versionNow(file)
      const known = this.#files.get(file) ?? []
      if (version !== undefined && known.at(-1)?.modified !== version.modified)
        this.#files.set(file, [...known, version])
    }
    for (const { object } of objects) {
      const modified = modifiedOf(path.join(this.#output, object))
      if (modified !== undefined) this.#objects.set(object, modified)
    }
    this.#save()
  }

  /**
   * Everything anew, after a build that began at `begun` (ms). An object counts when no file that it includes is younger, and a file when
   * it was not edited while the build ran.
   */
  renew(objects: readonly BuiltObject[], begun: number): void {
    const dates = new Map<string, number | undefined>()
    const dateOf = (file: string) => {
      if (!dates.has(file)) dates.set(file, modifiedOf(path.resolve(this.#output, file)))
      return dates.get(file)
    }
    const steady = (file: string, limit: number) => {
      const date = dateOf(file)
      return date !== undefined && date <= limit && (date <= begun || isGenerated(file))
    }
    this.#objects.clear()
    const files = new Set<string>()
    for (const { object, dependencies } of objects) {
      const modified = modifiedOf(path.join(this.#output, object))
      if (modified === undefined || !dependencies.every((file) => steady(file, modified))) continue
      this.#objects.set(object, modified)
      for (const file of dependencies.slice(1)) files.add(file)
    }
    for (const file of this.#files.keys()) if (!files.has(file)) this.#files.delete(file)
    for (const file of files) {
      const known = this.#files.get(file)?.at(-1)
      const version = known !== undefined && known.modified === dateOf(file) ? known : this.#versionNow(file)
      if (version === undefined) this.#files.delete(file)
      else this.#files.set(file, [version])
    }
    this.#save()
  }

  #versionNow(file: string): Version | undefined {
    const full = path.resolve(this.#output, file)
    const modified = modifiedOf(full)
    if (modified === undefined) return undefined
    const text = readFileSync(full, 'utf8')
    return text.length > MOST_TEXT ? undefined : { modified, text }
  }

  #save(): void {
    const stored: Stored = {
      format: FORMAT,
      objects: Object.fromEntries(this.#objects),
      files: Object.fromEntries(this.#files),
    }
    writeWhole(fileOf(this.#output), gzipSync(JSON.stringify(stored), { level: 1 }))
  }
}

const fileOf = (output: string) => path.join(treeState(output), 'headers.json.gz')

/** Made by the build itself, so it may be younger than the build's begin. */
function isGenerated(file: string): boolean {
  return /(^|\/)include\/(generated|config)\//.test(file) || !/\.[hcS]$/.test(file)
}
