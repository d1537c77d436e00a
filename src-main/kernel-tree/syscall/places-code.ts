/** Places of C and make: prototypes, fallbacks, the source and its Makefile. */
import { lineAt, prototypeOf, type Definition, type Parameter } from './c-text.ts'
import { COMPAT_PROTOTYPES, FALLBACKS, MOST_PARAMETERS, PROTOTYPES, type Facts } from './facts.ts'
import { makefilePlace } from './makefile.ts'
import { backOverBlanks, insertAfter, lineOf, removeLines } from './lines.ts'
import { done, missing, wrong, type Finding, type Place } from './place.ts'
import { bodyOf, compatBodyOf, compatParameters, formatPrototype } from './template.ts'

function comparePrototype(found: readonly Parameter[], definition: Definition | undefined): string | undefined {
  if (definition === undefined || definition.split) return undefined
  const wanted = definition.parameters
  if (found.length !== wanted.length) {
    return `it has ${found.length} parameters, the definition (line ${definition.line}) has ${wanted.length}`
  }
  const at = found.findIndex(({ type }, index) => type !== wanted[index].type)
  if (at < 0) return undefined
  return `parameter ${at + 1} is "${found[at].type}" here and "${wanted[at].type}" in the definition; x86 never compares the two, other architectures do`
}

function checkPrototype(facts: Facts, file: string, functionName: string, definition: Definition | undefined): Finding {
  const text = facts.files.need(file)
  const prototype = prototypeOf(text, functionName)
  if (prototype === undefined) {
    const loose = lineOf(text, new RegExp(`\\b${functionName}\\s*\\(`))
    if (loose !== undefined)
      return wrong(`write it as "asmlinkage long ${functionName}(…);"`, loose, text.split('\n')[loose - 1])
    return missing(`declare "asmlinkage long ${functionName}(…);"`, prototypeLine(text))
  }
  const shown = text.slice(prototype.from, prototype.to).replaceAll(/\s+/g, ' ')
  const problem = comparePrototype(prototype.parameters, definition)
  return problem === undefined ? done('declared', prototype.line, shown) : wrong(problem, prototype.line, shown)
}

/** In front of the comment on the placeholder, where the last prototypes are; in compat.h in front of its last group. */
function prototypeLine(text: string): number {
  const placeholder = lineOf(text, /Not a real system call, but a placeholder/)
  if (placeholder !== undefined) return backOverBlanks(text, placeholder - 1)
  const last = text.lastIndexOf('asmlinkage long compat_sys_')
  return last < 0 ? text.split('\n').length - 1 : lineAt(text, text.indexOf(';', last))
}

function removePrototype({ files }: Facts, file: string, functionName: string): void {
  const text = files.need(file)
  const prototype = prototypeOf(text, functionName)
  if (prototype !== undefined) files.plan(file, removeLines(text, prototype.line, lineAt(text, prototype.to - 1)))
}

function prototypePlace(compat: boolean): Place {
  const file = compat ? COMPAT_PROTOTYPES : PROTOTYPES
  const functionOf = (facts: Facts) => `${compat ? 'compat_' : ''}sys_${facts.name}`
  return {
    id: compat ? 'compat-prototype' : 'prototype',
    title: compat ? 'prototype for 32-bit programs' : 'prototype',
    file: () => file,
    ...(compat ? { needed: (facts: Facts) => facts.compat } : {}),
    check: (facts) =>
      checkPrototype(facts, file, functionOf(facts), compat ? facts.compatDefinition : facts.definition),
    add(facts) {
      const text = facts.files.need(file)
      const parameters = compat
        ? (facts.compatDefinition?.parameters ?? compatParameters(facts.parameters))
        : facts.parameters
      const lines = formatPrototype(functionOf(facts), parameters)
      facts.files.plan(file, insertAfter(text, prototypeLine(text), lines))
    },
    remove: (facts) => removePrototype(facts, file, functionOf(facts)),
  }
}

