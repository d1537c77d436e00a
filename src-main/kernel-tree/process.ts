/** Programs of the host (make, compilers, git), each in a process group of its own so that cancelling leaves none of them. */
import { spawn } from 'node:child_process'
import process from 'node:process'
import { KernelTreeError } from '../contract/kernel-tree.ts'

export interface RunOptions {
  readonly cwd?: string
  readonly env?: Readonly<Record<string, string>>
  readonly signal?: AbortSignal | undefined
  /** Each line as it comes, without its end. */
  readonly onLine?: (line: string, stream: 'out' | 'err') => void
  readonly input?: string
  /** How long its group may take to end when it is cancelled, in ms; 2,000 when left out. */
  readonly patience?: number
}

export interface RunResult {
  /** -1 when a signal ended it. */
  readonly code: number
  readonly out: string
  readonly err: string
  readonly cancelled: boolean
}

const PATIENCE = 2000
/** How often a group that was told to end is looked at, in ms. */
const LOOK = 20

/** Cuts a stream of chunks into lines. */
function lines(take: (line: string) => void): { add(chunk: string): void; end(): void } {
  let rest = ''
  return {
    add(chunk) {
      const parts = (rest + chunk).split('\n')
      rest = parts.pop() ?? ''
      parts.forEach(take)
    },
    end() {
      if (rest !== '') take(rest)
      rest = ''
    },
  }
}

const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

function send(group: number, signal: NodeJS.Signals | 0): boolean {
  try {
    process.kill(process.platform === 'win32' ? group : -group, signal)
    return true
  } catch {
    return false
  }
}

/** Ends every process of the group, politely first; resolves when none is left. */
async function endGroup(group: number, patience = PATIENCE): Promise<void> {
  send(group, 'SIGTERM')
  for (let waited = 0; waited < patience; waited += LOOK) {
    if (!send(group, 0)) return
    await sleep(LOOK)
  }
  while (send(group, 'SIGKILL')) await sleep(LOOK)
}

/**
 * The user's environment with messages in English (they are read), and without what make would pass on to a make inside it. The kernel's
 * Makefile takes LC_ALL away again, so the user's other settings of the language go as well.
 */
function environment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env, LC_ALL: 'C', LANG: 'C', ...extra }
  for (const name of ['LANGUAGE', 'LC_MESSAGES', 'LC_CTYPE']) env[name] = undefined
  for (const name of ['MAKEFLAGS', 'MAKELEVEL', 'MFLAGS', 'MAKEOVERRIDES']) env[name] = undefined
  return env
}

/** Runs a program to its end. Throws a KernelTreeError when it is not there; any exit code is a result. */
export async function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  const { signal, onLine } = options
  if (signal?.aborted === true) return { code: -1, out: '', err: '', cancelled: true }
  const child = spawn(program, args, {
    cwd: options.cwd,
    env: environment(options.env),
    detached: process.platform !== 'win32',
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const texts = { out: '', err: '' }
  const cutters = (['out', 'err'] as const).map((stream) => {
    const cut = lines((line) => onLine?.(line, stream))
    const source = stream === 'out' ? child.stdout : child.stderr
    source.setEncoding('utf8')
    source.on('data', (chunk: string) => {
      texts[stream] += chunk
      cut.add(chunk)
    })
    return cut
  })
  // The program may end before it has read everything.
  child.stdin.on('error', () => undefined)
  child.stdin.end(options.input ?? '')
  let ending: Promise<void> | undefined
  const abort = () => {
    if (child.pid !== undefined) ending ??= endGroup(child.pid, options.patience)
  }
  signal?.addEventListener('abort', abort)
  try {
    const code = await new Promise<number>((resolve, reject) => {
      child.on('error', (error: NodeJS.ErrnoException) => reject(cannotStart(program, error)))
      child.on('close', (status) => resolve(status ?? -1))
    })
    cutters.forEach((cut) => cut.end())
    await ending
    return { code, ...texts, cancelled: ending !== undefined }
  } finally {
    signal?.removeEventListener('abort', abort)
  }
}

function cannotStart(program: string, error: NodeJS.ErrnoException): Error {
  if (error.code === 'ENOENT') return new KernelTreeError(`the program ${program} is not installed`)
  return new KernelTreeError(`the program ${program} cannot be started: ${error.message}`)
}
