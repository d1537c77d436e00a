/** Is everything there that this build needs? */
import { accessSync, constants } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import type { Distribution, KernelTree, MakeOptions, ToolchainReport, ToolFact } from '../../contract/kernel-tree.ts'
import { DotConfig } from '../config/dot-config.ts'
import { isForLlvm } from '../make.ts'
import { run } from '../process.ts'
import { readText } from '../tree.ts'
import { installCommands, tools, type Tool, type Wanted } from './tools-table.ts'

/** From /etc/os-release (man 5 os-release): ID and ID_LIKE. */
export function distributionOf(osRelease: string): Distribution {
  const ids = [...osRelease.matchAll(/^ID(?:_LIKE)?=(.*)$/gm)].flatMap(([, value]) =>
    value.replaceAll(/["']/g, '').split(' '),
  )
  if (ids.some((id) => id === 'debian' || id === 'ubuntu')) return 'debian'
  if (ids.some((id) => id === 'fedora' || id === 'rhel')) return 'fedora'
  return ids.includes('arch') ? 'arch' : 'other'
}

/** Is the program in one of the folders, which are written as in PATH? */
export function isIn(folders: string, program: string): boolean {
  return folders.split(path.delimiter).some((folder) => {
    try {
      accessSync(path.join(folder, program), constants.X_OK)
      return true
    } catch {
      return false
    }
  })
}

export const onPath = (program: string): boolean => isIn(process.env.PATH ?? '', program)

async function hasHeader(header: string): Promise<boolean> {
  const compiler = ['gcc', 'clang', 'cc'].find(onPath)
  if (compiler === undefined) return false
  const { code } = await run(compiler, ['-E', '-x', 'c', '-o', '-', '-'], { input: `#include <${header}>\n` })
  return code === 0
}

async function versionOf(program: string): Promise<string | undefined> {
  const { out, err } = await run(program, [program === 'openssl' ? 'version' : '--version'])
  return /\d+(?:\.\d+)+/.exec(out === '' ? err : out)?.[0]
}

async function lookAt(tool: Tool, wanted: Wanted): Promise<ToolFact | undefined> {
  const use = tool.use(wanted)
  if (use === 'no') return undefined
  const found = tool.programs.every(onPath) && (tool.header === undefined || (await hasHeader(tool.header)))
  const version = found && tool.programs.length > 0 ? await versionOf(tool.programs[0]) : undefined
  const fact = { name: tool.name, purpose: tool.purpose, found, required: use === 'required' }
  return version === undefined ? fact : { ...fact, version }
}

/** The command for the named tools; undefined when the distribution is not known or nothing is missing. */
export function installCommand(
  missing: readonly string[],
  distribution: Distribution,
  root: boolean,
): string | undefined {
  if (missing.length === 0 || distribution === 'other') return undefined
  const packages = tools.filter(({ name }) => missing.includes(name)).map((tool) => tool.packages[distribution])
  return `${root ? '' : 'sudo '}${installCommands[distribution]} ${[...new Set(packages)].join(' ')}`
}

/** On systems that are no Linux: where a kernel can be built instead. */
function elsewhere(platform: string): string {
  const container = ['docker', 'podman'].find(onPath)
  const inContainer =
    container === undefined
      ? 'install Docker or Podman and build in a Linux container'
      : `build in a Linux container (${container} is installed)`
  const wsl =
    platform === 'win32'
      ? onPath('wsl.exe')
        ? 'build inside WSL (it is installed), or '
        : 'install WSL ("wsl --install") and build there, or '
      : ''
  return `the kernel's build needs Linux: ${wsl}${inContainer}; Longmode boots the result here`
}

const platforms: Readonly<Record<string, ToolchainReport['platform']>> = {
  linux: 'linux',
  win32: 'windows',
  darwin: 'macos',
}

export async function checkToolchain(tree: KernelTree | undefined, options: MakeOptions): Promise<ToolchainReport> {
  const platform = platforms[process.platform] ?? 'other'
  const distribution = distributionOf(readText('/etc/os-release') ?? '')
  if (platform !== 'linux') {
    return { platform, distribution, tools: [], missing: [], ready: false, advice: elsewhere(process.platform) }
  }
  const text = tree === undefined ? undefined : readText(path.join(tree.output, '.config'))
  const config = text === undefined ? undefined : new DotConfig(text)
  const wanted: Wanted = {
    llvm: options.llvm ?? (config !== undefined && isForLlvm(config)),
    ...(options.compilerWrapper === undefined ? {} : { wrapper: options.compilerWrapper }),
    ...(config === undefined ? {} : { config }),
  }
  const facts = (await Promise.all(tools.map((tool) => lookAt(tool, wanted)))).filter((fact) => fact !== undefined)
  const missing = facts.filter(({ found, required }) => required && !found).map(({ name }) => name)
  const install = installCommand(missing, distribution, process.getuid?.() === 0)
  return {
    platform,
    distribution,
    tools: facts,
    missing,
    ready: missing.length === 0,
    ...(install === undefined ? {} : { install }),
  }
}
