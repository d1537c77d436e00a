/** The bench programs, compiled here and packed as a second archive behind the default guest's initramfs. */
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { writeCpio, type CpioEntry } from '../../src-main/host/default-guest/cpio.ts'
import { shareTool } from '../share/guest/tool.ts'
import { defaultGuest } from '../../src-main/host/default-guest/default-guest.ts'
import { librariesOf } from './libraries.ts'

const DYNAMIC = 'int main(void) { return 0; }\n'

function compile(scratch: string): { staticProgram: string; dynamicProgram: string } {
  const staticProgram = path.join(scratch, 'static')
  const dynamicProgram = path.join(scratch, 'dynamic')
  const dynamicSource = path.join(scratch, 'dynamic.c')
  writeFileSync(dynamicSource, DYNAMIC)
  execFileSync('gcc', ['-O2', '-static', '-o', staticProgram, path.join(import.meta.dirname, 'static.c')])
  execFileSync('gcc', ['-O2', '-o', dynamicProgram, dynamicSource])
  return { staticProgram, dynamicProgram }
}

/** Kernel, initramfs with the bench programs in /bench, and the kernel's words. */
export async function benchGuest(scratch: string): Promise<{ kernel: string; initrd: string; append: string }> {
  const guest = await defaultGuest((text) => console.log(text))
  const { staticProgram, dynamicProgram } = compile(scratch)
  const staticData = readFileSync(staticProgram)
  const libraries = librariesOf(dynamicProgram)
  const folders = new Set<string>(['bench'])
  for (const library of libraries) {
    const parts = path.dirname(library).split('/').slice(1)
    parts.forEach((_, index) => folders.add(parts.slice(0, index + 1).join('/')))
  }
  const file = (name: string, data: Uint8Array): CpioEntry => ({ kind: 'file', name, mode: 0o755, data })
  const archive = writeCpio([
    ...[...folders].map((name): CpioEntry => ({ kind: 'folder', name })),
    file('bench/static', staticData),
    shareTool(scratch),
    file('bench/dynamic', readFileSync(dynamicProgram)),
    // Something to compress that is neither noise nor empty: the same bytes on both machines.
    file('bench/static.tar', Buffer.concat(Array<Buffer>(8).fill(staticData))),
    ...libraries.map((library) => file(library.slice(1), readFileSync(library))),
  ])
  const initrd = path.join(scratch, 'bench-initramfs.gz')
  // The kernel unpacks archives that follow each other, each compressed on its own.
  writeFileSync(initrd, Buffer.concat([readFileSync(guest.initrd), gzipSync(archive)]))
  return { kernel: guest.kernel, initrd, append: guest.append }
}
