import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { eventually } from '../../../tests/fixtures/echo-library.ts'
import { scratchFolder } from '../../../tests/fixtures/scratch.ts'
import type { Peer } from '../../contract/rpc/host.ts'
import type { AllServices } from '../../contract/services/index.ts'
import { imageHandlers, ImageJobs } from './images.ts'

const scratch = scratchFolder('images')
const nobody = {} as Peer<AllServices>
const MIB = 1 << 20

function service() {
  const told: { job: number; sentence?: string }[] = []
  const jobs = new ImageJobs((_service, event, value) => {
    if (event === 'finished') told.push(value as { job: number })
  })
  const ended = (job: number) => eventually(() => told.find((end) => end.job === job))
  return { jobs, ended, images: imageHandlers(jobs, path.join(scratch, 'boot')) }
}

describe('disk images for the window', () => {
  it('are made, protected, written to, written back and checked', async () => {
    const { images, ended } = service()
    const file = path.join(scratch, 'a.raw')
    writeFileSync(file, Buffer.alloc(MIB, 'x'))
    const overlay = await images.protect(nobody, file)
    expect(await images.info(nobody, file)).toMatchObject({ format: 'raw', size: MIB, overlay })
    expect(await images.info(nobody, overlay)).toMatchObject({ format: 'qcow2', size: MIB })
    expect(await ended(await images.commit(nobody, overlay))).not.toHaveProperty('sentence')
    expect(await images.check(nobody, overlay)).toEqual([])
    expect(await images.check(nobody, file)).toEqual([])
    const copy = path.join(scratch, 'copy.qcow2')
    await ended(await images.convert(nobody, { from: file, to: copy, format: 'qcow2' }))
    const back = path.join(scratch, 'back.raw')
    await ended(await images.convert(nobody, { from: copy, to: back, format: 'raw' }))
    expect(readFileSync(back).equals(readFileSync(file))).toBe(true)
  })
  it('never overwrite a file, and say so', async () => {
    const { images, ended, jobs } = service()
    const file = path.join(scratch, 'b.qcow2')
    expect(await images.create(nobody, { path: file, format: 'qcow2', size: MIB })).toMatchObject({ size: MIB })
    await expect(images.create(nobody, { path: file, format: 'raw', size: MIB })).rejects.toMatchObject({
      trouble: { cause: 'user', sentence: expect.stringContaining('b.qcow2') as string },
    })
    const end = await ended(await images.convert(nobody, { from: file, to: file, format: 'raw' }))
    expect(end.sentence).toContain('b.qcow2')
    await images.cancel(nobody, 999)
    await jobs.close()
  })
  it('with a boot loader of their own give its kernel, and a newer one the next time', async () => {
    const { images } = service()
    const tree = path.join(scratch, 'tree')
    mkdirSync(path.join(tree, 'boot/grub'), { recursive: true })
    const entry = (append: string) => `menuentry 'My Linux' {\n linux /boot/vmlinuz-6.9 ${append}\n initrd /boot/i\n}\n`
    writeFileSync(path.join(tree, 'boot/grub/grub.cfg'), entry('root=/dev/sda quiet') + entry('console=ttyS1 single'))
    writeFileSync(path.join(tree, 'boot/i'), 'an initrd')
    const file = path.join(scratch, 'my disk.raw')
    const make = (kernel: string) => {
      writeFileSync(path.join(tree, 'boot/vmlinuz-6.9'), kernel)
      writeFileSync(file, '')
      truncateSync(file, 16 * MIB)
      execFileSync('mke2fs', ['-q', '-F', '-t', 'ext4', '-d', tree, file])
    }
    make('the first kernel')
    const choices = await images.bootChoices(nobody, file)
    expect(choices[0]).toEqual({
      title: 'My Linux',
      source: 'GRUB',
      kernel: '/boot/vmlinuz-6.9',
      append: 'root=/dev/sda quiet',
    })
    const first = await images.takeBootFiles(nobody, file, 0)
    expect(first.append).toBe('root=/dev/sda quiet console=ttyS0')
    expect(readFileSync(first.kernel, 'utf8')).toBe('the first kernel')
    expect(readFileSync(first.initrd!, 'utf8')).toMatch(/^an initrd\0*$/)
    make('the second kernel')
    const second = await images.takeBootFiles(nobody, file, 1)
    expect(second).toEqual({ ...first, append: 'console=ttyS1 single' })
    expect(readFileSync(second.kernel, 'utf8')).toBe('the second kernel')
    await expect(images.takeBootFiles(nobody, file, 7)).rejects.toMatchObject({ trouble: { cause: 'user' } })
  })
  it('that are none are a sentence', async () => {
    const { images } = service()
    await expect(images.info(nobody, path.join(scratch, 'gone'))).rejects.toMatchObject({ trouble: { cause: 'user' } })
  })
})
