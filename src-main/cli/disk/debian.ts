/** `longmode disk create --debian`. */
import path from 'node:path'
import { KernelTreeError, type DiskProgress } from '../../contract/kernel-tree.ts'
import { workbench } from '../../kernel-tree/index.ts'
import type { Answer, Context } from '../kernel/command.ts'
import { has, sizeOf, valueOf, valuesOf, type Option } from '../kernel/words.ts'

const DEFAULT_SIZE = '1536M'

function printer({ say, json }: Context): (progress: DiskProgress) => void {
  let count = 0
  return ({ step, text }) => {
    count++
    // Debian has hundreds of packages; every twentieth line is progress enough.
    if (!json && (step === 'image' || text.startsWith('E:') || count % 20 === 1)) say(text)
  }
}

export const debianOptions: readonly Option[] = [
  { name: 'debian', help: 'with Debian on it: systemd, gcc, strace and gdb in a bare ext4, as the tutorial uses it' },
  { name: 'suite', value: 'NAME', help: '--debian: the release; bookworm when left out' },
  { name: 'mirror', value: 'URL', help: '--debian: where the packages come from; what this system uses when left out' },
  { name: 'package', value: 'NAME', help: '--debian: one more package; may be given more than once' },
  { name: 'hostname', value: 'NAME', help: '--debian: tutorial when left out' },
  { name: 'fstab', help: '--debian: with the line that mounts the share shared_folder at /root/host_folder' },
]

/** `disk create --debian FILE [SIZE]`. */
export async function createDebian(context: Context): Promise<Answer> {
  const { words, signal } = context
  const [file, size = DEFAULT_SIZE, more] = words.rest
  if (file === undefined) throw new KernelTreeError('name the image: longmode disk create --debian my_disk.raw')
  if (more !== undefined) throw new KernelTreeError(`"${more}" is one word too many; --help says more`)
  const optional = {
    suite: valueOf(words, 'suite'),
    mirror: valueOf(words, 'mirror'),
    hostName: valueOf(words, 'hostname'),
  }
  const given = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined))
  const packages = valuesOf(words, 'package')
  const request = {
    file: path.resolve(file),
    bytes: sizeOf(size),
    packages,
    shareInFstab: has(words, 'fstab'),
    ...given,
  }
  await workbench.createDebianDisk(request, printer(context), signal)
  const flags = `-drive file=${file},format=raw,index=0,media=disk -append "root=/dev/sda rw console=ttyS0"`
  return {
    json: request,
    text: [`${file} is made; log in as root without a password`, `start it with: ${flags}`],
    exitCode: 0,
  }
}
