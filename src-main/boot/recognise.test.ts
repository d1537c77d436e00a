import { describe, expect, it } from 'vitest'
import { viewOf } from './bytes.ts'
import { recognise, RECOGNISE_BYTES } from './recognise.ts'
import { bzImage, elf } from './test-images.ts'

function file(...marks: [offset: number, text: string | number[]][]): Uint8Array {
  const bytes = new Uint8Array(RECOGNISE_BYTES)
  for (const [offset, text] of marks) {
    bytes.set(typeof text === 'string' ? Array.from(text, (char) => char.charCodeAt(0)) : text, offset)
  }
  return bytes
}

const BOOT_SIGNATURE: [number, number[]] = [0x1fe, [0x55, 0xaa]]

const MULTIBOOT = [0x02, 0xb0, 0xad, 0x1b, 0, 0, 0, 0, 0xfe, 0x4f, 0x52, 0xe4]

const CASES: [kind: string, role: string, bytes: Uint8Array][] = [
  ['bzimage', 'kernel', bzImage()],
  ['zimage', 'none', bzImage({ loadflags: 0 })],
  ['vmlinux', 'kernel', elf({ entry: 0n, segments: [{ type: 1, vaddr: 0n, paddr: 0, data: new Uint8Array(64) }] })],
  ['elf-foreign', 'none', elf({ machine: 183, entry: 0n, segments: [] })],
  ['elf-other', 'none', elf({ entry: 0n, segments: [{ type: 3, vaddr: 0n, paddr: 0, data: new Uint8Array(64) }] })],
  ['multiboot', 'kernel', file([64, MULTIBOOT])],
  ['mbr', 'disk', file([0x400, MULTIBOOT], [0x1c2, [0x83]], BOOT_SIGNATURE)],
  ['arm64-image', 'none', file([0, 'MZ'], [0x38, 'ARM\x64'])],
  ['arm-zimage', 'none', file([0x24, [0x18, 0x28, 0x6f, 0x01]])],
  ['cpio', 'initrd', file([0, '070701'])],
  ['gzip', 'initrd', file([0, [0x1f, 0x8b]])],
  ['zstd', 'initrd', file([0, [0x28, 0xb5, 0x2f, 0xfd]])],
  ['qcow2', 'disk', file([0, 'QFI\xfb'])],
  ['iso9660', 'cdrom', file([0x8001, 'CD001'])],
  ['ext4', 'disk', file([0x438, [0x53, 0xef]], [0x460, [0x40]], [0x478, 'root'])],
  ['ext2', 'disk', file([0x438, [0x53, 0xef]])],
  ['btrfs', 'disk', file([0x10040, '_BHRfS_M'])],
  ['gpt', 'disk', file([0x200, 'EFI PART'], BOOT_SIGNATURE)],
  ['mbr', 'disk', file([0x1be, [0x80]], [0x1c2, [0x83]], BOOT_SIGNATURE)],
  ['fat', 'disk', file([0x36, 'FAT16'], BOOT_SIGNATURE)],
  ['efi', 'none', file([0, 'MZ'], [0x3c, [0x80]], [0x80, 'PE\0\0'])],
  ['blank', 'disk', file()],
  ['unknown', 'none', file([3, 'hello'])],
]

describe('recognise', () => {
  it.each(CASES)('%s (%s)', (kind, role, bytes) => {
    expect(recognise(bytes, bytes.length)).toMatchObject({ kind, role })
  })

  it('names the release, the label and the machine', () => {
    expect(recognise(bzImage(), 10240).description).toBe('Linux 6.1.0-test, a bzImage')
    const ext4 = file([0x438, [0x53, 0xef]], [0x460, [0x40]], [0x478, 'root'])
    expect(recognise(ext4, ext4.length).description).toBe('an ext4 file system image named "root"')
    expect(recognise(elf({ machine: 243, entry: 0n, segments: [] }), 64).description).toMatch(/RISC-V; .* x86-64/)
  })

  it('takes any beginning of any file', () => {
    expect(recognise(new Uint8Array(0), 0).kind).toBe('empty')
    for (const [, , bytes] of CASES) {
      for (let length = 1; length < 0x500; length += 7) recognise(bytes.subarray(0, length), bytes.length)
    }
    const damaged = elf({ entry: 0n, segments: [] })
    viewOf(damaged).setBigUint64(0x20, 0xffff_ffff_ffff_ffffn, true)
    viewOf(damaged).setUint16(0x38, 0xffff, true)
    expect(recognise(damaged, damaged.length).kind).toBe('vmlinux')
  })
})
