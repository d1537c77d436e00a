/** The kernel workbench for the window (contract/kernel-tree.ts): a tree is named by its folder, long work is a job that goes on without a window. */
import * as v from 'valibot'
import {
  compilerWrappers,
  type BuildEvent,
  type BuildRequest,
  type BuildResult,
  type BuildState,
  type ConfigFix,
  type ConfigReport,
  type DiskProgress,
  type KernelTree,
  type MakeOptions,
  type Recipe,
  type ReviewRemark,
  type ScaffoldPlan,
  type SyscallReport,
  type SyscallRequest,
  type ToolchainReport,
  type UndoRecord,
} from '../kernel-tree.ts'
import type { MachineConfig } from '../../machine/config.ts'
import { event, method } from '../rpc/definition.ts'
import { exitReasons } from '../vcpu.ts'
import { hostPath, jobId, line, machineId, type JobId } from './common.ts'

const word = v.pipe(v.string(), v.maxLength(200))
/** A path inside the tree. */
const inTree = v.pipe(
  v.string(),
  v.maxLength(1000),
  v.check((file) => !file.startsWith('/') && !file.split(/[\\/]/).includes('..'), 'a file of the tree'),
)
const tree = v.object({ folder: hostPath, output: v.exactOptional(hostPath) })
export type TreeName = v.InferOutput<typeof tree>

const makeFields = {
  llvm: v.exactOptional(v.boolean()),
  compilerWrapper: v.exactOptional(v.picklist(compilerWrappers)),
  jobs: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1024))),
}
const makeOptions = v.object(makeFields) satisfies v.GenericSchema<unknown, MakeOptions>
const buildRequest = v.object({
  ...makeFields,
  targets: v.exactOptional(
    v.pipe(v.array(v.pipe(word, v.regex(/^[\w./][\w./+-]*$/, 'a target of make'))), v.maxLength(50)),
  ),
  sparse: v.exactOptional(v.picklist([1, 2])),
  fast: v.exactOptional(v.boolean()),
}) satisfies v.GenericSchema<unknown, BuildRequest>

const syscallName = v.pipe(v.string(), v.regex(/^[a-z_][a-z0-9_]{0,60}$/, 'a name of small letters, digits and _'))
const syscallRequest = v.object({
  name: syscallName,
  parameters: v.pipe(v.array(line), v.maxLength(6, 'a system call has six parameters at most')),
  file: v.exactOptional(inTree),
  number: v.exactOptional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(4095))),
  i386: v.exactOptional(v.boolean()),
  compat: v.exactOptional(v.boolean()),
}) satisfies v.GenericSchema<unknown, SyscallRequest>

const userland = v.picklist(['systemd', 'busybox', 'any'])

/** A build that runs or has ended in this session. */
export interface Build {
  readonly job: JobId
  readonly folder: string
  /** Milliseconds since 1970. */
  readonly begun: number
  /** Where it is, the newest of each kind. */
  readonly phase?: Extract<BuildEvent, { kind: 'phase' }>
  readonly progress?: Extract<BuildEvent, { kind: 'progress' }>
  readonly firstError?: Extract<BuildEvent, { kind: 'diagnostic' }>
  /** The last lines of make, the newest last. */
  readonly lines: readonly string[]
  /** When it has ended: how, or the sentence why it could not. */
  readonly result?: BuildResult
  readonly sentence?: string
}

const milliseconds = v.pipe(v.number(), v.minValue(0))
const buildRecord = v.object({
  kind: v.literal('build'),
  /** The output folder of its tree. */
  folder: hostPath,
  /** When it began; milliseconds since 1970. */
  at: milliseconds,
  outcome: v.picklist(['built', 'failed', 'cancelled']),
  seconds: v.number(),
  /** The first error, or why it could not begin. */
  why: v.exactOptional(v.string()),
})
const bootRecord = v.object({
  kind: v.literal('boot'),
  folder: hostPath,
  at: milliseconds,
  id: machineId,
  /** The name that the machine had. */
  machine: v.string(),
  /** Once it is over: how long it ran, and how it ended. */
  seconds: v.exactOptional(v.number()),
  end: v.exactOptional(
    v.variant('kind', [
      v.object({ kind: v.literal('exited'), reason: v.picklist(exitReasons), code: v.number() }),
      v.object({ kind: v.literal('failed'), sentence: v.string() }),
    ]),
  ),
})
/** A build that has ended, or a boot of a tree's kernel; of this session and of earlier ones. */
export const historyEntry = v.variant('kind', [buildRecord, bootRecord])
export type BootRecord = Readonly<v.InferOutput<typeof bootRecord>>
export type HistoryEntry = Readonly<v.InferOutput<typeof buildRecord>> | BootRecord

