/**
 * Random edits of a kernel tree, one function a kind. Each names what it did. An edit may break the build: then a clean build and a fast
 * one have to fail alike.
 */
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import type { Random } from './random.ts'

/** A tree whose last edit can be taken back. */
export class EditedTree {
  readonly folder: string
  /** File -> its text before the edit that is being made; undefined: it is new. */
  #before = new Map<string, string | undefined>()

  constructor(folder: string) {
    this.folder = folder
  }

  read(file: string): string {
    return readFileSync(path.join(this.folder, file), 'utf8')
  }

  write(file: string, text: string): void {
    const full = path.join(this.folder, file)
    if (!this.#before.has(file)) this.#before.set(file, existsSync(full) ? this.read(file) : undefined)
    writeFileSync(full, text)
  }

  append(file: string, text: string): void {
    this.write(file, this.read(file) + text)
  }

  begin(): void {
    this.#before = new Map()
  }

  takeBack(): void {
    const before = this.#before
    this.begin()
    for (const [file, text] of before) {
      if (text === undefined) rmSync(path.join(this.folder, file))
      else this.write(file, text)
    }
  }
}

export interface Place {
  readonly tree: EditedTree
  /** Files that the build read, relative to the tree. */
  readonly headers: readonly string[]
  readonly sources: readonly string[]
  readonly random: Random
  /** Counts edits: names that are made up do not meet. */
  readonly serial: number
}

export interface Edit {
  readonly text: string
  /** Options to change in both configurations, as scripts/config takes them. */
  readonly options?: readonly string[]
}

type Maker = (place: Place) => Edit

/** Edits one match of `pattern` in a random one of `files`; `change` gets the match. */
function somewhere(
  place: Place,
  files: readonly string[],
  pattern: RegExp,
  change: (match: RegExpExecArray) => string,
): string {
  for (const file of place.random.shuffled(files)) {
    const text = place.tree.read(file)
    const matches = [...text.matchAll(pattern)]
    if (matches.length === 0) continue
    const match = place.random.pick(matches)
    const { index } = match
    place.tree.write(file, text.slice(0, index) + change(match) + text.slice(index + match[0].length))
    return `${file}:${text.slice(0, index).split('\n').length} ${match[0].trim().split('\n')[0].slice(0, 60)}`
  }
  throw new Error(`no file has ${pattern}`)
}

const END_OF_COMMENT = /^.*\*\/\n/gm
const VALUE = /^#[ \t]*define[ \t]+[A-Z]\w+[ \t]+\(?(\d+|0x[0-9a-f]+)(?=[)\s])/gm
const EMPTY_LINE = /^\n(?=[a-z#])/gm
const LAST_ENDIF = /^#endif.*\n(?![\s\S]*^#endif)/gm
const STRUCT = /^struct \w+ \{\n/gm
const INLINE_BODY = /^static (?:__always_)?inline [^;{}#]*\)\n\{\n/gm
const BODY = /^(?:static )?(?:int|void|long|bool) [^;{}#]*\)\n\{\n/gm
const ASSEMBLER_ENTRY = /^SYM_(?:FUNC|CODE)_START\w*\(\w+\)\n/gm
const FUNCTION_MACRO = /^#define \w+\(\w+\)[ \t]+(?=\S)(?!.*[\\,;{])/gm

const optionSets = [
  ['--disable', 'PRINTK_TIME'],
  ['--enable', 'PRINTK_TIME'],
  ['--enable', 'EPOLL'],
  ['--enable', 'SIGNALFD'],
  ['--disable', 'BINFMT_SCRIPT'],
  ['--enable', 'KALLSYMS'],
  ['--enable', 'MULTIUSER'],
] as const

const calls = { body: '\n{\n\tif (value > 4096)\n\t\treturn -EINVAL;\n\treturn value + 1;\n}\n' }

export const kinds: Readonly<Record<string, Maker>> = {
  comment: (place) => ({
    text: somewhere(
      place,
      place.headers,
      END_OF_COMMENT,
      ([line]) => `${line}/* edit ${place.serial}\n * of two lines */\n`,
    ),
  }),
  'blank line': (place) => ({ text: somewhere(place, place.headers, EMPTY_LINE, () => '\n\n\n') }),
  'new macro': (place) => ({
    text: somewhere(
      place,
      place.headers,
      LAST_ENDIF,
      ([line]) => `#define EDIT_${place.serial}(x) ((x) + ${place.serial})\n${line}`,
    ),
  }),
  'macro value': (place) => ({
    text: somewhere(
      place,
      place.headers,
      VALUE,
      ([line, value]) => line.slice(0, -value.length) + String(Number(value) + 1),
    ),
  }),
  'function macro': (place) => ({
    text: somewhere(place, place.headers, FUNCTION_MACRO, ([line]) => `${line}/* edit */ (void)0, `),
  }),
  'struct field': (place) => ({
    text: somewhere(place, place.headers, STRUCT, ([line]) => `${line}\tint edit_${place.serial};\n`),
  }),
  'inline function': (place) => ({
    text: somewhere(place, place.headers, INLINE_BODY, ([line]) => `${line}\tasm volatile("nop # ${place.serial}");\n`),
  }),
  'C body': (place) => ({
    text: somewhere(
      place,
      place.sources.filter((file) => file.endsWith('.c')),
      BODY,
      ([line]) => `${line}\tasm volatile("nop");\n`,
    ),
  }),
  assembler: (place) => ({
    text: somewhere(
      place,
      place.sources.filter((file) => file.endsWith('.S')),
      ASSEMBLER_ENTRY,
      ([line]) => `${line}\tnop\n`,
    ),
  }),
  'Makefile flag': (place) => {
    const file = place.random.pick(['kernel/Makefile', 'lib/Makefile', 'fs/Makefile', 'mm/Makefile'])
    const flag = place.random.pick(['-fno-tree-vrp', '-fno-inline-small-functions', `-DEDIT_${place.serial}`])
    place.tree.append(file, `ccflags-y += ${flag}\n`)
    return { text: `${file} ${flag}` }
  },
  'configuration option': ({ random }) => {
    const options = random.pick(optionSets)
    return { text: options.join(' '), options }
  },
  'new option': (place) => {
    const name = `EDIT_OPTION_${place.serial}`
    place.tree.append('init/Kconfig', `\nconfig ${name}\n\tbool "edit ${place.serial}"\n\tdefault y\n`)
    const header = somewhere(place, place.headers, LAST_ENDIF, ([line]) => {
      return `#ifdef CONFIG_${name}\n#define EDIT_IS_ON_${place.serial} 1\n#endif\n${line}`
    })
    return { text: `init/Kconfig ${name}, asked for in ${header}` }
  },
  'system call': (place) => {
    const name = `edit${place.serial}`
    const table = 'arch/x86/entry/syscalls/syscall_64.tbl'
    const text = place.tree.read(table)
    const rows = [...text.matchAll(/^(\d+)\tcommon\t.*\n/gm)]
    const last = rows[rows.length - 1]
    const number = Number(last[1]) + 1
    const at = last.index + last[0].length
    place.tree.write(table, `${text.slice(0, at)}${number}\tcommon\t${name}\t\t\tsys_${name}\n${text.slice(at)}`)
    place.tree.write(
      'include/linux/syscalls.h',
      place.tree
        .read('include/linux/syscalls.h')
        .replace(
          'asmlinkage long sys_ni_syscall(void);',
          (line) => `asmlinkage long sys_${name}(unsigned long value);\n${line}`,
        ),
    )
    place.tree.write(
      `kernel/${name}.c`,
      `#include <linux/syscalls.h>\n\nSYSCALL_DEFINE1(${name}, unsigned long, value)${calls.body}`,
    )
    place.tree.append('kernel/Makefile', `obj-y += ${name}.o\n`)
    return { text: `${name}, number ${number}` }
  },
  'only a date': (place) => {
    const file = place.random.pick(place.headers)
    place.tree.write(file, place.tree.read(file))
    return { text: file }
  },
  'linker script': (place) => ({
    text: somewhere(
      place,
      ['arch/x86/kernel/vmlinux.lds.S'],
      /^\/\* .* \*\/\n|^\t\t_etext = \.;\n/gm,
      ([line]) => `${line}\t/* edit ${place.serial} */\n`,
    ),
  }),
}
