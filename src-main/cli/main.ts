/** `longmode <flags>`: a machine with QEMU's command line; `longmode kernel …`: the kernel workbench; `longmode disk …`: disk images. */
import process from 'node:process'
import { keepCompiledCode } from '../host/compiled-code.ts'
import { startVcpuEarly } from '../workers/vcpu-thread.ts'

async function main(words: readonly string[]): Promise<number> {
  // These are read only when they are asked for: a machine shall start at once.
  if (words[0] === 'kernel') return await (await import('./kernel/main.ts')).runKernelCommand(words.slice(1))
  if (words[0] === 'disk') return await (await import('./disk/main.ts')).runDiskCommand(words.slice(1))
  startVcpuEarly()
  return await (await import('./machine-command.ts')).runMachineCommand(words)
}

keepCompiledCode()
process.exit(await main(process.argv.slice(2)))
