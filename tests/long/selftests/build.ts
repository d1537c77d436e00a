/**
 * The Linux kernel's own tests of the x86 interface (tools/testing/selftests/x86), built from Debian's source package as upstream builds
 * them: dynamic, for 64 and 32 bits. Nothing of it is kept in this repository; the programs are kept in the user's cache folder.
 */
import { execFileSync } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { writeCpio, type CpioEntry } from '../../../src-main/host/default-guest/cpio.ts'
import { download, unpack } from '../../../src-main/host/default-guest/debian.ts'
import { cacheFolder } from '../../../src-main/host/cache-folder.ts'
import { defaultGuest } from '../../../src-main/host/default-guest/default-guest.ts'

const PACKAGE = 'linux-source-6.1'
/** What the tests' Makefile reads of the tree. */
const NEEDED = [
  'tools/testing/selftests/lib.mk',
  'tools/testing/selftests/kselftest*',
  'tools/testing/selftests/x86',
  'arch/x86/include',
]
const PROGRAM = /_(32|64)$/

async function archive(scratch: string): Promise<string> {
  const installed = `/usr/src/${PACKAGE}.tar.xz`
  if (existsSync(installed)) return installed
  await unpack(await download(PACKAGE, scratch), scratch, [`./usr/src/${PACKAGE}.tar.xz`])
  return path.join(scratch, installed)
}

/** Folder with the programs, built once. */
async function programs(): Promise<string> {
  const folder = path.join(cacheFolder(), `${PACKAGE}-selftests-x86`)
  if (existsSync(folder)) return folder
  mkdirSync(cacheFolder(), { recursive: true })
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'longmode-selftests-'))
  try {
    const members = NEEDED.map((name) => `${PACKAGE}/${name}`)
    execFileSync('tar', ['-xf', await archive(scratch), '-C', scratch, '--wildcards', ...members])
    const tests = path.join(scratch, PACKAGE, 'tools/testing/selftests/x86')
    // the headers of the system's libc serve; without this the Makefile wants those of a configured tree
    execFileSync('make', ['-j2', 'KHDR_INCLUDES='], { cwd: tests, stdio: ['ignore', 'ignore', 'pipe'] })
    const made = mkdtempSync(path.join(cacheFolder(), 'selftests-'))
    for (const name of readdirSync(tests).filter((entry) => PROGRAM.test(entry)))
      execFileSync('strip', ['-o', path.join(made, name), path.join(tests, name)])
    renameSync(made, folder)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
  return folder
}

/** The libraries of a dynamic program at their own paths; none of a static one. */
function librariesOf(program: string): string[] {
  try {
    const list = execFileSync('ldd', [program], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
    return [...list.matchAll(/(?:=> )?(\/\S+) \(/g)].map((match) => match[1])
  } catch {
    return []
  }
}

export interface SelftestGuest {
  readonly kernel: string
  readonly initrd: string
  readonly names: readonly string[]
}

/** Debian's stock kernel and an initramfs whose first program runs every test, says how it ended and switches the machine off. */
export async function selftestGuest(scratch: string): Promise<SelftestGuest> {
  const guest = await defaultGuest((text) => console.log(text))
  const folder = await programs()
  const names = readdirSync(folder).sort()
  const libraries = new Set(names.flatMap((name) => librariesOf(path.join(folder, name))))
  const folders = new Set(['tests'])
  for (const library of libraries) {
    const parts = path.dirname(library).split('/').slice(1)
    parts.forEach((_, index) => folders.add(parts.slice(0, index + 1).join('/')))
  }
  const file = (name: string, from: string): CpioEntry => ({
    kind: 'file',
    name,
    mode: 0o755,
    data: readFileSync(from),
  })
  const entries: CpioEntry[] = [
    ...[...folders].map((name): CpioEntry => ({ kind: 'folder', name })),
    file('selftests', path.join(import.meta.dirname, 'init.sh')),
    ...names.map((name) => file(`tests/${name}`, path.join(folder, name))),
    ...[...libraries].map((library) => file(library.slice(1), library)),
  ]
  const initrd = path.join(scratch, 'selftests-initramfs.gz')
  writeFileSync(initrd, Buffer.concat([readFileSync(guest.initrd), gzipSync(writeCpio(entries))]))
  return { kernel: guest.kernel, initrd, names }
}