function fallbackPlace(compat: boolean): Place {
  const macro = compat ? 'COND_SYSCALL_COMPAT' : 'COND_SYSCALL'
  const pattern = (name: string) => new RegExp(`^[ \\t]*${macro}\\(\\s*${name}\\s*\\)`)
  return {
    id: compat ? 'compat-fallback' : 'fallback',
    title: compat ? 'fallback for 32-bit programs' : 'fallback to ENOSYS',
    file: () => FALLBACKS,
    ...(compat ? { needed: (facts: Facts) => facts.compat } : {}),
    check({ files, name }) {
      const text = files.need(FALLBACKS)
      const line = lineOf(text, pattern(name))
      if (line === undefined) {
        return missing(
          `add "${macro}(${name});", so that a kernel without the call's source answers ENOSYS`,
          fallbackLine(text),
        )
      }
      const shown = text.split('\n')[line - 1]
      if (!shown.includes(';')) return wrong('the semicolon is missing', line, shown)
      return done('ENOSYS where the source is not built', line, shown)
    },
    add({ files, name }) {
      const text = files.need(FALLBACKS)
      const own = lineOf(text, new RegExp(`^COND_SYSCALL\\(\\s*${name}\\s*\\)`))
      const lines = own === undefined ? ['', `${macro}(${name});`] : [`${macro}(${name});`]
      files.plan(FALLBACKS, insertAfter(text, own ?? fallbackLine(text), lines))
    },
    remove({ files, name }) {
      const text = files.need(FALLBACKS)
      const line = lineOf(text, pattern(name))
      if (line !== undefined) files.plan(FALLBACKS, removeLines(text, line, line))
    },
  }
}

function fallbackLine(text: string): number {
  const before = lineOf(text, /^\/\* restartable sequence \*\//)
  return before === undefined ? backOverBlanks(text, text.split('\n').length) : backOverBlanks(text, before)
}

function checkDefinition(definition: Definition | undefined, facts: Facts, macro: string): Finding {
  const { files, file, name } = facts
  if (definition === undefined) {
    const exists = files.read(file) !== undefined
    return missing(
      `${exists ? `${file} does not define it` : 'the file is not there'}; define the call with ${macro}${facts.parameters.length}(${name}, …)`,
    )
  }
  const { line, declared, parameters, odd, split, open } = definition
  const shown = (files.read(file) ?? '').split('\n')[line - 1]
  if (odd)
    return wrong(
      'type and name of every parameter are separated by a comma: (name, type1, name1, type2, name2)',
      line,
      shown,
    )
  if (parameters.length > MOST_PARAMETERS) return wrong(`a call has at most ${MOST_PARAMETERS} parameters`, line, shown)
  if (declared !== parameters.length && !split) {
    return wrong(
      `${macro}${declared} needs ${declared} parameters, there are ${parameters.length}: write ${macro}${parameters.length}`,
      line,
      shown,
    )
  }
  if (open < 0) return wrong('the body is missing or its braces do not match', line, shown)
  return done(`${parameters.length} parameter${parameters.length === 1 ? '' : 's'}`, line, shown)
}

/** Writes the body's frame; an existing file keeps what it has. */
function addBody({ files, file }: Facts, body: readonly string[]): void {
  const text = files.read(file)
  const include = '#include <linux/syscalls.h>'
  const fresh = `// SPDX-License-Identifier: GPL-2.0\n${include}\n`
  files.plan(file, `${text ?? fresh}\n${body.join('\n')}\n`)
}

const source: Place = {
  id: 'source',
  title: 'the code',
  file: (facts) => facts.file,
  check: (facts) => checkDefinition(facts.definition, facts, 'SYSCALL_DEFINE'),
  add: (facts) => addBody(facts, bodyOf(facts.name, facts.parameters)),
  // The user's code is never removed; without its table rows nobody can call it.
  remove: () => undefined,
}

const compatSource: Place = {
  id: 'compat-source',
  title: 'the code for 32-bit programs',
  file: (facts) => facts.file,
  needed: (facts) => facts.compat,
  check: (facts) => checkDefinition(facts.compatDefinition, facts, 'COMPAT_SYSCALL_DEFINE'),
  add: (facts) => addBody(facts, compatBodyOf(facts.name, facts.parameters)),
  remove: () => undefined,
}

export const codePlaces: readonly Place[] = [
  prototypePlace(false),
  prototypePlace(true),
  fallbackPlace(false),
  fallbackPlace(true),
  source,
  compatSource,
  makefilePlace,
]
