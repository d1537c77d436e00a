import { isElf } from './elf/image.ts'
import { loadElfKernel } from './elf/load.ts'
import { isBzImage } from './linux/header.ts'
import { loadBzImage } from './linux/load.ts'
import { findMultibootHeader } from './multiboot/header.ts'
import { loadMultiboot } from './multiboot/load.ts'
import { placeBiosData } from './place.ts'
import { recognise, RECOGNISE_BYTES } from './recognise.ts'
import { BootError } from './types.ts'
import type { Booted, BootRequest, BootResult } from './types.ts'

/** COM1's base as the BIOS data area reports it to operating systems. */
export interface FirmwareFacts {
  readonly com1: number
}

/**
 * Puts a kernel and all that it expects into guest RAM and says in which state the CPU enters it. To be called on a machine
 * just reset (again after each reset: the kernel has overwritten what was loaded). The ACPI tables must be in place before.
 * Host errors come back as a value with one sentence for the user; nothing is thrown for a bad file.
 */
export function loadKernel(request: BootRequest, firmware: FirmwareFacts): BootResult {
  try {
    placeBiosData(request, firmware.com1)
    return { ok: true, ...dispatch(request) }
  } catch (error) {
    if (error instanceof BootError) return { ok: false, error }
    throw error
  }
}

/** bzImage first; multiboot before ELF, since a multiboot image may be an ELF file. */
function dispatch(request: BootRequest): Booted {
  const { kernel } = request
  if (isBzImage(kernel)) return loadBzImage(request)
  const found = recognise(kernel.subarray(0, RECOGNISE_BYTES), kernel.length)
  const image = found.role === 'disk' || found.role === 'cdrom'
  const multiboot = image ? undefined : findMultibootHeader(kernel)
  if (multiboot) return loadMultiboot(request, multiboot)
  if (isElf(kernel) && found.role === 'kernel') return loadElfKernel(request)
  throw new BootError(
    found.foreign ? 'wrong-machine' : 'not-a-kernel',
    `not a kernel that can be started: this is ${found.description}`,
  )
}
