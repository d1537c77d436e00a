import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { describe, expect, it, vi } from 'vitest'
import { openFolder } from '../../src-main/host/folder.ts'
import { FolderCheck, type FolderState } from '../../src-main/host/folder-check.ts'
import { ShareWatcher, explainWatchError, touchReporter } from '../../src-main/host/watcher.ts'
import type { Activity, WatchSource } from '../../src-main/host/watcher.ts'
import type { Touch } from '../../src-main/ninep/session.ts'
import { makeShare } from './fixture.ts'

/** A share with a watcher on it, as the io worker wires them. */
async function watched(): Promise<{
  share: Awaited<ReturnType<typeof makeShare>>
  watcher: ShareWatcher
  seen: Activity[]
}> {
  const hook: { touch?: Touch } = {}
  const share = await makeShare({
    openWith: (path) => openFolder(path),
    touch: (kind, node, name) => hook.touch?.(kind, node, name),
  })
  const seen: Activity[] = []
  const watcher = await new Promise<ShareWatcher>((resolve) => {
    const made = new ShareWatcher(share.path, {
      activity: (activity) => seen.push(activity),
      ready: () => setImmediate(() => resolve(made)),
    })
  })
  hook.touch = touchReporter(share.folder, (kind, path) => watcher.guestTouched(kind, path))
  return { share, watcher, seen }
}

const lines = (seen: readonly Activity[]): string[] => seen.map(({ by, kind, path }) => `${by} ${kind} ${path}`)

describe('the list of changes', () => {
  it('says what changed and who did it', async () => {
    const { share, watcher, seen } = await watched()
    const { client: c, root } = share
    writeFileSync(share.at('from-host'), 'x')
    await c.mkdir(root, 'd')
    const file = await c.create(await c.walk(root, 'd'), 'from-guest')
    await c.write(file, 0, 'a')
    await c.write(file, 1, 'b')
    await vi.waitFor(() => expect(lines(seen)).toContain('host create from-host'), 5000)
    rmSync(share.at('from-host'))
    await vi.waitFor(() => expect(lines(seen)).toContain('host remove from-host'), 5000)
    await c.renameat(await c.walk(root, 'd'), 'from-guest', root, 'moved')
    await c.unlinkat(root, 'moved')
    expect(lines(seen).filter((line) => line.startsWith('guest'))).toEqual([
      'guest create d',
      'guest create d/from-guest',
      'guest change d/from-guest',
      'guest remove d/from-guest',
      'guest create moved',
      'guest remove moved',
    ])
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(lines(seen).filter((line) => line.startsWith('host') && !line.endsWith('from-host'))).toEqual([])
    expect(watcher.recent()).toEqual(seen)
    await watcher.close()
    share.dispose()
  })

  it('notices that the folder is gone, back, or another', async () => {
    const share = await makeShare()
    const states: FolderState[] = []
    const own = new FolderCheck(share.path, false, (state) => states.push(state))
    expect(await own.check()).toBe('present')
    renameSync(share.path, `${share.path}-away`)
    expect(await own.check()).toBe('gone')
    mkdirSync(share.path)
    expect(await own.check()).toBe('exchanged')
    rmSync(share.path, { recursive: true })
    renameSync(`${share.path}-away`, share.path)
    expect(await own.check()).toBe('present')
    expect(states).toEqual(['gone', 'exchanged', 'present'])
    own.close()
    share.dispose()
  })

  it('explains inotify`s limits', async () => {
    expect(explainWatchError(Object.assign(new Error('x'), { code: 'ENOSPC' })).sentence).toContain('max_user_watches')
    expect(explainWatchError(Object.assign(new Error('x'), { code: 'EMFILE' })).sentence).toContain(
      'max_user_instances',
    )
    expect(explainWatchError(new Error('odd')).sentence).toContain('odd')
    const problems: string[] = []
    let fail: (error: unknown) => void = () => undefined
    const source: WatchSource = {
      on: (event: string, listener: (...args: never[]) => void) => {
        if (event === 'error') fail = listener as (error: unknown) => void
      },
      close: () => Promise.resolve(),
    }
    const watcher = new ShareWatcher('/', { problem: ({ code }) => problems.push(code) }, source)
    fail(Object.assign(new Error('no space'), { code: 'ENOSPC' }))
    expect(problems).toEqual(['too-many-watches'])
    await watcher.close()
  })
})
