/**
 * The tutorial through the kernel workbench, on Debian's whole linux-source-6.1: configuration, build, a system call by the scaffold, the fast
 * rebuild against a clean one, the call used, traced and debugged in a guest with a Debian disk, the exercises, a module.
 */
import { execFileSync } from 'node:child_process'
import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  appendFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { BootPlan, BuildRequest, KernelTree, SyscallRequest } from '../../../src-main/contract/kernel-tree.ts'
import { workbench } from '../../../src-main/kernel-tree/index.ts'
import { runGuestTest, type GuestTest } from '../../../src-main/workers/guest-test.ts'
import { debianDisk } from '../tutorial/debian-disk.ts'

const SOURCE = '/usr/src/linux-source-6.1.tar.xz'
const calls = path.join(import.meta.dirname, 'calls')
const scratch = mkdtempSync(path.join(os.tmpdir(), 'longmode-workbench-'))
const share = path.join(scratch, 'shared_folder')
let folder = ''
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

const tree = (): Promise<KernelTree> => workbench.openTree(folder)
const image = () => path.join(folder, 'arch/x86/boot/bzImage')
const inTree = (file: string) => path.join(folder, file)

const memcpy: SyscallRequest = {
  name: 'memcpy',
  parameters: ['void __user *src', 'void __user *dst', 'unsigned long len'],
}
const caesar: SyscallRequest = {
  name: 'caesar',
  parameters: ['const char __user *in_str', 'char __user *out_str', 'unsigned int op', 'unsigned int rot'],
}
const struct: SyscallRequest = { name: 'memcpy_struct', parameters: ['struct memcpy_data __user *data'], i386: true }

const plan: BootPlan = {
  append: 'root=/dev/sda rw console=ttyS0 loglevel=6',
  disks: [{ bus: 'ide', media: 'disk' }],
  shares: [{ mountTag: 'shared_folder' }],
}

async function build(request: BuildRequest = {}) {
  const result = await workbench.build(await tree(), request, () => undefined)
  expect(result, JSON.stringify(result.firstError)).toMatchObject({ outcome: 'built' })
  return result
}

async function add(request: SyscallRequest, source: string): Promise<void> {
  copyFileSync(path.join(calls, source), inTree(`kernel/${request.name}.c`))
  await workbench.applySyscall(await tree(), request.name, await workbench.planSyscall(await tree(), request))
}

/** Runs a command with the share as its folder, on the Debian disk if nothing else is said. */
async function inGuest(command: string, root: GuestTest['root'] = { kind: 'disk', file: debianDisk() }) {
  const test = { kernel: image(), command, share, root }
  const result = await runGuestTest(test, { timeout: 1200, say: () => undefined })
  expect(result, `${result.console}\n${result.output}`).toMatchObject({ outcome: 'ran', exitCode: 0 })
  return result.output
}

beforeAll(() => {
  // What the image says about its making must not differ between two builds.
  Object.assign(process.env, {
    KBUILD_BUILD_TIMESTAMP: '2026-01-01',
    KBUILD_BUILD_USER: 'user',
    KBUILD_BUILD_HOST: 'host',
    KBUILD_BUILD_VERSION: '1',
  })
  execFileSync('tar', ['-C', scratch, '-xf', SOURCE])
  folder = path.join(scratch, 'linux-source-6.1')
  mkdirSync(share)
  for (const name of ['memcpy', 'caesar', 'struct'])
    copyFileSync(path.join(calls, `call-${name}.c`), path.join(share, `${name}.c`))
})

