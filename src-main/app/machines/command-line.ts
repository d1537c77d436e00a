/** A QEMU command line from a terminal or a web page as a machine of the library. */
import { existsSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { TroubleError } from '../../contract/rpc/messages.ts'
import type { ImportedCommand } from '../../contract/services/machines.ts'
import { FlagError } from '../../machine/qemu-flags/flag-error.ts'
import { parseFlags } from '../../machine/qemu-flags/parse.ts'
import { splitCommand } from '../../machine/qemu-flags/split.ts'
import { defaultMachine, MIB, type MachineConfig } from '../../machine/config.ts'

/** The embedded guest needs more than QEMU's 128 MiB. */
const EMBEDDED_MEMORY = 512 * MIB

/** Text as it was pasted. Throws TroubleError with what is wrong with it. */
export function importCommand(text: string, folder = process.cwd()): ImportedCommand {
  try {
    const { HOME = os.homedir(), USER = os.userInfo().username } = process.env
    const words = splitCommand(text, { variables: { HOME, USER, PWD: folder } })
    if (words.length === 0)
      throw new FlagError('there is no command line yet; paste one that begins with qemu-system-x86_64')
    return importFlags(words, folder)
  } catch (error) {
    if (error instanceof FlagError) throw TroubleError.user(error.message)
    throw error
  }
}

/** Flags as words; files without a folder are looked for in `folder`, then in the home folder. */
export function importFlags(words: readonly string[], folder: string): ImportedCommand {
  const parsed = parseFlags(words)
  if (parsed.kind === 'error') throw TroubleError.user(parsed.sentence)
  if (parsed.kind !== 'machine')
    throw TroubleError.user(`-${parsed.kind} describes no machine; paste the whole command`)
  const notes = [...parsed.notes]
  let { machine } = parsed
  if (machine.serial.kind === 'file') {
    notes.push(`the serial port goes to this window's console instead of ${machine.serial.path}`)
    machine = { ...machine, serial: { kind: 'stdio' } }
  }
  if (machine.kernel === undefined && !parsed.given.has('m')) machine = { ...machine, memory: EMBEDDED_MEMORY }
  return { config: { ...withPaths(machine, folder, notes), name: nameOf(machine) }, notes }
}

function nameOf({ name, kernel, disks }: MachineConfig): string {
  if (name !== defaultMachine.name) return name
  const file = disks[0]?.file ?? kernel
  return file === undefined ? name : path.basename(file).replace(/\.(img|raw|qcow2|iso)$/, '')
}

function withPaths(machine: MachineConfig, folder: string, notes: string[]): MachineConfig {
  const find = (file: string): string => {
    const places = [path.resolve(folder, file), path.resolve(os.homedir(), file)]
    const found = places.find((place) => existsSync(place))
    if (found === undefined) notes.push(`${places[0]} does not exist on this computer; choose the right file`)
    return found ?? places[0]
  }
  const { kernel, initrd } = machine
  return {
    ...machine,
    ...(kernel === undefined ? {} : { kernel: find(kernel) }),
    ...(initrd === undefined ? {} : { initrd: find(initrd) }),
    disks: machine.disks.map((disk) => ({ ...disk, file: find(disk.file) })),
    shares: machine.shares.map((share) => ({ ...share, path: find(share.path) })),
  }
}
