import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import process from 'node:process'
import type { ServiceHandlers } from '../../contract/rpc/definition.ts'
import type { Peer } from '../../contract/rpc/host.ts'
import { TroubleError } from '../../contract/rpc/messages.ts'
import type { HostInfo } from '../../contract/services/application.ts'
import type { AllServices } from '../../contract/services/index.ts'
import { splitWords } from '../../machine/qemu-flags/split.ts'
import { saveText, whyNotWritten } from '../files/save-text.ts'
import type { SettingsFile } from '../settings.ts'
import type { Shell } from '../shell.ts'

/** Pages that the program links to. */
const pages = [
  'https://www.kernel.org/',
  'https://docs.kernel.org/',
  'https://www.qemu.org/',
  'https://manpages.debian.org/',
]

export function isKnownPage(url: string): boolean {
  return URL.canParse(url) && pages.some((page) => new URL(url).origin === new URL(page).origin)
}

export function programVersion(): string {
  const text = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

function hostInfo(shell: Shell, version: string): HostInfo {
  const { platform } = process
  return {
    version,
    carrier: shell.carrier,
    platform: platform === 'linux' || platform === 'darwin' || platform === 'win32' ? platform : 'other',
    home: os.homedir(),
    separator: path.sep,
    cores: os.availableParallelism(),
    root: process.getuid?.() === 0,
    memory: os.totalmem(),
    node: process.version,
  }
}

/** Runs the user's editor on a line. The command is split into words first, so a file's name is always one word. */
function openInEditor(command: string, place: { file: string; line?: number; column?: number }): Promise<void> {
  const values: Readonly<Record<string, string>> = {
    file: place.file,
    line: String(place.line ?? 1),
    column: String(place.column ?? 1),
  }
  const words = splitWords(command).map((word) =>
    word.replaceAll(/\{(file|line|column)\}/g, (_all, name: string) => values[name]),
  )
  if (words.length === 0)
    throw TroubleError.user('no editor is chosen yet; set its command in the settings, such as: code -g {file}:{line}')
  return new Promise((resolve, reject) => {
    const child = spawn(words[0], words.slice(1), { detached: true, stdio: 'ignore' })
    child.once('error', (error) =>
      reject(
        TroubleError.user(`the editor could not be started: ${error.message}; look at its command in the settings`),
      ),
    )
    child.once('spawn', () => {
      child.unref()
      resolve()
    })
  })
}

export interface ApplicationParts {
  readonly shell: Shell
  readonly settings: SettingsFile
  readonly version: string
  settingsChanged(): void
  /** A window listens; what waited for one is told now. */
  windowReady(window: Peer<AllServices>): void
}

export function applicationHandlers(
  parts: ApplicationParts,
): ServiceHandlers<AllServices['application'], Peer<AllServices>> {
  const { shell, settings } = parts
  return {
    host: () => hostInfo(shell, parts.version),
    settings: () => settings.current,
    changeSettings: async (_window, change) => {
      try {
        await settings.change(change)
      } catch (error) {
        throw TroubleError.user(
          `the settings hold until the program ends, for they could not be saved: ${whyNotWritten(error)}`,
        )
      } finally {
        parts.settingsChanged()
      }
      return settings.current
    },
    openPage: (_window, url) => {
      if (!isKnownPage(url))
        throw TroubleError.user(`Longmode opens only pages that it knows; open ${url} in your browser yourself`)
      return shell.openPage(url)
    },
    reveal: (_window, place) => shell.reveal(place),
    openInEditor: (_window, place) => openInEditor(settings.current.editorCommand, place),
    notify: (_window, { title, text }) => shell.notify(title, text),
    saveText: (_window, file, text) => saveText(file, text),
    ready: (window) => parts.windowReady(window),
  }
}
