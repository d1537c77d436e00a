import { alignDown, utf8z } from './bytes.ts'
import { BootError } from './types.ts'
import type { BootRequest, GpaRange } from './types.ts'

/** Writes into guest RAM; a range that is not RAM is a machine with too little memory. */
export function put(request: BootRequest, gpa: number, data: Uint8Array, what: string): void {
  if (!request.memory.write(gpa, data)) throw tooLittleMemory(request, what, gpa + data.length)
}

/** Clears a range (.bss), a piece at a time so that a huge one needs no huge array. */
export function clear(request: BootRequest, gpa: number, length: number, what: string): void {
  if (length > 0 && request.memory.offset(gpa, length) < 0) throw tooLittleMemory(request, what, gpa + length)
  const zeroes = new Uint8Array(Math.min(length, 0x10_0000))
  for (let done = 0; done < length; done += zeroes.length) {
    put(request, gpa + done, zeroes.subarray(0, Math.min(zeroes.length, length - done)), what)
  }
}

export function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 0x10_0000)} MiB`
}

export function tooLittleMemory(request: BootRequest, what: string, end: number): BootError {
  const has = request.ram.low + request.ram.high
  return new BootError(
    'too-little-memory',
    `too little memory: ${what} needs RAM up to ${mebibytes(end)}, the machine has ${mebibytes(has)} (try -m ${Math.max(128, 2 ** Math.ceil(Math.log2(end / 0x10_0000)))}M)`,
  )
}

/** Puts the command line at its place; `max` is the longest the kernel takes, without the NUL. */
export function placeCmdline(request: BootRequest, text: string, max: number): number {
  const { cmdline } = request.layout
  const bytes = utf8z(text)
  const limit = Math.min(max, cmdline.length - 1)
  if (text.includes('\0')) throw new BootError('cmdline-too-long', 'the kernel command line contains a NUL character')
  if (bytes.length - 1 > limit) {
    throw new BootError(
      'cmdline-too-long',
      `the kernel command line has ${bytes.length - 1} bytes, this kernel takes at most ${limit}`,
    )
  }
  put(request, cmdline.base, bytes, 'the kernel command line')
  return cmdline.base
}

/**
 * Puts the initrd at the top of low RAM, page-aligned, with its last byte at or below `highest`, and above `kernelEnd` (the
 * end of what the kernel uses before it has read its memory map).
 */
export function placeInitrd(request: BootRequest, highest: number, kernelEnd: number): GpaRange | undefined {
  const { initrd, ram } = request
  if (!initrd || initrd.length === 0) return undefined
  const base = alignDown(Math.min(ram.low, highest + 1) - initrd.length, 4096)
  if (base < kernelEnd) {
    if (kernelEnd + initrd.length > highest) {
      throw new BootError(
        'initrd-too-big',
        `the initrd (${mebibytes(initrd.length)}) is bigger than this kernel can take below ${mebibytes(highest + 1)}`,
      )
    }
    throw tooLittleMemory(request, 'the kernel with its initrd', kernelEnd + initrd.length + 4096)
  }
  put(request, base, initrd, 'the initrd')
  return { base, length: initrd.length }
}

/**
 * What Linux reads of the BIOS data area (at 0x400): COM1's port, the EBDA's segment and the kilobytes below it. It looks for
 * the end of conventional memory there.
 */
export function placeBiosData(request: BootRequest, com1: number): void {
  const { memory, layout } = request
  memory.writeU16(0x400, com1)
  memory.writeU16(0x40e, layout.ebda.base >>> 4)
  memory.writeU16(0x413, layout.ebda.base >>> 10)
}

/** Refuses kernel ranges that would overwrite what the loader itself leaves below 1 MiB. */
export function refuseLoaderOverlap(request: BootRequest, gpa: number, length: number): void {
  const { layout } = request
  const taken: GpaRange[] = [
    { base: 0, length: layout.gdt + 40 },
    layout.startInfo,
    layout.pageTables,
    { base: layout.bootParams, length: 4096 },
    layout.cmdline,
    { base: layout.ebda.base, length: layout.firmwareEnd - layout.ebda.base },
  ]
  for (const range of taken) {
    if (gpa < range.base + range.length && range.base < gpa + length) {
      const at = `0x${gpa.toString(16)}`
      throw new BootError('overlap', `the kernel wants to be at ${at}, where the machine keeps its boot information`)
    }
  }
}
