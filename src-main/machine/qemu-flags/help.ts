import { flags, type Flag } from './flags-table.ts'

const groups: readonly Flag['group'][] = ['Boot', 'Machine', 'Disks', 'Shared folders', 'Console', 'Debugging', 'Other']

const COLUMNS = 100
const INDENT = 28

/** Words of `text` on lines that start at column INDENT and end before COLUMNS. */
function wrapped(text: string): string {
  const lines = ['']
  for (const word of text.split(' ')) {
    const last = lines.at(-1)!
    if (last !== '' && INDENT + last.length + 1 + word.length > COLUMNS) lines.push(word)
    else lines[lines.length - 1] = last === '' ? word : `${last} ${word}`
  }
  return lines.join(`\n${' '.repeat(INDENT)}`)
}

function row(flag: Pick<Flag, 'name' | 'aliases' | 'argument' | 'help'>): string {
  const names = [flag.name, ...(flag.aliases ?? [])].map((name) => `-${name}`).join(', ')
  const left = `  ${flag.argument === undefined ? names : `${names} ${flag.argument}`}`
  const gap = left.length < INDENT ? ' '.repeat(INDENT - left.length) : `\n${' '.repeat(INDENT)}`
  return `${left}${gap}${wrapped(flag.help)}`
}

/** The text of -help, made from the flag table. */
export function helpText(program: string): string {
  const parts = groups.map((group) => {
    const rows = flags.filter((flag) => flag.group === group).map(row)
    return `${group}:\n${rows.join('\n')}`
  })
  const other = [
    row({ name: 'version', help: 'the version' }),
    row({ name: 'help', aliases: ['h'], help: 'this text' }),
  ]
  return [
    `${program} [flags]   QEMU's flags with QEMU's meaning; one dash or two.`,
    ...parts.slice(0, -1),
    [parts.at(-1)!, ...other].join('\n'),
    'Exit: 0 after power-off, after a reset under -no-reboot and after Ctrl-a x; (value << 1) | 1 by isa-debug-exit;\n' +
      '1 when something cannot be had; 2 when a flag is wrong.',
  ].join('\n\n')
}
