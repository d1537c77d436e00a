/** The monitor's commands: one table for its behaviour and its help. What looks into the engine is answered by the engine. */
export interface MonitorTarget {
  pause(): void
  resume(): void
  reset(): void
  quit(): void
  /** The engine's answer to one line. */
  ask(line: string): Promise<string>
}

interface Command {
  readonly name: string
  readonly aliases?: readonly string[]
  readonly help: string
  run(target: MonitorTarget): Promise<string> | string
}

const done = (act: () => void) => {
  act()
  return ''
}

const commands: readonly Command[] = [
  { name: 'help', aliases: ['?'], help: 'this list', run: () => helpText() },
  { name: 'info registers', help: "the processor's registers", run: (target) => target.ask('info registers') },
  { name: 'info mem', help: 'the mapped virtual memory and who may use it', run: (target) => target.ask('info mem') },
  { name: 'info jit', help: "the engine's counters", run: (target) => target.ask('info jit') },
  { name: 'stop', aliases: ['s'], help: 'pause the machine', run: (target) => done(() => target.pause()) },
  { name: 'cont', aliases: ['c'], help: 'go on', run: (target) => done(() => target.resume()) },
  {
    name: 'system_reset',
    help: 'reset the machine: the kernel starts again',
    run: (target) => done(() => target.reset()),
  },
  { name: 'quit', aliases: ['q'], help: 'end the machine at once', run: (target) => done(() => target.quit()) },
]

function helpText(): string {
  return commands
    .map(({ name, aliases = [], help }) => `${[name, ...aliases].join(', ').padEnd(16)} ${help}`)
    .join('\n')
}

export async function runMonitorCommand(target: MonitorTarget, line: string): Promise<string> {
  const words = line.trim().split(/\s+/).join(' ')
  const command = commands.find(({ name, aliases = [] }) => name === words || aliases.includes(words))
  return command === undefined ? `there is no command "${words}"; help lists them all` : await command.run(target)
}
