/** Runs make and tells what it does: phases, progress, diagnostics; the log is kept. */
import { createWriteStream, existsSync, renameSync, statSync } from 'node:fs'
import path from 'node:path'
import {
  KernelTreeError,
  type BuildEvent,
  type BuildRequest,
  type BuildResult,
  type Diagnostic,
  type FastReport,
  type KernelTree,
} from '../../contract/kernel-tree.ts'
import { configText } from '../config/change.ts'
import { keepUnchanged, recordBuild } from '../fast/keep.ts'
import { makeArguments } from '../make.ts'
import { run } from '../process.ts'
import { treeState } from '../state.ts'
import { openTree } from '../tree.ts'
import { DiagnosticReader } from './diagnostics.ts'
import { expectedSteps, rememberBuild } from './expectation.ts'
import { Progress, stepOf } from './progress.ts'

/** Warnings that are collected; a tree that warns thousands of times is not read any more. */
const MOST_WARNINGS = 500

class Session {
  readonly warnings: Diagnostic[] = []
  firstError: Diagnostic | undefined
  readonly log: string
  readonly reader: DiagnosticReader
  progress: Progress | undefined
  readonly #tree: KernelTree
  readonly #onEvent: (event: BuildEvent) => void
  readonly #stream
  readonly #signal: AbortSignal | undefined
  #linking = false

