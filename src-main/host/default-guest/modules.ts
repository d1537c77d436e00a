/** Kernel modules out of an unpacked kernel package: which are needed, and in what order they load. */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

/** The kernel writes `-` and `_` alike in module names. */
const canonical = (name: string) => name.replaceAll('-', '_')

/**
 * The `depends=` entry of a module's .modinfo section. Read from the file because the package carries no modules.dep: that
 * is made by depmod where a kernel is installed.
 */
export function dependenciesOf(module: Uint8Array): string[] {
  const text = Buffer.from(module.buffer, module.byteOffset, module.byteLength)
  const at = text.indexOf('\0depends=')
  if (at < 0) return []
  const start = at + '\0depends='.length
  const list = text.toString('latin1', start, text.indexOf(0, start))
  return list === '' ? [] : list.split(',').map(canonical)
}

export interface ModuleFile {
  /** File name in the guest, such as `ext4.ko`. */
  readonly name: string
  readonly data: Uint8Array
}

/** Modules of one kernel, found by name. `folder` is …/lib/modules/VERSION. */
export class ModuleTree {
  readonly #files = new Map<string, string>()
  readonly #builtIn: ReadonlySet<string>

  constructor(folder: string) {
    for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (file.endsWith('.ko')) this.#files.set(canonical(path.basename(file, '.ko')), path.join(folder, file))
    }
    const builtIn = readFileSync(path.join(folder, 'modules.builtin'), 'utf8').split('\n')
    this.#builtIn = new Set(builtIn.map((file) => canonical(path.basename(file.trim(), '.ko'))))
  }

  /** `wanted` and all they depend on, dependencies first; throws with the name of one that this kernel does not have. */
  inLoadOrder(wanted: readonly string[]): ModuleFile[] {
    const seen = new Set<string>()
    const order: ModuleFile[] = []
    const visit = (name: string) => {
      if (seen.has(name)) return
      seen.add(name)
      const file = this.#files.get(name)
      if (file === undefined) {
        if (this.#builtIn.has(name)) return
        throw new Error(`the kernel package has no module ${name}`)
      }
      const data = readFileSync(file)
      dependenciesOf(data).forEach(visit)
      order.push({ name: `${name}.ko`, data })
    }
    wanted.map(canonical).forEach(visit)
    return order
  }
}
