import { describe, expect, it } from 'vitest'
import { runMonitorCommand } from './monitor.ts'

function recorder() {
  const calls: string[] = []
  const target = {
    pause: () => void calls.push('pause'),
    resume: () => void calls.push('resume'),
    reset: () => void calls.push('reset'),
    quit: () => void calls.push('quit'),
    ask: (line: string) => Promise.resolve(`asked: ${line}`),
  }
  return { calls, target }
}

describe('the monitor', () => {
  it('acts on the machine', async () => {
    const { calls, target } = recorder()
    for (const line of ['stop', 'c', ' system_reset ', 'q']) expect(await runMonitorCommand(target, line)).toBe('')
    expect(calls).toEqual(['pause', 'resume', 'reset', 'quit'])
  })
  it('asks the engine what only the engine knows', async () => {
    expect(await runMonitorCommand(recorder().target, 'info   registers')).toBe('asked: info registers')
    expect(await runMonitorCommand(recorder().target, 'x/4xw  $rip')).toBe('asked: x /4xw $rip')
  })
  it('lists its commands and names the one it does not know', async () => {
    const { target } = recorder()
    expect(await runMonitorCommand(target, 'help')).toContain('system_reset')
    expect(await runMonitorCommand(target, 'info tea')).toBe("unknown command: 'info tea'; help lists them all")
  })
})
