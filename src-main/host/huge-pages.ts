/** Asks the host for large pages behind a machine's memory: what an engine looks up there lies on more small ones than the processor's TLB knows. */
import { createRequire } from 'node:module'
import process from 'node:process'
import type koffiModule from 'koffi'

/** madvise(2) of Linux. */
const MADV_HUGEPAGE = 14

/** Best effort: where the host has no such pages everything works as before, only slower. False then. */
export function preferHugePages(memory: SharedArrayBuffer): boolean {
  if (process.platform !== 'linux') return false
  try {
    // asked for here, not imported: it has no binary for every machine
    const koffi = createRequire(import.meta.url)('koffi') as typeof koffiModule
    const madvise = koffi.load('libc.so.6').func('madvise', 'int', ['void *', 'size_t', 'int']) as (
      at: Uint8Array,
      bytes: number,
      advice: number,
    ) => number
    return madvise(new Uint8Array(memory), memory.byteLength, MADV_HUGEPAGE) === 0
  } catch {
    return false
  }
}
