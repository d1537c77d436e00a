import { parentPort, workerData } from 'node:worker_threads'
import { ControlBlock, Event } from '../../base/control-block.ts'
import { DiskError, type DiskImage } from '../../host/disk/image.ts'
import { openDisk } from '../../host/disk/open.ts'
import type { DiskConfig, ShareConfig } from '../../machine/config.ts'
import { openFolder } from '../../host/folder.ts'
import { NineServer } from '../../ninep/server.ts'
import { Ram } from '../../memory/ram.ts'
import { IoChannel } from './channel.ts'
import type { DiskFacts } from './client.ts'
import { IoServer } from './server.ts'
import type { FromIo, IoStart, ToIo } from './start.ts'

/** Entry of the io worker: owns disk images and shared folders, works on guest RAM directly. */

function factsOf(image: DiskImage, { serial, index }: DiskConfig): DiskFacts {
  return {
    sectors: image.sectors,
    readOnly: image.readOnly,
    serial: serial ?? `LM${String(index + 1).padStart(5, '0')}`,
  }
}

/** Opens a share's folder; the host's refusal becomes one sentence. */
function openShare(share: ShareConfig): NineServer {
  const { path, securityModel, readOnly } = share
  if (securityModel === 'mapped-file')
    throw new DiskError(`security_model=mapped-file is not built yet; use mapped-xattr for ${path}`)
  try {
    return new NineServer(openFolder(path), { securityModel, readOnly })
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new DiskError(`cannot share the folder ${path}: ${why}`, { cause })
  }
}

function run(
  start: IoStart,
  send: (message: FromIo) => void,
  onMessage: (handler: (message: ToIo) => void) => void,
): void {
  const images: DiskImage[] = []
  const shares: NineServer[] = []
  try {
    for (const disk of start.disks) images.push(openDisk(disk))
    for (const share of start.shares) shares.push(openShare(share))
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    send({ type: 'failed', sentence: error.message })
    return
  }
  const control = new ControlBlock(start.control, start.controlOffset)
  const parts = {
    channel: new IoChannel(start.channel),
    memory: new Ram(start.memory, start.ram),
    disks: images,
    shares,
  }
  const server = new IoServer(parts, () => control.raise(Event.ioDone))
  server.start()
  onMessage(() => {
    server.stop()
    void Promise.all(images.map((image) => image.flush().then(() => image.close()))).then(() =>
      send({ type: 'closed' }),
    )
  })
  send({ type: 'ready', disks: images.map((image, i) => factsOf(image, start.disks[i])) })
}

const port = parentPort
if (port === null) throw new Error('the io worker is a worker')
run(
  workerData as IoStart,
  (message) => port.postMessage(message),
  (handler) => port.on('message', handler),
)
