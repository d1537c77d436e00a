/** Answers of the small monitor that need the engine. */
import { GPR_NAMES, AT, segAt, SEGMENTS } from '../cpu/state/layout.ts'
import type { Machine } from './machine.ts'

const hex = (value: bigint, digits = 16): string => value.toString(16).padStart(digits, '0')

function registers(machine: Machine): string {
  const { cpu } = machine
  const lines: string[] = []
  for (let n = 0; n < 16; n += 4)
    lines.push([0, 1, 2, 3].map((k) => `${GPR_NAMES[n + k]!.toUpperCase().padEnd(3)}=${hex(cpu.gpr(n + k))}`).join(' '))
  lines.push(`RIP=${hex(cpu.u64(AT.rip))} RFL=${hex(BigInt(cpu.rflags), 8)} CPL=${cpu.u32(AT.cpl)}`)
  SEGMENTS.forEach((name, n) => {
    const at = (what: 'selector' | 'limit' | 'attr') => hex(BigInt(cpu.u32(segAt(n, what))), what === 'limit' ? 8 : 4)
    lines.push(
      `${name.toUpperCase().padEnd(4)}=${at('selector')} ${hex(cpu.u64(segAt(n, 'base')))} ${at('limit')} ${at('attr')}`,
    )
  })
  const control = (['cr0', 'cr2', 'cr3', 'cr4', 'efer'] as const).map(
    (name) => `${name.toUpperCase()}=${hex(cpu.u64(AT[name]))}`,
  )
  lines.push(control.join(' '))
  const undefinedOpcodes = [...cpu.undefinedOpcodes].map(([name, count]) => `${name} (${count})`)
  if (undefinedOpcodes.length > 0) lines.push(`undefined opcodes met: ${undefinedOpcodes.join(', ')}`)
  return lines.join('\n')
}

function memory(machine: Machine): string {
  const { map } = machine.cpu
  const high = map.highSize > 0 ? `, ${map.highSize / 1048576} MiB above 4 GiB` : ''
  return `RAM: ${map.lowSize / 1048576} MiB below the PCI hole${high}`
}

function engine(machine: Machine): string {
  const { cpu } = machine
  const names = ['retired', 'decoded', 'codeMisses', 'codeDrops', 'tlbMisses', 'tlbFlushes'] as const
  const lines = names.map((name) => `${name.padEnd(18)} ${cpu.u64(AT[name])}`)
  const counts = cpu.translator?.counts
  if (counts)
    lines.push(
      `in regions         ${cpu.u64(AT.regionInstructions)} instructions, entered ${cpu.u64(AT.regionEntries)} times, restarts ${cpu.u64(AT.regionRestarts)}`,
      `regions            ${counts.regions} now, ${counts.made} made, ${counts.dropped} dropped, ${counts.refused} places refused`,
      `translated         ${counts.instructions} instructions into ${counts.bytes} bytes in ${counts.milliseconds.toFixed(0)} ms`,
    )
  return lines.join('\n')
}

/** One line of the monitor; commands that change the machine's run state are its owner's. */
export function monitorReply(machine: Machine, line: string): string {
  switch (line.trim()) {
    case 'info registers':
      return registers(machine)
    case 'info mem':
      return memory(machine)
    case 'info jit':
      return engine(machine)
    case 'system_reset':
    case 'cont':
    case 'stop':
      return ''
    default:
      return `unknown command: ${line.trim()} (help lists the commands)`
  }
}
