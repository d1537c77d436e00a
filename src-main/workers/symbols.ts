/**
 * Reads a file's symbols on a thread of its own: a vmlinux has hundreds of thousands, and the thread that asks carries consoles meanwhile. They come
 * back as columns, which cost the other thread little, in the order of their addresses.
 */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs'
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads'
import { unpacked } from '../base/unpacked.ts'
import { NoSymbols, readSymbols } from '../debug/symbols/read.ts'
import { byAddress, type Symbol } from '../debug/symbols/symbol-table.ts'

const kinds = ['code', 'data', 'absolute'] as const

type Answer =
  | {
      /** One a line. */
      readonly names: string
      readonly addresses: BigUint64Array
      readonly sizes: Float64Array
      /** Positions in `kinds`. */
      readonly kinds: Uint8Array
    }
  | { readonly sentence: string }

/** The symbols of a file, by address. Rejects with NoSymbols, one sentence that does not name the file, or with the host's own error. */
export async function readSymbolsOf(file: string): Promise<Symbol[]> {
  const worker = new Worker(new URL(unpacked(import.meta.url)), { name: 'symbols', workerData: { symbolsOf: file } })
  const answer = await new Promise<Answer>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
    worker.once('exit', () => reject(new Error('the reader of symbols ended without an answer')))
  })
  if ('sentence' in answer) throw new NoSymbols(answer.sentence)
  const { addresses, sizes } = answer
  return answer.names
    .split('\n')
    .map((name, n) => ({ name, address: addresses[n], size: sizes[n], kind: kinds[answer.kinds[n]] }))
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
    const symbols = readSymbols({ size: fstatSync(fd).size, read }).sort(byAddress)
    return {
      names: symbols.map(({ name }) => name).join('\n'),
      addresses: BigUint64Array.from(symbols, ({ address }) => address),
      sizes: Float64Array.from(symbols, ({ size }) => size),
      kinds: Uint8Array.from(symbols, ({ kind }) => kinds.indexOf(kind)),
    }
  } catch (error) {
    if (error instanceof NoSymbols) return { sentence: error.message }
    throw error
  } finally {
    closeSync(fd)
  }
}

const asked = workerData as { readonly symbolsOf?: string } | null
if (!isMainThread && asked?.symbolsOf !== undefined && parentPort !== null)
  parentPort.postMessage(readHere(asked.symbolsOf))
