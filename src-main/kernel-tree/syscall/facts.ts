/** What is known about one system call in one tree before its places are looked at. */
import { readdirSync } from 'node:fs'
import path from 'node:path'
import { KernelTreeError, type FileEdit, type SyscallRequest } from '../../contract/kernel-tree.ts'
import { readText } from '../tree.ts'
import { definitionsIn, normalType, parameterOf, type Definition, type Parameter } from './c-text.ts'
import { namesStubs, nextFree, rowsOf, TABLE_32, TABLE_64, type TableRow } from './table.ts'

export const UNISTD = 'include/uapi/asm-generic/unistd.h'
export const PROTOTYPES = 'include/linux/syscalls.h'
export const COMPAT_PROTOTYPES = 'include/linux/compat.h'
export const FALLBACKS = 'kernel/sys_ni.c'

/** The kernel's limit: six registers carry arguments. */
export const MOST_PARAMETERS = 6

/** Files of a tree as they are, and as a plan would leave them. */
export class TreeFiles {
  readonly folder: string
  readonly #before = new Map<string, string | undefined>()
  readonly #after = new Map<string, string>()

  constructor(folder: string) {
    this.folder = folder
  }

  read(file: string): string | undefined {
    const planned = this.#after.get(file)
    if (planned !== undefined) return planned
    if (!this.#before.has(file)) this.#before.set(file, readText(path.join(this.folder, file)))
    return this.#before.get(file)
  }

  /** For files that every kernel tree has. */
  need(file: string): string {
    const text = this.read(file)
    if (text === undefined) throw new KernelTreeError(`${file} is missing in ${this.folder}; is the tree complete?`)
    return text
  }

  plan(file: string, text: string): void {
    this.read(file)
    this.#after.set(file, text)
  }

  edits(): FileEdit[] {
    return [...this.#after].flatMap(([file, after]) => {
      const before = this.#before.get(file)
      if (before === after) return []
      return [before === undefined ? { file, after } : { file, before, after }]
    })
  }
}

export interface Facts {
  readonly files: TreeFiles
  readonly name: string
  readonly number: number
  readonly nextFree: number
  /** From the request, else from the definition. */
  readonly parameters: readonly Parameter[]
  readonly file: string
  readonly definition?: Definition
  readonly compatDefinition?: Definition
  readonly rows64: readonly TableRow[]
  readonly rows32: readonly TableRow[]
  readonly stubs: boolean
  readonly i386: boolean
  readonly compat: boolean
}

/** Where the sources of system calls are; drivers, sound and tools define none. */
const NOT_SEARCHED = new Set([
  'Documentation',
  'LICENSES',
  'drivers',
  'sound',
  'tools',
  'samples',
  'scripts',
  'include',
  'certs',
  'usr',
  'rust',
  'debian',
])

function* sourcesBelow(folder: string, below: string): Generator<string> {
  for (const entry of readdirSync(path.join(folder, below), { withFileTypes: true })) {
    const file = below === '' ? entry.name : `${below}/${entry.name}`
    if (entry.isDirectory()) {
      const skipped =
        below === ''
          ? NOT_SEARCHED.has(entry.name) || entry.name.startsWith('.')
          : below === 'arch' && entry.name !== 'x86'
      if (!skipped) yield* sourcesBelow(folder, file)
    } else if (entry.isFile() && entry.name.endsWith('.c')) yield file
  }
}

/** The file that defines the call; the guess first, since a whole kernel has 10,000 sources. */
export function findSource(files: TreeFiles, name: string, guess: string): string | undefined {
  const defines = new RegExp(`\\bSYSCALL_DEFINE\\d\\s*\\(\\s*${name}\\b`)
  if (defines.test(files.read(guess) ?? '')) return guess
  for (const file of sourcesBelow(files.folder, '')) {
    // Not through `files`: a thousand sources need not stay in memory.
    const text = readText(path.join(files.folder, file))
    if (text !== undefined && defines.test(text) && definitionsIn(text).some((found) => found.name === name))
      return file
  }
  return undefined
}

