/** The judge of the fast rebuild is the compiler: an object that is kept has to be what gcc makes of the edited sources, byte for byte. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { canPaste } from './file-facts.ts'
import { keepUnchanged, recordBuild } from './keep.ts'

const headers: Readonly<Record<string, string>> = {
  'include/generated/autoconf.h': '#define CONFIG_ON 1\n',
  'include/linux/kconfig.h': '#include <generated/autoconf.h>\n',
  'include/numbers.h': '#define NR_read 0\n#define NR_write 1\n#define NR_last 2\n#define NR_count (NR_last + 1)\n',
  'include/paste.h': '#define CAT(a, b) a ## b\n#define NUMBER(name) CAT(NR_, name)\n',
  'include/code.h': [
    '/* a comment */',
    '#ifdef CONFIG_OFF',
    'int only_when_off(void);',
    '#endif',
    '#ifndef CONFIG_ON',
    'int only_when_not_on(void);',
    '#endif',
    'int helper(int);',
    'static inline int twice(int a) { return 2 * a; }',
    '',
  ].join('\n'),
  'include/lines.h':
    '#define WHERE() here(__LINE__)\nint here(int);\nstatic inline int place(void) { return WHERE(); }\n',
}

const sources: Readonly<Record<string, string>> = {
  'plain.c': '#include <numbers.h>\nint plain(void) { return 1; }\n',
  'user.c': '#include <numbers.h>\nint user(void) { return NR_write; }\n',
  'indirect.c': '#include <numbers.h>\nint indirect(void) { return NR_count; }\n',
  'condition.c': '#include <numbers.h>\n#ifdef NR_new\nint a;\n#else\nchar a;\n#endif\n',
  'paster.c': '#include <numbers.h>\n#include <paste.h>\nint paster(void) { return NUMBER(last); }\n',
  'bystander.c': '#include <numbers.h>\n#include <paste.h>\nint bystander(void) { return 3; }\n',
  'code.c': '#include <code.h>\nint code(int a) { return twice(a); }\n',
  'both.c': '#include <code.h>\n#include <numbers.h>\nint both(int a) { return twice(a) + NR_read; }\n',
  'debug.c': '#include <code.h>\nint debug(int a) { return twice(a); }\n',
  'lines.c': '#include <lines.h>\nint lines(void) { return place(); }\n',
  'rebel.c': '#define CONFIG_OFF 1\n#include <code.h>\nint rebel(void) { return sizeof(int); }\n',
  'blob.c': '#include <numbers.h>\nasm(".incbin \\"data\\"");\n',
  'host.c': '#include <code.h>\nint host(void) { return 0; }\n',
}

let folder: string
let state: string
const inFolder = (file: string) => path.join(folder, file)
const read = (file: string) => readFileSync(inFolder(file), 'utf8')

/** Files of the past are older than files of now, whatever the file system's clock is worth. */
function write(file: string, text: string, secondsAgo: number): void {
  mkdirSync(path.dirname(inFolder(file)), { recursive: true })
  writeFileSync(inFolder(file), text)
  age(file, secondsAgo)
}
function age(file: string, seconds: number): void {
  const time = Date.now() / 1000 - seconds
  utimesSync(inFolder(file), time, time)
}

const compilation = (source: string, object: string) => [
  ...(source === 'host.c' ? [] : ['-include', 'include/linux/kconfig.h']),
  ...(source === 'debug.c' ? ['-g'] : []),
  ...['-Iinclude', '-O1', '-c', '-o', object, source],
]

const objectOf = (source: string) => source.replace('.c', '.o')

/** Compiles and writes the .cmd file as fixdep would. */
function compile(source: string, secondsAgo: number): void {
  const object = objectOf(source)
  const args = compilation(source, object)
  execFileSync('gcc', [...args, '-MD', '-MF', 'deps'], { cwd: folder })
  const files = read('deps')
    .replace(/^[^:]*:/, '')
    .replaceAll('\\\n', ' ')
    .trim()
    .split(/\s+/)
  const listed = files.filter((file) => file !== source && !file.endsWith('autoconf.h') && !file.startsWith('/'))
  const list = listed.map((file) => `  ${file} \\\n`).join('')
  write(
    `.${object}.cmd`,
    `cmd_${object} := gcc ${args.join(' ')}\n\nsource_${object} := ${source}\n\ndeps_${object} := \\\n${list}\n${object}: $(deps_${object})\n`,
    0,
  )
  age(object, secondsAgo)
}

