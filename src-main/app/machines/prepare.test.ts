import { describe, expect, it } from 'vitest'
import { defaultGuestPlace } from '../../host/default-guest/default-guest.ts'
import { defaultMachine, type MachineConfig } from '../../machine/config.ts'
import { rawDisk } from '../../../tests/fixtures/raw-disk.ts'
import { checkMachine, machineWithKernel } from './prepare.ts'

const kernel = '/home/ana/linux/arch/x86/boot/bzImage'
const disk = rawDisk('/home/ana/disk.raw')
const embedded = defaultGuestPlace().initrd
const withKernel = (change: Partial<MachineConfig>) => {
  const { initrd, append } = machineWithKernel({ ...defaultMachine, ...change }, kernel)
  return { initrd, append }
}

describe('a machine that boots a kernel built here', () => {
  it('gets the embedded root file system when it has none, and a console to see it', () => {
    expect(withKernel({})).toEqual({ initrd: embedded, append: 'console=ttyS0' })
    expect(withKernel({ append: 'quiet' }).append).toBe('console=ttyS0 quiet')
    expect(withKernel({ append: 'console=hvc0' }).append).toBe('console=hvc0')
    expect(withKernel({ disks: [{ ...disk, media: 'cdrom' }] }).initrd).toBe(embedded)
  })

  it('keeps its disk or its own initrd', () => {
    expect(withKernel({ disks: [disk], append: 'root=/dev/sda' })).toEqual({ append: 'root=/dev/sda' })
    expect(withKernel({ initrd: '/home/ana/initrd' })).toEqual({ initrd: '/home/ana/initrd', append: '' })
  })

  it('follows what was changed since it booted one', () => {
    const old = embedded.replace(/default-guest-\w+/, 'default-guest-0123')
    expect(old).not.toBe(embedded)
    expect(withKernel({ initrd: old, append: 'console=ttyS0' })).toEqual({ initrd: embedded, append: 'console=ttyS0' })
    expect(withKernel({ initrd: embedded, disks: [disk], append: 'root=/dev/sda' })).toEqual({
      append: 'root=/dev/sda',
    })
  })

  it('may lack the embedded files, which its start makes', async () => {
    const other = embedded.replace(/default-guest-\w+/, 'default-guest-0123')
    expect(await checkMachine({ ...defaultMachine, initrd: other })).toBeUndefined()
    expect(await checkMachine({ ...defaultMachine, initrd: '/nonexistent/initrd' })).toContain('does not exist')
  })
})
