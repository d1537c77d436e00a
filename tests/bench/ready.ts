/** How long an engine takes from the start of its process to the first instruction that it could run. */
import { execFileSync } from 'node:child_process'
import path from 'node:path'
import process from 'node:process'

const CODE = `
const { buildMachine } = await import('./src-main/machine/build.ts')
const { defaultMachine } = await import('./src-main/machine/config.ts')
const { MachineClock } = await import('./src-main/machine/machine-clock.ts')
const { allocateMemory } = await import('./src-main/machine/machine.ts')
const loaded = performance.now()
const nothing = () => undefined
const config = { ...defaultMachine, memory: 512 * 1048576 }
buildMachine(config, allocateMemory(config.memory), new MachineClock(), {
  consoles: [], serial: { write: nothing, read: () => new Uint8Array(0) }, disks: [], shares: [],
  random: { fill: nothing }, power: { reset: nothing, powerOff: nothing, debugExit: nothing }, log: { warn: nothing, info: nothing },
  kernel: undefined, kernelName: '', initrd: undefined, startSeconds: 0,
}).machine.cpu.translateHot(5000)
console.log(loaded, performance.now() - loaded)
`

export function readyTimes(): string {
  const root = path.resolve(import.meta.dirname, '../..')
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', CODE], { cwd: root, encoding: 'utf8' })
  const [loaded, built] = output.trim().split(' ').map(Number)
  return `Engine: sources loaded ${loaded!.toFixed(0)} ms after the start of the process, modules compiled and machine built ${built!.toFixed(0)} ms later.`
}
