/** node:fs as on a disk that folds case, as Windows and macOS have it: names are kept as they were first written and found whatever their case. */
import * as nodeFs from 'node:fs'
import path from 'node:path'
import type { FsCalls } from '../../src-main/host/folder-portable-paths.ts'

const sameName = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()

/** The path with each name below `top` as it is written on the disk. */
function asWritten(top: string, whole: string): string {
  let at = top
  for (const name of path.relative(top, whole).split(path.sep)) {
    const names = nodeFs.existsSync(at) && nodeFs.lstatSync(at).isDirectory() ? nodeFs.readdirSync(at) : []
    at = path.join(at, names.find((each) => sameName(each, name)) ?? name)
  }
  return at
}

export function foldingCalls(top: string): FsCalls {
  const real = nodeFs.realpathSync(top)
  // The folder by paths hands text to all systems but Linux.
  const fold = (name: nodeFs.PathLike): string => asWritten(real, String(name))
  const first =
    <Rest extends unknown[], Result>(call: (name: nodeFs.PathLike, ...rest: Rest) => Result) =>
    (name: nodeFs.PathLike, ...rest: Rest): Result =>
      call(fold(name), ...rest)
  return {
    ...nodeFs,
    lstatSync: first(nodeFs.lstatSync) as typeof nodeFs.lstatSync,
    readdirSync: first(nodeFs.readdirSync) as typeof nodeFs.readdirSync,
    readlinkSync: first(nodeFs.readlinkSync) as typeof nodeFs.readlinkSync,
    mkdirSync: first(nodeFs.mkdirSync) as typeof nodeFs.mkdirSync,
    openSync: first(nodeFs.openSync),
    chmodSync: first(nodeFs.chmodSync),
    truncateSync: first(nodeFs.truncateSync),
    lutimesSync: first(nodeFs.lutimesSync),
    unlinkSync: first(nodeFs.unlinkSync),
    rmdirSync: first(nodeFs.rmdirSync),
    linkSync: (from, to) => nodeFs.linkSync(fold(from), fold(to)),
    renameSync: (from, to) => {
      const [old, there, wanted] = [fold(from), fold(to), path.join(path.dirname(fold(to)), path.basename(String(to)))]
      nodeFs.renameSync(old, old === there ? wanted : there)
    },
  }
}
