import { describe, expect, it } from 'vitest'
import { defaultMachine } from '../machine/config.ts'
import { MachineHandle } from './machine-handle.ts'

const echo = new URL('../../tests/fixtures/echo-vcpu.ts', import.meta.url)
const encoder = new TextEncoder()

function start(worker = echo) {
  let seen = ''
  const notes: string[] = []
  const output = (bytes: Uint8Array) => {
    seen += new TextDecoder().decode(bytes)
    return Promise.resolve()
  }
  const handle = new MachineHandle(defaultMachine, { output, note: (text) => notes.push(text) }, worker)
  return { handle, notes, seen: () => seen, type: (text: string) => handle.send(encoder.encode(text)) }
}

describe('a machine handle', () => {
  it('carries bytes both ways and ends with the guest', async () => {
    const { handle, seen, type } = start()
    await type('hello\n!off\n')
    expect(await handle.ended).toEqual({ kind: 'exited', reason: 'power-off', code: 0 })
    expect(seen()).toBe('ready\nHELLO\n!OFF\n')
  })
  it('gives the exit codes of QEMU', async () => {
    const debug = start()
    await debug.type('!exit 5\n')
    expect(await debug.handle.ended).toMatchObject({ reason: 'debug-exit', code: 11 })
    const reset = start()
    await reset.type('!reset\n')
    expect(await reset.handle.ended).toMatchObject({ reason: 'guest-reset', code: 0 })
  })
  it('loses nothing of a burst that is larger than the ring', async () => {
    const { handle, seen, type } = start()
    await type('!burst 5000000\n!off\n')
    await handle.ended
    expect(seen().length).toBe('ready\n'.length + '!BURST 5000000\n!OFF\n'.length + 5_000_000)
  })
  it('takes a paste that is larger than the ring', async () => {
    const { handle, seen, type } = start()
    await type('x'.repeat(300_000))
    await type('\n!off\n')
    await handle.ended
    expect(seen().replaceAll(/[^X]/g, '').length).toBe(300_000)
  })
  it('asks the monitor, sends breaks and messages', async () => {
    const { handle, seen } = start()
    expect(await handle.monitor('info registers')).toBe('<info registers>')
    handle.sendBreak()
    while (!seen().includes('<break>')) await new Promise((resolve) => setTimeout(resolve, 1))
    handle.pause()
    expect(await handle.monitor('info jit')).toBe('<info jit>')
    handle.quit()
    expect(await handle.ended).toMatchObject({ reason: 'quit', code: 0 })
    expect(seen()).toContain('<pause>')
    expect(await handle.monitor('late')).toBe('')
  })
  it.each([
    ['!throw\n', 'the machine stopped by a fault of Longmode: thrown on purpose'],
    ['!die\n', 'the machine stopped without saying why'],
    ['!bad\n', 'disk.img is locked by another program'],
  ])('reports %j in one sentence', async (text, sentence) => {
    const { handle, type } = start()
    await type(text)
    const end = await handle.ended
    expect(end.kind === 'failed' && end.sentence).toContain(sentence)
  })
  it('says that the translator ended, to the user and to the vCPU, and goes on', async () => {
    const { handle, notes, seen, type } = start()
    await type('!translator\n')
    while (!seen().includes('<translatorEnded>')) await new Promise((resolve) => setTimeout(resolve, 1))
    expect(notes.join()).toMatch(
      /^the translator stopped by a fault of Longmode \(.+\); the machine goes on, but slower$/,
    )
    await type('!off\n')
    expect(await handle.ended).toMatchObject({ reason: 'power-off' })
  })
  it('says when the engine is missing', async () => {
    const { handle } = start(new URL('./no-such-worker.ts', import.meta.url))
    expect(await handle.ended).toMatchObject({
      kind: 'failed',
      sentence: expect.stringContaining('engine is missing') as string,
    })
  })
  it('ends a machine that is deaf by force', async () => {
    const { handle, type } = start()
    await type('!hang\n')
    const begun = performance.now()
    handle.quit()
    expect(await handle.ended).toMatchObject({ reason: 'quit' })
    expect(performance.now() - begun).toBeLessThan(8000)
  })
})
