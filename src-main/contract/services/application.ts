/** The program itself: what it runs on, its settings, and what its menus and other starts of it ask of the window. */
import * as v from 'valibot'
import { event, method } from '../rpc/definition.ts'
import type { Trouble } from '../rpc/messages.ts'
import { hostPath, line, type MachineId } from './common.ts'

export interface HostInfo {
  readonly version: string
  /** `electron`: a window of its own, with native dialogs and paths of dropped files. `browser`: a page of `serve`. */
  readonly carrier: 'electron' | 'browser'
  readonly platform: 'linux' | 'darwin' | 'win32' | 'other'
  /** The user's home folder, and `/` or `\`. */
  readonly home: string
  readonly separator: string
  readonly cores: number
  /** Does the program run as root? What it makes then belongs to root. */
  readonly root: boolean
  /** Bytes of RAM of this computer. */
  readonly memory: number
  readonly node: string
}

export const settingsSchema = v.object({
  theme: v.picklist(['system', 'light', 'dark']),
  language: v.picklist(['system', 'en', 'pt-BR']),
  /** Console text, in CSS pixels. */
  consoleFontSize: v.pipe(v.number(), v.minValue(8), v.maxValue(32)),
  /** Opens a source line; {file}, {line} and {column} are replaced. Empty: none chosen. */
  editorCommand: line,
  /** Folder of the kernel tree that is open; empty: none. */
  kernelTree: v.pipe(v.string(), v.maxLength(4096)),
  /** Kernel trees that were opened, the newest first. */
  kernelTrees: v.pipe(v.array(hostPath), v.maxLength(20)),
  recentFiles: v.pipe(v.array(hostPath), v.maxLength(20)),
  /** The machine that the window showed last; empty: none. */
  selectedMachine: v.pipe(v.string(), v.maxLength(64)),
  /** Has the welcome page been left? */
  welcomed: v.boolean(),
})
export type Settings = v.InferOutput<typeof settingsSchema>

export const defaultSettings: Settings = {
  theme: 'system',
  language: 'system',
  consoleFontSize: 13,
  editorCommand: '',
  kernelTree: '',
  kernelTrees: [],
  recentFiles: [],
  selectedMachine: '',
  welcomed: false,
}

/** What a menu entry or shortcut of the shell asks of the window; the window has the same in its command palette. */
export const windowCommands = [
  'new-machine',
  'import-command',
  'open-files',
  'open-kernel-tree',
  'settings',
  'command-palette',
  'show-console',
  'show-memory',
  'show-kernel',
  'show-share',
  'show-disks',
  'show-settings',
  'find',
  'copy',
  'paste',
  'select-all',
  'zoom-in',
  'zoom-out',
  'zoom-reset',
  'machine-start',
  'machine-pause',
  'machine-restart',
  'machine-reset',
  'machine-power-off',
  'machine-kill',
  'about',
] as const
export type WindowCommand = (typeof windowCommands)[number]

/** Files and machines that another start of the program, a file association or the dock handed over. */
export interface OpenRequest {
  readonly paths: readonly string[]
  /** A machine made of a command line, already in the library. */
  readonly machine?: MachineId
}

export const application = {
  methods: {
    host: method().returns<HostInfo>(),
    settings: method().returns<Settings>(),
    /** Changes the given settings, saves all, and gives all. */
    changeSettings: method(v.partial(settingsSchema)).returns<Settings>(),
    /** Opens an http(s) page of the allow-list (documentation) in the browser. */
    openPage: method(v.pipe(v.string(), v.url(), v.maxLength(2048))).returns<void>(),
    /** Shows a file or folder in the system's file manager. */
    reveal: method(hostPath).returns<void>(),
    /** Opens a source line in the user's editor, as `editorCommand` says. */
    openInEditor: method(
      v.object({ file: hostPath, line: v.exactOptional(v.number()), column: v.exactOptional(v.number()) }),
    ).returns<void>(),
    /** A message of the system, for a window that is not looked at. */
    notify: method(v.object({ title: line, text: line })).returns<void>(),
    /** Writes text (a console log, crash details) to a file that the user chose. */
    saveText: method(hostPath, v.string()).returns<void>(),
    /** The window is drawn and listens; requests to open that came earlier are sent now. */
    ready: method().returns<void>(),
  },
  events: {
    settingsChanged: event<Settings>(),
    command: event<WindowCommand>(),
    open: event<OpenRequest>(),
    /** Something went wrong that no call is waiting for. */
    trouble: event<Trouble>(),
  },
}
