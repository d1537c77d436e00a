import { describe, expect, it } from 'vitest'
import { addDisk, addShare, emptyMachine, freeIndex, guestName, withDisk, withPath, withRoot } from './draft.ts'

describe('a draft', () => {
  it('gives disks the next free place, and a CD the place of QEMU', () => {
    const one = addDisk(addDisk(addDisk(emptyMachine, '/a.raw'), '/b.iso'), '/c.qcow2')
    expect(one.disks.map((disk) => [disk.media, disk.index, disk.readOnly])).toEqual([
      ['disk', 0, false],
      ['cdrom', 2, true],
      ['disk', 1, false],
    ])
    expect(one.disks.map((_, at) => guestName(one, at))).toEqual(['/dev/sda', '/dev/sr0', '/dev/sdb'])
    const two = withDisk(one, 0, { bus: 'virtio', index: freeIndex(one, 'virtio', 0) })
    expect(two.disks.map((_, at) => guestName(two, at))).toEqual(['/dev/vda', '/dev/sr0', '/dev/sda'])
  })
  it('names shares as the tutorial does, then counts', () => {
    const two = addShare(addShare(emptyMachine, '/a'), '/b')
    expect(two.shares.map((share) => share.mountTag)).toEqual(['shared_folder', 'shared_folder2'])
  })
  it('drops an empty path', () => {
    expect(withPath({ ...emptyMachine, kernel: '/k' }, 'kernel', '')).not.toHaveProperty('kernel')
    expect(withPath(emptyMachine, 'initrd', '/i').initrd).toBe('/i')
  })
  it('boots from a new system disk, unless it boots from another', () => {
    const blank = addDisk({ ...emptyMachine, append: 'quiet' }, '/debian.raw')
    expect(withRoot(blank, 0).append).toBe('root=/dev/sda rw quiet')
    expect(withRoot(emptyMachine, 0)).toBe(emptyMachine)
  })
})