describe('the tutorial through the workbench', () => {
  it('configures: every option of the recipe is taken, and the check is content', async () => {
    const fix = await workbench.applyRecipes(await tree(), { recipes: ['tutorial'] })
    expect(fix.refused).toEqual([])
    expect(await workbench.checkConfig(await tree(), plan, 'systemd')).toEqual({ findings: [], boots: true })
  })

  it('builds, and the new kernel does not have the call yet', async () => {
    await build()
    expect(await workbench.buildState(await tree())).toEqual({ state: 'current', changed: [] })
    copyFileSync(image(), path.join(scratch, 'bzImage-before'))
    expect(await inGuest('gcc -O1 -o /tmp/call memcpy.c && /tmp/call 451')).toContain('good: -1, errno 38\nequal: 0\n')
  })

  it('adds the call: the checklist is complete, the reviewer sees its faults', async () => {
    await add(memcpy, 'memcpy.c')
    const report = await workbench.checkSyscall(await tree(), memcpy)
    expect(report).toMatchObject({ complete: true, number: 451 })
    expect(report.remarks.map(({ rule }) => rule)).toEqual(['unchecked-length', 'leak', 'leak'])
    expect((await workbench.buildState(await tree())).state).toBe('stale')
  })

  it('rebuilds fast, and the kernel is the one of a clean build', async () => {
    const { fast } = await build()
    expect(fast?.kept).toBeGreaterThan(1000)
    const vmlinux = readFileSync(inTree('vmlinux'))
    execFileSync('make', ['-C', folder, '-s', 'clean'])
    await build({ fast: false })
    expect(Buffer.compare(readFileSync(inTree('vmlinux')), vmlinux)).toBe(0)
  })

  it('has the call: results, errors, strace and gdb in the guest', async () => {
    const output = await inGuest('gcc -g -O1 -o /tmp/call memcpy.c && /tmp/call 451')
    expect(output.split('\n')).toEqual([
      'good: 0, errno 0',
      'equal: 1',
      ...['null', 'kernel address', 'no canonical address'].map((name) => `${name}: -1, errno 14`),
      'length 0: 0, errno 0',
      'huge: -1, errno 12',
      '',
    ])
    const traced = await inGuest('gcc -g -O1 -o /tmp/call memcpy.c && strace /tmp/call 451 2>&1')
    expect(traced).toMatch(/syscall_0x1c3\(0x7ff\w+, 0x7ff\w+, 0x28, .*\) = 0/)
    const gdb =
      "gdb -batch -ex 'catch syscall 451' -ex run -ex 'info registers rax cs' -ex continue -ex 'info registers rax' --args /tmp/call 451 2>&1"
    const debugged = await inGuest(`gcc -g -O1 -o /tmp/call memcpy.c && ${gdb}`)
    expect(debugged).toContain('Catchpoint 1 (call to syscall 451)')
    expect(debugged).toMatch(/rax +0xffffffffffffffda/)
    expect(debugged).toMatch(/cs +0x33/)
    expect(debugged).toMatch(/returned from syscall 451[\s\S]*rax +0x0 /)
  })

  it('exercise 2 and 3: Caesar, a struct, and a 32-bit caller without and with its own entry', async () => {
    await add(caesar, 'caesar.c')
    await add(struct, 'memcpy_struct.c')
    const { remarks } = await workbench.checkSyscall(await tree(), struct)
    expect(remarks.map(({ sentence }) => sentence)).toEqual([
      expect.stringContaining('24 bytes for 64-bit and 12 for 32-bit'),
    ])
    await build()
    const command =
      'gcc -o /tmp/c caesar.c && /tmp/c 452; gcc -o /tmp/s struct.c && /tmp/s 453; gcc -m32 -o /tmp/s32 struct.c && /tmp/s32 453'
    const [there, back, wide, narrow] = (await inGuest(command)).split('\n')
    expect([there, back]).toEqual(['0 Khoor, Nhuqho abc!', '0 Hello, Kernel xyz!'])
    expect(wide).toBe('24 bytes: result 0 errno 0, "some bytes"')
    expect(narrow).toMatch(/^12 bytes: .*, ""$/)
    appendFileSync(inTree('kernel/memcpy_struct.c'), readFileSync(path.join(calls, 'memcpy_struct_compat.c')))
    // The row was without an entry for 32-bit programs; the checklist says so, and the scaffold leaves to the user what is there.
    await workbench.applySyscall(
      await tree(),
      'memcpy_struct',
      await workbench.planSyscallRemoval(await tree(), 'memcpy_struct'),
    )
    await workbench.applySyscall(
      await tree(),
      'memcpy_struct',
      await workbench.planSyscall(await tree(), { ...struct, number: 453, compat: true }),
    )
    expect((await workbench.checkSyscall(await tree(), { ...struct, compat: true })).complete).toBe(true)
    await build()
    const mended = await inGuest('gcc -m32 -o /tmp/s32 struct.c && /tmp/s32 453')
    expect(mended).toBe('12 bytes: result 0 errno 0, "some bytes"\n')
  })

  it('a module is built, shared, inserted and removed', async () => {
    const module = path.join(share, 'module')
    mkdirSync(module)
    cpSync(path.join(calls, 'hello.c'), path.join(module, 'hello.c'))
    writeFileSync(path.join(module, 'Makefile'), 'obj-m += hello.o\n')
    await build({ module })
    const output = await inGuest(
      'insmod module/hello.ko && lsmod && rmmod hello && dmesg | grep -o "hello: .*"',
      // The embedded guest's busybox can; the disk of the other tests has no kmod.
      { kind: 'initramfs' },
    )
    expect(output).toMatch(/^hello +\d+ +0/m)
    expect(output).toMatch(/hello: loaded\nhello: gone\n$/)
  })
})
