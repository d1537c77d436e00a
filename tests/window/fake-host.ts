/**
 * A process side for tests of the window: the services of the contract over data that is made up, with the real rpc and the real
 * schemas between. Machines start and stop, consoles echo, memory can be written; nothing else happens.
 */
import { ServiceHost, type AllHandlers } from '../../src-main/contract/rpc/host.ts'
import { TroubleError } from '../../src-main/contract/rpc/messages.ts'
import { consoleNames } from '../../src-main/contract/machine-config.ts'
import type { Carrier } from '../../src-main/contract/rpc/proxy.ts'
import { defaultSettings, type Settings } from '../../src-main/contract/services/application.ts'
import { allServices, type AllServices } from '../../src-main/contract/services/index.ts'
import type { Machine, MachineState } from '../../src-main/contract/services/machines.ts'
import {
  fakeBuild,
  fakeConfig,
  fakeHistory,
  fakePlan,
  fakeRecipes,
  fakeState,
  fakeSyscall,
  fakeToolchain,
  fakeTree,
} from './fake-kernel.ts'
import { bootText, fakeBootChoices, fakeImage, fakeMachines, fakeShares, tutorialConfig } from './fake-machines.ts'
import { BANNER, fakeCode, fakeRanges, fakeRead, fakeRegisters, fakeSymbols, fakeWalk, TEXT } from './fake-memory.ts'

const { kernel: _kernel, ...withoutKernel } = tutorialConfig

export interface FakeOptions {
  readonly now: number
  readonly settings?: Partial<Settings>
  readonly machines?: readonly Machine[]
}

export class FakeHost {
  readonly machines = new Map<string, Machine>()
  readonly settings: Settings
  /** Everything that was typed into consoles. */
  typed = ''
  /** Last confirmed position of a console. */
  confirmed = 0
  /** What sizes windows told. */
  readonly sizes: { readonly console: number; readonly columns: number; readonly rows: number }[] = []
  /** Are windows that open a console now the ones that answer the guest's questions? */
  answers = true
  readonly host: ServiceHost<AllServices>
  readonly faults: string[] = []
  /** By console; all machines say the same. */
  readonly #said = [new TextEncoder().encode(bootText)]
  readonly #written = new Map<bigint, number>()
  readonly #registers = new Map<string, bigint>()

  constructor({ now, settings = {}, machines = fakeMachines(now) }: FakeOptions) {
    this.settings = { ...defaultSettings, ...settings }
    for (const machine of machines) this.machines.set(machine.id, machine)
    this.host = new ServiceHost(allServices, this.#handlers(now), (trouble) => this.faults.push(trouble.sentence))
  }

  /** Something went wrong that no call is waiting for. */
  trouble(sentence: string): void {
    this.host.emit('application', 'trouble', { cause: 'user', sentence })
  }

  change(id: string, change: Partial<Machine>): Machine {
    const machine = this.machines.get(id)
    if (machine === undefined) throw TroubleError.user('there is no such machine')
    const next = { ...machine, ...change }
    this.machines.set(id, next)
    this.host.emit('machines', 'changed', next)
    return next
  }

  #state(id: string, state: MachineState): void {
    this.change(id, { status: { state, since: 0, ...(state === 'off' ? {} : { accelerator: 'jit' }) } })
  }

  say(id: string, text: string, console = 0): void {
    const bytes = new TextEncoder().encode(text)
    const before = this.#said[console] ?? new Uint8Array()
    const position = before.length
    const all = new Uint8Array(position + bytes.length)
    all.set(before)
    all.set(bytes, position)
    this.#said[console] = all
    this.host.emit('machines', 'consoleOutput', { id, console, position, bytes })
  }

  /** Whose turn it is to answer has changed: every window that is open now is asked or not. */
  turn(id: string, answers: boolean): void {
    this.host.emit('machines', 'consoleAnswers', { id, console: 0, answers })
  }

