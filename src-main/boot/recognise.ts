import { asciiAt, startsWith, viewOf } from './bytes.ts'
import { EM_386, EM_X86_64, isElf } from './elf/image.ts'
import { findMultibootHeader } from './multiboot/header.ts'

/** What a file can be to a machine. `none`: Longmode has no use for it. */
export type FileRole = 'kernel' | 'initrd' | 'disk' | 'cdrom' | 'none'

export interface Recognised {
  /** A stable short name: 'bzimage', 'vmlinux', 'multiboot', 'cpio', 'qcow2', 'iso9660', 'ext4', ... or 'unknown'. */
  readonly kind: string
  readonly role: FileRole
  /** Continues "this is ...": plain words, with what stands in the way when there is something. */
  readonly description: string
  /** Made for another kind of machine. */
  readonly foreign?: true
}

/** How much of a file's start recognise() wants; btrfs has its mark furthest in, at 0x10040. */
export const RECOGNISE_BYTES = 0x11000

/** A magic number at a fixed place. Tried in order; the first that fits decides. */
interface Signature {
  readonly offset: number
  readonly magic: readonly number[] | string
  readonly result: Recognised
}

const as = (kind: string, role: FileRole, description: string): Recognised => ({ kind, role, description })
const compressed = (kind: string, name: string): Recognised =>
  as(kind, 'initrd', `a file compressed with ${name}; as an initrd it can be used as it is`)
const foreign = (kind: string, what: string): Recognised => ({
  kind,
  role: 'none',
  description: `${what}; Longmode runs x86-64`,
  foreign: true,
})

const SIGNATURES: readonly Signature[] = [
  { offset: 0x38, magic: 'ARM\x64', result: foreign('arm64-image', 'an ARM64 kernel image') },
  { offset: 0x38, magic: 'RSC\x05', result: foreign('riscv-image', 'a RISC-V kernel image') },
  {
    offset: 0x24,
    magic: [0x18, 0x28, 0x6f, 0x01],
    result: foreign('arm-zimage', 'an ARM kernel (zImage)'),
  },
  {
    offset: 0,
    magic: [0x27, 0x05, 0x19, 0x56],
    result: as('uimage', 'none', 'a U-Boot image (uImage) of another board'),
  },
  { offset: 0, magic: [0xd0, 0x0d, 0xfe, 0xed], result: as('fit', 'none', 'a device tree or U-Boot FIT image') },
  { offset: 0, magic: '070701', result: as('cpio', 'initrd', 'an initramfs (cpio archive)') },
  { offset: 0, magic: '070702', result: as('cpio', 'initrd', 'an initramfs (cpio archive with checksums)') },
  {
    offset: 0,
    magic: '070707',
    result: as('cpio-old', 'none', 'an old cpio archive; Linux wants "cpio -H newc" for an initramfs'),
  },
  { offset: 0, magic: 'QFI\xfb', result: as('qcow2', 'disk', 'a qcow2 disk image') },
  {
    offset: 0,
    magic: 'KDMV',
    result: as('vmdk', 'none', 'a VMware disk image (vmdk); convert it with "qemu-img convert -O qcow2"'),
  },
  {
    offset: 0,
    magic: 'conectix',
    result: as('vhd', 'none', 'a VHD disk image; convert it with "qemu-img convert -O qcow2"'),
  },
  {
    offset: 0,
    magic: 'vhdxfile',
    result: as('vhdx', 'none', 'a VHDX disk image; convert it with "qemu-img convert -O qcow2"'),
  },
  {
    offset: 0x40,
    magic: [0x7f, 0x10, 0xda, 0xbe],
    result: as('vdi', 'none', 'a VirtualBox disk image (vdi); convert it with "qemu-img convert -O qcow2"'),
  },
  { offset: 0x200, magic: 'EFI PART', result: as('gpt', 'disk', 'a disk image with a GPT partition table') },
  { offset: 0x8001, magic: 'CD001', result: as('iso9660', 'cdrom', 'a CD or DVD image (ISO 9660)') },
  { offset: 0, magic: 'XFSB', result: as('xfs', 'disk', 'an XFS file system image') },
  { offset: 0x10040, magic: '_BHRfS_M', result: as('btrfs', 'disk', 'a Btrfs file system image') },
  { offset: 0, magic: 'hsqs', result: as('squashfs', 'disk', 'a SquashFS file system image') },
  { offset: 0x400, magic: [0xe2, 0xe1, 0xf5, 0xe0], result: as('erofs', 'disk', 'an EROFS file system image') },
  { offset: 0, magic: [0x1f, 0x8b], result: compressed('gzip', 'gzip') },
  { offset: 0, magic: [0x28, 0xb5, 0x2f, 0xfd], result: compressed('zstd', 'zstd') },
  { offset: 0, magic: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], result: compressed('xz', 'xz') },
  { offset: 0, magic: 'BZh', result: compressed('bzip2', 'bzip2') },
  { offset: 0, magic: [0x02, 0x21, 0x4c, 0x18], result: compressed('lz4', 'lz4') },
  { offset: 0, magic: [0x5d, 0x00, 0x00], result: compressed('lzma', 'lzma') },
  { offset: 0, magic: [0x89, 0x4c, 0x5a, 0x4f], result: compressed('lzo', 'lzo') },
  { offset: 0, magic: 'PK\x03\x04', result: as('zip', 'none', 'a ZIP archive; unpack it first') },
  { offset: 257, magic: 'ustar', result: as('tar', 'none', 'a tar archive; unpack it first') },
  { offset: 0, magic: '!<arch>\n', result: as('ar', 'none', 'an archive of object files or a Debian package') },
]

