/** What a folder is as a kernel tree: its version, its configuration, what was built. Reads only. */
import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs'
import path from 'node:path'
import { KernelTreeError, type FileFact, type KernelTree, type KernelVersion } from '../contract/kernel-tree.ts'
import { run } from './process.ts'

/** These four make a folder a kernel tree with an x86 part. */
const landmarks = ['Makefile', 'Kbuild', 'scripts/Kbuild.include', 'arch/x86/entry/syscalls/syscall_64.tbl']

export function readText(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

function factOf(file: string): FileFact | undefined {
  try {
    const stats = statSync(file)
    return { path: file, bytes: stats.size, modified: stats.mtimeMs }
  } catch {
    return undefined
  }
}

/** The first lines of the top Makefile, up to the first that is not of this form. */
export function versionOf(makefile: string): { version: KernelVersion; nickname: string } | undefined {
  const value = (name: string) => new RegExp(`^${name}[ \\t]*=[ \\t]*(.*?)[ \\t]*$`, 'm').exec(makefile)?.[1]
  const [major, minor] = [value('VERSION'), value('PATCHLEVEL')]
  if (major === undefined || minor === undefined) return undefined
  const patch = value('SUBLEVEL') ?? '0'
  const extra = value('EXTRAVERSION') ?? ''
  return {
    version: {
      text: `${major}.${minor}.${patch}${extra}`,
      major: Number(major),
      minor: Number(minor),
      patch: Number(patch),
      extra,
    },
    nickname: value('NAME') ?? '',
  }
}

function architectureOf(config: string | undefined): KernelTree['architecture'] {
  if (config === undefined) return 'unconfigured'
  return /^CONFIG_X86_64=y$/m.test(config) ? 'x86_64' : 'i386'
}

async function gitOf(folder: string): Promise<KernelTree['git']> {
  // A tree that only lies inside somebody's repository is not under its control.
  if (!existsSync(path.join(folder, '.git'))) return undefined
  const git = async (...args: string[]) => {
    const { code, out } = await run('git', ['-C', folder, '--no-optional-locks', ...args])
    return code === 0 ? out : ''
  }
  try {
    const [branch, commit, status] = await Promise.all([
      git('rev-parse', '--abbrev-ref', 'HEAD'),
      git('rev-parse', '--short', 'HEAD'),
      git('status', '--porcelain', '--untracked-files=normal'),
    ])
    const changed = status.split('\n').flatMap((line) => (line === '' ? [] : [line.slice(3)]))
    return { branch: branch.trim(), commit: commit.trim(), changed }
  } catch (error) {
    if (error instanceof KernelTreeError) return undefined
    throw error
  }
}

/** The sources that belong to the output folder of a `make O=`: it has a link to them, and a Makefile that was made. */
function sourcesOf(folder: string): string | undefined {
  if (!/^# Automatically generated /m.test(readText(path.join(folder, 'Makefile')) ?? '')) return undefined
  try {
    return realpathSync(path.join(folder, 'source'))
  } catch {
    return undefined
  }
}

/** Recognises the tree in `folder`. With `output`, or when it is an output folder itself, the tree is built by `make O=output`. */
export async function openTree(folder: string, output?: string): Promise<KernelTree> {
  const named = path.resolve(folder)
  const source = sourcesOf(named) ?? named
  const objects = output === undefined ? named : path.resolve(output)
  if (!existsSync(source)) throw new KernelTreeError(`${source} does not exist; name the folder of a kernel's sources`)
  const missing = landmarks.find((file) => !existsSync(path.join(source, file)))
  const made = versionOf(readText(path.join(source, 'Makefile')) ?? '')
  if (missing !== undefined || made === undefined) {
    throw new KernelTreeError(
      `${source} is no Linux kernel tree (it has no ${missing ?? 'VERSION in its Makefile'}); name the folder that make runs in`,
    )
  }
  const inOutput = (file: string) => factOf(path.join(objects, file))
  const release = readText(path.join(objects, 'include/config/kernel.release'))?.trim()
  const config = inOutput('.config')
  const git = await gitOf(source)
  const optional = {
    release,
    config,
    bzImage: inOutput('arch/x86/boot/bzImage'),
    vmlinux: inOutput('vmlinux'),
    systemMap: inOutput('System.map'),
    git,
  }
  const present = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined))
  return {
    folder: source,
    output: objects,
    ...made,
    architecture: architectureOf(config === undefined ? undefined : readText(config.path)),
    ...present,
  }
}
