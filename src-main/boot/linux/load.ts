import { alignUp } from '../bytes.ts'
import { bootGdt, longModeState, protectedModeState } from '../cpu-state.ts'
import type { InitialCpuState } from '../cpu-state.ts'
import { e820Map } from '../e820.ts'
import { identityPageTables } from '../page-tables.ts'
import { mebibytes, placeCmdline, placeInitrd, put, tooLittleMemory } from '../place.ts'
import { BootError } from '../types.ts'
import type { Booted, BootRequest, GpaRange } from '../types.ts'
import { buildBootParams } from './boot-params.ts'
import { LOADED_HIGH, parseSetupHeader, protectedModeCode, XLF_ABOVE_4G, XLF_KERNEL_64 } from './header.ts'
import type { SetupHeader } from './header.ts'

const HIGHEST_32 = 0xffff_ffff

/**
 * Loads a bzImage by the Linux/x86 boot protocol (Documentation/arch/x86/boot.rst) and enters it past its real-mode code,
 * which would need a BIOS: at the 64-bit entry where there is one (XLF_KERNEL_64), else at the 32-bit entry.
 */
export function loadBzImage(request: BootRequest): Booted {
  const header = parseSetupHeader(request.kernel)
  if (!(header.loadflags & LOADED_HIGH)) {
    throw new BootError('unsupported-kernel', 'a zImage needs a BIOS to start it: build a bzImage instead')
  }
  const code = protectedModeCode(request.kernel, header)
  const kernel = { base: loadAddress(header), length: code.length }
  const kernelEnd = Math.max(kernel.base + kernel.length, runtimeStart(header, kernel.base) + header.initSize)
  if (kernelEnd > request.ram.low) throw tooLittleMemory(request, 'the kernel', kernelEnd)
  put(request, kernel.base, code, 'the kernel')

  const cmdline = placeCmdline(request, request.cmdline, header.cmdlineSize)
  // initrd_addr_max is a leftover of 32-bit kernels where the kernel says that it takes addresses above 4 GiB too.
  const highest = header.xloadflags & XLF_ABOVE_4G ? HIGHEST_32 : header.initrdMax
  const initrd = placeInitrd(request, highest, kernelEnd)
  placeBootParams(request, { header, kernel, cmdline, ...(initrd && { initrd }) })
  const wants64 = (header.xloadflags & XLF_KERNEL_64) !== 0
  const cpu = wants64 ? enterLinux64(request, kernel.base + 0x200) : enterLinux32(request, kernel.base)
  return { protocol: wants64 ? 'linux-64' : 'linux-32', cpu, kernel, ...(initrd && { initrd }) }
}

/** A relocatable kernel goes where it prefers to run, so that it need not move; the others where their header says. */
function loadAddress(header: SetupHeader): number {
  if (header.relocatable && header.preferred > 0) {
    if (header.preferred > HIGHEST_32) {
      const at = mebibytes(header.preferred)
      throw new BootError('unsupported-kernel', `the kernel prefers to be loaded at ${at}, above 4 GiB`)
    }
    return header.preferred
  }
  if (header.relocatable) return alignUp(Math.max(header.code32Start, 0x10_0000), header.alignment)
  if (header.code32Start < 0x10_0000) {
    throw new BootError('unsupported-kernel', 'the kernel asks to be loaded below 1 MiB')
  }
  return header.code32Start
}

/** boot.rst, "init_size": where the kernel runs once it has moved itself. */
function runtimeStart(header: SetupHeader, load: number): number {
  return header.relocatable ? alignUp(load, header.alignment) : header.preferred
}

interface BootParamsParts {
  readonly header?: SetupHeader
  readonly kernel: GpaRange
  readonly cmdline: number
  readonly initrd?: GpaRange
}

/** Builds boot params from what was placed, and puts them at their place. Also for ELF kernels. */
export function placeBootParams(request: BootRequest, parts: BootParamsParts): void {
  const { layout, ram, rsdp } = request
  const params = buildBootParams({
    ...(parts.header && { header: parts.header }),
    ...(parts.initrd && { initrd: parts.initrd }),
    ...(rsdp !== undefined && { rsdp }),
    loadAddress: parts.kernel.base,
    base: layout.bootParams,
    cmdline: parts.cmdline,
    e820: e820Map(layout, ram),
    ram,
  })
  put(request, layout.bootParams, params, 'the boot parameters')
}

/** boot.rst, "64-bit Boot Protocol": 64-bit mode, identity mapped, boot params in RSI. */
export function enterLinux64(request: BootRequest, rip: number): InitialCpuState {
  const { layout } = request
  put(request, layout.gdt, bootGdt('long'), 'the GDT')
  put(request, layout.pageTables.base, identityPageTables(layout.pageTables), 'the page tables')
  const gprs = { rsi: layout.bootParams, rsp: layout.stackTop }
  return longModeState({ rip, gprs, gdt: layout.gdt }, layout.pageTables.base)
}

/** boot.rst, "32-bit Boot Protocol": flat protected mode without paging, boot params in ESI; EBP, EDI and EBX zero. */
export function enterLinux32(request: BootRequest, rip: number): InitialCpuState {
  const { layout } = request
  put(request, layout.gdt, bootGdt('protected'), 'the GDT')
  return protectedModeState({ rip, gprs: { rsi: layout.bootParams, rsp: layout.stackTop }, gdt: layout.gdt })
}
