import { enterLinux32, enterLinux64, placeBootParams } from '../linux/load.ts'
import { placeCmdline, placeInitrd } from '../place.ts'
import { BootError } from '../types.ts'
import type { Booted, BootRequest } from '../types.ts'
import { EM_386, EM_X86_64, parseElf } from './image.ts'
import { enterPvh, pvhEntry } from './pvh.ts'
import { loadSegments, physicalEntry } from './segments.ts'

const ET_EXEC = 2
const ET_DYN = 3
const HIGHEST_INITRD = 0xffff_ffff
/** COMMAND_LINE_SIZE of Linux on x86 is 2048 with the NUL. */
const CMDLINE_MAX = 2047

/**
 * Loads an ELF kernel (vmlinux) at its physical addresses. With a PVH note it is entered there, in 32-bit mode. Without one it
 * is entered at its entry point as a decompressor would do: startup_64 with identity page tables and RSI = boot params
 * (arch/x86/kernel/head_64.S), or startup_32 with ESI = boot params. The boot params carry a minimal setup header, since the
 * kernel's own is in the bzImage only.
 */
export function loadElfKernel(request: BootRequest): Booted {
  const image = parseElf(request.kernel)
  if (image.machine !== EM_X86_64 && image.machine !== EM_386) {
    throw new BootError('wrong-machine', 'an ELF file of another kind of machine; Longmode runs x86-64')
  }
  if (image.type !== ET_EXEC && image.type !== ET_DYN) {
    throw new BootError('not-a-kernel', 'an ELF file, but not an executable (an object file or a core dump?)')
  }
  const kernel = loadSegments(request, image)
  const cmdline = placeCmdline(request, request.cmdline, CMDLINE_MAX)
  const initrd = placeInitrd(request, HIGHEST_INITRD, kernel.base + kernel.length)
  const pvh = pvhEntry(request.kernel, image)
  if (pvh !== undefined) {
    return { protocol: 'pvh', cpu: enterPvh(request, pvh, cmdline, initrd), kernel, ...(initrd && { initrd }) }
  }
  placeBootParams(request, { kernel, cmdline, ...(initrd && { initrd }) })
  const entry = physicalEntry(image, kernel)
  const cpu = image.bits === 64 ? enterLinux64(request, entry) : enterLinux32(request, entry)
  return { protocol: image.bits === 64 ? 'linux-64' : 'linux-32', cpu, kernel, ...(initrd && { initrd }) }
}
