/** Byte ranges that together make one message (a descriptor chain of guest memory). None is assumed to be whole. */

export function totalLength(segments: readonly Uint8Array[]): number {
  let total = 0
  for (const segment of segments) total += segment.length
  return total
}

/** Copies the first `length` bytes (or all there are) into `target`; returns how many. */
export function gather(segments: readonly Uint8Array[], target: Uint8Array, length: number): number {
  let done = 0
  for (const segment of segments) {
    if (done >= length) break
    const part = segment.length > length - done ? segment.subarray(0, length - done) : segment
    target.set(part, done)
    done += part.length
  }
  return done
}

/** Copies the first `length` bytes of `source` to the front of the segments, which are long enough. */
export function copyAt(source: Uint8Array, length: number, segments: readonly Uint8Array[]): void {
  let done = 0
  for (const segment of segments) {
    if (done >= length) return
    const count = Math.min(segment.length, length - done)
    // A short loop beats subarray + set for the few dozen bytes of most replies.
    if (count <= 64) for (let i = 0; i < count; i++) segment[i] = source[done + i]
    else segment.set(source.subarray(done, done + count))
    done += count
  }
}

export function scatter(source: Uint8Array, segments: readonly Uint8Array[]): void {
  copyAt(source, Math.min(source.length, totalLength(segments)), segments)
}

/** The ranges after the first `skip` bytes, at most `length` bytes of them; neighbours in memory are joined. */
export function dropFront(segments: readonly Uint8Array[], skip: number, length: number): Uint8Array[] {
  const rest: Uint8Array[] = []
  let left = length
  for (const segment of segments) {
    if (left <= 0) break
    if (skip >= segment.length) {
      skip -= segment.length
      continue
    }
    const part = segment.subarray(skip, Math.min(segment.length, skip + left))
    skip = 0
    left -= part.length
    const last = rest.at(-1)
    if (last !== undefined && last.buffer === part.buffer && last.byteOffset + last.length === part.byteOffset) {
      rest[rest.length - 1] = new Uint8Array(last.buffer, last.byteOffset, last.length + part.length)
    } else rest.push(part)
  }
  return rest
}
