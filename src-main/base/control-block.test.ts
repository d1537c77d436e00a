import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { ControlBlock, Event, VcpuState } from './control-block.ts'

/** A thread that does this with its `block`. */
function sleeper(buffer: SharedArrayBuffer, does: string): Worker {
  const source = `
    import { parentPort, workerData } from 'node:worker_threads'
    const { ControlBlock, Event } = await import(workerData.module)
    const block = new ControlBlock(workerData.buffer)
    ${does}`
  return new Worker(new URL(`data:text/javascript,${encodeURIComponent(source)}`), {
    workerData: { buffer, module: new URL('./control-block.ts', import.meta.url).href },
  })
}

describe('a control block', () => {
  it('keeps events until they are taken, each once', () => {
    const block = new ControlBlock(ControlBlock.allocate())
    expect(block.pending()).toBe(false)
    block.raise(Event.input)
    block.raise(Event.message)
    expect(block.pending()).toBe(true)
    expect(block.take()).toBe(Event.input | Event.message)
    expect(block.take()).toBe(0)
  })
  it('does not sleep when something is pending, and sleeps no longer than told', () => {
    const block = new ControlBlock(ControlBlock.allocate())
    block.raise(Event.ioDone)
    block.sleep()
    block.take()
    const begun = performance.now()
    block.sleep(20)
    expect(performance.now() - begun).toBeGreaterThanOrEqual(15)
  })
  it('is looked at for as long as told, or until something is raised', () => {
    const block = new ControlBlock(ControlBlock.allocate())
    expect(block.raisedWithin(1)).toBe(false)
    block.raise(Event.ioDone)
    expect(block.raisedWithin(60_000)).toBe(true)
    expect(block.take()).toBe(Event.ioDone)
  })
  it('publishes the state of the vCPU at an offset of a larger buffer', () => {
    const buffer = new SharedArrayBuffer(64)
    new ControlBlock(buffer, 32).publish(VcpuState.halted)
    expect(new ControlBlock(buffer, 32).state).toBe(VcpuState.halted)
    expect(new Int32Array(buffer)[10]).toBe(VcpuState.halted)
  })
  it('says whether it woke anybody', async () => {
    const buffer = ControlBlock.allocate()
    const block = new ControlBlock(buffer)
    expect(block.raise(Event.input)).toBe(false)
    const worker = sleeper(
      buffer,
      `do block.sleep()
      while ((block.take() & Event.message) === 0)`,
    )
    while (!block.raise(Event.input)) await new Promise((resolve) => setTimeout(resolve, 1))
    const ended = new Promise((resolve) => worker.once('exit', resolve))
    block.raise(Event.message)
    expect(await ended).toBe(0)
  })
  it('wakes a sleeping thread', async () => {
    const buffer = ControlBlock.allocate()
    const worker = sleeper(
      buffer,
      `block.publish(2)
      block.sleep()
      parentPort.postMessage(block.take())`,
    )
    const block = new ControlBlock(buffer)
    while (block.state !== VcpuState.halted) await new Promise((resolve) => setTimeout(resolve, 1))
    const answer = new Promise((resolve) => worker.once('message', resolve))
    block.raise(Event.message)
    expect(await answer).toBe(Event.message)
    await worker.terminate()
  })
})
