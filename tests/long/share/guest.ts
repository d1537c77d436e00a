/**
 * What the tests of this folder share: guests with folders of the host, on Longmode or (LONGMODE_BOOT_ON=qemu) on QEMU. LONGMODE_KERNEL names
 * another kernel than Debian's, with what 9p needs built in.
 */
import * as fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import { PROMPT } from '../../boot/default-guest-flags.ts'
import { GuestConsole, type Machine } from '../../boot/guest-console.ts'
import { cornersTool, shareGuestFlags } from '../../share/guest/tool.ts'

/** The same tests run on QEMU, which is how they are known to be right. */
export const underTest: Machine = process.env.LONGMODE_BOOT_ON === 'qemu' ? 'qemu' : 'longmode'

export interface ShareGuests {
  readonly at: (...names: string[]) => string
  /** Makes an empty folder. */
  readonly folder: (name: string) => string
  /** A guest at its prompt. `shares` are more flags. */
  readonly boot: (...shares: string[]) => Promise<GuestConsole>
  readonly bootOn: (machine: Machine, ...shares: string[]) => Promise<GuestConsole>
  /** Ends the guests of this test, for what has to be undone before its end. */
  readonly end: () => Promise<void>
}

/** To be called once in a test file: everything it starts and makes is gone after the tests. */
export function shareGuests(): ShareGuests {
  const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'longmode-share-'))
  const running: GuestConsole[] = []
  const at = (...names: string[]) => path.join(scratch, ...names)
  const end = async () => {
    for (const guest of running.splice(0)) await guest.kill()
  }
  let flags: string[]
  const bootOn = async (machine: Machine, ...shares: string[]) => {
    const guest = new GuestConsole(machine, [...flags, ...shares])
    running.push(guest)
    await guest.expect(PROMPT, 600)
    return guest
  }
  beforeAll(async () => {
    flags = await shareGuestFlags(scratch, 'quiet', [cornersTool(scratch)])
    if (process.env.LONGMODE_KERNEL !== undefined) flags.push('-kernel', process.env.LONGMODE_KERNEL)
  })
  afterEach(end)
  afterAll(() => fs.rmSync(scratch, { recursive: true, force: true }))
  return {
    at,
    end,
    folder: (name) => {
      fs.mkdirSync(at(name))
      return at(name)
    },
    bootOn,
    boot: (...shares) => bootOn(underTest, ...shares),
  }
}

/** Runs a command that has to succeed; its output. */
export async function must(guest: GuestConsole, command: string, seconds = 300): Promise<string> {
  const { output, status } = await guest.run(command, seconds)
  expect(`${output}(status ${status})`).toBe(`${output}(status 0)`)
  return output.trim()
}

/** Flags of one share with the tag `t`, which the default guest mounts at /root/host_folder. */
export const plainShare = (place: string): string[] => [
  '-virtfs',
  `local,path=${place},mount_tag=t,security_model=none`,
]
