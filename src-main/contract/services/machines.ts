/** The library of machines, their running, and their consoles. */
import * as v from 'valibot'
import { MOST_CONSOLES, type Accelerator, type MachineConfig } from '../../machine/config.ts'
import { machineConfigSchema } from '../machine-schema.ts'
import { event, method } from '../rpc/definition.ts'
import type { ExitReason } from '../vcpu.ts'
import { bytes, count, machineId, type MachineId, type Progress } from './common.ts'

/**
 * off -> preparing (files are made or checked) -> starting -> running <-> paused -> stopping -> off.
 * `failed`: it ended because of us or of something it needs; `end` says why. A failed machine can be started again.
 */
export type MachineState = 'off' | 'preparing' | 'starting' | 'running' | 'paused' | 'stopping' | 'failed'

export type LastEnd =
  | { readonly kind: 'exited'; readonly reason: ExitReason; readonly code: number }
  | { readonly kind: 'failed'; readonly sentence: string; readonly details?: string }

export interface MachineStatus {
  readonly state: MachineState
  /** When this state began; milliseconds since 1970. */
  readonly since: number
  /** What runs it, once it runs. */
  readonly accelerator?: Accelerator
  /** The guest was asked for this and has not done it yet; some guests never listen. */
  readonly asked?: 'power-off' | 'restart'
  /** While `preparing`: what is being done. */
  readonly progress?: Progress
  /** How the last run of this session ended. */
  readonly end?: LastEnd
}

export interface Machine {
  readonly id: MachineId
  /** Plain data, paths absolute. `name` in it is the machine's name. */
  readonly config: MachineConfig
  /** What Linux calls its consoles: of the run, or of the next one. Their positions number them in the calls below. */
  readonly consoles: readonly string[]
  /** Without a kernel of its own: the embedded default guest's kernel and initrd start it; they are made at the first start. */
  readonly embedded: boolean
  /** Milliseconds since 1970. */
  readonly created: number
  readonly lastStarted?: number
  readonly status: MachineStatus
  /** The last lines of its console without escape sequences, the newest last; from the last run when it is off. */
  readonly thumbnail: readonly string[]
}

export interface MachineNote {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly text: string
}

/** What a window that opens a console starts with. */
export interface ConsoleStart {
  /** Position of the first byte of `bytes` in everything that the console has said since the program's start. */
  readonly position: number
  readonly bytes: Uint8Array
  /** Does this window answer what the guest asks its terminal? `consoleAnswers` says when that changes. */
  readonly answers: boolean
}

/**
 * Output for one window. `position` is that of its first byte. A window confirms what it has drawn (`confirmConsole`); the guest waits for a window
 * that lags by more than CONSOLE_WINDOW_BYTES. One that confirms nothing for a few seconds is not waited for; it gets the rest later, and a jump
 * of `position` shows what the kept output no longer had.
 */
export interface ConsoleOutput {
  readonly id: MachineId
  readonly console: number
  readonly position: number
  readonly bytes: Uint8Array
}

export const CONSOLE_WINDOW_BYTES = 256 * 1024
/** Output that is kept for windows that open later. */
export const CONSOLE_KEPT_BYTES = 4 * 1024 * 1024

/** A QEMU command line as a machine. */
export interface ImportedCommand {
  readonly config: MachineConfig
  /** Lines for the user: what a flag was taken as, what does not exist on this computer. */
  readonly notes: readonly string[]
}

const consoleNumber = v.pipe(count, v.maxValue(MOST_CONSOLES))
const cells = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(0xffff))

export const machines = {
  methods: {
    list: method().returns<readonly Machine[]>(),
    create: method(machineConfigSchema).returns<Machine>(),
    /** Saves another description. A running machine goes on with the old one until its next start. */
    change: method(machineId, machineConfigSchema).returns<Machine>(),
    duplicate: method(machineId).returns<Machine>(),
    /** Takes it out of the library; its disk images and folders stay. Refused while it runs. */
    remove: method(machineId).returns<void>(),
    /** The embedded default machine, put into the library when it is not there. */
    embedded: method().returns<Machine>(),

    /** What stands in the way of starting this, as one sentence; undefined when nothing does. */
    check: method(machineConfigSchema).returns<string | undefined>(),
    /** Resolves when the machine is built and runs; rejects with the reason when it does not get there. */
    start: method(machineId).returns<void>(),
    pause: method(machineId).returns<void>(),
    resume: method(machineId).returns<void>(),
    /** Asks the guest's system to switch off, and starts its kernel again when it has. Some guests do not listen; then `reset`. */
    restart: method(machineId).returns<void>(),
    /** Starts the kernel again at once, as the reset button. */
    reset: method(machineId).returns<void>(),
    /** Asks the guest's system to switch off. Some guests do not listen; then `kill`. */
    powerOff: method(machineId).returns<void>(),
    /** Ends the machine without asking its guest; its disks are flushed. Resolves when it has ended and can be started again. */
    kill: method(machineId).returns<void>(),
    notes: method(machineId).returns<readonly MachineNote[]>(),

    /** Opens a console for this window: what it said before, then `consoleOutput` events. Again: starts over. */
    openConsole: method(machineId, consoleNumber).returns<ConsoleStart>(),
    closeConsole: method(machineId, consoleNumber).returns<void>(),
    /** This window has drawn everything up to `position`. */
    confirmConsole: method(machineId, consoleNumber, count).returns<void>(),
    /** Types; resolves when the machine has taken all of it, so a long paste waits for its guest. */
    type: method(machineId, consoleNumber, bytes).returns<void>(),
    /** The view's size in characters. A virtio console's guest is told; a serial port cannot tell. The newest counts. */
    resizeConsole: method(machineId, consoleNumber, v.object({ columns: cells, rows: cells })).returns<void>(),
    /** On the serial port. */
    sendBreak: method(machineId).returns<void>(),
    /** All kept output, escape sequences removed when `plain`. */
    consoleText: method(machineId, consoleNumber, v.object({ plain: v.boolean() })).returns<string>(),

    importCommand: method(v.pipe(v.string(), v.maxLength(65536))).returns<ImportedCommand>(),
    /** `qemu-system-x86_64 …` for a shell. */
    exportCommand: method(machineConfigSchema).returns<string>(),
  },
  events: {
    /** A new machine, or anything of it changed. */
    changed: event<Machine>(),
    removed: event<MachineId>(),
    note: event<{ readonly id: MachineId; readonly note: MachineNote }>(),
    consoleOutput: event<ConsoleOutput>(),
    /**
     * A guest asks its terminal where the cursor is, or what it can do; one view of a console answers, the one that was typed into last. This window
     * is that one from now on, or not any more.
     */
    consoleAnswers: event<{ readonly id: MachineId; readonly console: number; readonly answers: boolean }>(),
  },
}
