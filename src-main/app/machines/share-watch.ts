/** What happens in the shared folders of machines, for the windows that look: the run tells it, the newest lines are kept. */
import { stat } from 'node:fs/promises'
import { fstabLine, mountCommand, mountPlace, remountCommand } from '../../contract/mount-command.ts'
import type { Peer } from '../../contract/rpc/host.ts'
import type { MachineId } from '../../contract/services/common.ts'
import type { AllServices } from '../../contract/services/index.ts'
import type { Share, ShareActivity, ShareFolderState } from '../../contract/services/shares.ts'
import type { MachineLibrary } from './library.ts'
import type { MachineRun } from './running.ts'

type Window = Peer<AllServices>

/** Lines that are kept of a share. */
const KEPT = 500

interface ShareState {
  readonly activities: ShareActivity[]
  folder?: ShareFolderState
  problem?: string
}

class Watched {
  readonly windows = new Set<Window>()
  readonly shares = new Map<number, ShareState>()
  run: MachineRun | undefined
  stop: () => void = () => undefined

  of(index: number): ShareState {
    const known = this.shares.get(index) ?? { activities: [] }
    this.shares.set(index, known)
    return known
  }
}

export class ShareWatch {
  readonly #library: MachineLibrary
  readonly #watched = new Map<MachineId, Watched>()

  constructor(library: MachineLibrary) {
    this.#library = library
  }

  async watch(window: Window, id: MachineId): Promise<readonly Share[]> {
    const { config } = this.#library.get(id)
    const watched = this.#watched.get(id) ?? new Watched()
    this.#watched.set(id, watched)
    if (!watched.windows.has(window)) {
      watched.windows.add(window)
      window.onEnd(() => this.#unwatch(window, id))
    }
    this.runChanged(id)
    return await Promise.all(
      config.shares.map(async (share, index) => {
        const { activities, folder, problem } = watched.of(index)
        const exchanged = this.#library.waitsForMount(id, share.mountTag)
        const place = mountPlace(index, share.mountTag)
        return {
          config: share,
          index,
          folder: folder ?? (await folderState(share.path)),
          ...(problem === undefined ? {} : { problem }),
          exchanged,
          mountCommand: exchanged ? remountCommand(share, place) : mountCommand(share, place),
          fstabLine: fstabLine(share, place),
          activities,
        }
      }),
    )
  }

  #unwatch(window: Window, id: MachineId): void {
    const watched = this.#watched.get(id)
    if (watched?.windows.delete(window) !== true || watched.windows.size > 0) return
    this.#detach(watched)
  }

  /** A machine's state has changed: a new run is watched too, when somebody looks. */
  runChanged(id: MachineId): void {
    const watched = this.#watched.get(id)
    if (watched === undefined) return
    const run = watched.windows.size > 0 ? this.#library.activeRun(id) : undefined
    if (watched.run === run) return
    this.#detach(watched)
    if (run !== undefined) this.#attach(id, watched, run)
  }

  #detach(watched: Watched): void {
    watched.stop()
    watched.stop = () => undefined
    watched.run = undefined
    for (const state of watched.shares.values()) delete state.folder
  }

  #attach(id: MachineId, watched: Watched, run: MachineRun): void {
    const tell = (emit: (window: Window) => void) => {
      for (const window of watched.windows) emit(window)
    }
    watched.run = run
    watched.stop = run.watchShares({
      activities: (index, activities) => {
        const kept = watched.of(index).activities
        kept.push(...activities)
        kept.splice(0, kept.length - KEPT)
        for (const activity of activities) tell((window) => window.emit('shares', 'activity', { id, index, activity }))
      },
      folder: (index, folder) => {
        watched.of(index).folder = folder
        tell((window) => window.emit('shares', 'folder', { id, index, folder }))
      },
      mounted: (index) => {
        watched.of(index).folder = 'present'
        tell((window) => window.emit('shares', 'mounted', { id, index }))
      },
      problem: (index, sentence) => {
        watched.of(index).problem = sentence
        tell((window) => window.emit('shares', 'problem', { id, index, sentence }))
      },
    })
  }
}

async function folderState(folder: string): Promise<ShareFolderState> {
  const stats = await stat(folder).catch(() => undefined)
  return stats?.isDirectory() === true ? 'present' : 'gone'
}