  constructor(tree: KernelTree, onEvent: (event: BuildEvent) => void, signal: AbortSignal | undefined) {
    this.#tree = tree
    this.#onEvent = onEvent
    this.#signal = signal
    this.log = path.join(treeState(tree.output), 'build.log')
    if (existsSync(this.log)) renameSync(this.log, path.join(treeState(tree.output), 'build.previous.log'))
    this.#stream = createWriteStream(this.log)
    this.reader = new DiagnosticReader([tree.output, tree.folder], (diagnostic) => this.#diagnostic(diagnostic))
  }

  phase(phase: Extract<BuildEvent, { kind: 'phase' }>['phase'], text: string): void {
    this.#onEvent({ kind: 'phase', phase, text })
  }

  async make(args: readonly string[]): Promise<{ code: number; cancelled: boolean }> {
    const result = await run('make', args, { signal: this.#signal, onLine: (line) => this.#line(line) })
    this.reader.end()
    return result
  }

  async end(): Promise<void> {
    await new Promise<void>((resolve) => this.#stream.end(() => resolve()))
  }

  #line(text: string): void {
    this.#stream.write(`${text}\n`)
    this.#onEvent({ kind: 'line', text })
    // Programs that are ended complain; that is no news.
    if (this.#signal?.aborted === true) return
    this.reader.line(text)
    const step = stepOf(text)
    if (step === undefined || this.progress === undefined) return
    this.#onEvent({ kind: 'progress', ...this.progress.step(), step: `${step.what} ${step.target}` })
    if (step.what === 'LD' && step.target.startsWith('vmlinux') && !this.#linking) {
      this.#linking = true
      this.phase('link', `linking ${this.#tree.version.text}`)
    }
  }

  #diagnostic(diagnostic: Diagnostic): void {
    if (diagnostic.severity === 'error') this.firstError ??= diagnostic
    else if (this.warnings.length < MOST_WARNINGS) this.warnings.push(diagnostic)
    this.#onEvent({ kind: 'diagnostic', diagnostic })
  }
}

/** What is built when nothing is named: the image, and the modules where there are any. */
function targetsOf(tree: KernelTree, request: BuildRequest): readonly string[] {
  if (request.targets !== undefined && request.targets.length > 0) return request.targets
  const config = configText(tree)
  if (request.module !== undefined) return moduleTargets(request.module, config)
  if (!/^CONFIG_X86(_64)?=y$/m.test(config))
    throw new KernelTreeError(
      `${tree.output}/.config is not for x86; make one with "longmode kernel config recipe tutorial"`,
    )
  return /^CONFIG_MODULES=y$/m.test(config) && /^CONFIG_\w+=m$/m.test(config) ? ['bzImage', 'modules'] : ['bzImage']
}

function moduleTargets(folder: string, config: string): readonly string[] {
  if (!existsSync(path.join(folder, 'Makefile')) && !existsSync(path.join(folder, 'Kbuild'))) {
    throw new KernelTreeError(`${folder} has no Makefile; a module's is one line: obj-m += hello.o`)
  }
  if (!/^CONFIG_MODULES=y$/m.test(config)) {
    throw new KernelTreeError(
      'this kernel loads no modules (CONFIG_MODULES is n); "longmode kernel config recipe tutorial" makes one that does',
    )
  }
  return ['modules']
}

/** What the kernel's own build has to do first, before modules of another folder can be built. */
function missingForModules({ output }: KernelTree): { readonly target: string; readonly text: string } | undefined {
  // What a module may call stands in Module.symvers, which comes with the kernel's own modules.
  if (!existsSync(path.join(output, 'Module.symvers')))
    return { target: 'modules', text: 'what modules may call (make modules)' }
  // A build with M= does not look at .config itself, and refuses when the files made of it are older.
  const [made, config] = ['include/config/auto.conf', '.config'].map(
    (file) => statSync(path.join(output, file), { throwIfNoEntry: false })?.mtimeMs ?? 0,
  )
  return made < config
    ? { target: 'modules_prepare', text: 'the edited configuration (make modules_prepare)' }
    : undefined
}

/** Targets that compile the kernel; others neither need the comparison nor make a record. */
const compilesKernel = (targets: readonly string[]) =>
  targets.some((target) => /^(all|bzImage|vmlinux|modules)$/.test(target))

async function stages(session: Session, tree: KernelTree, request: BuildRequest, targets: readonly string[]) {
  // Output in one piece per target, so that messages of parallel compilers do not mix.
  const make = [
    ...makeArguments(tree, request),
    '-Otarget',
    ...(request.sparse === undefined ? [] : [`C=${request.sparse}`]),
  ]
  const whole = compilesKernel(targets) && request.module === undefined
  if (request.module !== undefined) {
    const missing = missingForModules(tree)
    if (missing !== undefined) {
      session.phase('prepare', missing.text)
      const prepared = await session.make([...make, missing.target])
      if (prepared.code !== 0 || prepared.cancelled) return { ...prepared, fast: undefined, fromNothing: false }
    }
    make.push(`M=${path.resolve(request.module)}`)
  }
  let fast: FastReport | undefined
  let fromNothing = false
  if (whole) {
    session.phase('prepare', 'generated headers and helper programs')
    const prepared = await session.make([...make, 'prepare'])
    if (prepared.code !== 0 || prepared.cancelled) return { ...prepared, fast, fromNothing }
    if (request.fast !== false) {
      session.phase('compare', 'looking for objects that the edited headers cannot change')
      fast = keepUnchanged(tree.output)
    }
    const expected = expectedSteps(tree)
    fromNothing = expected.fromNothing
    session.progress = new Progress(expected.steps, () => performance.now())
  }
  session.phase('compile', `make ${targets.join(' ')}`)
  session.progress ??= new Progress(undefined, () => performance.now())
  return { ...(await session.make([...make, ...targets])), fast, fromNothing }
}

export async function build(
  tree: KernelTree,
  request: BuildRequest,
  onEvent: (event: BuildEvent) => void,
  signal?: AbortSignal,
): Promise<BuildResult> {
  const targets = targetsOf(tree, request)
  const session = new Session(tree, onEvent, signal)
  const begun = Date.now()
  try {
    const { code, cancelled, fast, fromNothing } = await stages(session, tree, request, targets)
    const built = code === 0 && !cancelled
    const steps = session.progress?.done ?? 0
    if (built && compilesKernel(targets) && request.module === undefined) {
      // Also without `fast`: the next build may want it.
      recordBuild(tree.output, begun)
      if (fromNothing) rememberBuild(tree, steps)
    }
    const error = built || cancelled ? undefined : (session.firstError ?? session.reader.ofMake)
    const { bzImage } = await openTree(tree.folder, tree.output)
    const madeImage = built && targets.some((target) => target === 'bzImage' || target === 'all')
    session.phase('done', built ? 'built' : cancelled ? 'cancelled' : 'failed')
    return {
      outcome: built ? 'built' : cancelled ? 'cancelled' : 'failed',
      seconds: (Date.now() - begun) / 1000,
      steps,
      warnings: session.warnings,
      log: session.log,
      ...(error === undefined ? {} : { firstError: error }),
      ...(madeImage && bzImage !== undefined ? { image: bzImage } : {}),
      ...(fast === undefined ? {} : { fast }),
    }
  } finally {
    await session.end()
  }
}
