import process from 'node:process'
import { parentPort, workerData } from 'node:worker_threads'
import { ControlBlock, Event } from '../../base/control-block.ts'
import type { FromIoWorker, ToIoWorker } from '../../contract/io.ts'
import type { BlockStatus } from '../../devices/backends.ts'
import { DiskError, type DiskImage } from '../../host/disk/image.ts'
import { openDisk } from '../../host/disk/open.ts'
import { preferHugePages } from '../../host/huge-pages.ts'
import type { DiskConfig } from '../../machine/config.ts'
import { Ram } from '../../memory/ram.ts'
import { IoChannel } from './channel.ts'
import type { DiskFacts } from './client.ts'
import { Notes } from './notes.ts'
import { IoServer } from './server.ts'
import { Share } from './shares.ts'
import type { FromIo, IoStart, ToIo } from './start.ts'

/** Entry of the io worker: owns disk images and shared folders, works on guest RAM directly. */

/** What the guest is told as an error, in words for the user. */
const diskFailures: Readonly<Partial<Record<BlockStatus, string>>> = {
  'no-space': 'the place where the image lies is full; the guest gets errors when it writes, until there is room',
  'io-error': 'this computer could not read or write the image; the guest got an error',
}

function factsOf(image: DiskImage, { serial, index }: DiskConfig): DiskFacts {
  return {
    sectors: image.sectors,
    readOnly: image.readOnly,
    serial: serial ?? `LM${String(index + 1).padStart(5, '0')}`,
  }
}

function run(
  start: IoStart,
  send: (message: FromIo) => void,
  onMessage: (handler: (message: ToIo) => void) => void,
): void {
  // here, where the system's library is loaded anyway, while the vCPU's thread generates its engine
  preferHugePages(start.memory)
  const images: DiskImage[] = []
  const shares: Share[] = []
  const tell = (message: FromIoWorker) => start.events.postMessage(message)
  try {
    for (const disk of start.disks) images.push(openDisk(disk))
    for (const [i, share] of start.shares.entries()) shares.push(new Share(share, i, tell))
  } catch (error) {
    if (!(error instanceof DiskError)) throw error
    send({ type: 'failed', sentence: error.message })
    tell({ type: 'closed' })
    return
  }
  const control = new ControlBlock(start.control, start.controlOffset)
  const parts = {
    channel: new IoChannel(start.channel),
    memory: new Ram(start.memory, start.ram),
    disks: images,
    shares,
  }
  const notes = new Notes((text) => tell({ type: 'note', text }))
  const server = new IoServer(
    parts,
    () => control.raise(Event.ioDone),
    (disk, status) => notes.warn('disk', `the disk ${start.disks[disk].file}: ${diskFailures[status]}`),
  )
  server.start()
  onMessage(() => {
    server.stop()
    for (const share of shares) share.close()
    void Promise.all(images.map((image) => image.flush().then(() => image.close()))).then(() => {
      tell({ type: 'closed' })
      send({ type: 'closed' })
    })
  })
  start.events.on('message', (message: ToIoWorker) => {
    if (message.type === 'watch') for (const share of shares) share.watch(message.on)
    else tell(exchange(shares, message))
  })
  send({ type: 'ready', disks: images.map((image, i) => factsOf(image, start.disks[i])) })
}

function exchange(
  shares: readonly Share[],
  { id, share, path, readOnly }: Extract<ToIoWorker, { type: 'exchange' }>,
): FromIoWorker {
  const sentence =
    share in shares ? shares[share].exchange(path, readOnly) : `the machine has no shared folder number ${share}`
  return { type: 'exchanged', id, ...(sentence === undefined ? {} : { sentence }) }
}

const port = parentPort
if (port === null) throw new Error('the io worker is a worker')
const start = workerData as IoStart

/** The vCPU would wait for its answers for ever: the owner, who has an event loop, ends the machine. */
process.on('uncaughtException', (error) => {
  const sentence = `the machine's disks and shared folders stopped by a fault of Longmode: ${error.message}`
  start.events.postMessage({ type: 'failed', sentence, details: error.stack ?? sentence } satisfies FromIoWorker)
  process.exit(1)
})

run(
  start,
  (message) => port.postMessage(message),
  (handler) => port.on('message', handler),
)
