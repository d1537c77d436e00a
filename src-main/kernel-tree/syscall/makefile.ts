/** The last place: the source has to be compiled, and its folder to be visited. */
import path from 'node:path'
import type { Facts, TreeFiles } from './facts.ts'
import { insertAfter, removeLines } from './lines.ts'
import { done, missing, wrong, type Finding, type Place } from './place.ts'

interface Assignment {
  /** `obj-y`, `obj-$(CONFIG_X)`, `core-y`, `fork-objs` … */
  readonly variable: string
  readonly words: readonly string[]
  /** First and last line. */
  readonly line: number
  readonly last: number
}

/** Assignments of a Makefile, with their continued lines. */
export function assignmentsOf(text: string): Assignment[] {
  const lines = text.split('\n')
  const found: Assignment[] = []
  for (let index = 0; index < lines.length; index++) {
    const first = index
    let joined = lines[index]
    while (joined.endsWith('\\') && index + 1 < lines.length) joined = joined.slice(0, -1) + ' ' + lines[++index]
    const match = /^\s*([\w-]+(?:-\$\([\w-]+\))?|[\w-]+)\s*(?:\+|:)?=(.*)$/.exec(joined.replace(/(^|\s)#.*$/, ''))
    if (match === null) continue
    const words = match[2].split(/\s+/).filter((word) => word !== '')
    found.push({ variable: match[1], words, line: first + 1, last: index + 1 })
  }
  return found
}

const isList = (variable: string) => /^(obj|core|drivers|lib|libs)-/.test(variable)

/** The assignment that compiles `object`, directly or as a part of a composite object (`fork-objs`, `fork-y`). */
function compiledBy(assignments: readonly Assignment[], object: string): Assignment | undefined {
  const direct = assignments.find(({ variable, words }) => isList(variable) && words.includes(object))
  if (direct !== undefined) return direct
  const part = assignments.find(
    ({ variable, words }) => /-(objs|y|\$\(\w+\))$/.test(variable) && words.includes(object),
  )
  if (part === undefined) return undefined
  return compiledBy(
    assignments.filter((other) => other !== part),
    `${part.variable.replace(/-(objs|y|\$\(\w+\))$/, '')}.o`,
  )
}

const makefileIn = (files: TreeFiles, folder: string) =>
  files.read(`${folder}/Kbuild`) === undefined ? `${folder}/Makefile` : `${folder}/Kbuild`

/** The first folder on the way down that its parent does not visit; `.` is the top. */
function unvisited(files: TreeFiles, folder: string): { parent: string; child: string } | undefined {
  const parts = folder.split('/')
  for (let depth = 0; depth < parts.length; depth++) {
    const parent = parts.slice(0, depth).join('/')
    const below = (level: number) => `${parts.slice(level, depth + 1).join('/')}/`
    // Any folder above may name it, with the path from there (arch/x86/Kbuild: `obj-y += kernel/`; Makefile: `core-y += kernel/`).
    const named = Array.from({ length: depth + 1 }, (_, level) => level).some((level) => {
      const above = parts.slice(0, level).join('/')
      const texts = (above === '' ? ['Kbuild', 'Makefile'] : [`${above}/Kbuild`, `${above}/Makefile`]).map(
        (file) => files.read(file) ?? '',
      )
      return texts.some((text) =>
        assignmentsOf(text).some(({ variable, words }) => isList(variable) && words.includes(below(level))),
      )
    })
    // arch/ itself and arch/x86 are visited by name.
    const byName = parts[0] === 'arch' && depth < 2
    if (!named && !byName) return { parent, child: parts[depth] }
  }
  return undefined
}

const topList = (files: TreeFiles) =>
  assignmentsOf(files.read('Kbuild') ?? '').some(({ variable }) => variable === 'obj-y') ? 'Kbuild' : 'Makefile'

const objectOf = (file: string) => `${path.posix.basename(file, '.c')}.o`

function checkMakefile({ files, file }: Facts): Finding {
  const folder = path.posix.dirname(file)
  const text = files.read(makefileIn(files, folder))
  const object = objectOf(file)
  if (text === undefined) return missing(`${folder} has no Makefile; it needs "obj-y += ${object}"`)
  const by = compiledBy(assignmentsOf(text), object)
  if (by === undefined) return missing(`add "obj-y += ${object}", or the source is never compiled`, anchor(text))
  const shown = text.split('\n')[by.line - 1]
  if (by.variable === 'obj-m') return wrong('a system call cannot be in a module: write obj-y', by.line, shown)
  const gap = unvisited(files, folder)
  if (gap !== undefined) {
    const where = gap.parent === '' ? topList(files) : makefileIn(files, gap.parent)
    return missing(`make does not enter ${gap.child}/: add "obj-y += ${gap.child}/" to ${where}`)
  }
  const option = /\$\(CONFIG_(\w+)\)/.exec(by.variable)?.[1]
  return done(option === undefined ? 'compiled' : `compiled when ${option} is y`, by.line, shown)
}

/** Behind the first list of objects. */
function anchor(text: string): number {
  const all = assignmentsOf(text)
  const first = all.find(({ variable }) => variable === 'obj-y') ?? all.find(({ variable }) => isList(variable))
  return first?.last ?? text.split('\n').length - 1
}

export const makefilePlace: Place = {
  id: 'makefile',
  title: 'Makefile',
  file: ({ files, file }) => makefileIn(files, path.posix.dirname(file)),
  check: checkMakefile,
  add({ files, file }) {
    const folder = path.posix.dirname(file)
    const makefile = makefileIn(files, folder)
    const object = objectOf(file)
    const text = files.read(makefile)
    if (text === undefined) files.plan(makefile, `# SPDX-License-Identifier: GPL-2.0\nobj-y += ${object}\n`)
    else if (compiledBy(assignmentsOf(text), object) === undefined) {
      files.plan(makefile, insertAfter(text, anchor(text), [`obj-y += ${object}`]))
    }
    for (let gap = unvisited(files, folder); gap !== undefined; gap = unvisited(files, folder)) {
      const where = gap.parent === '' ? topList(files) : makefileIn(files, gap.parent)
      const above = files.read(where) ?? '# SPDX-License-Identifier: GPL-2.0\n'
      files.plan(where, insertAfter(above, anchor(above), [`obj-y += ${gap.child}/`]))
    }
  },
  remove({ files, file, name }) {
    const makefile = makefileIn(files, path.posix.dirname(file))
    const text = files.read(makefile)
    // Only a file that is there for this call alone; a source that has others stays compiled.
    const others = [...(files.read(file) ?? '').matchAll(/\bSYSCALL_DEFINE\d\s*\(\s*(\w+)/g)].some(
      (match) => match[1] !== name,
    )
    if (text === undefined || others) return
    const own = assignmentsOf(text).find(
      ({ variable, words }) => variable === 'obj-y' && words.length === 1 && words[0] === objectOf(file),
    )
    if (own !== undefined) files.plan(makefile, removeLines(text, own.line, own.last))
  },
}