  #handlers(now: number): AllHandlers<AllServices> {
    const machineOf = (id: string): Machine => this.change(id, {})
    const stop = { reason: { kind: 'pause' }, rip: TEXT, at: TEXT } as const
    const add = (config: Machine['config']): Machine => {
      const id = `m${String(this.machines.size + 1)}`
      const made: Machine = {
        id,
        config,
        consoles: consoleNames(config),
        embedded: false,
        created: now,
        status: { state: 'off', since: now },
        thumbnail: [],
      }
      this.machines.set(id, made)
      return this.change(id, {})
    }
    return {
      application: {
        host: () => ({
          version: '0.1.0',
          carrier: 'browser',
          platform: 'linux',
          home: '/home/ana',
          separator: '/',
          cores: 2,
          root: false,
          memory: 8 * 2 ** 30,
          node: '24',
        }),
        settings: () => this.settings,
        changeSettings: (_, settings) => {
          Object.assign(this.settings, settings)
          this.host.emit('application', 'settingsChanged', this.settings)
          return this.settings
        },
        openPage: () => undefined,
        reveal: () => undefined,
        openInEditor: () => undefined,
        notify: () => undefined,
        saveText: () => undefined,
        ready: () => undefined,
      },
      files: {
        choose: () => undefined,
        list: (_, { path }) => ({
          path: path === '' ? '/home/ana' : path,
          parent: '/home',
          entries: [
            { name: 'linux', path: '/home/ana/linux', kind: 'folder', size: 0, changed: now - 5000_000 },
            { name: 'shared_folder', path: '/home/ana/shared_folder', kind: 'folder', size: 0, changed: now - 400_000 },
            { name: 'my_disk.raw', path: '/home/ana/my_disk.raw', kind: 'file', size: 1.5 * 2 ** 30, changed: now },
          ],
          more: 0,
        }),
        recognise: () => [],
        plan: (_, files) => ({
          files: files.map(({ path, role }) => ({
            path,
            name: path.split('/').at(-1) ?? '',
            size: path.endsWith('.png') ? 4096 : 1.5 * 2 ** 30,
            kind: 'ext4',
            role: path.endsWith('.png') ? 'none' : (role ?? 'disk'),
            roles: path.endsWith('.png') ? ['none'] : ['disk', 'none'],
            description: path.endsWith('.png')
              ? 'a file of no kind that Longmode knows'
              : 'an ext4 file system image named "tutorial"',
          })),
          notes: [],
          machine: { ...withoutKernel, name: 'my_disk', shares: [] },
        }),
        beginUpload: () => 1,
        uploadPiece: () => undefined,
        finishUpload: () => '/home/ana/uploads/my_disk.raw',
        cancelUpload: () => undefined,
      },
      images: {
        info: (_, path) => fakeImage(path),
        create: (_, { path }) => fakeImage(path),
        convert: () => 1,
        cancel: () => undefined,
        protect: (_, path) => `${path}.overlay.qcow2`,
        commit: () => 1,
        discard: () => undefined,
        check: () => [],
        bootChoices: () => fakeBootChoices,
        takeBootFiles: (_, _image, index) => ({
          kernel: `/home/ana/.local/share/longmode/boot-files/${fakeBootChoices[index].kernel.split('/').at(-1) ?? ''}`,
          append: `${fakeBootChoices[index].append} console=ttyS0`,
        }),
      },
      machines: {
        list: () => [...this.machines.values()],
        create: (_, config) => add(config),
        change: (_, id, config) => this.change(id, { config, consoles: consoleNames(config) }),
        duplicate: (_, id) => add(machineOf(id).config),
        remove: (_, id) => {
          this.machines.delete(id)
          this.host.emit('machines', 'removed', id)
        },
        embedded: () => machineOf('built-in'),
        check: () => undefined,
        start: (_, id) => this.#state(id, 'running'),
        pause: (_, id) => this.#state(id, 'paused'),
        resume: (_, id) => this.#state(id, 'running'),
        restart: (_, id) => {
          const { status } = this.change(id, {})
          this.change(id, { status: { ...status, asked: 'restart' } })
        },
        reset: (_, id) => this.#state(id, 'running'),
        powerOff: (_, id) => this.#state(id, 'off'),
        kill: (_, id) => this.#state(id, 'off'),
        notes: () => [],
        openConsole: (_, id, console) => ({
          position: 0,
          bytes: (id === 'tutorial' ? this.#said[console] : undefined) ?? new Uint8Array(),
          answers: this.answers,
        }),
        closeConsole: () => undefined,
        confirmConsole: (_, _id, _console, position) => void (this.confirmed = position),
        type: (_, id, console, bytes) => {
          const text = new TextDecoder().decode(bytes)
          this.typed += text
          this.say(id, text.replaceAll('\r', '\r\n'), console)
        },
        resizeConsole: (_, _id, console, { columns, rows }) => {
          this.sizes.push({ console, columns, rows })
        },
        sendBreak: () => undefined,
        consoleText: () => bootText,
        importCommand: (_, text) => {
          if (!text.includes('-kernel')) throw TroubleError.user('there is no flag -frobnicate; see longmode -help')
          return { config: tutorialConfig, notes: ['--enable-kvm: there is no KVM here, the translator runs instead.'] }
        },
        exportCommand: () => 'qemu-system-x86_64 -m 2G -nographic -kernel bzImage',
      },
      kernel: {
        open: () => fakeTree,
        state: () => fakeState,
        toolchain: () => fakeToolchain,
        checkConfig: () => fakeConfig,
        fixConfig: () => ({ changed: [], refused: [], report: fakeConfig }),
        bootConfig: (_, _tree, id) => ({ ...this.machines.get(id)!.config, kernel: fakeTree.bzImage!.path }),
        recipes: () => fakeRecipes,
        applyRecipes: () => ({ changed: [], refused: [], report: fakeConfig }),
        build: () => 1,
        cancel: () => undefined,
        builds: () => [fakeBuild],
        history: () => fakeHistory(now),
        checkSyscall: () => fakeSyscall,
        planSyscall: () => fakePlan,
        planSyscallRemoval: () => fakePlan,
        addSyscall: () => ({ tree: fakeTree.folder, name: 'memcpy', at: now, edits: [] }),
        removeSyscall: () => ({ tree: fakeTree.folder, name: 'memcpy', at: now, edits: [] }),
        undoSyscall: () => ({ tree: fakeTree.folder, name: 'memcpy', at: now, edits: [] }),
        reviewFile: () => [],
        createDebianDisk: () => 2,
      },
      shares: {
        watch: () => fakeShares(now),
        open: () => undefined,
        change: () => 'next-mount',
      },
      debug: {
        registers: () => fakeRegisters(this.#registers),
        setRegister: (_, _id, { name, value }) => void this.#registers.set(name, value),
        readMemory: (_, _id, { space, address, length }) => fakeRead(space, address, length, this.#written),
        writeMemory: (_, _id, { address, bytes }) => {
          bytes.forEach((byte, index) => this.#written.set(address + BigInt(index), byte))
        },
        walk: (_, _id, address) => fakeWalk(address),
        map: () => ({ mode: '4-level', ranges: fakeRanges }),
        search: (_, _id, { from }) => ({ found: from <= BANNER ? [BANNER] : [] }),
        stop: (_, id) => {
          this.#state(id, 'paused')
          this.host.emit('debug', 'stopped', { id, stop })
          return stop
        },
        resume: (_, id) => this.#state(id, 'running'),
        step: () => ({ ...stop, reason: { kind: 'step' } }),
        addBreakpoint: () => undefined,
        removeBreakpoint: () => undefined,
        counters: () => [{ name: 'retired', value: 5_281_934_112 }],
        breakpoints: () => [{ kind: 'execute', address: TEXT + 0x20n, length: 1 }],
        symbols: () => ({ path: '/home/ana/linux/vmlinux', count: 48_211 }),
        loadSymbols: (_, _id, path) => ({ path, count: 48_211 }),
        findSymbols: (_, _id, text) => fakeSymbols.filter((symbol) => symbol.name.includes(text)),
        symbolsAt: (_, _id, addresses) =>
          addresses.map((address) => {
            const near = fakeSymbols.findLast((symbol) => symbol.address <= address)
            return near === undefined ? undefined : { name: near.name, offset: Number(address - near.address) }
          }),
        disassemble: (_, _id, { address, count }) => fakeCode(address, count),
      },
    }
  }

  /** A carrier within the process, as asynchronous as a real one. */
  carrier(): Carrier {
    const listeners: Parameters<Carrier['onMessage']>[0][] = []
    const connection = this.host.connect((message) =>
      queueMicrotask(() => {
        for (const listener of listeners) listener(structuredClone(message))
      }),
    )
    return {
      send: (message) => connection.receive(structuredClone(message)),
      onMessage: (listener) => listeners.push(listener),
      onClose: () => undefined,
    }
  }
}
