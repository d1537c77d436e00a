import { ByteWriter } from '../bytes.ts'
import { bootGdt, protectedModeState } from '../cpu-state.ts'
import { e820Map } from '../e820.ts'
import { EM_386, EM_X86_64, isElf, parseElf } from '../elf/image.ts'
import { loadSegments, physicalEntry } from '../elf/segments.ts'
import { clear, placeCmdline, placeInitrd, put, refuseLoaderOverlap, tooLittleMemory } from '../place.ts'
import { BootError } from '../types.ts'
import type { Booted, BootRequest, GpaRange } from '../types.ts'
import { FLAG_ALIGN_MODULES, FLAG_MEMORY_INFO, FLAGS_REQUIRED } from './header.ts'
import type { MultibootHeader } from './header.ts'

/** In EAX at entry (Multiboot 0.6.96 §3.2). */
const BOOTLOADER_MAGIC = 0x2bad_b002
const LOADER_NAME = 'Longmode'
const HIGHEST_32 = 0xffff_ffff

/** Bits of the information structure's flags (§3.3). */
const INFO = { memory: 1 << 0, cmdline: 1 << 2, modules: 1 << 3, memoryMap: 1 << 6, loaderName: 1 << 9 } as const
const INFO_BYTES = 88

/** Loads a 32-bit multiboot image by its header's addresses or as ELF, and enters it in flat protected mode. */
export function loadMultiboot(request: BootRequest, header: MultibootHeader): Booted {
  const unknown = header.flags & FLAGS_REQUIRED & ~(FLAG_ALIGN_MODULES | FLAG_MEMORY_INFO)
  if (unknown) {
    const bits = `0x${unknown.toString(16)}`
    throw new BootError(
      'unsupported-kernel',
      `the multiboot kernel requires features that Longmode lacks (flags ${bits})`,
    )
  }
  const { kernel, entry } = header.addresses ? loadByAddresses(request, header) : loadAsElf(request)
  const text = request.cmdline ? `${request.kernelName} ${request.cmdline}` : request.kernelName
  const cmdline = placeCmdline(request, text, request.layout.cmdline.length - 1)
  const initrd = placeInitrd(request, HIGHEST_32, kernel.base + kernel.length)
  const { layout } = request
  put(request, layout.startInfo.base, buildInfo(request, cmdline, initrd), 'the boot information')
  put(request, layout.gdt, bootGdt('protected'), 'the GDT')
  const gprs = { rax: BOOTLOADER_MAGIC, rbx: layout.startInfo.base, rsp: layout.stackTop }
  const cpu = protectedModeState({ rip: entry, gprs, gdt: layout.gdt })
  return { protocol: 'multiboot', cpu, kernel, ...(initrd && { initrd }) }
}

interface LoadedImage {
  readonly kernel: GpaRange
  readonly entry: number
}

function loadByAddresses(request: BootRequest, header: MultibootHeader): LoadedImage {
  const { kernel: file, ram } = request
  const { header: headerAddress, load, loadEnd, bssEnd, entry } = header.addresses!
  const start = header.offset - (headerAddress - load)
  if (load > headerAddress || start < 0) {
    throw new BootError('not-a-kernel', 'the multiboot header has load addresses that do not fit the file')
  }
  const length = loadEnd === 0 ? file.length - start : loadEnd - load
  if (length < 0 || start + length > file.length) {
    throw new BootError('truncated', 'the multiboot image is shorter than its header says')
  }
  const end = Math.max(load + length, bssEnd)
  if (end > ram.low) throw tooLittleMemory(request, 'the kernel', end)
  refuseLoaderOverlap(request, load, end - load)
  put(request, load, file.subarray(start, start + length), 'the kernel')
  clear(request, load + length, end - load - length, 'the kernel')
  return { kernel: { base: load, length: end - load }, entry }
}

function loadAsElf(request: BootRequest): LoadedImage {
  if (!isElf(request.kernel)) {
    throw new BootError('not-a-kernel', 'the multiboot image has neither load addresses nor an ELF header')
  }
  const image = parseElf(request.kernel)
  if (image.machine !== EM_386 && image.machine !== EM_X86_64) {
    throw new BootError('wrong-machine', 'a multiboot image of another kind of machine; Longmode runs x86-64')
  }
  const kernel = loadSegments(request, image)
  return { kernel, entry: physicalEntry(image, kernel) }
}

/** The information structure (§3.3), then the module list, the memory map and the strings it points to. */
function buildInfo(request: BootRequest, cmdline: number, initrd: GpaRange | undefined): Uint8Array {
  const { layout, ram } = request
  const map = e820Map(layout, ram)
  const modules = layout.startInfo.base + INFO_BYTES
  const mmap = modules + 16
  const mmapBytes = map.length * 24
  const loaderName = mmap + mmapBytes
  const empty = loaderName + LOADER_NAME.length // the name's own NUL serves as the module's empty string
  const flags = INFO.memory | INFO.cmdline | INFO.modules | INFO.memoryMap | INFO.loaderName
  const out = new ByteWriter()
  out.u32(flags).u32(layout.ebda.base >>> 10)
  out.u32(Math.max(0, ram.low - layout.firmwareEnd) >>> 10).u32(0)
  out
    .u32(cmdline)
    .u32(initrd ? 1 : 0)
    .u32(modules)
  out.zeroes(16) // no symbols
  out.u32(mmapBytes).u32(mmap)
  out.zeroes(12).u32(loaderName) // no drives, no configuration table
  out.zeroes(INFO_BYTES - out.length)
  out
    .u32(initrd?.base ?? 0)
    .u32(initrd ? initrd.base + initrd.length : 0)
    .u32(initrd ? empty : 0)
    .u32(0)
  for (const entry of map) out.u32(20).u64(entry.base).u64(entry.length).u32(entry.type)
  out.text(LOADER_NAME).u8(0)
  if (out.length > layout.startInfo.length) throw new BootError('overlap', 'the multiboot information does not fit')
  return out.done()
}