function compiledNow(source: string): Buffer {
  execFileSync('gcc', compilation(source, 'fresh.o'), { cwd: folder })
  return readFileSync(inFolder('fresh.o'))
}

beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'longmode-fast-'))
  state = mkdtempSync(path.join(os.tmpdir(), 'longmode-state-'))
  process.env.XDG_STATE_HOME = state
  write('data', 'old', 1000)
  for (const [file, text] of Object.entries({ ...headers, ...sources })) write(file, text, 1000)
  for (const source of Object.keys(sources)) compile(source, 500)
  recordBuild(folder, Date.now())
}, 120_000)
afterEach(() => {
  delete process.env.XDG_STATE_HOME
  for (const each of [folder, state]) rmSync(each, { recursive: true, force: true })
})

function edit(file: string, change: (text: string) => string): void {
  const before = read(file)
  const after = change(before)
  expect(after).not.toBe(before)
  write(file, after, 100)
}

/** Names of what is kept (date behind its headers'), after comparing every kept object with the compiler's. */
function kept(): string[] {
  const users = (source: string) => read(`.${objectOf(source)}.cmd`).match(/^ {2}include\S+/gm) ?? []
  const newest = (source: string) => Math.max(...users(source).map((file) => statSync(inFolder(file.trim())).mtimeMs))
  const stale = Object.keys(sources).filter((source) => statSync(inFolder(objectOf(source))).mtimeMs < newest(source))
  const report = keepUnchanged(folder)
  const names = stale.filter((source) => statSync(inFolder(objectOf(source))).mtimeMs > newest(source))
  expect(report).toMatchObject({ kept: names.length, recompiled: stale.length - names.length })
  for (const source of names) {
    expect(
      compiledNow(source).equals(readFileSync(inFolder(objectOf(source)))),
      `${source} is what the compiler makes`,
    ).toBe(true)
  }
  return names.map((source) => source.replace('.c', '')).sort()
}

describe('after an edit of a header, an object is kept', () => {
  const addNumber = (text: string) => text.replace('#define NR_last 2', '#define NR_new 2\n#define NR_last 3')

  it('when it uses no macro that changed, directly, indirectly, in a condition or by pasting', () => {
    edit('include/numbers.h', addNumber)
    expect(kept()).toEqual(['both', 'bystander', 'plain', 'user'])
  })

  it('when only comments and blanks changed', () => {
    edit('include/numbers.h', (text) => `/* new\n * lines */\n\n${text.replace('NR_write 1', 'NR_write    1 // one')}`)
    expect(kept()).toEqual(['both', 'bystander', 'condition', 'indirect', 'paster', 'plain', 'user'])
  })

  it('when the edit is in a group that the configuration switches off, and moves code that tells no lines', () => {
    edit('include/code.h', (text) =>
      text.replace('int only_when_not_on(void);', 'int more(void);\nint only_when_not_on(void);'),
    )
    expect(kept()).toEqual(['both', 'code', 'rebel'])
  })

  it('unless its source asks for another configuration', () => {
    edit('include/code.h', (text) => text.replace('int only_when_off(void);', 'int only_when_off(int);'))
    expect(kept()).toEqual([])
  })

  it('unless the edit is code', () => {
    edit('include/code.h', (text) => text.replace('2 * a', '3 * a'))
    expect(kept()).toEqual([])
    expect(keepUnchanged(folder).reasons).toMatchObject([{ header: 'include/code.h' }])
  })

  it('unless moved code tells its line', () => {
    edit('include/lines.h', (text) => `\n${text}`)
    expect(kept()).toEqual([])
  })

  it('unless its source was edited too, or the configuration it asks for', () => {
    edit('include/numbers.h', addNumber)
    edit('plain.c', (text) => text.replace('1', '2'))
    expect(kept()).toEqual(['both', 'bystander', 'user'])
  })

  it('also by a second edit, after a build that failed', () => {
    edit('include/numbers.h', addNumber)
    kept()
    const again = Date.now() / 1000 + 5
    writeFileSync(inFolder('include/numbers.h'), read('include/numbers.h').replace('NR_new', 'NR_newer'))
    utimesSync(inFolder('include/numbers.h'), again, again)
    // What has to be compiled since the first edit is compared with the headers of its own time: NR_new is gone again.
    expect(kept()).toEqual(['both', 'bystander', 'condition', 'plain', 'user'])
  })

  it('not when the record is of other objects', () => {
    edit('include/numbers.h', addNumber)
    for (const source of Object.keys(sources)) age(objectOf(source), 400)
    expect(kept()).toEqual([])
  })
})