export function requireName(name: string): void {
  if (/^(sys_|__NR_|__x64_)/.test(name)) {
    throw new KernelTreeError(
      `give the call's bare name: "${name.replace(/^(sys_|__NR_|__x64_sys_|__x64_)/, '')}", not "${name}"`,
    )
  }
  if (!/^[a-z_][a-z0-9_]*$/.test(name)) {
    throw new KernelTreeError(`"${name}" cannot be a system call's name; use small letters, digits and _`)
  }
}

function requireFile(file: string): void {
  const normal = path.posix.normalize(file)
  if (!file.endsWith('.c') || path.posix.isAbsolute(normal) || normal.startsWith('..')) {
    throw new KernelTreeError(`the source must be a .c file inside the tree, like kernel/memcpy.c; "${file}" is not`)
  }
}

function parametersOf(request: SyscallRequest): Parameter[] {
  const parameters = request.parameters.map(parameterOf)
  const nameless = request.parameters.find((_, index) => parameters[index].name === '')
  if (nameless !== undefined) {
    throw new KernelTreeError(`the parameter "${nameless}" has no name; write it like "unsigned long len"`)
  }
  if (parameters.length > MOST_PARAMETERS) {
    throw new KernelTreeError(
      `a system call has at most ${MOST_PARAMETERS} parameters; pass a pointer to a struct instead`,
    )
  }
  return parameters.map(({ type, name }) => ({ type: normalType(type), name }))
}

/** Numbers that the generic table gives away: `#define __NR_name number`. */
export function unistdNumbers(unistd: string): Map<string, number> {
  const matches = unistd.matchAll(/^[ \t]*#[ \t]*define[ \t]+__NR_(\w+)[ \t]+(\d+)[ \t]*(?:\/\*.*)?$/gm)
  return new Map([...matches].flatMap(([, name, number]) => (name === 'syscalls' ? [] : [[name, Number(number)]])))
}

export function gatherFacts(files: TreeFiles, request: SyscallRequest): Facts {
  const { name } = request
  requireName(name)
  const guess = request.file ?? `kernel/${name}.c`
  requireFile(guess)
  const given = parametersOf(request)
  const rows64 = rowsOf(files.need(TABLE_64))
  const rows32 = rowsOf(files.need(TABLE_32))
  const unistd = unistdNumbers(files.need(UNISTD))
  const row64 = rows64.find((row) => row.name === name && row.abi !== 'x32')
  const row32 = rows32.find((row) => row.name === name)
  const others = (rows: readonly TableRow[]) => rows.filter((row) => row.name !== name).map((row) => row.number)
  const inUse = [
    ...others(rows64),
    ...others(rows32),
    ...[...unistd].filter(([key]) => key !== name).map(([, number]) => number),
  ]
  const free = nextFree(inUse)
  const file = findSource(files, name, guess) ?? guess
  const definitions = definitionsIn(files.read(file) ?? '').filter((found) => found.name === name)
  const definition = definitions.find((found) => !found.compat)
  const compatDefinition = definitions.find((found) => found.compat)
  const compat =
    request.compat === true || compatDefinition !== undefined || row32?.compat?.includes(`compat_sys_${name}`) === true
  return {
    files,
    name,
    number: row64?.number ?? request.number ?? unistd.get(name) ?? row32?.number ?? free,
    nextFree: free,
    parameters: given.length > 0 ? given : (definition?.parameters ?? []),
    file,
    ...(definition === undefined ? {} : { definition }),
    ...(compatDefinition === undefined ? {} : { compatDefinition }),
    rows64,
    rows32,
    stubs: namesStubs(rows64),
    i386: compat || request.i386 === true || row32 !== undefined,
    compat,
  }
}
