import { ByteWriter } from '../bytes.ts'
import { bootGdt, protectedModeState } from '../cpu-state.ts'
import type { InitialCpuState } from '../cpu-state.ts'
import { e820Map } from '../e820.ts'
import { put } from '../place.ts'
import { BootError } from '../types.ts'
import type { BootRequest, GpaRange } from '../types.ts'
import { findNote } from './image.ts'
import type { ElfImage } from './image.ts'

/** The x86/HVM direct boot ABI, "PVH" (Xen docs/misc/pvh.pandoc, xen/include/public/arch-x86/hvm/start_info.h). */
const XEN_ELFNOTE_PHYS32_ENTRY = 18
const START_INFO_MAGIC = 0x336e_c578
const START_INFO_VERSION = 1 // with a memory map
const START_INFO_BYTES = 56

/** The 32-bit physical entry that the kernel's note names; undefined when it has no such note. */
export function pvhEntry(file: Uint8Array, image: ElfImage): number | undefined {
  const note = findNote(file, image, 'Xen', XEN_ELFNOTE_PHYS32_ENTRY)
  if (!note || note.length < 4) return undefined
  return (note[0] | (note[1] << 8) | (note[2] << 16) | (note[3] << 24)) >>> 0
}

/** hvm_start_info followed by its module list and memory map. */
export function buildStartInfo(request: BootRequest, cmdline: number, initrd: GpaRange | undefined): Uint8Array {
  const { base, length } = request.layout.startInfo
  const map = e820Map(request.layout, request.ram)
  const modules = base + START_INFO_BYTES
  const memmap = modules + (initrd ? 32 : 0)
  const out = new ByteWriter()
  out.u32(START_INFO_MAGIC).u32(START_INFO_VERSION).u32(0)
  out.u32(initrd ? 1 : 0).u64(initrd ? modules : 0)
  out.u64(cmdline).u64(request.rsdp ?? 0)
  out.u64(memmap).u32(map.length).u32(0)
  if (initrd) out.u64(initrd.base).u64(initrd.length).u64(0).u64(0)
  for (const entry of map) out.u64(entry.base).u64(entry.length).u32(entry.type).u32(0)
  if (out.length > length) throw new BootError('overlap', 'the PVH start information does not fit its place')
  return out.done()
}

/** 32-bit protected mode without paging, flat segments, EBX = start info. */
export function enterPvh(
  request: BootRequest,
  entry: number,
  cmdline: number,
  initrd: GpaRange | undefined,
): InitialCpuState {
  const { layout } = request
  put(request, layout.startInfo.base, buildStartInfo(request, cmdline, initrd), 'the boot information')
  put(request, layout.gdt, bootGdt('protected'), 'the GDT')
  const gprs = { rbx: layout.startInfo.base, rsp: layout.stackTop }
  return protectedModeState({ rip: entry, gprs, gdt: layout.gdt })
}
