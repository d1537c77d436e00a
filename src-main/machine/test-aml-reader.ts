import { viewOf } from '../boot/bytes.ts'

/** A small AML parser for the tests, written from ACPI §20.2 apart from the builder. It accepts no byte that it does not know. */
export type AmlNode =
  | { kind: 'integer'; value: number }
  | { kind: 'buffer'; bytes: Uint8Array }
  | { kind: 'package'; elements: AmlNode[] }
  | { kind: 'reference'; path: string }
  | { kind: 'name'; path: string; value: AmlNode }
  | { kind: 'scope' | 'device'; path: string; terms: AmlNode[] }
  | { kind: 'method'; path: string; args: number; bodyBytes: number }

export function parseAml(bytes: Uint8Array): AmlNode[] {
  const view = viewOf(bytes)
  let at = 0

  function packageEnd(): number {
    const start = at
    const lead = bytes[at++]
    const more = lead >> 6
    let length = more ? lead & 0xf : lead & 0x3f
    for (let i = 0; i < more; i++) length |= bytes[at++] << (4 + 8 * i)
    if (start + length > bytes.length) throw new Error(`package at ${start} runs past the end`)
    return start + length
  }

  function nameSegment(): string {
    const segment = String.fromCharCode(...bytes.subarray(at, at + 4))
    if (!/^[A-Z_][A-Z0-9_]{3}$/.test(segment)) throw new Error(`bad name at ${at}`)
    at += 4
    return segment
  }

  function path(): string {
    let prefix = ''
    if (bytes[at] === 0x5c) {
      prefix = '\\'
      at++
    }
    let segments = 1
    if (bytes[at] === 0x2e) {
      segments = 2
      at++
    } else if (bytes[at] === 0x2f) {
      segments = bytes[at + 1]
      at += 2
    }
    return prefix + Array.from({ length: segments }, nameSegment).join('.')
  }

  function until(end: number, next: () => AmlNode): AmlNode[] {
    const nodes: AmlNode[] = []
    while (at < end) nodes.push(next())
    if (at !== end) throw new Error(`a term runs past its package's end at ${end}`)
    return nodes
  }

  function value(): AmlNode {
    const start = at
    const op = bytes[at++]
    if (op <= 1) return { kind: 'integer', value: op }
    const width = { 0x0a: 1, 0x0b: 2, 0x0c: 4 }[op]
    if (width) {
      at += width
      const number =
        width === 1
          ? view.getUint8(start + 1)
          : width === 2
            ? view.getUint16(start + 1, true)
            : view.getUint32(start + 1, true)
      return { kind: 'integer', value: number }
    }
    if (op === 0x11) {
      const end = packageEnd()
      const size = value()
      const data = bytes.slice(at, end)
      if (size.kind !== 'integer' || size.value !== data.length) throw new Error(`buffer size at ${start}`)
      at = end
      return { kind: 'buffer', bytes: data }
    }
    if (op === 0x12) {
      const end = packageEnd()
      const count = bytes[at++]
      const elements = until(end, value)
      if (elements.length !== count) throw new Error(`package count at ${start}`)
      return { kind: 'package', elements }
    }
    at = start
    return { kind: 'reference', path: path() }
  }

  function term(): AmlNode {
    const op = bytes[at++]
    if (op === 0x08) return { kind: 'name', path: path(), value: value() }
    if (op === 0x10 || (op === 0x5b && bytes[at++] === 0x82)) {
      const end = packageEnd()
      return { kind: op === 0x10 ? 'scope' : 'device', path: path(), terms: until(end, term) }
    }
    if (op === 0x14) {
      const end = packageEnd()
      const named = path()
      const args = bytes[at++]
      const bodyBytes = end - at
      at = end
      return { kind: 'method', path: named, args, bodyBytes }
    }
    throw new Error(`unknown opcode ${op} at ${at - 1}`)
  }

  return until(bytes.length, term)
}

/** The node at a dotted path of 4-letter names below `nodes`. */
export function lookUp(nodes: AmlNode[], dotted: string): AmlNode {
  let level = nodes
  let found: AmlNode | undefined
  for (const segment of dotted.split('.')) {
    found = level.find((node) => 'path' in node && node.path.replace('\\', '') === segment.padEnd(4, '_'))
    if (!found) throw new Error(`${dotted}: no ${segment}`)
    level = 'terms' in found ? found.terms : []
  }
  return found && found.kind === 'name' ? found.value : found!
}