/**
 * Says what a file is from its first bytes (RECOGNISE_BYTES of them, or all). `fileSize` is the whole file's, in bytes.
 * A kernel's own parts are checked when it is loaded; this only tells the kinds apart.
 */
export function recognise(head: Uint8Array, fileSize: number): Recognised {
  if (fileSize === 0) return as('empty', 'none', 'an empty file')
  // Images of disks come before multiboot kernels: GRUB's own code in the first sectors of a disk carries a multiboot header.
  return (
    linuxImage(head) ??
    elfFile(head) ??
    bySignature(head) ??
    extFileSystem(head) ??
    peFile(head) ??
    bootSector(head, fileSize) ??
    multibootImage(head) ??
    unknownFile(head, fileSize)
  )
}

function linuxImage(head: Uint8Array): Recognised | undefined {
  if (!startsWith(head, 0x1fe, [0x55, 0xaa]) || !startsWith(head, 0x202, 'HdrS') || head.length < 0x240)
    return undefined
  const view = viewOf(head)
  const at = view.getUint16(0x20e, true)
  const release = at ? asciiAt(head, at + 0x200, 80).split(' ')[0] : ''
  const name = release ? `Linux ${release}` : 'a Linux kernel'
  if (!(view.getUint8(0x211) & 1)) return as('zimage', 'none', `${name}, a zImage; a BIOS is needed to start it`)
  const is64 = view.getUint16(0x206, true) >= 0x20c && (view.getUint16(0x236, true) & 1) !== 0
  return as('bzimage', 'kernel', `${name}, a bzImage${is64 ? '' : ' (32-bit)'}`)
}

/** e_machine values that people are likely to meet. */
const ELF_MACHINES: Readonly<Record<number, string>> = {
  2: 'SPARC',
  8: 'MIPS',
  20: 'PowerPC',
  21: '64-bit PowerPC',
  22: 's390',
  40: 'ARM',
  43: '64-bit SPARC',
  50: 'Itanium',
  183: 'ARM64',
  243: 'RISC-V',
  247: 'BPF',
  258: 'LoongArch',
}
const ELF_OTHER_TYPES: Readonly<Record<number, string>> = { 1: 'an object file', 4: 'a core dump' }