export const kernel = {
  methods: {
    open: method(tree).returns<KernelTree>(),
    state: method(tree).returns<BuildState>(),
    toolchain: method(tree, makeOptions).returns<ToolchainReport>(),
    /** Against the machine that shall boot it. */
    checkConfig: method(tree, machineId, userland).returns<ConfigReport>(),
    fixConfig: method(tree, machineId, userland).returns<ConfigFix>(),
    /** The machine with the tree's kernel: what "Boot" starts. Without a disk or an initrd it gets the default root file system. */
    bootConfig: method(tree, machineId).returns<MachineConfig>(),
    recipes: method().returns<readonly Recipe[]>(),
    applyRecipes: method(
      tree,
      v.object({
        ...makeFields,
        recipes: v.pipe(v.array(word), v.maxLength(20)),
        own: v.exactOptional(v.pipe(v.array(hostPath), v.maxLength(20))),
        keep: v.exactOptional(v.boolean()),
      }),
    ).returns<ConfigFix>(),

    /** One build of a tree at a time. */
    build: method(tree, buildRequest).returns<JobId>(),
    cancel: method(jobId).returns<void>(),
    builds: method().returns<readonly Build[]>(),
    /** The newest first. */
    history: method(tree).returns<readonly HistoryEntry[]>(),

    checkSyscall: method(tree, syscallRequest).returns<SyscallReport>(),
    planSyscall: method(tree, syscallRequest).returns<ScaffoldPlan>(),
    planSyscallRemoval: method(tree, syscallName).returns<ScaffoldPlan>(),
    /** Makes the plan again and writes it; `diff` is what the user has seen, and another one is refused. */
    addSyscall: method(tree, syscallRequest, v.object({ diff: v.string() })).returns<UndoRecord>(),
    removeSyscall: method(tree, syscallName, v.object({ diff: v.string() })).returns<UndoRecord>(),
    undoSyscall: method(tree).returns<UndoRecord>(),
    reviewFile: method(tree, inTree).returns<readonly ReviewRemark[]>(),

    /** A disk with Debian on it. */
    createDebianDisk: method(
      v.object({
        file: hostPath,
        bytes: v.pipe(v.number(), v.safeInteger(), v.minValue(256 * 1024 * 1024, 'a disk of 256 MiB at least')),
        suite: v.exactOptional(v.pipe(word, v.regex(/^[\w-]+$/))),
        packages: v.exactOptional(
          v.pipe(v.array(v.pipe(word, v.regex(/^[a-z0-9][a-z0-9+.-]+$/, 'names of packages'))), v.maxLength(200)),
        ),
        hostName: v.exactOptional(v.pipe(word, v.regex(/^[a-zA-Z0-9-]{1,63}$/, 'a host name'))),
        shareInFstab: v.exactOptional(v.boolean()),
      }),
    ).returns<JobId>(),
  },
  events: {
    /** Several at a time, in order. */
    buildEvents: event<{ readonly job: JobId; readonly events: readonly BuildEvent[] }>(),
    /** Of some tree; a window asks for its own. */
    historyChanged: event<undefined>(),
    /** A build began or ended. */
    buildChanged: event<Build>(),
    diskProgress: event<{ readonly job: JobId; readonly progress: DiskProgress }>(),
    /** `sentence`: why there is no disk. */
    diskFinished: event<{ readonly job: JobId; readonly file: string; readonly sentence?: string }>(),
  },
}
