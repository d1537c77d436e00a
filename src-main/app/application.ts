/**
 * The process side as a whole, whatever shows the window: the library of machines, the settings, and the services that windows call.
 * A carrier (serve, Electron) connects windows to `host`.
 */
import path from 'node:path'
import process from 'node:process'
import { ServiceHost, type Peer } from '../contract/rpc/host.ts'
import type { Trouble } from '../contract/rpc/messages.ts'
import type { OpenRequest } from '../contract/services/application.ts'
import { allServices, type AllServices } from '../contract/services/index.ts'
import { KernelHistory } from './kernel-history.ts'
import { KernelJobs } from './kernel-jobs.ts'
import { MachineLibrary } from './machines/library.ts'
import { prepareMachine } from './machines/prepare.ts'
import { MachineSymbols } from './machines/symbols.ts'
import { ShareWatch } from './machines/share-watch.ts'
import { applicationHandlers, programVersion } from './services/application.ts'
import { debugHandlers } from './services/debug.ts'
import { fileHandlers } from './services/files.ts'
import { kernelHandlers } from './services/kernel.ts'
import { machineHandlers } from './services/machines.ts'
import { imageHandlers, ImageJobs } from './services/images.ts'
import { shareHandlers } from './services/shares.ts'
import { SettingsFile } from './settings.ts'
import type { Shell } from './shell.ts'
import { workbench } from '../kernel-tree/index.ts'

export interface ApplicationOptions {
  readonly shell: Shell
  /** The user's data (data-folder.ts). */
  readonly folder: string
  /** The shell has something to do with settings too (a menu in another language). */
  readonly settingsChanged?: () => void
  /** Stand in for the engine, and for the look at its files, in tests. */
  readonly worker?: URL
  readonly prepare?: typeof prepareMachine
}

export class Application {
  readonly host: ServiceHost<AllServices>
  readonly library: MachineLibrary
  readonly settings: SettingsFile
  readonly #imageJobs = new ImageJobs((service, event, value) => this.host.emit(service, event, value))
  readonly #history: KernelHistory
  readonly #kernelJobs = new KernelJobs(
    workbench,
    (service, event, value) => this.host.emit(service, event, value),
    (build) => this.#history.built(build),
  )
  /** Windows that listen. What is to be told before there is one waits. */
  readonly #ready = new Set<Peer<AllServices>>()
  readonly #openRequests: OpenRequest[] = []
  readonly #troubles: Trouble[] = []

  constructor({ shell, folder, worker, prepare = prepareMachine, settingsChanged }: ApplicationOptions) {
    this.settings = new SettingsFile(path.join(folder, 'settings.json'))
    this.#history = new KernelHistory(path.join(folder, 'kernel-history.json'), {
      changed: () => this.host.emit('kernel', 'historyChanged', undefined),
      failed: (sentence) => this.tell({ cause: 'user', sentence }),
    })
    this.library = new MachineLibrary(
      { folder: path.join(folder, 'machines'), prepare, ...(worker === undefined ? {} : { worker }) },
      {
        changed: (machine) => {
          this.host.emit('machines', 'changed', machine)
          shareWatch.runChanged(machine.id)
          this.#history.machineChanged(machine)
        },
        removed: (id) => this.host.emit('machines', 'removed', id),
        note: (id, note) => this.host.emit('machines', 'note', { id, note }),
        stopped: (id, stop) => this.host.emit('debug', 'stopped', { id, stop }),
        failed: (sentence) => this.tell({ cause: 'user', sentence }),
      },
    )
    const shareWatch = new ShareWatch(this.library)
    this.host = new ServiceHost(
      allServices,
      {
        application: applicationHandlers({
          shell,
          settings: this.settings,
          version: programVersion(),
          settingsChanged: () => {
            this.host.emit('application', 'settingsChanged', this.settings.current)
            settingsChanged?.()
          },
          windowReady: (window) => this.#windowReady(window),
        }),
        debug: debugHandlers(this.library, new MachineSymbols(this.library)),
        files: fileHandlers(shell, path.join(folder, 'uploads')),
        images: imageHandlers(this.#imageJobs, path.join(folder, 'boot-files')),
        kernel: kernelHandlers(workbench, this.#kernelJobs, this.library, this.#history),
        machines: machineHandlers(this.library),
        shares: shareHandlers(this.library, shareWatch, shell),
      },
      (trouble) => void process.stderr.write(`longmode: ${trouble.sentence}\n${trouble.details ?? ''}\n`),
    )
  }

  /** Reads what is saved. What cannot be read is told to the first window, and stays as it is on the disk. */
  async load(): Promise<void> {
    const settings = await this.settings.load()
    const history = await this.#history.load()
    const unreadable = await this.library.load()
    const sentences = [settings, history, ...unreadable.map(({ sentence }) => sentence)]
    for (const sentence of sentences) if (sentence !== undefined) this.tell({ cause: 'user', sentence })
  }

  /** Something that no call is waiting for. */
  tell(trouble: Trouble): void {
    if (this.#ready.size === 0) this.#troubles.push(trouble)
    else this.host.emit('application', 'trouble', trouble)
  }

  /** Asks the window to open something, now or as soon as there is one. */
  openLater(request: OpenRequest): void {
    if (this.#ready.size > 0) this.host.emit('application', 'open', request)
    else this.#openRequests.push(request)
  }

  #windowReady(window: Peer<AllServices>): void {
    this.#ready.add(window)
    window.onEnd(() => this.#ready.delete(window))
    for (const trouble of this.#troubles.splice(0)) window.emit('application', 'trouble', trouble)
    for (const request of this.#openRequests.splice(0)) window.emit('application', 'open', request)
  }

  /** Ends all machines and saves. */
  async close(): Promise<void> {
    await Promise.all([this.library.close(), this.#kernelJobs.close(), this.#imageJobs.close()])
    await Promise.all([this.settings.settled(), this.#history.settled()])
  }
}
