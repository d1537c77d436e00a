import { readFileSync, writeFileSync } from 'node:fs'
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
  return { jobs, ended, images: imageHandlers(jobs) }
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
  it('that are none are a sentence', async () => {
    const { images } = service()
    await expect(images.info(nobody, path.join(scratch, 'gone'))).rejects.toMatchObject({ trouble: { cause: 'user' } })
  })
})
