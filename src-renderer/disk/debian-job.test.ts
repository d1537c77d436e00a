import { describe, expect, it } from 'vitest'
import { connectLongmode } from '../../src-main/contract/services/index.ts'
import { FakeHost } from '../../tests/window/fake-host.ts'
import { DebianJob } from './debian-job.svelte.ts'

const request = { file: '/home/ana/debian.raw', bytes: 2 ** 31 }
const settle = () => new Promise((resolve) => setTimeout(resolve, 5))

function begin() {
  const fake = new FakeHost({ now: 0 })
  const job = new DebianJob(connectLongmode(fake.carrier()).kernel)
  return { fake, job, end: job.run(request) }
}

describe('a Debian disk', () => {
  it('tells how far it is, and is there at the end', async () => {
    const { fake, job, end } = begin()
    await settle()
    fake.host.emit('kernel', 'diskProgress', { job: 2, progress: { step: 'packages', text: 'unpacking gcc' } })
    fake.host.emit('kernel', 'diskFinished', { job: 3, file: '/home/ana/other.raw' })
    await settle()
    expect([job.running, job.progress?.text]).toEqual([true, 'unpacking gcc'])
    fake.host.emit('kernel', 'diskFinished', { job: 2, file: request.file })
    expect(await end).toBe(true)
    expect(job.running).toBe(false)
  })
  it('that cannot be made says why, also before the call is answered', async () => {
    const { fake, job, end } = begin()
    fake.host.emit('kernel', 'diskFinished', { job: 2, file: request.file, sentence: 'the disk of the host is full' })
    await expect(end).rejects.toThrow('the disk of the host is full')
    expect(job.running).toBe(false)
  })
})
