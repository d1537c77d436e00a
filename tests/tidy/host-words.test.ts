/**
 * Every sentence that the process side can say to a window has its Portuguese. The sentences are found in the sources: text of several words in the files
 * below. A new one fails here until it stands in src-renderer/i18n/pt-br-host-table.ts, or in `apart` when no window ever shows it.
 */
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import ts from 'typescript'
import { describe, expect, it } from 'vitest'
import { HostWords } from '../../src-renderer/i18n/host-words.ts'
import { hostPtBR } from '../../src-renderer/i18n/pt-br-host-table.ts'

const root = path.resolve(import.meta.dirname, '../..')

/** Files whose sentences reach a window. */
const spoken = [
  'app/electron/{desktop-app,shell}.ts',
  ...['app/*.ts', 'app/{files,machines,services}/*.ts', 'app/serve/browser-shell.ts'],
  ...['boot/{load,place,recognise}.ts', 'boot/{elf,linux,multiboot}/*.ts', 'cli/check-files.ts'],
  ...['contract/machine-schema.ts', 'contract/rpc/{messages,proxy}.ts', 'contract/services/*.ts'],
  ...['debug/{memory,registers}.ts', 'debug/symbols/*.ts', 'host/*.ts', 'host/default-guest/*.ts', 'host/disk/**/*.ts'],
  ...['kernel-tree/*.ts', 'kernel-tree/{build,config,disk,syscall,toolchain}/*.ts'],
  ...['machine/build.ts', 'machine/qemu-flags/*.ts', 'ninep/server.ts'],
  ...[
    'workers/{debug-client,io-link,machine-handle,vcpu,vcpu-debugger,vcpu-host,symbols}.ts',
    'workers/io/{entry,notes,shares}.ts',
  ],
]

/** Files among them that speak to terminals or to other programs. */
const silent = [
  ...['app/launch.ts', 'app/static-files.ts', 'host/folder-libc.ts', 'host/disk/native.ts'],
  ...[
    'machine/qemu-flags/help.ts',
    'kernel-tree/diff.ts',
    'kernel-tree/test-tree.ts',
    'kernel-tree/syscall/template.ts',
  ],
]

/** What is no sentence for a window: assertions, help texts, programs that are written, patterns. */
const apart = [
  /^(the vCPU worker is a worker|the io worker is a worker|the io port was taken already|the reader of symbols ended without an answer|the first message was \{\})$/,
  /^(an identifier of a machine|a file of the tree|a target of make|a (node|file) of another folder|host call refused)$/,
  /^(boot params hold at most 128|\{\} is not a directory|\{\} holds nothing like|Linux version )/,
  // A word for grep, a line of a file that is written, C text.
  /^(printf |# |asmlinkage long |char\||int\||long long\|)/,
  // Names, and a command as it is typed.
  /^(Longmode|Makefile|make \{\})$/,
  // Installers' commands.
  /^(apt-get install -y|dnf install -y|echo \{\} > .*)$/,
  // The beginnings of sentences; the whole ones are in the table.
  /^(the (kernel|initrd|disk) |-device isa-debug-exit: io(size|base)=)$/,
]

/** What -help says of each flag stands in the same table as its errors. */
function isHelp(node: ts.Node): boolean {
  const { parent } = node
  return ts.isPropertyAssignment(parent) && ['help', 'meaning'].includes(parent.name.getText())
}

/** A word or two that stand where a window shows them: the title of a place, what a tool is for, what needs an option, what a build does. */
function isLabel(node: ts.Node): boolean {
  let place = node
  while (ts.isConditionalExpression(place.parent) && place !== place.parent.condition) place = place.parent
  const { parent } = place
  if (ts.isPropertyAssignment(parent))
    return parent.initializer === place && ['purpose', 'title'].includes(parent.name.getText())
  if (!ts.isCallExpression(parent)) return false
  const called = parent.expression.getText()
  return called === 'always' || (/(^|\.)phase$/.test(called) && parent.arguments.indexOf(place as ts.Expression) === 1)
}

function sentencesOf(file: string): string[] {
  const source = ts.createSourceFile(
    file,
    readFileSync(path.join(root, 'src-main', file), 'utf8'),
    ts.ScriptTarget.Latest,
    true,
  )
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    const text = ts.isTemplateExpression(node)
      ? node.head.text + node.templateSpans.map(({ literal }) => `{}${literal.text}`).join('')
      : ts.isStringLiteralLike(node)
        ? node.text
        : ''
    const isSentence = / .* /.test(text) && /[a-z]{2,} [a-z('{]/.test(text) && !isHelp(node)
    if (isSentence || (text !== '' && isLabel(node))) found.push(text)
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

const files = globSync(spoken, { cwd: path.join(root, 'src-main') })
  .filter((file) => !/\.test\.ts$/.test(file) && !silent.includes(file))
  .sort()
const words = new HostWords(hostPtBR)

describe('what the process side says', () => {
  it('is looked for in files that exist', () => {
    for (const pattern of spoken)
      expect([pattern, globSync(pattern, { cwd: path.join(root, 'src-main') }).length > 0]).toEqual([pattern, true])
    for (const file of silent)
      expect([file, globSync(file, { cwd: path.join(root, 'src-main') }).length]).toEqual([file, 1])
  })
  it('has a Portuguese sentence, each of them', () => {
    const missing = files.flatMap((file) =>
      sentencesOf(file)
        .filter((text) => !apart.some((pattern) => pattern.test(text)) && words.find(text) === undefined)
        .map((text) => `${file}: ${text}`),
    )
    expect(missing, 'add the Portuguese of these to src-renderer/i18n/pt-br-host-table.ts').toEqual([])
  })
  it('has a Portuguese title and description of each recipe for a kernel', () => {
    const heads = globSync('resources/kernel/*.config', { cwd: root }).flatMap((file) =>
      [...readFileSync(path.join(root, file), 'utf8').matchAll(/^# (?:title|description): (.*)$/gm)].map(
        ([, text]) => text,
      ),
    )
    expect(heads.length).toBeGreaterThan(2)
    expect(heads.filter((text) => words.find(text) === undefined)).toEqual([])
  })
  it('is still said: the table has nothing that the sources do not say', () => {
    const recipes = globSync('resources/kernel/*.config', { cwd: root })
    const all = [...files.map((file) => path.join('src-main', file)), ...recipes]
      .map((file) => readFileSync(path.join(root, file), 'utf8'))
      .join('\n')
    const unescaped = all.replaceAll(/\\(['"`\\])/g, '$1')
    const gone = Object.keys(hostPtBR).filter((english) => {
      const longest = english.split('{}').toSorted((a, b) => b.length - a.length)[0]
      return !unescaped.includes(longest.trim())
    })
    expect(gone).toEqual([])
  })
  it('fills the same holes', () => {
    const holes = (text: string) => text.split('{}').length
    expect(Object.entries(hostPtBR).filter(([english, text]) => holes(english) !== holes(text))).toEqual([])
  })
})
