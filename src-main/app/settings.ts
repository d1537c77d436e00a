/** The user's settings: a readable JSON file that is replaced as a whole. What it has beside ours is kept. */
import { mkdir, readFile } from 'node:fs/promises'
import path from 'node:path'
import * as v from 'valibot'
import { defaultSettings, settingsSchema, type Settings } from '../contract/services/application.ts'
import { writeWhole } from './machines/store.ts'

export class SettingsFile {
  readonly #file: string
  #raw: Readonly<Record<string, unknown>> = {}
  #settings: Settings = defaultSettings
  #queue: Promise<void> = Promise.resolve()

  constructor(file: string) {
    this.#file = file
  }

  get current(): Settings {
    return this.#settings
  }

  /** Reads the file. A value that is not understood gets its default; a file that is no JSON is a sentence. */
  async load(): Promise<string | undefined> {
    let text: string
    try {
      text = await readFile(this.#file, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      return `the settings could not be read: ${error instanceof Error ? error.message : String(error)}`
    }
    try {
      this.#raw = v.parse(v.record(v.string(), v.unknown()), JSON.parse(text))
    } catch {
      return `${this.#file} is no settings file any more; the defaults are used until a setting is changed`
    }
    const entries = Object.entries(settingsSchema.entries).map(([name, schema]) => {
      const read = v.safeParse(schema, this.#raw[name])
      return [name, read.success ? read.output : defaultSettings[name as keyof Settings]]
    })
    this.#settings = Object.fromEntries(entries) as Settings
    return undefined
  }

  async change(change: { readonly [Name in keyof Settings]?: Settings[Name] | undefined }): Promise<Settings> {
    const given = Object.fromEntries(Object.entries(change).filter(([, value]) => value !== undefined))
    this.#settings = { ...this.#settings, ...given }
    this.#raw = { ...this.#raw, ...this.#settings }
    const text = `${JSON.stringify(this.#raw, undefined, 2)}\n`
    const write = async () => {
      await mkdir(path.dirname(this.#file), { recursive: true, mode: 0o700 })
      await writeWhole(this.#file, text)
    }
    const written = this.#queue.then(write)
    this.#queue = written.catch(() => undefined)
    await written
    return this.#settings
  }

  /** Everything is on the disk. */
  async settled(): Promise<void> {
    await this.#queue
  }
}
