/** Packets about memory: m, M, X. */
import { DebugRefused, type AddressSpace, type Debuggable } from '../../contract/debug.ts'
import { BAD_ADDRESS, BAD_REQUEST, hexBytes, latin1, MOST_PACKET, parseHexBytes } from './packet.ts'

/** `address,length` and what follows the colon. */
function parse(data: string): { address: bigint; length: number; rest: string } | undefined {
  const match = /^([0-9a-f]+),([0-9a-f]+)(?::([^]*))?$/i.exec(data)
  if (!match) return undefined
  const [, address = '', length = '', rest = ''] = match
  return { address: BigInt.asUintN(64, BigInt(`0x${address}`)), length: parseInt(length, 16), rest }
}

/** As much as can be read from the start. */
export async function answerMemory(target: Debuggable, space: AddressSpace, data: string): Promise<string> {
  const asked = parse(data)
  if (!asked) return BAD_REQUEST
  const length = Math.min(asked.length, MOST_PACKET / 2)
  const { bytes, holes } = await target.ask('readMemory', { space, address: asked.address, length })
  const end = holes[0]?.offset ?? length
  return end === 0 && length > 0 ? BAD_ADDRESS : hexBytes(bytes.subarray(0, end))
}

export const answerWriteHex = (target: Debuggable, space: AddressSpace, data: string): Promise<string> =>
  write(target, space, data, parseHexBytes)
export const answerWrite = (target: Debuggable, space: AddressSpace, data: string): Promise<string> =>
  write(target, space, data, latin1)

async function write(
  target: Debuggable,
  space: AddressSpace,
  data: string,
  decode: (text: string) => Uint8Array | undefined,
): Promise<string> {
  const asked = parse(data)
  const bytes = asked && decode(asked.rest)
  if (!asked || bytes?.length !== asked.length) return BAD_REQUEST
  // gdb asks with no bytes whether it may
  if (bytes.length === 0) return 'OK'
  try {
    await target.ask('writeMemory', { space, address: asked.address, bytes })
    return 'OK'
  } catch (error) {
    if (error instanceof DebugRefused) return BAD_ADDRESS
    throw error
  }
}
