/**
 * The kernel workbench as plain data: what src-main/kernel-tree is asked and what it answers, for the command line and the window.
 * Everything survives JSON. Paths are absolute unless said, line numbers begin at 1, times are milliseconds.
 *
 * What goes wrong because of the user's tree, tools or input is a KernelTreeError: one plain sentence with the next step.
 */

/** Carries one sentence for the user; everything else that is thrown is a fault of Longmode. */
export class KernelTreeError extends Error {
  override readonly name = 'KernelTreeError'
}

/* ---- the tree ---- */

export interface KernelVersion {
  /** As `make kernelversion` says it: `6.1.192`, `6.12.0-rc3`. */
  readonly text: string
  readonly major: number
  readonly minor: number
  readonly patch: number
  readonly extra: string
}

export interface FileFact {
  readonly path: string
  readonly bytes: number
  /** Milliseconds since 1970. */
  readonly modified: number
}

export interface KernelTree {
  readonly folder: string
  /** Where objects and .config are: `folder` itself, or the folder of `make O=`. */
  readonly output: string
  readonly version: KernelVersion
  /** The release's nickname in the Makefile. */
  readonly nickname: string
  /** `make kernelrelease` of the last build, with the local part: `6.1.192-tut`. */
  readonly release?: string
  readonly config?: FileFact
  readonly architecture: 'x86_64' | 'i386' | 'unconfigured'
  readonly bzImage?: FileFact
  readonly vmlinux?: FileFact
  readonly systemMap?: FileFact
  readonly git?: { readonly branch: string; readonly commit: string; readonly changed: readonly string[] }
}

/** Is the built image what the sources say? `stale`: `changed` are newer than it (paths relative to the tree, at most 50). */
export interface BuildState {
  readonly state: 'unconfigured' | 'unbuilt' | 'stale' | 'current'
  readonly changed: readonly string[]
}

/** What may be put in front of the compiler. */
export const compilerWrappers = ['ccache', 'distcc', 'icecc'] as const

/** How make is to be called. */
export interface MakeOptions {
  /** Build with clang (LLVM=1); when left out, with what the .config was made for. */
  readonly llvm?: boolean
  readonly compilerWrapper?: (typeof compilerWrappers)[number]
  /** Parallel jobs; the number of processors when left out. */
  readonly jobs?: number
}

/* ---- tools ---- */

export type Distribution = 'debian' | 'fedora' | 'arch' | 'other'

export interface ToolFact {
  readonly name: string
  /** What it is for, in a few words. */
  readonly purpose: string
  readonly found: boolean
  readonly version?: string
  /** Without it nothing can be built; else only the named purpose is missing. */
  readonly required: boolean
}

export interface ToolchainReport {
  readonly platform: 'linux' | 'windows' | 'macos' | 'other'
  readonly distribution: Distribution
  readonly tools: readonly ToolFact[]
  readonly missing: readonly string[]
  /** The one command that installs what is missing; undefined when nothing is, or when the distribution is not known. */
  readonly install?: string
  /** Set when a kernel cannot be built here at all: where it can. */
  readonly advice?: string
  readonly ready: boolean
}

/* ---- configuration ---- */

export type ConfigValue = 'y' | 'm' | 'n' | (string & {})

/** What the configuration is checked against. A MachineConfig is one. */
export interface BootPlan {
  readonly append: string
  readonly initrd?: string
  readonly disks: readonly { readonly bus: 'ide' | 'virtio'; readonly media: 'disk' | 'cdrom' }[]
  readonly shares: readonly { readonly mountTag: string }[]
  readonly entropy?: boolean
}

/** What runs in the guest: it decides what else the kernel needs. */
export type Userland = 'systemd' | 'busybox' | 'any'

export interface ConfigFinding {
  /** Without CONFIG_. */
  readonly option: string
  readonly wanted: readonly ConfigValue[]
  readonly have: ConfigValue
  /** `fatal`: it will not get to a shell; `broken`: something the user asked for will not work; `advice`: good to have. */
  readonly severity: 'fatal' | 'broken' | 'advice'
  /** Who needs it: `root=/dev/sda`, `the share shared_folder`, `systemd`. */
  readonly neededFor: string
  /** What the user would see, quoted where the kernel prints a line of its own. */
  readonly failure: string
}

