import { watch } from 'chokidar'
import { relative, sep } from 'node:path'
import type { HostFolder, HostNode } from '../ninep/host-folder.ts'

export type ActivityKind = 'create' | 'change' | 'remove'

/** One line of "what changed in the shared folder". */
export interface Activity {
  /** Milliseconds since 1970. */
  readonly at: number
  readonly by: 'host' | 'guest'
  readonly kind: ActivityKind
  /** Below the folder, with `/`; bytes that are not UTF-8 show as U+FFFD. */
  readonly path: string
}

/** Why the host's changes cannot be listed (the guest sees them all the same). */
export interface WatchProblem {
  readonly code: 'too-many-watches' | 'failed'
  readonly sentence: string
}

export interface WatcherEvents {
  activity?: (activity: Activity) => void
  problem?: (problem: WatchProblem) => void
  /** The folder has been read once; from now on the host's changes are seen. */
  ready?: () => void
}

/** The part of chokidar that is used; tests give their own. */
export interface WatchSource {
  on(event: 'all', listener: (kind: string, path: string) => void): unknown
  on(event: 'error', listener: (error: unknown) => void): unknown
  on(event: 'ready', listener: () => void): unknown
  close(): Promise<void>
}

const KINDS: ReadonlyMap<string, ActivityKind> = new Map([
  ['add', 'create'],
  ['addDir', 'create'],
  ['change', 'change'],
  ['unlink', 'remove'],
  ['unlinkDir', 'remove'],
])

/** The newest activities that are kept for a window that opens later. */
const KEPT = 500
/** What the guest touched so many ms ago is still the guest's when the host's notice of it comes. */
const GUEST_WINDOW = 2000
/** Changes of one path within so many ms are one line. */
const COALESCE = 500

/**
 * A live list of what changes in a shared folder, and who did it. The guest's changes are told by the server (`guestTouched`), the host's by
 * chokidar; a notice about something the guest has just touched is the guest's. It is for people and caches: hints, never the truth the
 * server answers from (a rename's second half can come 100 ms late).
 */
export class ShareWatcher {
  private readonly path: string
  private readonly events: WatcherEvents
  private readonly source: WatchSource
  private readonly kept: Activity[] = []
  private readonly guestPaths = new Map<string, number>()
  private readonly lines = new Map<string, number>()
  private swept = 0
  private readonly problems = new Set<string>()

  constructor(path: string, events: WatcherEvents, source: WatchSource = chokidarSource(path)) {
    this.path = path
    this.events = events
    this.source = source
    source.on('all', (kind, changed) => this.hostNotice(kind, changed))
    source.on('error', (error) => this.failed(explainWatchError(error)))
    source.on('ready', () => events.ready?.())
  }

  /** The newest last. */
  recent(): readonly Activity[] {
    return this.kept
  }

  /** The server's word that the guest changed `path` (below the folder, with `/`). */
  guestTouched(kind: ActivityKind, path: string): void {
    const now = Date.now()
    this.guestPaths.set(path, now)
    this.add({ at: now, by: 'guest', kind, path })
  }

  async close(): Promise<void> {
    await this.source.close()
  }

  /** The same limit is hit by each folder: it is told once. */
  private failed(problem: WatchProblem): void {
    if (this.problems.has(problem.code)) return
    this.problems.add(problem.code)
    this.events.problem?.(problem)
  }

  private sweep(now: number): void {
    if (now - this.swept < COALESCE || this.lines.size + this.guestPaths.size < KEPT * 4) return
    this.swept = now
    forgetBefore(this.lines, now - COALESCE)
    forgetBefore(this.guestPaths, now - GUEST_WINDOW)
  }

  private hostNotice(event: string, changed: string): void {
    const kind = KINDS.get(event)
    const path = relative(this.path, changed).replaceAll(sep, '/')
    if (kind === undefined || path === '') return
    const now = Date.now()
    if (now - (this.guestPaths.get(path) ?? -Infinity) < GUEST_WINDOW) return
    this.add({ at: now, by: 'host', kind, path })
  }

  private add(activity: Activity): void {
    const { at, by, kind, path } = activity
    const line = `${by} ${kind} ${path}`
    if (at - (this.lines.get(line) ?? -Infinity) < COALESCE) return
    this.lines.set(line, at)
    this.sweep(at)
    this.kept.push(activity)
    if (this.kept.length > KEPT) this.kept.shift()
    this.events.activity?.(activity)
  }
}

function chokidarSource(path: string): WatchSource {
  return watch(path, { ignoreInitial: true, followSymlinks: false, ignorePermissionErrors: true })
}

/** In plain words; inotify's limits are the usual reason. */
export function explainWatchError(error: unknown): WatchProblem {
  const code = codeOf(error)
  if (code === 'ENOSPC' || code === 'EMFILE') {
    const setting = code === 'ENOSPC' ? 'max_user_watches=524288' : 'max_user_instances=512'
    const sentence =
      'The system allows no more watched folders, so changes made on the host are not listed here. ' +
      `The guest sees them all the same. To list them: sudo sysctl fs.inotify.${setting}`
    return { code: 'too-many-watches', sentence }
  }
  const reason = error instanceof Error ? error.message : String(error)
  return { code: 'failed', sentence: `Changes made on the host cannot be listed: ${reason}` }
}

/**
 * Makes of the server's touches (a node and perhaps a name) paths for `guestTouched`. A file that is written again and again is named at most
 * twice a second: finding its path costs more than a small write.
 */
export function touchReporter(
  folder: HostFolder,
  report: (kind: ActivityKind, path: string) => void,
): (kind: ActivityKind, node: HostNode, name: Uint8Array | undefined) => void {
  const last = new WeakMap<HostNode, number>()
  return (kind, node, name) => {
    if (name === undefined) {
      const now = Date.now()
      if (now - (last.get(node) ?? -Infinity) < COALESCE) return
      last.set(node, now)
    }
    const above = folder.path(node)
    if (above === undefined) return
    const parts = name === undefined ? [above] : [above, name].filter((part) => part.length > 0)
    report(kind, parts.map((part) => Buffer.from(part).toString('utf8')).join('/'))
  }
}

function forgetBefore(times: Map<string, number>, limit: number): void {
  for (const [key, time] of times) if (time < limit) times.delete(key)
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined
}
