/**
 * Runs one command in a guest: boots a kernel with the test's initramfs, gives it the command through a share of its own, takes output and
 * exit status from there, so that kernel messages on the console do not mix with it.
 */
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import type { GuestTestResult } from '../contract/kernel-tree.ts'
import { writeTestInitramfs } from '../host/guest-test/initramfs.ts'
import { defaultMachine, MIB, type DiskConfig, type MachineConfig, type ShareConfig } from '../machine/config.ts'
import { MachineHandle } from './machine-handle.ts'

export interface GuestTest {
  readonly kernel: string
  /** For a shell of the guest; undefined: an interactive shell on the console. */
  readonly command?: string
  /** Shared and the command's working folder. */
  readonly share?: string
  /** Where the command runs: the initramfs, a disk (writes are thrown away) or the host's own files below an overlay. */
  readonly root:
    { readonly kind: 'initramfs' } | { readonly kind: 'disk'; readonly file: string } | { readonly kind: 'host' }
  /** In bytes. */
  readonly memory?: number
  /** More words for the kernel's command line. */
  readonly append?: string
}

const MEMORY = 512 * MIB
/** A guest without ACPI cannot power off; after its answer it has so long, in ms. */
const AFTER_ANSWER = 5000
const LOOK = 200

const share = (folder: string, mountTag: string, readOnly = false): ShareConfig => ({
  path: folder,
  mountTag,
  securityModel: 'none',
  readOnly,
})

/** The machine of a test. `scratch` holds the command, the initramfs and the answer. */
export async function guestTestMachine(
  test: GuestTest,
  scratch: string,
  say: (text: string) => void,
): Promise<MachineConfig> {
  const { root } = test
  const initrd = path.join(scratch, 'initramfs')
  await writeTestInitramfs(initrd, say)
  const result = path.join(scratch, 'result')
  const disk = (file: string): DiskConfig => ({
    file,
    format: 'auto',
    media: 'disk',
    bus: 'ide',
    index: 0,
    readOnly: false,
    snapshot: true,
  })
  const where = root.kind === 'disk' ? '/dev/sda' : root.kind === 'host' ? 'host' : 'none'
  const words = [
    'console=ttyS0',
    'panic=-1',
    `longmode.root=${where}`,
    test.command === undefined ? '' : 'loglevel=4',
    test.append ?? '',
  ]
  return {
    ...defaultMachine,
    name: 'test',
    kernel: test.kernel,
    initrd,
    append: words.filter((word) => word !== '').join(' '),
    memory: test.memory ?? MEMORY,
    disks: root.kind === 'disk' ? [disk(root.file)] : [],
    shares: [
      share(result, 'longmode_result'),
      ...(root.kind === 'host' ? [share('/', 'host_root', true)] : []),
      ...(test.share === undefined ? [] : [share(path.resolve(test.share), 'shared_folder')]),
    ],
    display: 'none',
    entropy: true,
    noReboot: true,
  }
}

/** Why a guest ended before it answered, from what its console said. */
export function reasonOf(text: string): string {
  const own = /guest test: (?!running)(.*)/.exec(text)?.[1]
  if (own !== undefined) return own.trim()
  const panic = /Kernel panic - not syncing: .*/.exec(text)?.[0]
  if (panic !== undefined) return panic.trim()
  return text.trim() === ''
    ? 'the kernel printed nothing; is SERIAL_8250_CONSOLE on?'
    : 'the guest ended before the command did'
}

/** A new folder for the files of one test; who makes it removes it. */
export function makeScratch(): string {
  return mkdtempSync(path.join(os.tmpdir(), 'longmode-guest-test-'))
}

/** Runs the test; always resolves with a result. `timeout` in seconds. */
export async function runGuestTest(
  test: GuestTest & { readonly command: string },
  options: {
    readonly timeout: number
    readonly onConsole?: (text: string) => void
    readonly signal?: AbortSignal
    readonly say: (text: string) => void
  },
): Promise<GuestTestResult> {
  const scratch = makeScratch()
  const begun = performance.now()
  try {
    const result = path.join(scratch, 'result')
    prepareResult(result, test.command)
    const machine = await guestTestMachine(test, scratch, options.say)
    let text = ''
    const decoder = new TextDecoder()
    const handle = new MachineHandle(machine, {
      output: (bytes) => {
        const piece = decoder.decode(bytes, { stream: true })
        text += piece
        options.onConsole?.(piece)
        return Promise.resolve()
      },
      note: options.say,
    })
    const stopped = await watch(handle, path.join(result, 'status'), options)
    const end = await handle.ended
    const seconds = (performance.now() - begun) / 1000
    const base = { console: text, seconds, output: readIfThere(path.join(result, 'output')) }
    const status = readIfThere(path.join(result, 'status')).trim()
    if (status !== '') return { ...base, outcome: 'ran', exitCode: Number(status) }
    if (stopped === 'cancelled') return { ...base, outcome: 'cancelled', sentence: 'it was cancelled' }
    if (stopped === 'timeout')
      return { ...base, outcome: 'timeout', sentence: `it did not end within ${options.timeout} s` }
    return { ...base, outcome: 'no-boot', sentence: end.kind === 'failed' ? end.sentence : reasonOf(text) }
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
}

function readIfThere(file: string): string {
  return existsSync(file) ? readFileSync(file, 'utf8') : ''
}

/** Makes the folder of the test's own share. */
export function prepareResult(folder: string, command: string | undefined): void {
  mkdirSync(folder, { recursive: true })
  if (command !== undefined) writeFileSync(path.join(folder, 'command'), `${command}\n`)
}

/** Ends the machine when time is over, when it is cancelled, or when it has answered and does not power off. */
async function watch(
  handle: MachineHandle,
  status: string,
  { timeout, signal }: { readonly timeout: number; readonly signal?: AbortSignal },
): Promise<'ended' | 'timeout' | 'cancelled'> {
  const deadline = performance.now() + timeout * 1000
  let answered: number | undefined
  for (;;) {
    const ended = await Promise.race([handle.ended.then(() => true), sleep(LOOK).then(() => false)])
    if (ended) return 'ended'
    if (existsSync(status)) answered ??= performance.now()
    const tooLong = answered !== undefined && performance.now() - answered > AFTER_ANSWER
    const why =
      signal?.aborted === true ? 'cancelled' : tooLong ? 'ended' : performance.now() > deadline ? 'timeout' : undefined
    if (why === undefined) continue
    handle.quit()
    return why
  }
}

const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