export interface ConfigReport {
  readonly findings: readonly ConfigFinding[]
  /** No finding is fatal or broken. */
  readonly boots: boolean
}

export interface ConfigFix {
  readonly changed: readonly { readonly option: string; readonly before: ConfigValue; readonly after: ConfigValue }[]
  /** What the tree's Kconfig would not take, with the reason as far as it is known. */
  readonly refused: readonly { readonly option: string; readonly wanted: ConfigValue; readonly have: ConfigValue }[]
  /** The .config as it was before. */
  readonly backup?: string
  readonly report: ConfigReport
}

export interface Recipe {
  readonly name: string
  readonly title: string
  readonly description: string
  /** Recipes that are applied before it. */
  readonly needs: readonly string[]
}

/* ---- build ---- */

export interface BuildRequest extends MakeOptions {
  /** `bzImage`, `modules`, `headers_install`, a file of the tree …; `bzImage` (and `modules` where the configuration has any) when empty. */
  readonly targets?: readonly string[]
  /** A folder outside the tree whose modules are built for this kernel (`make M=`); `targets` is then `modules` when empty. */
  readonly module?: string
  /** Run sparse on what is compiled (`1`) or on every source (`2`). */
  readonly sparse?: 1 | 2
  /** Leave out objects that a changed header cannot change (see ARCHITECTURE.md, The fast rebuild). On unless false. */
  readonly fast?: boolean
}

export type BuildEvent =
  | {
      readonly kind: 'phase'
      readonly phase: 'prepare' | 'compare' | 'compile' | 'link' | 'done'
      readonly text: string
    }
  | {
      readonly kind: 'progress'
      /** Steps done and expected; expected is undefined while it is not known. */
      readonly done: number
      readonly total?: number
      /** 0 to 100. */
      readonly percent?: number
      readonly secondsLeft?: number
      /** `CC kernel/fork.o`. */
      readonly step: string
    }
  | { readonly kind: 'line'; readonly text: string }
  | { readonly kind: 'diagnostic'; readonly diagnostic: Diagnostic }

export interface Diagnostic {
  readonly severity: 'error' | 'warning'
  readonly message: string
  /** Relative to the tree, where the tool named one. */
  readonly file?: string
  readonly line?: number
  readonly column?: number
  /** The source around it as the tool or the file shows it. */
  readonly excerpt: readonly string[]
  /** For the usual ones: what it means and what to do. */
  readonly explanation?: string
}

export interface FastReport {
  /** Objects that make would have compiled again because of a header's date, and that were proved to stay the same. */
  readonly kept: number
  readonly recompiled: number
  /** Headers whose change mattered to every user of them, and why. */
  readonly reasons: readonly { readonly header: string; readonly reason: string }[]
}

export interface BuildResult {
  readonly outcome: 'built' | 'failed' | 'cancelled'
  readonly seconds: number
  readonly steps: number
  readonly firstError?: Diagnostic
  readonly warnings: readonly Diagnostic[]
  /** Everything that make printed. */
  readonly log: string
  readonly image?: FileFact
  readonly fast?: FastReport
}

/* ---- system calls ---- */

export interface SyscallRequest {
  /** As user space names it: `memcpy`. */
  readonly name: string
  /** C parameters: `void __user *src`, `unsigned long len`. Empty for a call without arguments. */
  readonly parameters: readonly string[]
  /** Where the body stands or shall stand, relative to the tree; `kernel/NAME.c` when left out. */
  readonly file?: string
  /** The next free one when left out. */
  readonly number?: number
  /** Also for 32-bit programs. */
  readonly i386?: boolean
  /** With an entry of its own for 32-bit programs (`compat_sys_NAME`). */
  readonly compat?: boolean
}

export type PlaceId =
  | 'table'
  | 'table32'
  | 'prototype'
  | 'compat-prototype'
  | 'unistd'
  | 'unistd-count'
  | 'fallback'
  | 'compat-fallback'
  | 'source'
  | 'compat-source'
  | 'makefile'

export interface SyscallPlace {
  readonly id: PlaceId
  readonly title: string
  readonly file: string
  readonly status: 'done' | 'missing' | 'inconsistent' | 'not-needed'
  /** Where it stands, or where it belongs. */
  readonly line?: number
  readonly found?: string
  /** What is wrong or missing, in a sentence. */
  readonly sentence: string
}

