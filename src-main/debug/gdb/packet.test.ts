import { describe, expect, it } from 'vitest'
import { latin1, littleEndian, packet, PacketReader, parseHexBytes, parseLittleEndian } from './packet.ts'

const text = (bytes: Uint8Array): string => String.fromCharCode(...bytes)
const read = (stream: string) => new PacketReader().read(latin1(stream))

describe('packets', () => {
  it("are the manual's examples", () => {
    expect(text(packet('OK'))).toBe('$OK#9a')
    expect(text(packet(''))).toBe('$#00')
    expect(read('+$m10,4#2a-\u0003')).toEqual([
      { kind: 'ack' },
      { kind: 'broken' },
      { kind: 'nack' },
      { kind: 'interrupt' },
    ])
    expect(read('$g#67')).toEqual([{ kind: 'packet', data: 'g' }])
  })

  it('carry every byte, in any pieces', () => {
    const all = String.fromCharCode(...Array.from({ length: 256 }, (_, n) => n))
    const sent = packet(`X0,100:${all}`)
    const reader = new PacketReader()
    const got = Array.from(sent, (byte) => reader.read(Uint8Array.of(byte))).flat()
    // a # within would end the packet: it must have been escaped
    expect(got).toEqual([{ kind: 'packet', data: `X0,100:${all}` }])
  })

  it('do not grow without end', () => {
    const reader = new PacketReader()
    reader.read(latin1('$' + 'a'.repeat(1 << 20)))
    expect(reader.read(latin1('$g#67'))).toEqual([{ kind: 'packet', data: 'g' }])
  })

  it('hold numbers in the order of memory', () => {
    expect(littleEndian(0x1234n, 32)).toBe('34120000')
    expect(parseLittleEndian('34120000')).toBe(0x1234n)
    expect(parseHexBytes('0g')).toBeUndefined()
    expect(parseHexBytes('123')).toBeUndefined()
  })
})