function elfFile(head: Uint8Array): Recognised | undefined {
  if (!isElf(head) || head.length < 64) return undefined
  const view = viewOf(head)
  const little = head[5] === 1
  const machine = view.getUint16(0x12, little)
  if (machine !== EM_386 && machine !== EM_X86_64) {
    const name = ELF_MACHINES[machine] ?? `machine ${machine}`
    return foreign('elf-foreign', `an ELF file for ${name}`)
  }
  const other = ELF_OTHER_TYPES[view.getUint16(0x10, true)]
  if (other) return as('elf-other', 'none', `an ELF file, but ${other}, not a kernel`)
  if (findMultibootHeader(head)) return as('multiboot', 'kernel', 'a multiboot kernel (ELF)')
  if (hasInterpreter(head))
    return as('elf-other', 'none', 'a Linux program, not a kernel; share its folder with the guest to run it')
  return as('vmlinux', 'kernel', `${machine === EM_X86_64 ? 'a 64-bit' : 'a 32-bit'} ELF kernel (vmlinux)`)
}

/** PT_INTERP (3) among the program headers that the head holds: a dynamically linked program. */
function hasInterpreter(head: Uint8Array): boolean {
  const view = viewOf(head)
  const is64 = head[4] === 2
  const table = is64 ? Number(view.getBigUint64(0x20, true)) : view.getUint32(0x1c, true)
  const size = view.getUint16(is64 ? 0x36 : 0x2a, true)
  const count = view.getUint16(is64 ? 0x38 : 0x2c, true)
  for (let i = 0; i < count && table + i * size + 4 <= head.length; i++) {
    if (view.getUint32(table + i * size, true) === 3) return true
  }
  return false
}

function multibootImage(head: Uint8Array): Recognised | undefined {
  return findMultibootHeader(head) ? as('multiboot', 'kernel', 'a multiboot kernel') : undefined
}

function bySignature(head: Uint8Array): Recognised | undefined {
  return SIGNATURES.find(({ offset, magic }) => startsWith(head, offset, magic))?.result
}

/** The superblock at 1024 (Documentation/filesystems/ext4/globals.rst): magic, and features that tell ext2, 3 and 4 apart. */
function extFileSystem(head: Uint8Array): Recognised | undefined {
  if (!startsWith(head, 0x438, [0x53, 0xef]) || head.length < 0x488) return undefined
  const view = viewOf(head)
  const extents = (view.getUint32(0x460, true) & 0x40) !== 0
  const journal = (view.getUint32(0x45c, true) & 0x4) !== 0
  const name = extents ? 'ext4' : journal ? 'ext3' : 'ext2'
  const label = asciiAt(head, 0x478, 16)
  return as(name, 'disk', `an ${name} file system image${label ? ` named "${label}"` : ''}`)
}

/** An EFI application of whatever machine: kernels of other machines are often built so. */
function peFile(head: Uint8Array): Recognised | undefined {
  if (!startsWith(head, 0, 'MZ') || head.length < 0x40) return undefined
  const at = viewOf(head).getUint32(0x3c, true)
  if (!startsWith(head, at, 'PE\0\0')) return undefined
  if (startsWith(head, 4, 'zimg')) return foreign('efi-zboot', 'a compressed EFI kernel of another machine')
  return as('efi', 'none', 'an EFI program, which needs UEFI firmware; choose the bzImage itself')
}

function bootSector(head: Uint8Array, fileSize: number): Recognised | undefined {
  if (!startsWith(head, 0x1fe, [0x55, 0xaa]) || fileSize < 1024) return undefined
  if (startsWith(head, 0x52, 'FAT32') || startsWith(head, 0x36, 'FAT'))
    return as('fat', 'disk', 'a FAT file system image')
  for (let entry = 0x1be; entry < 0x1fe; entry += 16) {
    if (head[entry + 4] !== 0 && (head[entry] & 0x7f) === 0)
      return as('mbr', 'disk', 'a disk image with an MBR partition table')
  }
  return undefined
}

function unknownFile(head: Uint8Array, fileSize: number): Recognised {
  const sectors = fileSize % 512 === 0
  if (sectors && head.every((byte) => byte === 0)) return as('blank', 'disk', 'an empty raw disk image')
  return as('unknown', 'none', 'a file of no kind that Longmode knows')
}