export interface SyscallReport {
  readonly name: string
  readonly number?: number
  readonly nextFree: number
  readonly places: readonly SyscallPlace[]
  readonly complete: boolean
  readonly remarks: readonly ReviewRemark[]
}

export interface ReviewRemark {
  readonly rule: string
  readonly severity: 'bug' | 'question'
  readonly file: string
  readonly line: number
  readonly sentence: string
  readonly excerpt: string
}

export interface FileEdit {
  /** Relative to the tree. */
  readonly file: string
  /** undefined: the file is new. */
  readonly before?: string
  /** undefined: the file goes. */
  readonly after?: string
}

export interface ScaffoldPlan {
  readonly number: number
  readonly edits: readonly FileEdit[]
  /** Unified diff of all edits, as `patch -p1` takes it. */
  readonly diff: string
}

/** Written when a plan is applied; `undo` takes it back as long as nobody changed the files since. */
export interface UndoRecord {
  readonly tree: string
  readonly name: string
  readonly at: number
  readonly edits: readonly FileEdit[]
}

/* ---- a disk ---- */

export interface DebianDiskRequest {
  readonly file: string
  readonly bytes: number
  readonly suite?: string
  readonly mirror?: string
  /** On top of what the tutorial needs. */
  readonly packages?: readonly string[]
  readonly hostName?: string
  /** Add the share's line to /etc/fstab. A guest without the share then waits in emergency mode. */
  readonly shareInFstab?: boolean
}

export interface DiskProgress {
  readonly step: 'packages' | 'configure' | 'image'
  readonly text: string
}

/* ---- test in the guest ---- */

export interface GuestTestResult {
  readonly outcome: 'ran' | 'no-boot' | 'timeout' | 'cancelled'
  /** Of the command; undefined when it did not run to its end. */
  readonly exitCode?: number
  readonly output: string
  readonly console: string
  readonly seconds: number
  /** Why it did not run. */
  readonly sentence?: string
}

/* ---- all of it ---- */

/**
 * The workbench (kernel-tree/index.ts). Every call that may take long has a signal; aborting ends every process that it started before
 * the promise settles. Nothing writes to a tree but applyRecipes, fixConfig, build, applySyscall and undoSyscall.
 */
export interface KernelWorkbench {
  openTree(folder: string, output?: string): Promise<KernelTree>
  buildState(tree: KernelTree): Promise<BuildState>
  checkToolchain(tree: KernelTree | undefined, options: MakeOptions): Promise<ToolchainReport>

  checkConfig(tree: KernelTree, plan: BootPlan, userland: Userland): Promise<ConfigReport>
  fixConfig(tree: KernelTree, plan: BootPlan, userland: Userland, signal?: AbortSignal): Promise<ConfigFix>
  recipes(): Promise<readonly Recipe[]>
  /** Starts from `tinyconfig`, or with `keep` from the .config that is there; `own` are paths of the user's fragments. */
  applyRecipes(
    tree: KernelTree,
    request: {
      readonly recipes: readonly string[]
      readonly own?: readonly string[]
      readonly keep?: boolean
    } & MakeOptions,
    signal?: AbortSignal,
  ): Promise<ConfigFix>

  build(
    tree: KernelTree,
    request: BuildRequest,
    onEvent: (event: BuildEvent) => void,
    signal?: AbortSignal,
  ): Promise<BuildResult>

  checkSyscall(tree: KernelTree, request: SyscallRequest): Promise<SyscallReport>
  /** What `request` would change; writes nothing. */
  planSyscall(tree: KernelTree, request: SyscallRequest): Promise<ScaffoldPlan>
  /** What has to go to take the call `name` out of the tree again; writes nothing. */
  planSyscallRemoval(tree: KernelTree, name: string): Promise<ScaffoldPlan>
  applySyscall(tree: KernelTree, name: string, plan: ScaffoldPlan): Promise<UndoRecord>
  undoSyscall(tree: KernelTree): Promise<UndoRecord>
  /** What a good reviewer would say about the bodies of all system calls in one source file. */
  reviewFile(tree: KernelTree, file: string): Promise<readonly ReviewRemark[]>

  createDebianDisk(
    request: DebianDiskRequest,
    onProgress: (progress: DiskProgress) => void,
    signal?: AbortSignal,
  ): Promise<void>
}
