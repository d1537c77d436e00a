// @vitest-environment jsdom
import { describe, expect, it, vi } from 'vitest'
import { connectLongmode } from '../../src-main/contract/services/index.ts'
import { FakeHost } from '../../tests/window/fake-host.ts'
import { capital, Session } from './session.svelte.ts'

const open = () => new Session(connectLongmode(new FakeHost({ now: 0 }).carrier()))

describe('commands of a panel', () => {
  it('belong to the newest panel, and to the one before when it has gone', () => {
    const session = open()
    const [first, second] = [vi.fn(), vi.fn()]
    session.answer({ find: first })
    const quit = session.answer({ find: second })
    session.panelCommand('find')?.()
    quit()
    session.panelCommand('find')?.()
    expect([first.mock.calls.length, second.mock.calls.length]).toEqual([1, 1])
    expect(session.panelCommand('copy')).toBeUndefined()
  })
})

describe('what went wrong', () => {
  it('is told once, however often it comes, and stays until it is dismissed', async () => {
    const session = open()
    for (let n = 0; n < 3; n++) await session.attempt(() => session.api.machines.start('no-such').then(() => undefined))
    expect(session.toasts.map((toast) => [toast.kind, toast.text])).toEqual([['trouble', 'there is no such machine']])
    session.dismiss(session.toasts[0].id)
    expect(session.toasts).toEqual([])
  })
  it('begins with a capital', () => {
    expect(capital('the file is gone')).toBe('The file is gone')
    expect(capital('')).toBe('')
    expect(capital('obj-y += memcpy.o is not there')).toBe('obj-y += memcpy.o is not there')
  })
})

describe('files that were used', () => {
  it('are remembered, the newest first, each once', () => {
    const session = open()
    session.remember(['/a', '/b'])
    session.remember(Array.from({ length: 11 }, (_, n) => `/${n}`))
    session.remember(['/b'])
    expect(session.settings.recentFiles.slice(0, 3)).toEqual(['/b', '/0', '/1'])
    expect(session.settings.recentFiles.length).toBe(12)
  })

  it('are kernel trees too; the one that is open comes first', () => {
    const session = open()
    for (const tree of ['/linux-6.1', '/linux-6.12', '/linux-6.1']) session.openTree(tree)
    expect(session.settings).toMatchObject({ kernelTree: '/linux-6.1', kernelTrees: ['/linux-6.1', '/linux-6.12'] })
  })
})