describe('random edits', () => {
  /** The same sequence in every run. */
  function generator(seed: number): (bound: number) => number {
    let state32 = seed
    return (bound) => {
      state32 = (Math.imul(state32, 1664525) + 1013904223) >>> 0
      return Math.floor((state32 / 2 ** 32) * bound)
    }
  }
  // More of them, and others: LONGMODE_EDITS and LONGMODE_SEED.
  const ROUNDS = Number(process.env.LONGMODE_EDITS ?? 12)
  const SEED = Number(process.env.LONGMODE_SEED ?? 20260)
  const lines = [
    '/* comment */',
    '',
    '#define NR_more 7',
    '#undef NR_write',
    '#define NR_write 9',
    'int declared(void);',
    '#define twice(a) (a)',
    '#define NR_last 4',
    '#define helper helped',
    '#ifdef CONFIG_OFF\n#define NR_last 8\n#endif',
    '#if defined(CONFIG_ON)\n#define NR_read 5\n#endif',
    '#ifdef NR_more\n#define NR_count 1\n#endif',
    '#define NUMBER(name) 4',
    '#define here(x) (x)',
    '#define CONFIG_OFF 1',
    '#define CAT(a, b) 6',
  ]

  it('keep only what the compiler would make again', () => {
    const next = generator(SEED)
    let sum = 0
    const files = Object.keys(headers).filter((file) => !file.includes('autoconf'))
    for (let round = 0; round < ROUNDS; round++) {
      const file = files[next(files.length)]
      const before = read(file)
      const parts = before.split('\n')
      const at = next(parts.length)
      const line = lines[next(lines.length)]
      const text = next(4) === 0 ? parts.toSpliced(at, 1) : parts.toSpliced(at, 0, line)
      // A random edit may not compile: such a header tells nothing.
      const fits = compiles(file, text.join('\n'))
      if (fits) sum += kept().length
      write(file, before, 1000)
      for (const source of Object.keys(sources)) age(objectOf(source), 500)
      recordBuild(folder, Date.now())
    }
    expect(sum).toBeGreaterThan(ROUNDS)
  }, 3_600_000)

  function compiles(file: string, text: string): boolean {
    write(file, text, 100)
    try {
      for (const source of Object.keys(sources))
        execFileSync('gcc', ['-w', '-fsyntax-only', ...compilation(source, 'none.o').filter((word) => word !== '-c')], {
          cwd: folder,
          stdio: 'ignore',
        })
      return true
    } catch {
      return false
    }
  }
})

it('names are pasted from tokens', () => {
  const from =
    (...tokens: readonly string[]) =>
    (text: string) =>
      tokens.includes(text)
  expect(canPaste('NR_last', from('NR_', 'last'))).toBe(true)
  expect(canPaste('NR_last', from('NR_', 'la', 's', 't'))).toBe(true)
  expect(canPaste('NR_last', from('NR_last', 'last'))).toBe(false)
  expect(canPaste('NR_last', from('NR_', 'las'))).toBe(false)
})
