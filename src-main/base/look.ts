/**
 * Looking again and again instead of sleeping, for what comes in some microseconds: a sleep ends 10 to 50 µs late, and on a computer that is itself a virtual
 * machine the core it wakes up on has cold caches. KVM does the same for its guests (halt polling).
 */

/** Looks between two at the clock. */
const LOOKS = 50

/** Does the word change from `value` within so many milliseconds? The thread is busy meanwhile. */
export function changesWithin(words: Int32Array, index: number, value: number, milliseconds: number): boolean {
  for (const end = performance.now() + milliseconds; performance.now() < end;)
    for (let i = 0; i < LOOKS; i++) if (Atomics.load(words, index) !== value) return true
  return false
}
