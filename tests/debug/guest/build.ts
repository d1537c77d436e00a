/** The guest of the debugger's tests, assembled and linked here. */
import { execFileSync } from 'node:child_process'
import path from 'node:path'

const source = path.join(import.meta.dirname, 'guest.S')

/**
 * Gives the path of guest.elf (the kernel, at 1 MiB) and the symbols of it at 0xffff800000000000, where the guest runs them
 * (guest.syms, an ELF file for gdb).
 */
export function buildGuest(scratch: string): { kernel: string; symbols: string } {
  const kernel = path.join(scratch, 'guest.elf')
  const symbols = path.join(scratch, 'guest.syms')
  const object = path.join(scratch, 'guest.o')
  execFileSync('gcc', ['-m64', '-c', '-o', object, source])
  const link = ['-nostdlib', '-static', '-no-pie', '-Wl,--build-id=none,--no-warn-rwx-segments,-N', object, '-o']
  execFileSync('gcc', [...link, kernel, '-Wl,-Ttext-segment=0x100000'])
  execFileSync('objcopy', ['--change-addresses', '0xffff800000000000', kernel, symbols])
  return { kernel, symbols }
}
