/** The monitor's commands (names and wording as QEMU's): one table for what there is, who answers it, and its help. */

export interface MonitorCommand {
  readonly name: string
  readonly aliases?: readonly string[]
  /** What may follow the name. */
  readonly args?: string
  readonly help: string
  /**
   * `owner`: whoever holds the machine does it; `engine`: the line goes to the vCPU worker; `debugger`: the machine's handle answers with
   * what contract/debug.ts gives; `shares`: it passes the line on to the machine's shared folders.
   */
  readonly by: 'owner' | 'engine' | 'debugger' | 'shares'
}

export const MONITOR_COMMANDS = [
  { name: 'help', aliases: ['?'], help: 'this list', by: 'owner' },
  { name: 'info block', help: 'the disks', by: 'engine' },
  { name: 'info irq', help: 'how often each interrupt line was raised', by: 'engine' },
  { name: 'info jit', help: "the engine's counters", by: 'engine' },
  { name: 'info mem', help: 'the mapped virtual memory and who may use it', by: 'engine' },
  { name: 'info mtree', help: 'which device owns which addresses and ports', by: 'engine' },
  { name: 'info pic', help: "the interrupt controllers' state", by: 'engine' },
  { name: 'info registers', help: "the processor's registers", by: 'engine' },
  { name: 'info status', help: 'running or paused', by: 'engine' },
  { name: 'info tlb', help: 'every mapped page', by: 'engine' },
  { name: 'x', args: '/FMT ADDR', help: 'virtual memory at ADDR: /COUNT, x d u o c i, b h w g', by: 'debugger' },
  { name: 'xp', args: '/FMT ADDR', help: 'physical memory at ADDR', by: 'debugger' },
  { name: 'nmi', help: 'send the processor an NMI', by: 'engine' },
  {
    name: 'change_share',
    args: 'TAG DIR',
    help: "another folder behind TAG, from the guest's next mount on",
    by: 'shares',
  },
  { name: 'stop', aliases: ['s'], help: 'pause the machine', by: 'owner' },
  { name: 'cont', aliases: ['c'], help: 'go on', by: 'owner' },
  { name: 'system_powerdown', help: 'press the power button: the guest shuts down', by: 'engine' },
  { name: 'system_reset', help: 'reset the machine: the kernel starts again', by: 'owner' },
  { name: 'quit', aliases: ['q'], help: 'end the machine at once', by: 'owner' },
] as const satisfies readonly MonitorCommand[]

type Row = (typeof MONITOR_COMMANDS)[number]
export type OwnerCommand = Extract<Row, { by: 'owner' }>['name']
export type EngineCommand = Extract<Row, { by: 'engine' }>['name']

/** A line taken apart: the command's row and the words after its name. Undefined when there is no such command. */
export function findCommand(line: string): { command: Row; rest: string } | undefined {
  // `x/4wx` needs no blank before its format
  const words = line
    .trim()
    .replace(/^(xp?)\//, '$1 /')
    .split(/\s+/)
  for (const command of MONITOR_COMMANDS) {
    const names: readonly string[] = [command.name, ...('aliases' in command ? command.aliases : [])]
    for (const name of names) {
      const length = name.split(' ').length
      const rest = words.slice(length).join(' ')
      if (words.slice(0, length).join(' ') === name && (rest === '' || 'args' in command)) return { command, rest }
    }
  }
  return undefined
}

export function monitorHelp(): string {
  return MONITOR_COMMANDS.map((command: MonitorCommand) => {
    const { name, aliases = [], args, help } = command
    const left = args === undefined ? [name, ...aliases].join(', ') : `${name} ${args}`
    return `${left.padEnd(20)} ${help}`
  }).join('\n')
}
