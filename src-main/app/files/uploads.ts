/** Files that come from a browser in pieces. They are kept in the data folder: a machine may be made of them. */
import { mkdir, open, rename, rm, statfs, type FileHandle } from 'node:fs/promises'
import path from 'node:path'
import { TroubleError } from '../../contract/rpc/messages.ts'

interface Upload {
  readonly handle: FileHandle
  readonly partial: string
  readonly name: string
  readonly size: number
  received: number
  busy: boolean
}

/** How many one window may have under way. */
const MOST_UPLOADS = 16

/** The uploads of one window. */
export class Uploads {
  readonly #folder: string
  readonly #open = new Map<number, Upload>()
  #next = 1

  constructor(folder: string) {
    this.#folder = folder
  }

  /** `name` is what the browser says; only its last part is used, without what file systems refuse. */
  async begin(name: string, size: number): Promise<number> {
    if (this.#open.size >= MOST_UPLOADS)
      throw TroubleError.user('too many files at once; wait until the others are here')
    await mkdir(this.#folder, { recursive: true, mode: 0o700 })
    const { bavail, bsize } = await statfs(this.#folder)
    if (size > bavail * bsize)
      throw TroubleError.user(
        `there is not enough room for ${name} in ${this.#folder}; free some, or choose the file by its path`,
      )
    const id = this.#next++
    const partial = path.join(this.#folder, `.part-${Date.now()}-${Math.random().toString(36).slice(2)}`)
    const handle = await open(partial, 'wx', 0o600)
    this.#open.set(id, { handle, partial, name: safeName(name), size, received: 0, busy: false })
    return id
  }

  async add(id: number, bytes: Uint8Array): Promise<void> {
    const upload = this.#get(id)
    if (upload.received + bytes.length > upload.size)
      throw TroubleError.user(`${upload.name} is longer than it said; drop it again`)
    upload.busy = true
    try {
      await upload.handle.writeFile(bytes)
      upload.received += bytes.length
    } catch (error) {
      await this.cancel(id)
      throw TroubleError.user(
        `${upload.name} could not be stored: ${error instanceof Error ? error.message : String(error)}`,
      )
    } finally {
      upload.busy = false
    }
  }

  async finish(id: number): Promise<string> {
    const upload = this.#get(id)
    if (upload.received !== upload.size) throw TroubleError.user(`${upload.name} came incomplete; drop it again`)
    this.#open.delete(id)
    await upload.handle.close()
    // A folder of its own for each: names stay what they are, and nothing is overwritten.
    const folder = upload.partial.replace('.part-', '')
    await mkdir(folder, { mode: 0o700 })
    const file = path.join(folder, upload.name)
    await rename(upload.partial, file)
    return file
  }

  async cancel(id: number): Promise<void> {
    const upload = this.#open.get(id)
    if (upload === undefined) return
    this.#open.delete(id)
    await upload.handle.close().catch(() => undefined)
    await rm(upload.partial, { force: true })
  }

  async close(): Promise<void> {
    await Promise.all([...this.#open.keys()].map((id) => this.cancel(id)))
  }

  #get(id: number): Upload {
    const upload = this.#open.get(id)
    if (upload === undefined) throw TroubleError.user('this upload has ended; drop the file again')
    if (upload.busy) throw TroubleError.user('pieces of an upload must come one after the other; drop the file again')
    return upload
  }
}

function safeName(name: string): string {
  const last = name.split(/[\\/]/).at(-1) ?? ''
  // eslint-disable-next-line no-control-regex -- file systems refuse control characters
  const clean = last.replaceAll(/[\x00-\x1f<>:"|?*]/g, '_').slice(0, 120)
  return /^\.*$/.test(clean) ? 'file' : clean
}
