/** What Kbuild knows about its objects: the `.NAME.cmd` files, with the command and the files that it read (scripts/basic/fixdep.c). */
import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

export interface BuiltObject {
  /** Relative to the output folder. */
  readonly object: string
  readonly command: string
  /** As the compiler named them: relative to the output folder, or absolute. */
  readonly dependencies: readonly string[]
  /** Files that stand for the configuration options which those mention (`include/config/SMP`); they exist when the option is set. */
  readonly options: readonly string[]
}

/** Folders that hold no kernel objects, only the build's own programs and generated headers. */
const NOT_SEARCHED = new Set(['Documentation', '.git', 'tools', 'usr', 'samples', 'debian'])

function* cmdFiles(folder: string): Generator<string> {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const file = `${folder}/${entry.name}`
    if (entry.isDirectory()) {
      if (!NOT_SEARCHED.has(entry.name)) yield* cmdFiles(file)
    } else if (entry.name.startsWith('.') && entry.name.endsWith('.cmd')) yield file
  }
}

function parse(text: string, object: string): BuiltObject | undefined {
  const command = /^(?:saved)?cmd_\S+ := (.*)$/m.exec(text)?.[1]
  const list = /^deps_\S+ := \\\n((?:.*\\\n)*)/m.exec(text)?.[1]
  if (command === undefined || list === undefined) return undefined
  const source = /^source_\S+ := (.*)$/m.exec(text)?.[1]
  const dependencies = [...list.matchAll(/^ {2}([^\s$]\S*) \\$/gm)].map(([, file]) => file)
  const options = [...list.matchAll(/^ {4}\$\(wildcard (\S+)\) \\$/gm)].map(([, file]) => file)
  return { object, command, dependencies: source === undefined ? dependencies : [source, ...dependencies], options }
}

/** Every object of the output folder that was compiled from something with #include. */
export function builtObjects(output: string): BuiltObject[] {
  const found: BuiltObject[] = []
  for (const file of cmdFiles(output)) {
    const name = path.basename(file).slice(1, -'.cmd'.length)
    const object = path.relative(output, path.join(path.dirname(file), name))
    const parsed = parse(readFileSync(file, 'utf8'), object)
    if (parsed !== undefined) found.push(parsed)
  }
  return found
}
