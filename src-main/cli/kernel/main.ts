/** `longmode kernel …`: the kernel workbench on the command line. */
import process from 'node:process'
import { KernelTreeError } from '../../contract/kernel-tree.ts'
import { DiskError } from '../../host/disk/image.ts'
import type { Command, Context } from './command.ts'
import { buildCommands } from './build-commands.ts'
import { configCommands } from './config-commands.ts'
import { guestCommands } from './guest-commands.ts'
import { syscallCommands } from './syscall-commands.ts'
import { treeCommands } from './tree-commands.ts'
import { optionHelp, readWords, type Option } from './words.ts'

const commands: readonly Command[] = [
  ...treeCommands,
  ...configCommands,
  ...buildCommands,
  ...syscallCommands,
  ...guestCommands,
]

const common: readonly Option[] = [
  { name: 'json', help: 'the answer as JSON' },
  { name: 'help', help: 'this text' },
]

function overview(group: string, list: readonly Command[]): string {
  const left = list.map(({ name, operands }) => `  ${`${name} ${operands}`.trim()}`)
  const width = Math.max(...left.map((text) => text.length)) + 2
  return [
    `usage: longmode ${group} COMMAND [OPTIONS]`,
    '',
    ...list.map(({ summary }, index) =>
      left[index].length > 38
        ? `${left[index]}\n${' '.repeat(40)}${summary}`
        : left[index].padEnd(Math.min(width, 40)) + summary,
    ),
    '',
    `longmode ${group} COMMAND --help says more.`,
  ].join('\n')
}

function helpOf(group: string, { name, operands, summary, options }: Command): string {
  return [
    `usage: longmode ${group} ${name} [OPTIONS] ${operands}`.trimEnd(),
    '',
    summary,
    '',
    ...optionHelp([...options, ...common]),
  ].join('\n')
}

/** The command whose words the line begins with; `config check` before `config`. */
function find(list: readonly Command[], words: readonly string[]): Command | undefined {
  return list.find(({ name }) => name.split(' ').every((word, index) => words[index] === word))
}

async function runCommand(
  group: string,
  command: Command,
  given: readonly string[],
  signal: AbortSignal,
): Promise<number> {
  const words = readWords(given, [...command.options, ...common])
  if (words.options.has('help')) {
    process.stdout.write(`${helpOf(group, command)}\n`)
    return 0
  }
  const json = words.options.has('json')
  const context: Context = {
    words,
    signal,
    json,
    print: (line) => void process.stdout.write(`${line}\n`),
    say: (sentence) => void process.stderr.write(`${sentence}\n`),
  }
  const answer = await command.run(context)
  if (json) context.print(JSON.stringify(answer.json, null, 2))
  else answer.text.forEach(context.print)
  return answer.exitCode
}

/** Runs one of `list`; Ctrl-C cancels it and leaves no process behind. Exit codes: 0 good, 1 not good, 2 not understood. */
export async function runGroup(group: string, list: readonly Command[], words: readonly string[]): Promise<number> {
  const command = find(list, words)
  if (command === undefined) {
    const asked = words.length === 0 || words.some((word) => /^--?(help|h)$/.test(word))
    const known = list.filter(({ name }) => name.startsWith(`${words[0] ?? ''} `))
    const shown = known.length > 0 ? known : list
    process[asked ? 'stdout' : 'stderr'].write(
      `${asked ? '' : `longmode ${group}: there is no command "${words.join(' ')}"\n\n`}${overview(group, shown)}\n`,
    )
    return asked ? 0 : 2
  }
  const controller = new AbortController()
  const stop = () => controller.abort()
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, stop)
  try {
    return await runCommand(group, command, words.slice(command.name.split(' ').length), controller.signal)
  } catch (error) {
    if (!(error instanceof KernelTreeError || error instanceof DiskError)) throw error
    process.stderr.write(`longmode: ${error.message}\n`)
    return 1
  } finally {
    for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.off(name, stop)
  }
}

export const runKernelCommand = (words: readonly string[]): Promise<number> => runGroup('kernel', commands, words)
