import { mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { layouts, makeTree } from '../test-tree.ts'
import { openTree } from '../tree.ts'
import { buildState } from './state.ts'

let folder: string
const write = (file: string, text: string, secondsAgo: number) => {
  const full = path.join(folder, file)
  mkdirSync(path.dirname(full), { recursive: true })
  writeFileSync(full, text)
  const time = Date.now() / 1000 - secondsAgo
  utimesSync(full, time, time)
}
const state = async () => buildState(await openTree(folder))

beforeEach(() => {
  folder = makeTree(layouts['v6.1'])
  const old = [
    'Makefile',
    'Kbuild',
    'kernel/Makefile',
    'arch/x86/entry/syscalls/syscall_64.tbl',
    'arch/x86/entry/syscalls/syscall_32.tbl',
    'kernel/sys.c',
  ]
  for (const file of old) utimesSync(path.join(folder, file), 1, 1)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

function built(): void {
  write('.config', 'CONFIG_X86_64=y\nCONFIG_HZ=250\nCONFIG_9P_FS=m\nCONFIG_NAME="a"\n# CONFIG_SMP is not set\n', 300)
  const autoconf =
    '#define CONFIG_X86_64 1\n#define CONFIG_HZ 250\n#define CONFIG_9P_FS_MODULE 1\n#define CONFIG_NAME "a"\n'
  write('include/generated/autoconf.h', autoconf, 300)
  write('include/linux/sys.h', 'int sys;\n', 300)
  write('include/config/HZ', '', 300)
  const list = 'deps_kernel/sys.o := \\\n  include/linux/sys.h \\\n    $(wildcard include/config/HZ) \\\n\n'
  write(
    'kernel/.sys.o.cmd',
    `cmd_kernel/sys.o := gcc -c -o kernel/sys.o kernel/sys.c\n\nsource_kernel/sys.o := kernel/sys.c\n\n${list}`,
    200,
  )
  write('arch/x86/boot/bzImage', 'image', 200)
}

it('goes from unconfigured to unbuilt to current', async () => {
  expect(await state()).toEqual({ state: 'unconfigured', changed: [] })
  write('.config', 'CONFIG_X86_64=y\n', 300)
  expect((await state()).state).toBe('unbuilt')
  built()
  expect(await state()).toEqual({ state: 'current', changed: [] })
})

it.each([
  ['a source', 'kernel/sys.c', 'int changed;\n', ['kernel/sys.c']],
  ['a header', 'include/linux/sys.h', 'int changed;\n', ['include/linux/sys.h']],
  ['the system-call table', 'arch/x86/entry/syscalls/syscall_64.tbl', '', ['arch/x86/entry/syscalls/syscall_64.tbl']],
  ['an option', '.config', 'CONFIG_X86_64=y\n', ['.config']],
  ['an option that was synchronised since', 'include/config/HZ', '', ['.config']],
] as const)('is stale after an edit of %s', async (_, file, text, changed) => {
  built()
  write(file, text, 100)
  expect(await state()).toEqual({ state: 'stale', changed })
})

it('is current after make wrote the same .config again', async () => {
  built()
  utimesSync(path.join(folder, '.config'), new Date(), new Date())
  expect((await state()).state).toBe('current')
})
