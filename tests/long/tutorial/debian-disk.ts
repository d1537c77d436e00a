/**
 * The tutorial's disk: a bare ext4 image with Debian 12, systemd and what the exercises need, made by mmdebstrap and mke2fs without mounting
 * anything. Made once, kept in the cache folder; every test works on a copy. It has to be made as root, for the files to belong to root.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import { cacheFolder } from '../../../src-main/host/cache-folder.ts'

const PACKAGES = ['systemd-sysv', 'udev', 'gcc', 'gcc-multilib', 'libc6-dev', 'strace', 'gdb', 'nano', 'python3']
const SIZE = '1536M'
export const HOST_NAME = 'tutorial'
/** systemd gives a device 90 s to appear; the computer that runs the tests may have much else to do. */
const PATIENCE = '[Manager]\nDefaultTimeoutStartSec=1h\nDefaultDeviceTimeoutSec=1h\n'

function run(command: string, args: readonly string[]): void {
  execFileSync(command, args, { stdio: ['ignore', 2, 2] })
}

/** The path of the pristine image. */
export function debianDisk(): string {
  const hash = createHash('sha256').update(JSON.stringify([PACKAGES, SIZE, HOST_NAME, PATIENCE]))
  const image = path.join(cacheFolder(), 'test-disks', `debian-${hash.digest('hex').slice(0, 16)}.img`)
  if (existsSync(image)) return image
  if (process.getuid?.() !== 0) throw new Error('the disk of this test can only be made as root')
  mkdirSync(path.dirname(image), { recursive: true })
  const scratch = mkdtempSync(path.join(os.tmpdir(), 'longmode-debian-'))
  try {
    const root = path.join(scratch, 'root')
    run('mmdebstrap', ['--variant=minbase', '--mode=root', `--include=${PACKAGES.join(',')}`, 'bookworm', root])
    writeFileSync(path.join(root, 'etc/hostname'), `${HOST_NAME}\n`)
    mkdirSync(path.join(root, 'etc/systemd/system.conf.d'))
    writeFileSync(path.join(root, 'etc/systemd/system.conf.d/patience.conf'), PATIENCE)
    run('chroot', [root, 'passwd', '-d', 'root'])
    const fresh = path.join(scratch, 'image')
    run('truncate', ['-s', SIZE, fresh])
    run('mke2fs', ['-q', '-F', '-t', 'ext4', '-d', root, fresh])
    run('cp', ['--sparse=always', fresh, `${image}.new`])
    renameSync(`${image}.new`, image)
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
  return image
}
