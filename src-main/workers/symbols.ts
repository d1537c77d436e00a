/**
 * Reads a file's symbols on a thread of its own: a vmlinux has hundreds of thousands, and the thread that asks carries consoles meanwhile. They come
 * back as columns, which change hands without being copied.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { unpacked } from '../base/unpacked.ts'
import { columnsOf, type SymbolColumns } from '../debug/symbols/columns.ts'
import { NoSymbols, readSymbols } from '../debug/symbols/read.ts'

type Answer = SymbolColumns | { readonly sentence: string }

/** The symbols of a file. Rejects with NoSymbols, one sentence that does not name the file, or with the host's own error. */
export async function readSymbolsOf(file: string): Promise<SymbolColumns> {
  const worker = new Worker(new URL(unpacked(import.meta.url)), { name: 'symbols', workerData: { symbolsOf: file } })
  const answer = await new Promise<Answer>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', () => reject(new Error('the reader of symbols ended without an answer')))
  })
  if ('sentence' in answer) throw new NoSymbols(answer.sentence)
  return answer
}

function readHere(file: string): Answer {
  const fd = openSync(file, 'r')
  try {
    const read = (offset: number, length: number) => {
      const bytes = new Uint8Array(length)
      for (let at = 0; at < length;) {
        const count = readSync(fd, bytes, at, length - at, offset + at)
        if (count === 0) throw new NoSymbols('the file became shorter while it was read')
        at += count
      }
      return bytes
    }
    return columnsOf(readSymbols({ size: fstatSync(fd).size, read }))
  } catch (error) {
    if (error instanceof NoSymbols) return { sentence: error.message }
    throw error
  } finally {
    closeSync(fd)
  }
}

const asked = workerData as { readonly symbolsOf?: string } | null
if (!isMainThread && asked?.symbolsOf !== undefined && parentPort !== null) {
  const answer = readHere(asked.symbolsOf)
  const columns: readonly { readonly buffer: ArrayBuffer }[] = 'sentence' in answer ? [] : Object.values(answer)
  const buffers = columns.map(({ buffer }) => buffer)
  parentPort.postMessage(answer, buffers)
}
