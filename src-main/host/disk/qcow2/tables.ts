/** Cluster-sized tables of a qcow2 image in memory: L2 tables and refcount blocks. Changes stay here until writeDirty. */
import type { DiskFile } from '../file.ts'

export class Table {
  readonly at: number
  readonly bytes: Uint8Array
  readonly view: DataView
  dirty = false

  constructor(at: number, bytes: Uint8Array) {
    this.at = at
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  }
}

export class TableCache {
  readonly #file: DiskFile
  readonly #bytes: number
  readonly #most: number
  readonly #tables = new Map<number, Table>()
  readonly #loading = new Map<number, Promise<Table>>()

  /** Keeps up to `most` tables, and all that are dirty. */
  constructor(file: DiskFile, bytes: number, most: number) {
    this.#file = file
    this.#bytes = bytes
    this.#most = most
  }

  get dirtyCount(): number {
    let count = 0
    for (const table of this.#tables.values()) if (table.dirty) count++
    return count
  }
  /** Too many changes wait: the image has to write them before it goes on. */
  get full(): boolean {
    return this.#tables.size > this.#most && this.dirtyCount > this.#most / 2
  }

  get(at: number): Table | Promise<Table> {
    const table = this.#tables.get(at)
    if (!table) return this.#load(at)
    // the map's order is that of use
    this.#tables.delete(at)
    this.#tables.set(at, table)
    return table
  }
  #load(at: number): Promise<Table> {
    const loading = this.#loading.get(at)
    if (loading) return loading
    const load = this.#read(at).finally(() => this.#loading.delete(at))
    this.#loading.set(at, load)
    return load
  }
  async #read(at: number): Promise<Table> {
    const bytes = new Uint8Array(this.#bytes)
    await this.#file.read(at, [bytes])
    return this.#keep(new Table(at, bytes))
  }
  #keep(table: Table): Table {
    this.#tables.set(table.at, table)
    for (const [at, old] of this.#tables) {
      if (this.#tables.size <= this.#most) break
      if (!old.dirty && old !== table) this.#tables.delete(at)
    }
    return table
  }

  /** A new table, all zeroes or a copy. */
  create(at: number, contents?: Uint8Array): Table {
    const table = new Table(at, contents ? contents.slice() : new Uint8Array(this.#bytes))
    table.dirty = true
    return this.#keep(table)
  }
  forget(at: number): void {
    this.#tables.delete(at)
  }

  async writeDirty(): Promise<void> {
    for (const table of this.#tables.values()) {
      if (!table.dirty) continue
      await this.#file.write(table.at, [table.bytes])
      table.dirty = false
    }
  }
}
