/** Symbols of the machines' kernels: from a file that the user chose, or from the one that lies beside the kernel. */
import { stat } from 'node:fs/promises'
import path from 'node:path'
import type { Debuggable } from '../../contract/debug.ts'
import { TroubleError } from '../../contract/rpc/messages.ts'
import type { MachineId } from '../../contract/services/common.ts'
import type { SymbolSource } from '../../contract/services/debug.ts'
import { NoSymbols } from '../../debug/symbols/read.ts'
import { findSlide } from '../../debug/symbols/slide.ts'
import { SymbolTable } from '../../debug/symbols/symbol-table.ts'
import { readSymbolsOf } from '../../workers/symbols.ts'
import type { MachineLibrary } from './library.ts'
import type { MachineRun } from './running.ts'

interface Loaded {
  readonly path: string
  readonly table: SymbolTable
  /** The run whose slide is known: the next boot may place the kernel elsewhere. */
  run?: MachineRun
  slide?: bigint
}

/** Where a kernel's symbols usually are: beside it under the same suffix, or at the top of its tree. */
export function symbolPlaces(kernel: string): string[] {
  const folder = path.dirname(kernel)
  const suffix = path.basename(kernel).replace(/^(bzImage|vmlinuz|vmlinux)/, '')
  const beside = ['vmlinux', 'System.map'].flatMap((name) => [`${name}${suffix}`, name])
  const places = beside.map((name) => path.join(folder, name))
  // arch/x86/boot/bzImage, and arch/x86_64 as the link to it.
  const tree = /^(.*)\/arch\/x86(?:_64)?\/boot$/.exec(folder.replaceAll('\\', '/'))?.[1]
  if (tree !== undefined) places.push(`${tree}/vmlinux`, `${tree}/System.map`)
  return [...new Set(places)]
}

async function readTable(file: string): Promise<SymbolTable> {
  try {
    return new SymbolTable(await readSymbolsOf(file))
  } catch (error) {
    if (error instanceof NoSymbols) throw TroubleError.user(`${file}: ${error.message}; choose a vmlinux or System.map`)
    throw TroubleError.user(`${file} cannot be opened: ${error instanceof Error ? error.message : String(error)}`)
  }
}

export class MachineSymbols {
  readonly #library: MachineLibrary
  readonly #loaded = new Map<MachineId, Loaded>()

  constructor(library: MachineLibrary) {
    this.#library = library
  }

  async load(id: MachineId, file: string): Promise<SymbolSource> {
    const loaded: Loaded = { path: file, table: await readTable(file) }
    this.#loaded.set(id, loaded)
    return await this.#source(id, loaded)
  }

  /** What is loaded, looked for beside the kernel when nothing is. */
  async source(id: MachineId): Promise<SymbolSource | undefined> {
    const known = this.#loaded.get(id)
    if (known !== undefined) return await this.#source(id, known)
    const { kernel } = this.#library.get(id).config
    for (const place of kernel === undefined ? [] : symbolPlaces(kernel)) {
      const stats = await stat(place).catch(() => undefined)
      if (stats?.isFile() !== true) continue
      try {
        return await this.load(id, place)
      } catch (error) {
        // A file of that name that is something else is no reason to complain: nobody chose it.
        if (!(error instanceof TroubleError)) throw error
      }
    }
    return undefined
  }

  /** undefined: nothing is loaded. */
  table(id: MachineId): SymbolTable | undefined {
    return this.#loaded.get(id)?.table
  }

  async #source(id: MachineId, loaded: Loaded): Promise<SymbolSource> {
    const run = this.#library.activeRun(id)
    if (loaded.run !== run) {
      delete loaded.slide
      loaded.table.slide = 0n
    }
    if (run !== undefined && loaded.slide === undefined) await this.#placeKernel(loaded, run, run.debug)
    const { path: file, table, slide } = loaded
    return { path: file, count: table.size, ...(slide === undefined ? {} : { slide }) }
  }

  async #placeKernel(loaded: Loaded, run: MachineRun, target: Debuggable): Promise<void> {
    const slide = await findSlide(target, loaded.table).catch(() => undefined)
    if (slide === undefined) return
    Object.assign(loaded, { run, slide })
    loaded.table.slide = slide
  }
}
