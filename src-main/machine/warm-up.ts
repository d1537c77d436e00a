/**
 * A short run of guest code before the machine starts, for the host's sake: what a port access runs through (generated code, its
 * imports, the devices) is compiled by the host only when it has been used. A kernel's first use of it is a loop that compares the PIT
 * with the TSC and gives up when a single reading takes a tenth of a millisecond, as the first ones do.
 */
import type { Cpu } from '../cpu/cpu.ts'
import { refreshMode } from '../cpu/helpers/modes.ts'
import { resetCpu } from '../cpu/helpers/reset.ts'
import { writeSegment } from '../cpu/helpers/segments.ts'
import { EXIT } from '../cpu/interpreter/loop.ts'
import { AT, CS, segAt } from '../cpu/state/layout.ts'
import { PORT } from './layout.ts'

/** Enough for the host's compiler; about 10 ms. */
const ROUNDS = 4000
const CODE = 0x1000
const PIT_CHANNEL_2 = PORT.pit.base + 2

/** Real-mode code: mov cx, ROUNDS; L: in al, 0x61; in al, 0x42; rdtsc; loop L; hlt. */
const code = [
  ...[0xb9, ROUNDS & 0xff, ROUNDS >> 8],
  ...[0xe4, PORT.systemControlB.base, 0xe4, PIT_CHANNEL_2, 0x0f, 0x31, 0xe2, 0xf8],
  0xf4,
]

/** Leaves processor, devices and RAM to be reset: called before the first boot. */
export function warmUp(cpu: Cpu): void {
  const at = cpu.ramAddress(CODE)
  const kept = cpu.bytes.slice(at, at + code.length)
  cpu.bytes.set(code, at)
  resetCpu(cpu)
  writeSegment(cpu, CS, { selector: 0, base: 0n, limit: 0xffff, attr: cpu.u32(segAt(CS, 'attr')) })
  cpu.setU64(AT.rip, BigInt(CODE))
  refreshMode(cpu)
  for (let exit: number = EXIT.budget; exit !== EXIT.halt;) {
    exit = cpu.run(ROUNDS * 10)
    if (exit === EXIT.exception) throw new Error(`the first instructions raised exception ${cpu.u32(AT.excVector)}`)
  }
  cpu.dropAllCode()
  cpu.bytes.set(kept, at)
}
