import { clear, put, refuseLoaderOverlap, tooLittleMemory } from '../place.ts'
import { BootError } from '../types.ts'
import type { BootRequest, GpaRange } from '../types.ts'
import { PT_LOAD } from './image.ts'
import type { ElfImage } from './image.ts'

/** Copies every PT_LOAD segment to its physical address and clears the rest of it (.bss). Returns the range they span. */
export function loadSegments(request: BootRequest, image: ElfImage): GpaRange {
  const segments = image.programHeaders.filter((header) => header.type === PT_LOAD && header.memSize > 0)
  if (segments.length === 0) throw new BootError('not-a-kernel', 'an ELF file without anything to load')
  for (const segment of segments) {
    const end = segment.paddr + segment.memSize
    if (end > request.ram.low) throw tooLittleMemory(request, 'the kernel', Math.min(end, Number.MAX_SAFE_INTEGER))
    refuseLoaderOverlap(request, segment.paddr, segment.memSize)
  }
  for (const { offset, paddr, fileSize, memSize } of segments) {
    put(request, paddr, request.kernel.subarray(offset, offset + fileSize), 'the kernel')
    clear(request, paddr + fileSize, memSize - fileSize, 'the kernel')
  }
  const base = Math.min(...segments.map((segment) => segment.paddr))
  const end = Math.max(...segments.map((segment) => segment.paddr + segment.memSize))
  return { base, length: end - base }
}

/**
 * The entry point as a physical address: images give it either so (vmlinux) or as a virtual address of a segment. `loaded` is
 * what loadSegments returned; an entry outside it would run whatever is there.
 */
export function physicalEntry(image: ElfImage, loaded: GpaRange): number {
  let entry = image.entry
  for (const { type, vaddr, paddr, memSize } of image.programHeaders) {
    if (type !== PT_LOAD || entry < vaddr || entry >= vaddr + BigInt(memSize)) continue
    entry = entry - vaddr + BigInt(paddr)
    break
  }
  if (entry < BigInt(loaded.base) || entry >= BigInt(loaded.base + loaded.length)) {
    throw new BootError(
      'not-a-kernel',
      `an ELF file whose entry point 0x${image.entry.toString(16)} is not in what it loads`,
    )
  }
  return Number(entry)
}
