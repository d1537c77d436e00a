import type { ServiceHandlers } from '../../contract/rpc/definition.ts'
import type { Peer } from '../../contract/rpc/host.ts'
import type { AllServices } from '../../contract/services/index.ts'
import { listFolder } from '../files/listing.ts'
import { planMachine, recogniseFile } from '../files/recognise.ts'
import { Uploads } from '../files/uploads.ts'
import type { Shell } from '../shell.ts'

type Window = Peer<AllServices>

export function fileHandlers(shell: Shell, uploadFolder: string): ServiceHandlers<AllServices['files'], Window> {
  const byWindow = new WeakMap<Window, Uploads>()
  const uploadsOf = (window: Window): Uploads => {
    const known = byWindow.get(window)
    if (known !== undefined) return known
    const fresh = new Uploads(uploadFolder)
    byWindow.set(window, fresh)
    window.onEnd(() => void fresh.close())
    return fresh
  }
  return {
    choose: (_window, { purpose, multiple = false, name }) =>
      shell.choose({ purpose, multiple, ...(name === undefined ? {} : { name }) }),
    list: (_window, { path, hidden }) => listFolder(path, hidden),
    recognise: (_window, paths) => Promise.all(paths.map((path) => recogniseFile(path))),
    plan: (_window, wanted) => planMachine(wanted),
    beginUpload: (window, { name, size }) => uploadsOf(window).begin(name, size),
    uploadPiece: (window, id, bytes) => uploadsOf(window).add(id, bytes),
    finishUpload: (window, id) => uploadsOf(window).finish(id),
    cancelUpload: (window, id) => uploadsOf(window).cancel(id),
  }
}
