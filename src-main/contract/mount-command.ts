import type { ShareConfig } from '../machine/config.ts'

/** Where the tutorial mounts its shared folder. */
const MOUNT_PLACE = '/root/host_folder'

/** The place of a machine's share number `index`: the first goes where the tutorial has it, the others beside it; the default guest's init does the same. */
export const mountPlace = (index: number, mountTag: string): string => (index === 0 ? MOUNT_PLACE : `/root/${mountTag}`)

/**
 * The most that one message of Linux's virtio transport can carry: 125 pages (VIRTQUEUE_NUM 128 less 3 descriptors, net/9p/trans_virtio.c).
 * The kernel's own default is a quarter of it.
 */
const MSIZE = 125 * 4096

/** What root types in a Linux guest to mount the share at `place`; one line. */
export function mountCommand(share: Pick<ShareConfig, 'mountTag' | 'readOnly'>, place = MOUNT_PLACE): string {
  const options = `trans=virtio,msize=${MSIZE}${share.readOnly ? ',ro' : ''}`
  return `mkdir -p ${word(place)} && mount -t 9p -o ${options} ${word(share.mountTag)} ${word(place)}`
}

/** The same for a folder that was exchanged while the guest had it mounted: the new one comes with a new mount. */
export function remountCommand(share: Pick<ShareConfig, 'mountTag' | 'readOnly'>, place = MOUNT_PLACE): string {
  return `cd; umount ${word(place)}; ${mountCommand(share, place)}`
}

/** The line for /etc/fstab. `nofail`: the system starts too on a machine without the share. */
export function fstabLine(share: Pick<ShareConfig, 'mountTag' | 'readOnly'>, place = MOUNT_PLACE): string {
  const options = `trans=virtio,msize=${MSIZE},nofail${share.readOnly ? ',ro' : ''}`
  return `${field(share.mountTag)} ${field(place)} 9p ${options} 0 0`
}

/** As it is where the shell sees nothing in it, else in single quotes. */
function word(text: string): string {
  return /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`
}

/** fstab(5): blanks, backslashes and a first # are written as octal numbers. */
function field(text: string): string {
  const octal = (character: string) => `\\${character.charCodeAt(0).toString(8).padStart(3, '0')}`
  return text.replaceAll(/[\s\\]|^#/g, octal)
}
