/** `longmode kernel test` and `boot`. */
import { rmSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { KernelTreeError, type KernelTree } from '../../contract/kernel-tree.ts'
import { RecipeError } from '../../host/default-guest/default-guest.ts'
import { workbench } from '../../kernel-tree/index.ts'
import { guestTestMachine, makeScratch, prepareResult, runGuestTest, type GuestTest } from '../../workers/guest-test.ts'
import { runMachineCommand, start } from '../machine-command.ts'
import { treeOf, treeOptions, type Command, type Context } from './command.ts'
import { machineOf } from './plan.ts'
import { has, numberOf, sizeOf, valueOf, type Option, type Words } from './words.ts'

const guestOptions: readonly Option[] = [
  { name: 'kernel', value: 'FILE', help: "this kernel instead of the tree's bzImage" },
  { name: 'share', value: 'DIR', help: 'a folder of this computer: the working folder in the guest' },
  { name: 'disk', value: 'FILE', help: "run on this disk's files; what is written to it is thrown away" },
  { name: 'host-root', help: "run on this computer's own files, read-only below a throw-away overlay" },
  { name: 'memory', value: 'SIZE', help: 'of the guest; 512M when left out' },
  { name: 'append', value: 'WORDS', help: "more words for the kernel's command line" },
]

/** The image to boot; says when the sources are newer. */
async function imageOf(context: Context): Promise<string> {
  const named = valueOf(context.words, 'kernel')
  if (named !== undefined) return path.resolve(named)
  const tree: KernelTree = await treeOf(context)
  if (tree.bzImage === undefined)
    throw new KernelTreeError(`${tree.output} has no bzImage yet; make it with "longmode kernel build"`)
  const { state, changed } = await workbench.buildState(tree)
  if (state === 'stale')
    context.say(
      `note: ${changed[0]} is newer than the image; what you test was built before ("longmode kernel build" makes it new)`,
    )
  return tree.bzImage.path
}

function rootOf(words: Words): GuestTest['root'] {
  const disk = valueOf(words, 'disk')
  if (disk !== undefined && has(words, 'host-root'))
    throw new KernelTreeError('--disk and --host-root exclude each other')
  if (disk !== undefined) return { kind: 'disk', file: path.resolve(disk) }
  return { kind: has(words, 'host-root') ? 'host' : 'initramfs' }
}

async function testOf(context: Context): Promise<GuestTest> {
  const { words } = context
  const share = valueOf(words, 'share')
  const memory = valueOf(words, 'memory')
  const append = valueOf(words, 'append')
  return {
    kernel: await imageOf(context),
    root: rootOf(words),
    ...(share === undefined ? {} : { share }),
    ...(memory === undefined ? {} : { memory: sizeOf(memory) }),
    ...(append === undefined ? {} : { append }),
  }
}

/** The default guest's sentence is the user's to read, like ours. */
async function readable<T>(call: Promise<T>): Promise<T> {
  try {
    return await call
  } catch (error) {
    if (error instanceof RecipeError) throw new KernelTreeError(error.message)
    throw error
  }
}

const DEFAULT_TIMEOUT = 300
/** What a shell ends with when there is no such program, or not the loader that it names (POSIX.1-2017, 2.8.2). */
const NOT_FOUND = 127
const noLibraries =
  'note: the built-in root file system is busybox without a C library; a program that is there and yet "not found" has to be linked with -static, or to run with --disk or --host-root'

const test: Command = {
  name: 'test',
  operands: 'COMMAND …',
  summary: 'boots the kernel, runs a command in the guest, gives its output and its exit code, powers off',
  options: [
    ...treeOptions,
    ...guestOptions,
    { name: 'timeout', value: 'SECONDS', help: `give up after so long; ${DEFAULT_TIMEOUT} when left out` },
    { name: 'console', help: "show the guest's console while it runs" },
  ],
  run: async (context) => {
    const { words, signal, say, json } = context
    const command = [...words.rest, ...words.behind].join(' ')
    if (command === '')
      throw new KernelTreeError('name the command: longmode kernel test --share ../shared_folder ./my_program')
    const onConsole = has(words, 'console') ? (text: string) => void process.stderr.write(text) : undefined
    const options = {
      timeout: numberOf(words, 'timeout') ?? DEFAULT_TIMEOUT,
      signal,
      say,
      ...(onConsole === undefined ? {} : { onConsole }),
    }
    const asked = await testOf(context)
    const result = await readable(runGuestTest({ ...asked, command }, options))
    if (result.outcome === 'ran') {
      if (!json) process.stdout.write(result.output)
      if (result.exitCode === NOT_FOUND && asked.root.kind === 'initramfs') say(noLibraries)
      return { json: result, text: [], exitCode: result.exitCode ?? 1 }
    }
    if (!json && onConsole === undefined) say(result.console.split('\n').slice(-15).join('\n'))
    say(`longmode: the command did not run: ${result.sentence ?? result.outcome}`)
    return { json: result, text: [], exitCode: 125 }
  },
}

const boot: Command = {
  name: 'boot',
  operands: '[-- MACHINE FLAGS]',
  summary:
    "boots the tree's kernel in this terminal: on the machine of the flags, or with a shell on --disk, --host-root or nothing",
  options: [...treeOptions, ...guestOptions],
  run: async (context) => {
    const { words } = context
    if (words.behind.length > 0) {
      const kernel = await imageOf(context)
      await warnOfConfig(context)
      return { json: {}, text: [], exitCode: await runMachineCommand(['-kernel', kernel, ...words.behind]) }
    }
    const scratch = makeScratch()
    try {
      prepareResult(path.join(scratch, 'result'), undefined)
      const machine = await readable(guestTestMachine(await testOf(context), scratch, context.say))
      context.say('Ctrl-a x ends the machine, Ctrl-a h lists the other keys; "exit" powers it off')
      // As with -nographic: Ctrl-C is the guest's.
      return { json: {}, text: [], exitCode: await start({ ...machine, monitor: 'mux' }, new Set(['m'])) }
    } finally {
      rmSync(scratch, { recursive: true, force: true })
    }
  },
}

/** The boot that would fail is told before it does; it is the user's to try it all the same. */
async function warnOfConfig(context: Context): Promise<void> {
  if (valueOf(context.words, 'kernel') !== undefined) return
  const tree = await treeOf(context)
  if (tree.config === undefined) return
  const { findings } = await workbench.checkConfig(tree, machineOf(context.words.behind), 'any')
  for (const { option, have, neededFor, failure, severity } of findings) {
    if (severity !== 'advice') context.say(`note: CONFIG_${option} is ${have}, and ${neededFor} needs it: ${failure}`)
  }
}

export const guestCommands: readonly Command[] = [test, boot]
