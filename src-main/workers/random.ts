import process from 'node:process'

/** Fills guest-visible bytes from the host's generator. Node's crypto is a large library: it is loaded by the first guest that asks, not by every start. */
export function fillRandom(target: Uint8Array): void {
  process.getBuiltinModule('node:crypto').randomFillSync(target)
}
